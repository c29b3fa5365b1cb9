// SPDX-License-Identifier: GPL-3.0-or-later
// Going to sleep and being woken: the edges between RUNNING, ASLEEP and READY (thread.h).
//
// t->lock orders the sleeper against its wakers: a wake-up that comes before the state is ASLEEP
// sets wake_pending (atomic), which the sleeper reads under the same lock; one that comes after
// makes it ready. A sleeper that is woken before it left its stack is kept by its own core's turn
// (ring_item.rewoken).
#include "kernel/console/panic.h"
#include "kernel/sched/ring_heir.h"
#include "kernel/sched/turn.h"

static bool (*signal_hook)(struct thread *t), (*doom_hook)(struct thread *t);

void thread_set_signal_hook(bool (*pending)(struct thread *t), bool (*doomed)(struct thread *t))
{
    signal_hook = pending;
    doom_hook = doomed;
}

bool thread_is_doomed(void)
{
    return doom_hook && doom_hook(thread_current());
}

// handing: the caller says that it is about to sleep; else that is what it may have shown before.
static inline bool wake_locked(struct thread *t, bool handing)
{
    if (t->state != THREAD_ASLEEP) {
        __atomic_store_n(&t->wake_pending, true, __ATOMIC_RELEASE);
        return false;
    }
    t->state = THREAD_READY;
    struct ring_core *me = &this_cpu(turn_cpus).core;
    if (in_irq() || !ring_hand(me, &t->ring, !handing))
        ring_wake(&ring, me, &t->ring, RING_WOKEN, clock_now());
    else if (unlikely(me->heir_at == RING_NEVER))
        ring_guard_heir(me, clock_now());
    return true;
}

bool thread_wake(struct thread *t)
{
    uint64_t flags = spin_lock_irq(&t->lock);
    bool slept = wake_locked(t, false);
    spin_unlock_irq(&t->lock, flags);
    return slept;
}

bool thread_hand_over(struct thread *t)
{
    uint64_t flags = spin_lock_irq(&t->lock);
    bool slept = wake_locked(t, true);
    spin_unlock_irq(&t->lock, flags);
    return slept;
}

bool thread_interrupt(struct thread *t)
{
    uint64_t flags = spin_lock_irq(&t->lock);
    bool slept = t->interruptible && wake_locked(t, false);
    spin_unlock_irq(&t->lock, flags);
    return slept;
}

void wait_prepare(struct waiter *w)
{
    // A full barrier: who woke before it has changed the condition that the caller looks at next.
    (void)__atomic_exchange_n(&thread_current()->wake_pending, false, __ATOMIC_SEQ_CST);
}

static void wait_timer_fired(struct timer *timer)
{
    struct thread *t = container_of(timer, struct thread, wait_timer);
    uint64_t flags = spin_lock_irq(&t->lock);
    t->timed_out = true;
    wake_locked(t, false);
    spin_unlock_irq(&t->lock, flags);
}

// Sleeps unless something came since wait_prepare().
static inline void sleep_now(struct thread *t)
{
    uint64_t flags = spin_lock_irq(&t->lock);
    if (t->wake_pending) {
        spin_unlock_irq(&t->lock, flags);
        return;
    }
    t->state = THREAD_ASLEEP;
    spin_unlock(&t->lock);
    turn_to_heir();
    irq_restore(flags);
}

static no_inline err_t sleep_until(struct thread *t, nanos_t deadline)
{
    if (deadline <= clock_now())
        return -ETIMEDOUT;
    t->timed_out = false;
    timer_init(&t->wait_timer, wait_timer_fired, NULL);
    timer_arm(&t->wait_timer, deadline);
    sleep_now(t);
    timer_cancel_sync(&t->wait_timer);
    return t->timed_out ? -ETIMEDOUT : 0;
}

err_t wait_sleep(struct waiter *w, nanos_t deadline, bool interruptible)
{
    struct thread *t = thread_current();
    assert(may_sleep());

    // Pairs with thread_interrupt(): either it finds `interruptible`, or the hook finds the signal.
    __atomic_store_n(&t->interruptible, interruptible, __ATOMIC_SEQ_CST);
    err_t e = 0;
    if (interruptible && signal_hook && signal_hook(t))
        e = -EINTR;
    else if (likely(deadline == WAIT_FOREVER))
        sleep_now(t);
    else
        e = sleep_until(t, deadline);
    __atomic_store_n(&t->interruptible, false, __ATOMIC_RELAXED);
    return e;
}

err_t wait_sleep_fatal(struct waiter *w)
{
    struct thread *t = thread_current();
    assert(may_sleep());
    __atomic_store_n(&t->interruptible, true, __ATOMIC_SEQ_CST); // pairs as in wait_sleep()
    err_t e = thread_is_doomed() ? -EINTR : 0;
    if (!e)
        sleep_now(t);
    __atomic_store_n(&t->interruptible, false, __ATOMIC_RELAXED);
    return e;
}

err_t thread_sleep_until(nanos_t deadline, bool interruptible)
{
    err_t e = 0;
    while (!e) {
        wait_prepare(NULL);
        e = wait_sleep(NULL, deadline, interruptible);
    }
    return e == -ETIMEDOUT ? 0 : e;
}
