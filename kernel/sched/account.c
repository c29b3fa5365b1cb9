// SPDX-License-Identifier: GPL-3.0-or-later
// Where the time went: of each thread, and of each CPU.
//
// The ring charges what a thread runs to the nanosecond. The entry of system calls adds up their
// cycles (two RDTSC each, of which the lower halves: of a call that runs for more than 2^32 cycles
// without a turn, only what is beyond counts); the rest of a user thread's time, interrupts and
// faults included, is user time. Kernel threads have system time only.
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/turn.h"

static uint64_t scale_mult = 1;
static unsigned scale_shift;

// Nanoseconds of cycles. Where the clock is not the time stamp counter, a cycle counts as a
// nanosecond.
static nanos_t from_cycles(uint64_t cycles)
{
    return (nanos_t)((unsigned __int128)cycles * scale_mult >> scale_shift);
}

void account_init(void)
{
    uint64_t base;
    if (clock_hw_tsc_scale(&scale_mult, &scale_shift, &base))
        return;
    scale_mult = 1;
    scale_shift = 0;
}

void idle_begin(struct turn_cpu *c, nanos_t now)
{
    __atomic_store_n(&c->idle_since, now, __ATOMIC_RELAXED);
}

void idle_end(struct turn_cpu *c, nanos_t now)
{
    if (!c->idle_since)
        return;
    c->time_idle += now - c->idle_since;
    __atomic_store_n(&c->idle_since, 0, __ATOMIC_RELAXED);
}

void account_span(struct turn_cpu *c, const struct thread *from, nanos_t now)
{
    nanos_t span = now - c->accounted_at;
    uint64_t cycles = percpu_self()->system_cycles;
    c->accounted_at = now;
    if (from == c->idle) {
        idle_end(c, now);
    } else if (!from->space) {
        c->time_kernel += span;
    } else {
        unsigned nice = from->ring.nice > 0;
        c->time_busy[nice] += span;
        c->system_cycles[nice] += cycles - c->accounted_cycles;
    }
    c->accounted_cycles = cycles;
}

void thread_times(struct thread *t, nanos_t *user, nanos_t *system)
{
    uint64_t flags = irq_save(); // a turn on the way would count what others ran, or nothing
    nanos_t ran = ring_ran(&ring, &t->ring, clock_now());
    uint64_t cycles = t->system_cycles;
    if (t == thread_current() && t->system_since)
        cycles += (uint32_t)cpu_cycles() - t->system_since;
    irq_restore(flags);
    *system = t->space || t->system_cycles ? min_of(from_cycles(cycles), ran) : ran;
    *user = ran - *system;
}

nanos_t clock_idle_time(uint32_t cpu)
{
    if (cpu >= ring.cores)
        return 0;
    const struct turn_cpu *c = cpu_ptr(turn_cpus, cpu);
    nanos_t since = __atomic_load_n(&c->idle_since, __ATOMIC_RELAXED);
    return c->time_idle + (since ? max_of(clock_now() - since, (nanos_t)0) : 0);
}

void sched_cpu(uint32_t cpu, struct sched_cpu *out)
{
    *out = (struct sched_cpu){ 0 };
    if (cpu >= ring.cores)
        return;
    const struct turn_cpu *c = cpu_ptr(turn_cpus, cpu);
    nanos_t idle = clock_idle_time(cpu);
    nanos_t known = c->time_kernel + c->time_busy[0] + c->time_busy[1] + idle;
    nanos_t system[2];
    for (unsigned i = 0; i < 2; i++)
        system[i] = min_of(from_cycles(c->system_cycles[i]), c->time_busy[i]);
    // What runs now was not counted yet: most of it will be user time.
    nanos_t running = max_of((nanos_t)0, clock_now() - c->time_begun - known);
    *out = (struct sched_cpu){
        .user = c->time_busy[0] - system[0] + running,
        .nice = c->time_busy[1] - system[1],
        .system = c->time_kernel + system[0] + system[1],
        .idle = idle,
        .turns = c->core.turns,
        .token_passes = c->core.passes,
        .wake_ipis = c->core.wake_ipis,
        .switches = c->core.switches,
    };
}
