// SPDX-License-Identifier: GPL-3.0-or-later
// The mutex of kernel/sync/mutex.h. It stands here because it is made of threads.
//
// `owner` is taken and given back by compare-and-swap alone while nobody waits. Once bit 0 is set,
// the holder can let go only under slow_lock, which guards everything else: the waiters of all
// mutexes, thread.waits, thread.mutexes_held. One lock for all lets a chain of holders be walked
// without taking their locks one by one; it is taken only where a thread is about to sleep anyway.
#include "kernel/sync/mutex.h"
#include "kernel/console/panic.h"
#include "kernel/sched/turn.h"
#include "kernel/sync/rank.h"

enum { WAITERS = 1, PATIENCE = 2, CHAIN_MOST = 16, SPINS = 50 };

struct mutex_waiter {
    struct list link;
    struct thread *thread;
    struct mutex *mutex;
    unsigned lost; // how often a newcomer was faster
};

static struct spinlock slow_lock = SPINLOCK_INIT(RANK_MUTEX);

// Before sched_init() there is one flow of control and no thread.
static uintptr_t self(void)
{
    struct thread *t = thread_current();
    return t ? (uintptr_t)t : (uintptr_t)&slow_lock;
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
    list_init(&m->waiters);
    list_init(&m->held_link);
}

static struct mutex_waiter *first_waiter(struct mutex *m)
{
    return list_empty(&m->waiters) ? NULL : list_first(&m->waiters, struct mutex_waiter, link);
}

// Behind all that are at least as urgent.
static void insert(struct mutex_waiter *w)
{
    struct list *at = w->mutex->waiters.prev;
    while (at != &w->mutex->waiters &&
           list_entry(at, struct mutex_waiter, link)->thread->ring.urgency <
               w->thread->ring.urgency)
        at = at->prev;
    list_insert_between(&w->link, at, at->next);
}

// What the waiters for its mutexes lend to a thread.
static void lend_to(struct thread *t)
{
    uint8_t urgency = 0;
    list_for_each (link, &t->mutexes_held) {
        struct mutex_waiter *w = first_waiter(list_entry(link, struct mutex, held_link));
        if (w)
            urgency = max_of(urgency, w->thread->ring.urgency);
    }
    if (t->ring.inherited != urgency)
        thread_lend(t, urgency);
}

// To its place among those who wait with it, unless the mutex was handed to it already.
static void place_again(struct mutex_waiter *w)
{
    if (list_empty(&w->link))
        return;
    list_remove(&w->link);
    insert(w);
}

// The waiters of `m` changed: its holder, whoever that waits for, and so on.
static void lend_along(struct mutex *m)
{
    for (unsigned n = 0; m && n < CHAIN_MOST; n++) {
        struct thread *t = holder(m);
        if (!t || (uintptr_t)t == (uintptr_t)&slow_lock)
            return;
        uint8_t before = t->ring.urgency;
        lend_to(t);
        struct mutex_waiter *w = t->waits;
        if (!w || t->ring.urgency == before)
            return;
        place_again(w);
        m = w->mutex;
    }
}

// If it is just about to wait, it will queue itself by what it is now: slow_lock orders the two.
void mutex_waiter_changed(struct thread *t)
{
    spin_lock(&slow_lock);
    if (t->waits) {
        place_again(t->waits);
        lend_along(t->waits->mutex);
    }
    spin_unlock(&slow_lock);
}

// Makes the thread the holder; others may wait.
static void give(struct mutex *m, struct thread *t)
{
    bool more = !list_empty(&m->waiters);
    __atomic_store_n(&m->owner, (uintptr_t)t | (more ? WAITERS : 0), __ATOMIC_RELEASE);
    if (more)
        list_push_back(&t->mutexes_held, &m->held_link);
}

// Takes the mutex for a queued waiter if it is free; else makes sure that its holder knows of
// waiters.
static bool take(struct mutex *m, struct mutex_waiter *w)
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
            list_remove(&w->link);
            give(m, w->thread);
            return true;
        }
        if (owner & WAITERS)
            return false;
        if (__atomic_compare_exchange_n(&m->owner, &owner, owner | WAITERS, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            list_push_back(&((struct thread *)owner)->mutexes_held, &m->held_link);
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
    struct mutex_waiter w = { .thread = t, .mutex = m };
    spin_lock(&slow_lock);
    insert(&w);
    t->waits = &w;
    while (!take(m, &w)) {
        lend_along(m);
        wait_prepare(NULL);
        spin_unlock(&slow_lock);
        (void)wait_sleep(NULL, WAIT_FOREVER, false);
        spin_lock(&slow_lock);
        w.lost++;
    }
    t->waits = NULL;
    lend_to(t);
    spin_unlock(&slow_lock);
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
    spin_lock(&slow_lock);
    list_remove(&m->held_link);
    struct mutex_waiter *w = first_waiter(m);
    struct thread *wake = w ? w->thread : NULL;
    if (w && w->lost >= PATIENCE) {
        list_remove(&w->link);
        give(m, w->thread);
    } else {
        __atomic_store_n(&m->owner, w ? WAITERS : 0, __ATOMIC_RELEASE);
    }
    if (wake)
        thread_wake(wake); // under the lock: it cannot end before
    lend_to(t);
    spin_unlock(&slow_lock);
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
