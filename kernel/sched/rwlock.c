// SPDX-License-Identifier: GPL-3.0-or-later
// The rwlock of kernel/sync/mutex.h: many readers or one writer, in the order of arrival.
//
// `state` counts readers; the two top bits say that a writer is inside, that somebody waits. While
// WAITERS is clear, everything is one compare-and-swap. Who finds it set goes through l->lock, and
// whoever leaves last hands the lock to those in front of the queue: they own it when they wake.
#include "kernel/console/panic.h"
#include "kernel/sched/turn.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/rank.h"

#define WRITER  (1u << 31)
#define WAITERS (1u << 30)
enum { SPINS = 50 };

struct rwlock_waiter {
    struct list link;
    struct thread *thread;
    bool writes, granted;
};

#ifdef CONFIG_DEBUG
static void rank_enter(const struct rwlock *l)
{
    struct thread *t = thread_current();
    if (!t)
        return;
    unsigned under = rank_sleep_enter(t->sleep_ranks, &t->sleep_rank_count,
                                      array_len(t->sleep_ranks), l->rank, true);
    if (under)
        panic("lock: rwlock of rank %u at %p taken under rank %u", l->rank, (const void *)l, under);
}

static void rank_leave(const struct rwlock *l)
{
    struct thread *t = thread_current();
    if (t)
        rank_sleep_leave(t->sleep_ranks, &t->sleep_rank_count, l->rank);
}
#else
static void rank_enter(const struct rwlock *l) {}
static void rank_leave(const struct rwlock *l) {}
#endif

void rwlock_init(struct rwlock *l, enum lock_rank rank)
{
    *l = (struct rwlock){ .rank = (uint8_t)rank };
    spin_init(&l->lock, RANK_MUTEX);
    list_init(&l->waiters);
}

static bool enter_fast(struct rwlock *l, bool writes)
{
    uint32_t state = __atomic_load_n(&l->state, __ATOMIC_RELAXED);
    do {
        if (writes ? state != 0 : state & (WRITER | WAITERS))
            return false;
    } while (!__atomic_compare_exchange_n(&l->state, &state, writes ? WRITER : state + 1, true,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return true;
}

// Marks that somebody waits, or enters after all when the lock became free. l->lock is held.
static bool enter_or_mark(struct rwlock *l, bool writes)
{
    uint32_t state = __atomic_load_n(&l->state, __ATOMIC_RELAXED);
    for (;;) {
        bool enters = writes ? state == 0 : !(state & (WRITER | WAITERS));
        uint32_t to = enters ? (writes ? WRITER : state + 1) : state | WAITERS;
        if (__atomic_compare_exchange_n(&l->state, &state, to, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return enters;
    }
}

static void enter_slow(struct rwlock *l, bool writes)
{
    assert(may_sleep());
    struct rwlock_waiter w = { .thread = thread_current(), .writes = writes };
    spin_lock(&l->lock);
    bool inside = enter_or_mark(l, writes);
    if (!inside)
        list_push_back(&l->waiters, &w.link);
    spin_unlock(&l->lock);
    if (inside)
        return;

    for (;;) {
        wait_prepare(NULL);
        if (__atomic_load_n(&w.granted, __ATOMIC_ACQUIRE))
            break;
        (void)wait_sleep(NULL, WAIT_FOREVER, false);
    }
    spin_lock(&l->lock); // whoever granted it is done with `w` and the thread
    spin_unlock(&l->lock);
}

static void grant(struct rwlock_waiter *w)
{
    list_remove(&w->link);
    __atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
    thread_wake(w->thread);
}

// Nobody is inside and somebody waits: lets in the first writer, or the readers in front.
static void hand_on(struct rwlock *l)
{
    spin_lock(&l->lock);
    uint32_t readers = 0;
    struct list chosen = LIST_INIT(chosen);
    while (!list_empty(&l->waiters)) {
        struct rwlock_waiter *w = list_first(&l->waiters, struct rwlock_waiter, link);
        if (w->writes && readers)
            break;
        list_remove(&w->link);
        list_push_back(&chosen, &w->link);
        if (w->writes)
            break;
        readers++;
    }
    uint32_t more = list_empty(&l->waiters) ? 0 : WAITERS;
    __atomic_store_n(&l->state, (readers ? readers : WRITER) | more, __ATOMIC_RELEASE);
    while (!list_empty(&chosen))
        grant(list_first(&chosen, struct rwlock_waiter, link));
    spin_unlock(&l->lock);
}

// As in mutex.c: with other CPUs there, a short look is worth it.
static bool spin(struct rwlock *l, bool writes)
{
    for (unsigned n = 0; n < SPINS && cpu_count > 1; n++) {
        if (enter_fast(l, writes))
            return true;
        cpu_relax();
    }
    return false;
}

void rwlock_read(struct rwlock *l)
{
    rank_enter(l);
    if (!enter_fast(l, false) && !spin(l, false))
        enter_slow(l, false);
}

void rwlock_write(struct rwlock *l)
{
    rank_enter(l);
    if (!enter_fast(l, true) && !spin(l, true))
        enter_slow(l, true);
}

void rwlock_read_end(struct rwlock *l)
{
    rank_leave(l);
    uint32_t state = __atomic_sub_fetch(&l->state, 1, __ATOMIC_RELEASE);
    debug_assert(!(state & WRITER));
    if (state == WAITERS)
        hand_on(l);
}

void rwlock_write_end(struct rwlock *l)
{
    rank_leave(l);
    uint32_t state = WRITER;
    if (!__atomic_compare_exchange_n(&l->state, &state, 0, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED))
        hand_on(l);
}
