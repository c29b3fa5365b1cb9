// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of address spaces, between the space_*.c files and object.c. Others include space.h.
//
// Who changes what:
//   the tree of mappings, a mapping's bounds and rights      s->lock for writing
//   the same of a mapping with an object                     and the object's lock
//   page tables                                              s->table_lock
//   filling in an entry that shows an object's page          s->lock for reading, the object's
//   lock,
//                                                            and s->table_lock
// Mappings that left the tree are collected in a list and released when no lock is held any more:
// dropping the last reference on a file or an object may take any lock.
#pragma once
#include "kernel/memory/space.h"
#include "kernel/memory/table.h"

struct trap_frame;

// Entry bits of user pages that only this room knows.
#define ENTRY_SPECIAL \
    ENTRY_SOFT_1 // no reference is held: the shared zero page, device memory, loans

#define MAPF_GONE (1u << 31) // unmapped, not merely replaced by another mapping of the same

enum { STACK_GUARD_PAGES = 256 }; // kept free below a mapping that grows down

void object_init(void);
// Takes a page out of the object's tree, with its reference; o->lock held.
void object_leave_locked(struct memory_object *o, uint64_t index, struct page *p);

// space_table.c: page tables of one space. The caller holds s->table_lock unless noted.

// Pages and tables on their way out: freed after the TLBs have forgotten them.
struct zap {
    struct space *space;
    uint64_t start, end; // what the TLBs must forget
    bool tables;         // page tables are among the pages
    unsigned count;
    struct page *pages[64];
};
void zap_begin(struct zap *z, struct space *s);
void zap_range(struct zap *z, uaddr_t start, uaddr_t end); // takes no lock
void zap_page(struct zap *z, struct page *p);              // one page more to free
void zap_finish(struct zap *z);                            // any time; the lock may be held

// Empties [start, end) of the page tables; takes s->table_lock. Large pages lie wholly in or out.
void space_zap(struct space *s, uaddr_t start, uaddr_t end);

// Makes sure that no large page crosses `at`; takes s->table_lock.
err_t space_split_large(struct space *s, uaddr_t at) must_check;
// The same for the large page whose entry is `e`.
err_t entry_split(entry_t *e) must_check;

// Rights of [start, end) become those of `m`; takes s->table_lock.
void space_protect_entries(struct space *s, const struct mapping *m, uaddr_t start, uaddr_t end);

// Private pages of `m` become shared, read-only, with `to`. Takes from->table_lock.
err_t space_copy_entries(struct space *from, struct space *to, const struct mapping *m) must_check;

// Moves entries to another place in the same space; all or none. Takes s->table_lock.
err_t space_move_entries(struct space *s, uaddr_t from, uaddr_t to, uint64_t size) must_check;

entry_t entry_bits(const struct mapping *m, bool writable);
struct page *entry_page(entry_t e); // NULL: special

// object.c tells mappings; the object's lock is held.
void mapping_zap(struct mapping *m, uaddr_t start, uaddr_t end);
void mapping_write_protect(struct mapping *m, uaddr_t start, uaddr_t end);

// space_load.c
// On every CPU that may use it. tables_freed: page tables are about to be freed too.
void space_flush(struct space *s, uaddr_t start, uaddr_t end, bool tables_freed);
void space_leave_all(struct space *s); // no CPU has it loaded any more

// space_mappings.c: the tree. The caller holds s->lock for writing.
void mappings_init(void);
struct mapping *mapping_find(struct space *s, uaddr_t address); // contains it or lies after it
struct mapping *mapping_at(struct space *s, uaddr_t address);   // contains it
struct mapping *mapping_next(const struct mapping *m);
struct mapping *mapping_prev(const struct mapping *m);
struct mapping *mapping_make(const struct mapping *like, uaddr_t start, uaddr_t end,
                             uint64_t offset) must_check; // takes references
void mapping_insert(struct space *s, struct mapping *m);
void mapping_remove(struct mapping *m, struct list *dead);
void mapping_resize(struct mapping *m, uaddr_t start, uaddr_t end);           // the offset follows
void mapping_merge(struct space *s, struct mapping *m, struct list *dead);    // with its neighbours
err_t mappings_split(struct space *s, uaddr_t start, uaddr_t end) must_check; // at both bounds
void mappings_release(struct list *dead);                                     // no lock held
bool mappings_pinned(struct space *s, uaddr_t start, uaddr_t end);            // any of them is
err_t mappings_unmap(struct space *s, uaddr_t start, uaddr_t end, struct list *dead) must_check;
bool mappings_gap(struct space *s, uint64_t size, uint64_t align, uaddr_t low, uaddr_t high,
                  uaddr_t *at);

// space_reclaim.c. The caller holds s->lock (from->lock) for writing.
void mappings_reclaim(struct space *s, uaddr_t start, uaddr_t end, struct list *dead);
err_t space_fork_lent(struct space *to, const struct mapping *m) must_check; // copies of its pages

// space_fault.c
void space_fault_init(void);
err_t memory_page_fault(struct trap_frame *f, uaddr_t address);
