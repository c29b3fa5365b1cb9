// SPDX-License-Identifier: GPL-3.0-or-later
// What the two parsers share: reading from the window, adding to the hand-off.
#include "kernel/boot/parse.h"
#include "lib/string.h"

bool boot_memory_read(const struct boot_memory *m, phys_t from, void *to, uint64_t size)
{
    if (from < m->start || !range_fits(from - m->start, size, m->size))
        return false;
    memcpy(to, m->bytes + (from - m->start), size);
    return true;
}

void boot_memory_read_text(const struct boot_memory *m, phys_t from, uint64_t most, char *to,
                           size_t room)
{
    size_t n = 0;
    while (n < most && n < room - 1 && boot_memory_read(m, from + n, to + n, 1) && to[n])
        n++;
    to[n] = '\0';
}

static enum memory_kind kind_of_e820(uint32_t kind)
{
    switch (kind) {
    case 1:
        return MEMORY_USABLE;
    case 3:
        return MEMORY_ACPI_TABLES;
    case 4:
        return MEMORY_ACPI_NVS;
    case 5:
        return MEMORY_BAD;
    default:
        return MEMORY_RESERVED;
    }
}

void handoff_add_range(struct handoff *h, uint64_t start, uint64_t size, uint32_t e820_kind)
{
    uint64_t end;
    if (size == 0 || add_overflows(start, size, &end) || h->range_count == HANDOFF_RANGES)
        return;
    h->ranges[h->range_count++] =
        (struct memory_range){ .start = start, .size = size, .kind = kind_of_e820(e820_kind) };
}
