// SPDX-License-Identifier: GPL-3.0-or-later
// Time since boot, the wall clock, and timers.
//
//   struct timer t;  timer_init(&t, on_time, data);
//   timer_arm(&t, clock_now() + 5 * NANOS_PER_MILLI);
//   timer_cancel(&t);         the callback may still be running elsewhere; timer_cancel_sync waits
//   it out
//
// Each CPU has an ordered tree of timers (O(log n)) and arms its hardware for the earliest.
// Callbacks run in interrupt context on the CPU that armed the timer, without locks held; they may
// arm the timer again. Any context, but timer_cancel_sync: not from the callback itself, not with a
// lock the callback takes.
#pragma once
#include "kernel/sync/spinlock.h"
#include "lib/rbtree.h"

struct timer {
    struct rb_node node;
    nanos_t deadline;
    void (*fire)(struct timer *t);
    void *data;
    int32_t cpu;       // whose tree it is in; -1: none; -2: on its way (atomic)
    uint32_t fired_on; // where it fired last
};

nanos_t clock_now(void);  // ns since boot, monotonic
nanos_t clock_wall(void); // ns since 1970, UTC
void clock_set_wall(nanos_t now);
void clock_wall_show(void); // tells the clock page (clock_page.h) what the wall clock says
nanos_t clock_idle_time(uint32_t cpu); // ns this CPU has slept

void timer_init(struct timer *t, void (*fire)(struct timer *t), void *data);
void timer_arm(struct timer *t, nanos_t deadline); // moves it when armed already
bool timer_cancel(struct timer *t);                // true: it was armed and will not fire
bool timer_cancel_sync(struct timer *t);           // and waits out a running callback

// The scheduler's own use of the hardware timer, beside the tree: the ring's hop. This CPU,
// interrupts off.
void timer_init_cpu(void);       // this CPU's tree; takes VECTOR_TIMER on the boot CPU
void timer_arm_ring(nanos_t at); // then timer_set_ring_hook's function is called; RING_NEVER: not
void timer_settle(void);         // arms exactly for what is next (before a sleep)
void timer_set_ring_hook(void (*fired)(nanos_t now));
