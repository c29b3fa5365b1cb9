// SPDX-License-Identifier: GPL-3.0-or-later
// The two halves of a hand-over, which every call between two threads takes: inline, since each is
// little more than its conditions. The rest, and why: ring_heir.c, ring.h.
//
// An heir is not attached to its core yet, but its `core` says where it is. Guard: the core's own
// thread writes core.heir, with interrupts off, when there is none, under the lock that orders
// wake-ups of the heir (its thread's) and those who change how it is scheduled; it is taken away
// under the core's lock.
#pragma once
#include "kernel/sched/ring_queue.h"

static inline bool item_fair(const struct ring_item *i) // neither real time nor idle class
{
    return (uint8_t)(i->urgency - 1) < 100;
}

// Instead of ring_wake(), when `current` is about to block. False: it has to be ring_wake().
// `learnt`: only when `current` has always blocked soon after waking another.
static force_inline must_check bool ring_hand(struct ring_core *me, struct ring_item *i,
                                              bool learnt)
{
    struct ring_item *runs = me->current;
    if ((learnt && (!runs || runs->hand_over < HAND_OVER_SURE)) || item_real_time(runs) ||
        !item_fair(i) || me->heir || !ring_set_has(&i->allowed, me->number) ||
        __atomic_load_n(&i->on_core, __ATOMIC_ACQUIRE))
        return false;
    i->core = me->number;
    __atomic_store_n(&me->heir, i, __ATOMIC_RELAXED);
    return true;
}

// `prev` leaves the core, charged up to now, and `next` takes its place.
static force_inline void heir_take_place(struct ring_core *me, struct ring_item *prev,
                                         struct ring_item *next, nanos_t now)
{
    if (unlikely(prev->weight != WEIGHT_ONE || next->weight != WEIGHT_ONE)) {
        item_charge(prev, now);
        queue_detach(me, prev);
        queue_attach_woken(me, next);
        return;
    }
    // The same for equal weights, of which the core's load knows nothing.
    nanos_t span = now - prev->since;
    prev->since = now;
    prev->ran += span;
    prev->virtual_time += span + me->base;
    prev->attached = false;
    next->virtual_time -= me->base;
    uint64_t room = RING_LAG + RING_SLICE / 2; // as item_place() has it
    if (unlikely((uint64_t)(next->virtual_time - me->floor + RING_SLICE / 2) > room))
        next->virtual_time =
            next->virtual_time > me->floor ? me->floor + RING_LAG : me->floor - RING_SLICE / 2;
    next->attached = true;
}

// When `current` blocks, there is an heir, and no turn is due: what runs now. NULL: ring_turn() has
// to choose, as once in a slice. (What is more urgent has made a turn due, here or by an interrupt
// on its way.)
static force_inline must_check struct ring_item *ring_turn_to_heir(struct ring_core *me,
                                                                   nanos_t now)
{
    if (unlikely(now - me->chosen_at >= RING_SLICE))
        return NULL;
    ring_port_lock(me);
    struct ring_item *prev = me->current, *next = me->heir;
    if (unlikely(!next || prev->rewoken)) {
        ring_port_unlock(me);
        return NULL;
    }
    heir_take_place(me, prev, next, now);
    __atomic_store_n(&me->heir, NULL, __ATOMIC_RELAXED);
    me->current = next;
    next->since = now;
    __atomic_store_n(&next->on_core, true, __ATOMIC_RELAXED);
    if (unlikely(me->urgency != next->urgency))
        __atomic_store_n(&me->urgency, next->urgency, __ATOMIC_RELAXED);
    ring_port_unlock(me);
    me->switches++;
    return next;
}
