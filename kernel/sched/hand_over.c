// SPDX-License-Identifier: GPL-3.0-or-later
// The way of a call between two threads: one wakes the other and sleeps, and the other runs.
// Everything here is taken twice for each call of a user scheme's server, so it is written for few
// instructions: interrupts are off from the wake-up to the switch, what is rare is a call at the
// end. Policy is ring_heir.h's, states and their lock are sleep.c's.
#include "kernel/sched/ring_heir.h"
#include "kernel/sched/turn_switch.h"
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/console/panic.h"
#include "kernel/sync/wait.h"

// Not at once: by an ordinary wake-up, or with somebody who looks whether the heir waits for long.
static no_inline bool hand_over_rare(struct thread *t, bool handed)
{
    if (!handed)
        return thread_wake_handing(t);
    ring_guard_heir(&this_turn()->core, clock_now());
    return true;
}

bool thread_hand_over(struct thread *t)
{
    struct ring_core *me = &this_turn()->core;
    if (unlikely(!spin_try_off(&t->lock)))
        return hand_over_rare(t, false);
    bool handed = t->state == THREAD_ASLEEP && ring_hand(me, &t->ring, false);
    if (likely(handed))
        t->state = THREAD_READY;
    spin_unlock_off(&t->lock);
    return likely(handed && me->heir_at != RING_NEVER) ? true : hand_over_rare(t, handed);
}

// A turn of a thread that blocks: to the heir, if there is one and no other turn is due.
static force_inline void turn_to_heir(struct thread *prev)
{
    struct turn_cpu *c = this_turn();
    uint64_t cycles;
    struct ring_item *item = NULL;
    if (likely(c->core.heir && !turn_is_wanted()))
        item = ring_turn_to_heir(&c->core, clock_hw_now_with(&cycles));
    if (unlikely(!item)) {
        turn(true);
        return;
    }
    struct thread *next = container_of(item, struct thread, ring);
    debug_assert(next->state == THREAD_READY);
    next->state = THREAD_RUNNING;
    prev->switches_voluntary++;
    account_calls(prev, next, cycles);
    switch_to(c, prev, next);
}

// Sleeps unless something came since wait_prepare().
static force_inline void sleep_here(struct thread *t)
{
    spin_lock_off(&t->lock);
    bool sleeps = !t->wake_pending;
    if (likely(sleeps))
        t->state = THREAD_ASLEEP;
    spin_unlock_off(&t->lock);
    if (likely(sleeps))
        turn_to_heir(t);
}

void thread_sleep_off(struct thread *t)
{
    sleep_here(t);
}

err_t wait_sleep_off(void)
{
    struct thread *t = thread_current();
    if (unlikely(sleep_is_cut(t))) {
        irq_on();
        return -EINTR;
    }
    sleep_here(t);
    irq_on();
    return 0;
}
