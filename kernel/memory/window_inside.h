// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of windows, between window.c, loan.c and their tests. Others include window.h and loan.h.
#pragma once
#include "kernel/memory/loan.h"
#include "kernel/memory/space_inside.h"

enum { WINDOW_CHUNK = 64, WINDOW_CHUNKS = WINDOW_SLOTS_MAX / WINDOW_CHUNK };

#define WINDOW_SLOT_BYTES (WINDOW_SLOTS_MAX * PAGE_SIZE)
#define WINDOW_LOAN_BYTES GIB(1) // on loan to one server at once
#define WINDOW_BYTES      (WINDOW_SLOT_BYTES + WINDOW_LOAN_BYTES)

struct slot_state {
    struct page *page;
    uint32_t next;  // free: number + 1 of the next free one
    uint32_t dirty; // bytes at its start that may hold what an earlier message left
};

struct window {
    uint32_t references;
    struct space *space;
    uaddr_t base; // slots, then loans
    // Free slots, a stack: number + 1 of the first in the lower half (0: none), a count of changes
    // in the upper, so that a compare-and-swap notices when the first went and came back.
    uint64_t free align_to(64);
    struct spinlock lock align_to(64); // RANK_WINDOW: `made`, `chunks`, `loans`
    uint32_t made;                     // slots that have a page
    struct slot_state *chunks[WINDOW_CHUNKS];
    struct rb_tree loans; // struct loan.range: addresses
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
