// SPDX-License-Identifier: GPL-3.0-or-later
// Wait queues: the list of waiters and the walk that wakes them. Sleeping itself is the scheduler's
// (wait_sleep, wait_prepare). q->lock (RANK_WAIT) guards q->waiters and each waiter's place in it.
//
// The fence in waiter_add() pairs with the one in wait_wake_key().
#include "kernel/sync/wait.h"

void wait_queue_init(struct wait_queue *q)
{
    spin_init(&q->lock, RANK_WAIT);
    list_init(&q->waiters);
}

bool wait_wake_thread(struct waiter *w, uint64_t key)
{
    w->woken = true;
    return thread_wake(w->thread);
}

// Exclusive waiters stand behind the others, in the order they came.
void waiter_add(struct waiter *w, struct wait_queue *q)
{
    w->queue = q;
    w->woken = false;
    uint64_t flags = spin_lock_irq(&q->lock);
    if (w->exclusive)
        list_push_back(&q->waiters, &w->link);
    else
        list_push_front(&q->waiters, &w->link);
    spin_unlock_irq(&q->lock, flags);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static force_inline void begin(struct waiter *w, struct wait_queue *q, bool exclusive)
{
    *w = (struct waiter){ .thread = thread_current(),
                          .wake = wait_wake_thread,
                          .exclusive = exclusive };
    waiter_add(w, q);
}

void waiter_begin(struct waiter *w, struct wait_queue *q)
{
    begin(w, q, false);
}

void waiter_begin_exclusive(struct waiter *w, struct wait_queue *q)
{
    begin(w, q, true);
}

void waiter_end(struct waiter *w)
{
    struct wait_queue *q = w->queue;
    if (q == NULL)
        return;
    uint64_t flags = spin_lock_irq(&q->lock);
    list_remove(&w->link);
    spin_unlock_irq(&q->lock, flags);
    w->queue = NULL;
}

static force_inline void wake_each(struct wait_queue *q, uint64_t key, unsigned most)
{
    list_for_each_safe (link, &q->waiters) {
        struct waiter *w = list_entry(link, struct waiter, link);
        if (w->wake(w, key) && w->exclusive && --most == 0)
            break;
    }
}

void wait_wake_locked(struct wait_queue *q, uint64_t key, unsigned most)
{
    wake_each(q, key, most);
}

void wait_wake_queued(struct wait_queue *q, uint64_t key, unsigned most)
{
    uint64_t flags = spin_lock_irq(&q->lock);
    wake_each(q, key, most);
    spin_unlock_irq(&q->lock, flags);
}

void wait_wake_every(struct wait_queue *q, uint64_t key)
{
    uint64_t flags = spin_lock_irq(&q->lock);
    list_for_each_safe (link, &q->waiters) {
        struct waiter *w = list_entry(link, struct waiter, link);
        w->wake(w, key);
    }
    spin_unlock_irq(&q->lock, flags);
}
