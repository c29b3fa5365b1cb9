// SPDX-License-Identifier: GPL-3.0-or-later
// Inheriting urgency along chains of holders and waiters; inside the scheduler only.
//
// One lock guards all claims, thread.claims_held and thread.waits, so that a chain can be walked
// without taking locks one by one. It is taken only where a thread is about to sleep anyway, or
// changes its urgency. All functions but claim_waiter_changed() and claim_check_none() need it
// held.
#pragma once
#include "kernel/sched/thread.h"
#include "kernel/sync/claim.h"

extern struct spinlock claims_lock; // RANK_MUTEX

// Of a thread whose own urgency changed: to its place again, and what it waits for.
void claim_waiter_changed(struct thread *t);

// The first of those who wait; NULL: nobody does.
struct claimant *claim_first(const struct claim *c);
// Queues behind all that are at least as urgent, and says that the thread waits. Follow it by
// claim_lend_along().
void claim_wait(struct claim *c, struct claimant *w, struct thread *t);
// Takes one off, whether it got it or gave up. Follow it by claim_lend_along() in the latter case.
void claim_wait_end(struct claimant *w);
// Makes the thread the holder; NULL: nobody is.
void claim_hold(struct claim *c, struct thread *holder);
// The thread's inherited urgency anew, from those who wait for what it holds.
void claim_lend_to(struct thread *t);
// The waiters changed: the holder inherits, and whoever that waits for, and so on.
void claim_lend_along(struct claim *c);
// Whether the thread would wait for itself, or for a longer chain than anybody needs.
bool claim_would_deadlock(const struct claim *c, const struct thread *t);
// The calling thread ends: asserts that it holds no mutex. (A claim on a futex that comes at this
// moment is taken back by who makes it.)
void claim_check_none(struct thread *t);
