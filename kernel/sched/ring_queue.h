// SPDX-License-Identifier: GPL-3.0-or-later
// The run queue of one core: the inside of the ring. All but the published values is guarded by the
// core's lock, which the caller holds.
//
// Attached items (the running one and those that wait) keep their virtual time relative to
// core->base, so that a whole core is moved along the machine's virtual time by one addition.
#pragma once
#include "kernel/sched/ring.h"
#ifndef HOST_TEST
#include "kernel/sched/turn.h" // the port's locks
#endif

void queue_attach(struct ring_core *c, struct ring_item *i, enum ring_wake how, int64_t clock);
void queue_insert(struct ring_core *c, struct ring_item *i, bool front, nanos_t now);
void queue_remove(struct ring_core *c, struct ring_item *i);
struct ring_item *queue_first(struct ring_core *c); // most urgent of those that wait; NULL
// Removes and detaches something that may run on core `to`; NULL: nothing. Real time only, when
// asked.
struct ring_item *queue_give(struct ring_core *c, unsigned to, bool real_time);
bool queue_preempts(struct ring_core *c, struct ring_item *i, nanos_t now);
// Brings floor and base up to date and publishes what other cores may know.
void queue_publish(struct ring *r, struct ring_core *c);
void item_work_out(struct ring_item *i); // urgency and weight

static inline bool item_real_time(const struct ring_item *i)
{
    return i->urgency > 100;
}

enum { HAND_OVER_SURE = 4, HAND_OVER_MOST = 8 }; // ring_item.hand_over

// ring_heir.c
// The heir, if any, waits like others from here on.
void queue_heir(struct ring *r, struct ring_core *c, nanos_t now);
void ring_heir_timer(struct ring_core *me, nanos_t now);

// The inside of a turn that is taken for every call between two threads: hence here.

enum { WEIGHT_ONE = 1024 }; // of nice 0

// Real nanoseconds as virtual time of a weight.
static inline int64_t weigh(nanos_t span, uint32_t weight)
{
    return likely(weight == WEIGHT_ONE) ? span : span * WEIGHT_ONE / (int64_t)weight;
}

// What it ran up to now; `i` runs.
static inline void item_charge(struct ring_item *i, nanos_t now)
{
    nanos_t span = now - i->since;
    if (unlikely(span <= 0))
        return;
    i->since = now;
    i->ran += span;
    i->virtual_time += weigh(span, i->weight);
    if (i->class == CLASS_ROUND)
        i->slice_left -= span;
}

// How far from its core's floor an item may lie when it is woken: not so far behind that it keeps
// the others from running, not so far ahead that it waits for long.
static inline int64_t item_place(const struct ring_core *c, const struct ring_item *i,
                                 nanos_t behind)
{
    int64_t lag = weigh(RING_LAG, min_of(i->weight, (uint32_t)WEIGHT_ONE));
    return max_of(c->floor - behind, min_of(i->virtual_time - c->base, c->floor + lag));
}

// A woken item comes to a core that runs something, in no queue yet.
static inline void queue_attach_woken(struct ring_core *c, struct ring_item *i)
{
    i->virtual_time = item_place(c, i, weigh(RING_SLICE / 2, i->weight));
    i->attached = true;
    i->core = c->number;
    __atomic_store_n(&c->load, c->load + i->weight, __ATOMIC_RELAXED);
}

static inline void queue_detach(struct ring_core *c, struct ring_item *i)
{
    i->virtual_time += c->base;
    i->attached = false;
    __atomic_store_n(&c->load, c->load - i->weight, __ATOMIC_RELAXED);
}

// token.c
bool token_arrive(struct ring *r, struct ring_core *me);
void token_balance(struct ring *r, struct ring_core *me, nanos_t now);
struct ring_core *token_missed(struct ring *r, struct ring_core *me, nanos_t now);
void token_pass(struct ring *r, struct ring_core *me, nanos_t now);
bool token_claim(struct ring *r, struct ring_core *me, nanos_t now);
void token_hop(struct ring *r, struct ring_core *me, nanos_t now); // arms the hop
void ring_arm(struct ring_core *me);
bool ring_pull(struct ring *r, struct ring_core *me, struct ring_core *from, bool real_time,
               nanos_t now);
