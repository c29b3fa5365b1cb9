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

bool thread_signal_pending(struct thread *t)
{
    return signal_hook && signal_hook(t);
}

bool thread_is_doomed(void)
{
    return doom_hook && doom_hook(thread_current());
}

// handing: the caller says that it is about to sleep; else that is what it may have shown before.
static force_inline bool wake_locked(struct thread *t, bool handing)
{
    if (t->state != THREAD_ASLEEP) {
        __atomic_store_n(&t->wake_pending, true, __ATOMIC_RELEASE);
        return false;
    }
    t->state = THREAD_READY;
    struct ring_core *me = &this_turn()->core;
    if ((!handing && in_irq()) || !ring_hand(me, &t->ring, !handing))
        ring_wake(&ring, me, &t->ring, RING_WOKEN, clock_now());
    else if (unlikely(me->heir_at == RING_NEVER))
        ring_guard_heir(me, clock_now());
    return true;
}

bool thread_wake_handing(struct thread *t)
{
    spin_lock_off(&t->lock);
    bool slept = wake_locked(t, true);
    spin_unlock_off(&t->lock);
    return slept;
}

bool thread_wake(struct thread *t)
{
    uint64_t flags = spin_lock_irq(&t->lock);
    bool slept = wake_locked(t, false);
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

static inline void sleep_now(struct thread *t)
{
    irq_off();
    thread_sleep_off(t);
    irq_on();
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
    debug_assert(may_sleep());
    if (!interruptible)
        __atomic_store_n(&t->interruptible, false, __ATOMIC_RELAXED);
    else if (sleep_is_cut(t))
        return -EINTR;
    if (unlikely(deadline != WAIT_FOREVER))
        return sleep_until(t, deadline);
    sleep_now(t);
    return 0;
}

err_t wait_sleep_fatal(struct waiter *w)
{
    struct thread *t = thread_current();
    debug_assert(may_sleep());
    __atomic_store_n(&t->interruptible, true, __ATOMIC_SEQ_CST); // pairs as in sleep_is_cut()
    err_t e = thread_is_doomed() ? -EINTR : 0;
    if (!e)
        sleep_now(t);
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
