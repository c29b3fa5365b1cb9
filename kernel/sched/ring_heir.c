// SPDX-License-Identifier: GPL-3.0-or-later
// Handing over: a thread wakes another and is about to sleep. See ring.h.
//
// The woken thread becomes the core's heir (ring_heir.h): it is in no queue, so that neither is a
// tree changed nor anything published, and no other core is told. When the current thread sleeps,
// the heir takes its place and goes on in what is left of the time slice: a core makes a proper
// choice when the slice is over and others wait, so a pair that calls each other for ever keeps
// nobody from running, and each of the two is charged what it ran. An ordinary turn, whatever for,
// makes the heir an ordinary waiting thread; so does the guard, a timer that sees the same heir
// twice because the current thread did not sleep after all.
#include "kernel/sched/ring_queue.h"

void ring_guard_heir(struct ring_core *me, nanos_t now)
{
    me->heir_at = now + RING_HOP_ROOM;
    me->heir_seen = me->switches;
    ring_arm(me);
}

void ring_heir_timer(struct ring_core *me, nanos_t now)
{
    if (me->heir_at > now)
        return;
    me->heir_at = RING_NEVER;
    if (!me->heir)
        return;
    if (me->switches == me->heir_seen)
        ring_port_turn_here(me);
    else
        ring_guard_heir(me, now);
}

void queue_heir(struct ring *r, struct ring_core *c, nanos_t now)
{
    struct ring_item *i = c->heir;
    if (!i)
        return;
    c->heir = NULL;
    queue_attach(c, i, RING_WOKEN, __atomic_load_n(&r->clock, __ATOMIC_RELAXED));
    queue_insert(c, i, false, now);
}
