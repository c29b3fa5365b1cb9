// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of windows, between window.c, loan.c and their tests. Others include window.h and loan.h.
#pragma once
#include "kernel/memory/loan.h"
#include "kernel/memory/space_inside.h"

#define WINDOW_SLOT_BYTES (WINDOW_SLOTS_MAX * PAGE_SIZE)
#define WINDOW_LOAN_BYTES GIB(1) // on loan to one server at once
#define WINDOW_BYTES      (WINDOW_SLOT_BYTES + WINDOW_LOAN_BYTES)

struct window {
    uint32_t references;
    struct space *space;
    uaddr_t base;                      // slots, then loans
    struct spinlock lock align_to(64); // RANK_WINDOW: all below
    struct list pages;                 // the slots': struct page.link
    uint32_t made;                     // slots
    struct rb_tree loans;              // struct loan.range: addresses
};

// loan_account.c: pages on loan for each user. False: that would be more than `most`.
bool loan_charge(uint32_t user, uint64_t pages, uint64_t most) must_check;
void loan_discharge(uint32_t user, uint64_t pages);

// space_lend.c. Pages appear at `at`, in a pinned mapping of `s`; no references are taken.
err_t space_lend(struct space *s, uaddr_t at, struct page *const *pages, uint32_t count,
                 bool writable) must_check;
// Empties these entries again, and every TLB that may know of them.
void space_unlend(struct space *s, uaddr_t at, uint32_t count);
// The pages behind [start, start + count pages), each with a reference; NULL where it cannot be
// lent. -EFAULT: not mapped so that `access` is allowed; then all of them are NULL.
err_t space_pages(struct space *s, uaddr_t start, uint32_t count, unsigned access,
                  struct page **pages) must_check;
// How many pages from `start` on are still these (in any of their rights).
uint32_t space_same_pages(struct space *s, uaddr_t start, uint32_t count,
                          struct page *const *pages);
// Takes a pinned mapping and its entries away.
void space_unpin(struct space *s, uaddr_t start, uint64_t size);
