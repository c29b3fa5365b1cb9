// SPDX-License-Identifier: GPL-3.0-or-later
// Inside futexes: buckets, and who waits in them. For futex.c, futex_op.c and futex_owned.c.
//
// A bucket's lock guards its lists and, of each waiter in it, all but the thread. Who takes a
// waiter off wakes its thread while holding that lock; the waiter passes through the lock once
// before it returns, so it is still there.
#pragma once
#include "kernel/sched/futex.h"
#include "kernel/sched/thread.h"

struct futex_bucket {
    struct spinlock lock; // RANK_FUTEX
    struct list waiters;  // struct futex_waiter.link
    struct list owned;    // struct futex_owned.link: futexes with an owner for whom others wait
} align_to(64);

// Lives on its thread's stack, or belongs to its call (futex_wait_many).
struct futex_waiter {
    struct list link;            // empty: queued for the owner of a futex
    struct futex_bucket *bucket; // atomic; changes under the old bucket's lock
    struct futex_key key;
    uint32_t bits;
    bool woken;     // atomic
    bool for_owned; // it is moved to a futex with an owner, and not woken before
    struct thread *thread;
};

// A word that is compared: its size is 4 or 8.
struct futex_word {
    uaddr_t address;
    uint64_t expected;
    unsigned size;
};

struct futex_bucket *futex_bucket_of(const struct futex_key *k);
err_t futex_key_find(uaddr_t address, unsigned size, bool shared, struct futex_key *key) must_check;

static inline bool futex_key_same(const struct futex_key *a, const struct futex_key *b)
{
    return a->object == b->object && a->offset == b->offset;
}

// Two buckets, the same one only once.
void futex_lock_both(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_both(struct futex_bucket *a, struct futex_bucket *b);
// Locks both with the word's value established to be the expected one; -EAGAIN when it differs.
err_t futex_lock_compared(struct futex_bucket *a, struct futex_bucket *b,
                          const struct futex_word *w) must_check;
// Locks the bucket that a waiter is in.
struct futex_bucket *futex_lock_waiter(struct futex_waiter *w);
// Queues it if the word has the value expected; its bits and kind are filled in.
err_t futex_queue(struct futex_waiter *w, const struct futex_word *word, bool shared) must_check;
// Sleeps until one of them is woken.
err_t futex_sleep(const struct futex_waiter *waiters, unsigned count, nanos_t deadline) must_check;
// It is to go on; its bucket is locked.
void futex_wake_waiter(struct futex_waiter *w);
// The first that waits for the key, in a locked bucket; NULL: nobody.
struct futex_waiter *futex_first(struct futex_bucket *b, const struct futex_key *key);

// To whom of a key's waiters a call turns, and how.
struct futex_order {
    struct futex_key key;
    unsigned wake;
    uint32_t bits;            // of those to wake
    unsigned move;            // how many more to move
    struct futex_key to;      // where to
    struct futex_bucket *too; // its bucket; NULL: nobody is moved
};
// Carries it out in the locked bucket; adds to *count. -EINVAL: somebody waits who must not be
// woken so.
err_t futex_serve(struct futex_bucket *b, const struct futex_order *order, unsigned *count)
    must_check;

// futex_owned.c: whether threads wait for an owner of this futex.
bool futex_is_owned(struct futex_bucket *b, const struct futex_key *key);
