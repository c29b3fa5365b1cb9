// SPDX-License-Identifier: GPL-3.0-or-later
// The mutex of kernel/sync/mutex.h. It stands here because it is made of threads.
//
// `owner` is taken and given back by compare-and-swap alone while nobody waits. Once bit 0 is set,
// the holder can let go only under claims_lock, which guards everything else.
#include "kernel/sync/mutex.h"
#include "kernel/console/panic.h"
#include "kernel/sched/claim.h"
#include "kernel/sync/rank.h"

enum { WAITERS = 1, PATIENCE = 2, SPINS = 50 };

struct mutex_waiter {
    struct claimant claimant;
    unsigned lost; // how often a newcomer was faster
};

// Before sched_init() there is one flow of control and no thread.
static uintptr_t self(void)
{
    struct thread *t = thread_current();
    return t ? (uintptr_t)t : (uintptr_t)&claims_lock;
}

static struct thread *holder(const struct mutex *m)
{
    return (struct thread *)(__atomic_load_n(&m->owner, __ATOMIC_RELAXED) & ~(uintptr_t)WAITERS);
}

#ifdef CONFIG_DEBUG
static void rank_enter(const struct mutex *m)
{
    struct thread *t = thread_current();
    if (!t)
        return;
    unsigned under = rank_sleep_enter(t->sleep_ranks, &t->sleep_rank_count,
                                      array_len(t->sleep_ranks), m->rank, true);
    if (under)
        panic("lock: sleeping lock of rank %u at %p taken under rank %u", m->rank, (const void *)m,
              under);
}

static void rank_leave(const struct mutex *m)
{
    struct thread *t = thread_current();
    if (t)
        rank_sleep_leave(t->sleep_ranks, &t->sleep_rank_count, m->rank);
}
#else
static void rank_enter(const struct mutex *m) {}
static void rank_leave(const struct mutex *m) {}
#endif

void mutex_init(struct mutex *m, enum lock_rank rank)
{
    *m = (struct mutex){ .rank = (uint8_t)rank };
    claim_init(&m->claim);
}

// Makes the thread the holder; others may wait.
static void give(struct mutex *m, struct claimant *w)
{
    claim_wait_end(w);
    bool more = claim_first(&m->claim) != NULL;
    __atomic_store_n(&m->owner, (uintptr_t)w->thread | (more ? WAITERS : 0), __ATOMIC_RELEASE);
    claim_hold(&m->claim, more ? w->thread : NULL);
}

// Takes the mutex for a queued waiter if it is free; else makes sure that its holder knows of
// waiters.
static bool take(struct mutex *m, struct claimant *w)
{
    for (;;) {
        uintptr_t owner = __atomic_load_n(&m->owner, __ATOMIC_ACQUIRE);
        if ((owner & ~(uintptr_t)WAITERS) == (uintptr_t)w->thread)
            return true; // handed over
        if ((owner & ~(uintptr_t)WAITERS) == 0) {
            // owner == 0: a newcomer may take it by its fast path at this moment.
            if (owner == 0 && !__atomic_compare_exchange_n(&m->owner, &owner, WAITERS, false,
                                                           __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                continue;
            give(m, w);
            return true;
        }
        if (owner & WAITERS)
            return false;
        if (__atomic_compare_exchange_n(&m->owner, &owner, owner | WAITERS, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            claim_hold(&m->claim, (struct thread *)owner);
            return false;
        }
    }
}

// Apart, so that the usual way saves no registers for it.
static no_inline void lock_slow(struct mutex *m)
{
    struct thread *t = thread_current();
    assert(t && may_sleep());
    assert(holder(m) != t);
    struct mutex_waiter w = { 0 };
    spin_lock(&claims_lock);
    claim_wait(&m->claim, &w.claimant, t);
    while (!take(m, &w.claimant)) {
        claim_lend_along(&m->claim);
        wait_prepare(NULL);
        spin_unlock(&claims_lock);
        (void)wait_sleep(NULL, WAIT_FOREVER, false);
        spin_lock(&claims_lock);
        w.lost++;
    }
    claim_lend_to(t);
    spin_unlock(&claims_lock);
}

static bool lock_fast(struct mutex *m)
{
    uintptr_t expected = 0;
    return __atomic_compare_exchange_n(&m->owner, &expected, self(), false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

// Most locks are held for less than a switch takes: with other CPUs there, a short look is worth
// it.
static bool spin(struct mutex *m)
{
    for (unsigned n = 0; n < SPINS && cpu_count > 1; n++) {
        if (__atomic_load_n(&m->owner, __ATOMIC_RELAXED) == 0 && lock_fast(m))
            return true;
        cpu_relax();
    }
    return false;
}

static no_inline void lock_contended(struct mutex *m)
{
    if (!spin(m))
        lock_slow(m);
}

void mutex_lock(struct mutex *m)
{
    debug_assert(m->rank);
    rank_enter(m);
    if (unlikely(!lock_fast(m)))
        lock_contended(m);
}

bool mutex_try(struct mutex *m)
{
    if (!lock_fast(m))
        return false;
    rank_enter(m);
    return true;
}

static no_inline void unlock_slow(struct mutex *m)
{
    struct thread *t = thread_current();
    spin_lock(&claims_lock);
    claim_hold(&m->claim, NULL);
    struct claimant *first = claim_first(&m->claim);
    struct thread *wake = first ? first->thread : NULL;
    if (first && container_of(first, struct mutex_waiter, claimant)->lost >= PATIENCE)
        give(m, first);
    else
        __atomic_store_n(&m->owner, first ? WAITERS : 0, __ATOMIC_RELEASE);
    if (wake)
        thread_wake(wake); // under the lock: it cannot end before
    claim_lend_to(t);
    spin_unlock(&claims_lock);
}

void mutex_unlock(struct mutex *m)
{
    assert(mutex_held(m));
    rank_leave(m);
    uintptr_t expected = self();
    if (!__atomic_compare_exchange_n(&m->owner, &expected, 0, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED))
        unlock_slow(m);
}

bool mutex_held(const struct mutex *m)
{
    return (uintptr_t)holder(m) == self();
}
