// SPDX-License-Identifier: GPL-3.0-or-later
// Sleeping locks: a mutex with priority inheritance, and a lock of many readers or one writer.
// The scheduler provides both (kernel/sched/mutex.c, rwlock.c).
//
//   struct mutex lock;  mutex_init(&lock, RANK_NODE);
//   mutex_lock(&lock); ... mutex_unlock(&lock);              threads only; may sleep
//
// While a thread waits for a mutex, its holder runs with at least the waiter's urgency, and so does
// whoever that holder waits for in turn. An uncontended lock or unlock is one atomic exchange. A
// waiter that lost the mutex to a newcomer twice gets it handed over. Debug builds check ranks for
// each thread (two of one rank are allowed: their owner orders them).
//
// The rwlock goes in the order of arrival: readers that come after a waiting writer wait behind it,
// so a thread must not read-lock what it holds. A reader without a writer costs one atomic
// operation.
#pragma once
#include "kernel/sync/claim.h"
#include "kernel/sync/wait.h"

struct mutex {
    uintptr_t owner;    // struct thread * of the holder; bit 0: others wait (atomic)
    struct claim claim; // held by the holder while others wait
    uint8_t rank;
};

#define MUTEX_INIT(name, lock_rank)                            \
    {                                                          \
        .claim = CLAIM_INIT((name).claim), .rank = (lock_rank) \
    }

void mutex_init(struct mutex *m, enum lock_rank rank);
void mutex_lock(struct mutex *m);
bool mutex_try(struct mutex *m) must_check;
void mutex_unlock(struct mutex *m);
bool mutex_held(const struct mutex *m); // by the calling thread

struct rwlock {
    uint32_t state; // readers inside, RWLOCK_WRITER, RWLOCK_WAITERS (atomic)
    uint8_t rank;
    struct spinlock lock; // RANK_MUTEX; guards `waiters`
    struct list waiters;
};

void rwlock_init(struct rwlock *l, enum lock_rank rank);
void rwlock_read(struct rwlock *l);
void rwlock_read_end(struct rwlock *l);
void rwlock_write(struct rwlock *l);
void rwlock_write_end(struct rwlock *l);
