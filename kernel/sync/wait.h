// SPDX-License-Identifier: GPL-3.0-or-later
// Waiting for a condition, and telling those who wait.
//
//   static struct wait_queue ready = WAIT_QUEUE_INIT(ready);
//   err_t e = wait_until(&ready, buffer_count(b) > 0, WAIT_FOREVER);   thread, may sleep
//   wait_wake_all(&ready);                                            any context
//
// wait_until() evaluates its condition with the waiter already queued, so that a wake-up between
// the test and the sleep is never lost. It returns 0 when the condition held, -EINTR when a
// signal came (wait_until_uninterrupted() does not look at signals but for a fatal one where told
// so), -ETIMEDOUT at the deadline. A condition may be evaluated many times and must not sleep.
// Change the condition first, then wake.
#pragma once
#include "kernel/sync/spinlock.h"
#include "lib/list.h"
#include <redox/errno.h>

struct wait_queue {
    struct spinlock lock; // RANK_WAIT
    struct list waiters;  // struct waiter.link
};

#define WAIT_QUEUE_INIT(name)                                                  \
    {                                                                          \
        .lock = SPINLOCK_INIT(RANK_WAIT), .waiters = LIST_INIT((name).waiters) \
    }

void wait_queue_init(struct wait_queue *q);

#define WAIT_FOREVER ((nanos_t)INT64_MAX)

// One thread on one queue; lives on the waiting thread's stack. `wake` is called under the
// queue's lock in the waker's context: wait_wake_thread for plain waiting, anything else for poll.
// It returns whether this waiter counts as woken (for wait_wake_one).
struct waiter {
    struct list link;
    struct wait_queue *queue;
    struct thread *thread;
    bool (*wake)(struct waiter *w, uint64_t key);
    bool exclusive; // wait_wake_one stops after the first exclusive waiter that was woken
    bool woken;
};

bool wait_wake_thread(struct waiter *w, uint64_t key);

// The scheduler provides this (thread.h): makes a sleeping thread ready. Any context.
bool thread_wake(struct thread *t);

void waiter_begin(struct waiter *w, struct wait_queue *q); // fills and queues; wakes the caller
void waiter_begin_exclusive(struct waiter *w, struct wait_queue *q); // the same, exclusive
void waiter_add(struct waiter *w, struct wait_queue *q);             // queues a filled one
void waiter_end(struct waiter *w); // takes it off; safe when already off

// For wait_wake_key(), and for who holds the queue's lock.
void wait_wake_queued(struct wait_queue *q, uint64_t key, unsigned most);
void wait_wake_every(struct wait_queue *q, uint64_t key);
void wait_wake_locked(struct wait_queue *q, uint64_t key, unsigned most);

// Wakes; `key` is handed to each waiter (poll's event mask, 0: any). Any context. The fence pairs
// with the one in waiter_add(): either the waiter sees the changed condition, or the waker sees the
// waiter. So an empty queue is passed by without its lock.
static inline void wait_wake_key(struct wait_queue *q, uint64_t key, unsigned most)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (likely(__atomic_load_n(&q->waiters.next, __ATOMIC_RELAXED) == &q->waiters))
        return;
    if (__builtin_constant_p(most == UINT_MAX) && most == UINT_MAX)
        wait_wake_every(q, key);
    else
        wait_wake_queued(q, key, most);
}

static inline void wait_wake_all(struct wait_queue *q)
{
    wait_wake_key(q, 0, UINT_MAX);
}

static inline void wait_wake_one(struct wait_queue *q)
{
    wait_wake_key(q, 0, 1);
}

// As thread_wake(), by a thread that is about to sleep until it is answered, or that has answered
// and is about to look for more: what wakes runs next on this core as soon as the caller sleeps, in
// what is left of its time slice, and no interrupt is sent. Harmless when the caller goes on after
// all. Thread context, interrupts off.
bool thread_hand_over(struct thread *t);

// Sleeps until woken, `deadline` (clock time, ns since boot) or, if `interruptible`, a signal.
// Returns 0, -EINTR or -ETIMEDOUT. The scheduler provides it. Call between waiter_begin and _end.
err_t wait_sleep(struct waiter *w, nanos_t deadline, bool interruptible);
// The same without a deadline, interruptible, called with interrupts off and returning with them
// on. It needs no wait_prepare(): then it may return once for nothing.
err_t wait_sleep_off(void) must_check;
// The same without a deadline, cut short only by what ends the thread (SIGKILL, and other signals
// that nothing handles).
err_t wait_sleep_fatal(struct waiter *w) must_check;
// Whether such a signal waits for the calling thread.
bool thread_is_doomed(void);

// Prepares the calling thread for wait_sleep(); what happens from here on cuts the sleep short.
void wait_prepare(struct waiter *w);

#define wait_loop(q, condition, deadline, interruptible)                   \
    ({                                                                     \
        err_t wait_e = 0;                                                  \
        if (!(condition)) {                                                \
            struct waiter wait_w;                                          \
            waiter_begin(&wait_w, (q));                                    \
            for (;;) {                                                     \
                wait_prepare(&wait_w);                                     \
                if (condition) {                                           \
                    wait_e = 0;                                            \
                    break;                                                 \
                }                                                          \
                if (wait_e)                                                \
                    break;                                                 \
                wait_e = wait_sleep(&wait_w, (deadline), (interruptible)); \
            }                                                              \
            waiter_end(&wait_w);                                           \
        }                                                                  \
        wait_e;                                                            \
    })

#define wait_until(q, condition, deadline)               wait_loop(q, condition, deadline, true)
#define wait_until_uninterrupted(q, condition, deadline) wait_loop(q, condition, deadline, false)
