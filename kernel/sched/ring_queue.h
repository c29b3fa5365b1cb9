// SPDX-License-Identifier: GPL-3.0-or-later
// The run queue of one core: the inside of the ring. All but the published values is guarded by the
// core's lock, which the caller holds.
//
// Attached items (the running one and those that wait) keep their virtual time relative to
// core->base, so that a whole core is moved along the machine's virtual time by one addition.
#pragma once
#include "kernel/sched/ring.h"

void queue_attach(struct ring_core *c, struct ring_item *i, enum ring_wake how, int64_t clock);
void queue_detach(struct ring_core *c, struct ring_item *i);
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
void queue_heir(struct ring_core *c,
                nanos_t now); // the heir, if any, waits like others from here on
void ring_heir_timer(struct ring_core *me, nanos_t now);

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
