// SPDX-License-Identifier: GPL-3.0-or-later
// Walking the page tables for reading (walk.h). Tables lie in the direct map.
#include "kernel/arch/x86_64/walk.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/memory/layout.h"

phys_t walk_phys(const void *p)
{
    uint64_t address = (uint64_t)p;
    phys_t table = cr3_read() & ENTRY_ADDRESS;
    for (unsigned level = TABLE_LEVELS;; level--) {
        const entry_t *entries = phys_to_virt(table);
        entry_t e = entries[entry_index(address, level)];
        if (!(e & ENTRY_PRESENT))
            return 0;
        uint64_t inside = address & (entry_span(level) - 1);
        if (level == 1 || (e & ENTRY_LARGE))
            return ((e & ENTRY_ADDRESS) & ~(entry_span(level) - 1)) + inside;
        table = e & ENTRY_ADDRESS;
    }
}
