// SPDX-License-Identifier: GPL-3.0-or-later
// Sleeping locks: a mutex with priority inheritance, and a lock of many readers or one writer.
//
//   struct mutex lock;  mutex_init(&lock, RANK_NODE);
//   mutex_lock(&lock); ... mutex_unlock(&lock);              threads only; may sleep
//
// While a thread waits for a mutex, its holder runs with at least the waiter's urgency. An
// uncontended lock or unlock is one atomic exchange. Debug builds check ranks for each thread.
#pragma once
#include "kernel/sync/wait.h"

struct mutex {
    uintptr_t owner;         // struct thread * of the holder; bit 0: others wait
    struct spinlock lock;    // RANK_MUTEX; guards `waiters`
    struct list waiters;     // struct mutex_waiter.link, in the order they came
    struct list held_link;   // in the holder's list, for priority inheritance
    uint8_t rank;
};

void mutex_init(struct mutex *m, enum lock_rank rank);
void mutex_lock(struct mutex *m);
void mutex_lock_nested(struct mutex *m); // a second one of the same rank; the caller orders them
bool mutex_try(struct mutex *m) must_check;
void mutex_unlock(struct mutex *m);
bool mutex_held(const struct mutex *m); // by the calling thread

struct rwlock {
    int32_t state;        // readers inside; -1: a writer
    uint8_t rank;
    struct spinlock lock; // RANK_MUTEX
    struct list waiters;
};

void rwlock_init(struct rwlock *l, enum lock_rank rank);
void rwlock_read(struct rwlock *l);
void rwlock_read_end(struct rwlock *l);
void rwlock_write(struct rwlock *l);
void rwlock_write_end(struct rwlock *l);
