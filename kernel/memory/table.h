// SPDX-License-Identifier: GPL-3.0-or-later
// Page tables as a tree: finding, making and filling entries of any top-level table.
//
//   entry_t *e = table_entry(top, address, 1, true);       NULL: no memory
//   err_t e = table_map(top, virt, phys, size, ENTRY_WRITE | ENTRY_NX);     kernel ranges
//
// An entry is in use when it is not 0: a user page that nobody may touch (PROT_NONE) keeps its
// entry without the present bit. Tables of user space count their entries in use (struct
// page.entries) and are freed with the last; the kernel's are kept. The caller locks:
// RANK_PAGE_TABLE for a space's, RANK_KERNEL_TABLE for the kernel's (vmap.c). Before page_alloc()
// works, tables come from the boot's bump allocator.
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

// The entry on the way to `address` that ends it: it maps a page, or is empty; and its level.
entry_t *table_end(phys_t top, uint64_t address, unsigned *level);

// Maps kernel addresses with the largest pages that alignment allows. ENTRY_PRESENT is added. What
// was mapped there is replaced; flushing is the caller's. -ENOMEM: a part may be mapped.
err_t table_map(phys_t top, uint64_t virt, phys_t phys, uint64_t size, uint64_t bits) must_check;

// Where a kernel address is mapped: false when it is not.
bool table_lookup(phys_t top, uint64_t virt, phys_t *phys, uint64_t *bits);

// Stores a user entry and keeps count of its table's entries.
void table_set(entry_t *e, entry_t value);

// Visits every entry in use that maps a page of [start, end) of user space, in order; `leaf` may
// change it by table_set(). Tables left empty are unhooked and handed to `dropped` (may be NULL:
// they stay). A large page is visited when any part of it lies in the range.
struct page;

struct table_visit {
    void (*leaf)(struct table_visit *v, entry_t *e, unsigned level, uint64_t address);
    void (*dropped)(struct table_visit *v, struct page *table, uint64_t address);
};
void table_visit(phys_t top, uint64_t start, uint64_t end, struct table_visit *v);

phys_t table_make(void) must_check; // one empty table; 0: none
void table_drop(phys_t table);
