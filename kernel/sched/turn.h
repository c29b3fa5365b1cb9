// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the scheduler: what its files share. Nobody else includes this.
#pragma once
#include "kernel/sched/thread.h"

struct turn_cpu {
    struct spinlock lock; // RANK_RUNQ: the ring's queue of this core
    struct ring_core core;
    struct thread *idle;
    struct thread *left; // what ran before the switch; turn_finish() lets go of it
    nanos_t time_idle, time_begun;
    nanos_t time_kernel, time_busy[2]; // of kernel threads; of programs, and of nice ones
    uint64_t system_cycles[2];         // the part of time_busy in system calls
    nanos_t accounted_at;              // up to when, and
    uint64_t accounted_cycles;         // up to which percpu_head.system_cycles, these are right
    nanos_t idle_since;                // 0: not asleep (atomic)
};
DECLARE_PERCPU(struct turn_cpu, turn_cpus);
extern struct ring ring;

static inline struct turn_cpu *this_turn(void)
{
    return percpu_turn();
}

// The ring's port.
static inline struct turn_cpu *turn_cpu_of(struct ring_core *c)
{
    return container_of(c, struct turn_cpu, core);
}

static inline void ring_port_lock(struct ring_core *c)
{
    spin_lock_off(&turn_cpu_of(c)->lock);
}

static inline void ring_port_unlock(struct ring_core *c)
{
    spin_unlock_off(&turn_cpu_of(c)->lock);
}

static inline bool ring_port_try_lock(struct ring_core *c)
{
    return spin_try_off(&turn_cpu_of(c)->lock);
}

void turn_init_cpu(
    struct thread *idle); // this CPU joins the ring; `idle` runs when nothing else does
// Takes a turn: interrupts off, preempt_count 0. `blocks`: the caller's state says it sleeps or is
// dead.
void turn(bool blocks);
void turn_finish(void); // the first thing after a switch

// sleep.c, hand_over.c; interrupts off
bool thread_wake_handing(struct thread *t); // thread_hand_over() in all its cases
void thread_sleep_off(struct thread *t);    // unless something came since wait_prepare()
bool thread_signal_pending(struct thread *t);

// Begins an interruptible sleep; true: a signal ends it already. Pairs with thread_interrupt():
// either it finds `interruptible`, or the thread's work has come (and the hook tells what it is).
static inline bool sleep_is_cut(struct thread *t)
{
    __atomic_store_n(&t->interruptible, true, __ATOMIC_SEQ_CST);
    return unlikely(__atomic_load_n(&t->return_work, __ATOMIC_RELAXED)) && thread_signal_pending(t);
}

// account.c
void account_init(void);
void idle_begin(struct turn_cpu *c, nanos_t now);
void idle_end(struct turn_cpu *c, nanos_t now);
// What the CPU did since it last chose what runs, which it was that chose `from`.
void account_span(struct turn_cpu *c, const struct thread *from, nanos_t now);
void idle_loop(void) __attribute__((noreturn));

void thread_init(void);                 // lists, the reaper's queue
void thread_reaper_start(unsigned cpu); // of a CPU that runs
void thread_bury(struct thread *t);     // dead and off its stack; interrupts off
void thread_list_add(struct thread *t);
void thread_init_common(struct thread *t, const char *name);
uint32_t thread_count(void);
void thread_lend(struct thread *t, uint8_t urgency); // by waiters for its mutexes; 0: none
void load_sample(nanos_t now);                       // each turn calls it; it counts once in 5 s
void load_average(uint32_t average[3]);
