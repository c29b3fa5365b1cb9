// SPDX-License-Identifier: GPL-3.0-or-later
// Seeing firmware's memory (osl.h): tables, before and after ACPICA runs, and operation regions.
#include "kernel/acpi/osl.h"
#include "kernel/memory/page.h"
#include "kernel/memory/vmap.h"

static bool in_direct_map(phys_t address, size_t size)
{
    phys_t end;
    if (size == 0 || add_overflows(address, size, &end))
        return false;
    for (phys_t at = round_down(address, PAGE_SIZE); at < end; at += PAGE_SIZE)
        if (!phys_is_memory(at))
            return false;
    return true;
}

// Outside of memory the firmware's range registers say what is a device and what is tables: the
// page attribute "cached" leaves the decision to them.
void *osl_map(phys_t address, size_t size)
{
    if (in_direct_map(address, size))
        return phys_to_virt(address);
    return size ? vmap_device(address, size, VMAP_CACHED) : NULL;
}

void osl_unmap(const void *p)
{
    if ((uintptr_t)p >= VMAP_START && (uintptr_t)p < VMAP_END)
        vmap_drop((void *)p);
}
