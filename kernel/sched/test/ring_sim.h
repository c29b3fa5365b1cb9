// SPDX-License-Identifier: GPL-3.0-or-later
// A machine of 1 to 1,024 cores on which the kernel's own ring files run, step by step in simulated
// time: an IPI takes a microsecond, a context switch another, nothing else costs anything.
//
//   struct sim *s = sim_make(8, 1);
//   for (unsigned n = 0; n < 16; n++)
//       sim_add(s, &(struct sim_kind){ .run = SIM_ENDLESS }, 0);
//   sim_run(s, NANOS_PER_SECOND);
//   ... sim_jain(s), sim_busy(s) ...
//   sim_drop(s);
//
// After each step the invariants of ring.h are checked; a broken one ends the program, saying
// which, when and where.
#pragma once
#include "kernel/sched/ring.h"

#define SIM_ENDLESS ((nanos_t)1 << 60)
enum { SIM_THREADS = 4096 };

// How a thread behaves: runs for `run`, then sleeps for `pause`, and so on.
struct sim_kind {
    nanos_t run, pause;
    bool vary;        // each span is drawn anew, between half and one and a half
    bool together;    // sleeps until the next multiple of `pause`: all of its kind wake at once
    bool pipe;        // wakes its partner, then sleeps until that wakes it
    unsigned partner; // number of a thread
    enum thread_class class;
    unsigned priority;
    int nice;
    bool pinned; // to the core given to sim_add()
};

struct sim_thread {
    struct ring_item item;
    struct sim_kind kind;
    unsigned number;
    bool asleep;
    bool woken;          // has not run since
    bool ball;           // pipe: the partner woke it while it was awake
    nanos_t left, began; // of the current span
    uint64_t generation; // of its place on a core
    nanos_t ready_since; // runnable, not running
    nanos_t waited_most;
    nanos_t ran_before; // sim_count_from_here()
    uint64_t rounds;
};

struct sim_core {
    struct ring_core core;
    bool turn_wanted, locked;
    nanos_t timer_at;
};

struct sim_event {
    nanos_t at;
    uint64_t order, generation;
    uint32_t what, core, thread;
};

struct sim {
    struct ring ring;
    unsigned cores;
    struct sim_core *core;
    struct sim_thread *threads[SIM_THREADS];
    unsigned count;
    struct sim_event *events; // a heap by time
    unsigned event_count, event_room;
    uint64_t order, random;
    nanos_t now;
    bool pinned; // some thread is: then a core may idle beside a waiting thread

    // Counted since sim_count_from_here().
    nanos_t since;
    uint64_t sends, wakes, switches, steps, timers;
    nanos_t idle_since, idle_most; // a core idled while a thread waited
    uint64_t latency[48];          // wake-ups by log2 of the ns until they ran
};

struct sim *sim_make(unsigned cores, uint64_t seed);
void sim_drop(struct sim *s);
unsigned sim_add(struct sim *s, const struct sim_kind *k, unsigned core); // starts it; its number
// As a system call on the thread's own core would change it.
void sim_change(struct sim *s, unsigned thread, void (*change)(struct ring_item *i, void *data),
                void *data);
void sim_run(struct sim *s, nanos_t span);
void sim_count_from_here(struct sim *s);

double sim_jain(const struct sim *s); // of the endless threads
double sim_busy(const struct sim *s); // share of all cores' time that threads ran
nanos_t sim_ran(const struct sim *s, unsigned thread);
nanos_t sim_waited_most(const struct sim *s);
nanos_t sim_latency(const struct sim *s, double part); // 0.99: 99 of 100 wake-ups ran within
uint64_t sim_pulls(const struct sim *s);
