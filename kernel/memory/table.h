// SPDX-License-Identifier: GPL-3.0-or-later
// Page tables as a tree: finding, making and filling entries of any top-level table.
//
//   entry_t *e = table_entry(top, address, 1, true);       NULL: no memory
//   err_t e = table_map(top, virt, phys, size, ENTRY_WRITE | ENTRY_NX);     kernel ranges
//
// Tables of user space count their entries in use (struct page.entries) and are freed with the
// last; the kernel's are kept. The caller locks: RANK_PAGE_TABLE for a space's, RANK_KERNEL_TABLE
// for the kernel's (vmap.c). Before page_alloc() works, tables come from the boot's bump allocator.
#pragma once
#include "kernel/arch/x86_64/paging.h"
#include "kernel/memory/layout.h"

// Where tables come from: 4 KiB zeroed, physical; 0: none. page_alloc() unless set.
void table_set_source(phys_t (*source)(void));

static inline entry_t *table_at(phys_t table)
{
    return phys_to_virt(table);
}

static inline entry_t *table_below(entry_t e)
{
    return phys_to_virt(e & ENTRY_ADDRESS);
}

// The entry for `address` at `level`. With `make`, missing tables are added; NULL: no memory.
// Without: NULL when a table is missing. NULL also when a larger page is mapped above `level`.
entry_t *table_entry(phys_t top, uint64_t address, unsigned level, bool make) must_check;

// Maps kernel addresses with the largest pages that alignment allows. ENTRY_PRESENT is added. What
// was mapped there is replaced; flushing is the caller's. -ENOMEM: a part may be mapped.
err_t table_map(phys_t top, uint64_t virt, phys_t phys, uint64_t size, uint64_t bits) must_check;

// Where a kernel address is mapped: false when it is not.
bool table_lookup(phys_t top, uint64_t virt, phys_t *phys, uint64_t *bits);

phys_t table_make(void) must_check; // one empty table; 0: none
void table_drop(phys_t table);
