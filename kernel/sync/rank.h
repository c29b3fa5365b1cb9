// SPDX-License-Identifier: GPL-3.0-or-later
// Checking the order of lock_rank.h: a stack of the ranks somebody holds, and what may be pushed.
//
//   const struct rank_entry *bad = rank_conflict(&stack, context, RANK_LOG, false);
//   if (bad == NULL) rank_push(&stack, ...);
//
// A CPU has one stack for its spin locks (spinlock.c, debug builds); each thread has one array for
// its sleeping locks (rank_sleep_enter). Interrupts that come while a thread holds locks start
// afresh: only entries of the same context (depth of interrupts) are compared. The owner is the
// only user of its stack, so nothing here locks. Portable. Tests: kernel/sync/test/rank.c.
#pragma once
#include "kernel/sync/lock_rank.h"
#include "lib/base.h"

enum { RANK_DEPTH = 24 };

struct rank_entry {
    const void *lock;
    uint8_t rank;
    uint8_t context; // 0: thread; n: the n-th nested interrupt
};

struct rank_stack {
    unsigned depth;
    struct rank_entry entries[RANK_DEPTH];
};

// The entry that forbids taking a lock of `rank` now; NULL when it may be taken. `nested` allows a
// second lock of the same rank at a higher address.
const struct rank_entry *rank_conflict(const struct rank_stack *s, unsigned context,
                                       const void *lock, unsigned rank, bool nested);
bool rank_push(struct rank_stack *s, unsigned context, const void *lock,
               unsigned rank);                         // false: full
bool rank_pop(struct rank_stack *s, const void *lock); // in any order; false: not held
bool rank_holds(const struct rank_stack *s, const void *lock);

// The same for a thread's sleeping locks, kept as plain ranks (struct thread.sleep_ranks). Returns
// the rank that forbids it, or 0 after adding. `nested`: equal ranks are allowed. More locks than
// there is room for are not recorded.
unsigned rank_sleep_enter(uint8_t *ranks, uint8_t *count, unsigned room, unsigned rank,
                          bool nested);
void rank_sleep_leave(uint8_t *ranks, uint8_t *count, unsigned rank);
