// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes both boot protocols' parsers, and the command line they yield. The first byte chooses the
// protocol, the rest stands for physical memory from BASE on, the information first.
#include "kernel/boot/parse.h"
#include "kernel/console/panic.h"
#include "lib/command_line.h"
#include "lib/string.h"

enum { BASE = 0x1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct handoff *h)
{
    assert(h->range_count <= HANDOFF_RANGES);
    for (unsigned i = 0; i < h->range_count; i++) {
        uint64_t end;
        assert(h->ranges[i].size > 0);
        assert(!add_overflows(h->ranges[i].start, h->ranges[i].size, &end));
    }
    assert(strnlen(h->command_line, sizeof(h->command_line)) < sizeof(h->command_line));
    assert(strnlen(h->loader, sizeof(h->loader)) < sizeof(h->loader));

    char value[16];
    command_line_has(h->command_line, "nokaslr");
    command_line_get(h->command_line, "panic", value, sizeof(value));
    command_line_lists(h->command_line, "no", "smap");
    command_line_number(h->command_line, "loglevel", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct handoff h;
    if (size == 0)
        return 0;
    struct boot_memory m = { .bytes = data + 1, .start = BASE, .size = size - 1 };
    memset(&h, 0, sizeof(h));
    err_t e = data[0] & 1 ? pvh_parse(&m, BASE, &h) : multiboot2_parse(&m, BASE, &h);
    if (!e)
        check(&h);
    return 0;
}
