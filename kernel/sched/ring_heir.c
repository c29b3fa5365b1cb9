// SPDX-License-Identifier: GPL-3.0-or-later
// Handing over: a thread wakes another and is about to sleep. See ring.h.
//
// The woken thread becomes the core's heir: attached, but in no queue, so that neither is a tree
// changed nor anything published, and no other core is told. When the current thread sleeps, the
// heir takes its place and goes on in what is left of the time slice: a core makes a proper choice
// when the slice is over and others wait, so a pair that calls each other for ever keeps nobody
// from running, and each of the two is charged what it ran. An ordinary turn, whatever for, makes
// the heir an ordinary waiting thread; so does the guard, a timer that sees the same heir twice
// because the current thread did not sleep after all.
#include "kernel/sched/ring_queue.h"

bool ring_hand(struct ring *r, struct ring_core *me, struct ring_item *i, bool learnt)
{
    struct ring_item *runs = me->current;
    if (!runs || (learnt && runs->hand_over < HAND_OVER_SURE) || item_real_time(runs) ||
        item_real_time(i) || !i->urgency || me->heir || !ring_set_has(&i->allowed, me->number) ||
        __atomic_load_n(&i->on_core, __ATOMIC_ACQUIRE))
        return false;
    ring_port_lock(me);
    queue_attach(me, i, RING_WOKEN, __atomic_load_n(&r->clock, __ATOMIC_RELAXED));
    me->heir = i;
    me->handed++;
    ring_port_unlock(me);
    return true;
}

void ring_guard_heir(struct ring_core *me, nanos_t now)
{
    me->heir_at = now + RING_HOP_ROOM;
    me->handed_seen = me->handed;
    ring_arm(me);
}

void ring_heir_timer(struct ring_core *me, nanos_t now)
{
    if (me->heir_at > now)
        return;
    me->heir_at = RING_NEVER;
    if (!me->heir)
        return;
    if (me->handed == me->handed_seen)
        ring_port_turn_here(me);
    else
        ring_guard_heir(me, now);
}

void queue_heir(struct ring_core *c, nanos_t now)
{
    struct ring_item *i = c->heir;
    if (!i)
        return;
    c->heir = NULL;
    queue_insert(c, i, false, now);
}

static bool is_due(const struct ring_core *me, nanos_t now)
{
    return !__atomic_load_n(&me->sent, __ATOMIC_RELAXED) && !me->late &&
           !(me->real_time_bits[0] | me->real_time_bits[1]) &&
           (!me->waiting || now - me->chosen_at < RING_SLICE);
}

struct ring_item *ring_turn_to_heir(struct ring_core *me, nanos_t now)
{
    if (!is_due(me, now))
        return NULL;
    ring_port_lock(me);
    struct ring_item *prev = me->current, *next = me->heir;
    if (!next || prev->rewoken) {
        ring_port_unlock(me);
        return NULL;
    }
    ring_charge(me, now);
    queue_detach(me, prev);
    me->heir = NULL;
    me->current = next;
    next->since = now;
    __atomic_store_n(&next->on_core, true, __ATOMIC_RELAXED);
    if (me->urgency != next->urgency)
        __atomic_store_n(&me->urgency, next->urgency, __ATOMIC_RELAXED);
    ring_port_unlock(me);
    me->switches++;
    return next;
}
