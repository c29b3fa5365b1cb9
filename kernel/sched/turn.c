// SPDX-License-Identifier: GPL-3.0-or-later
// The turn on the real machine: the ring's port (locks, IPI, timer), and the switch from one thread
// to the next. Owns each CPU's turn_cpu.
//
// A turn begins in one of two ways: an interrupt (VECTOR_TURN, or the timer on behalf of the ring)
// set turn_wanted and preempt_turn() runs on its way out or at the next preempt_on(); or the
// running thread blocks and calls turn(true). Both come to ring_turn().
//
// Switch order: prev is marked READY before the ring may hand it on; its stack stays `on_core`
// until turn_finish() ran on the next thread's stack, and no other core takes it before that. Locks
// are never held across the switch; preempt_count is 0 in every thread that is switched from or to.
#include "kernel/sched/turn_switch.h"
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/panic.h"

DEFINE_PERCPU(struct turn_cpu, turn_cpus);
struct ring ring;

void ring_port_send(struct ring_core *to)
{
    ipi_send(to->number, VECTOR_TURN);
}

void ring_port_turn_here(struct ring_core *me)
{
    percpu_self()->turn_wanted = true;
}

void ring_port_arm(struct ring_core *me, nanos_t at)
{
    timer_arm_ring(at);
}

static void ring_timer_fired(nanos_t now)
{
    ring_timer(&ring, &this_turn()->core, now);
}

static void turn_interrupt(struct trap_frame *f)
{
    percpu_self()->turn_wanted = true;
}

void turn_init_cpu(struct thread *idle)
{
    struct turn_cpu *c = &this_cpu(turn_cpus);
    percpu_self()->turn = c;
    spin_init(&c->lock, RANK_RUNQ);
    c->idle = idle;
    c->time_begun = clock_now();
    timer_init_cpu();
    if (cpu_number() == 0) {
        ring_init(&ring);
        timer_set_ring_hook(ring_timer_fired);
        trap_set_handler(VECTOR_TURN, turn_interrupt);
    }
    ring_core_init(&ring, &c->core, cpu_number());
}

// From here on another core may run it, and it may end there.
void turn_let_go(struct turn_cpu *c, struct thread *left, bool dead)
{
    left->ring.misplaced = false;
    __atomic_store_n(&left->ring.on_core, false, __ATOMIC_RELEASE);
    if (dead) {
        thread_bury(left);
        return;
    }
    spin_lock_off(&left->lock);
    ring_wake(&ring, &c->core, &left->ring, RING_MOVED, clock_now());
    spin_unlock_off(&left->lock);
}

void thread_load_debug(const struct thread *t)
{
    arch_debug_load(t->extras & EXTRA_DEBUG ? t->debug : NULL);
}

// In a system call a tracked thread has nothing that could be interrupted.
void turn_load_extras(struct turn_cpu *c, const struct thread *from, struct thread *to)
{
    arch_ports_switch(to->extras & EXTRA_PORTS);
    if ((to->extras | from->extras) & EXTRA_DEBUG)
        thread_load_debug(to);
    if ((to->extras & EXTRA_TRACKED) && (!to->system_since || to->tracked_cpu != c->core.number)) {
        to->tracked_cpu = c->core.number;
        __atomic_fetch_or(&to->return_work, WORK_MOVED, __ATOMIC_RELAXED);
    }
}

void turn_finish(void)
{
    let_go(this_turn());
}

void turn(bool blocks)
{
    struct turn_cpu *c = this_turn();
    struct thread *prev = thread_current();
    debug_assert(irqs_off() && percpu_self()->preempt_count == 0);
    debug_assert(prev == c->idle || !blocks || prev->state != THREAD_RUNNING);

    percpu_self()->turn_wanted = false;
    if (!blocks)
        prev->state = THREAD_READY;
    uint64_t cycles;
    nanos_t now = clock_hw_now_with(&cycles);
    load_sample(now);
    account_span(c, prev, now);
    struct ring_item *item = ring_turn(&ring, &c->core, blocks, now);
    struct thread *next = item ? container_of(item, struct thread, ring) : c->idle;
    debug_assert(next->state == THREAD_READY);
    next->state = THREAD_RUNNING;
    if (next == prev)
        return;

    if (blocks)
        prev->switches_voluntary++;
    else
        prev->switches_forced++;
    account_calls(prev, next, cycles);
    switch_to(c, prev, next);
}

void preempt_turn(void)
{
    uint64_t flags = irq_save();
    while (percpu_self()->turn_wanted) {
        if (unlikely(!this_turn()))
            percpu_self()->turn_wanted = false; // before sched_init
        else
            turn(false);
    }
    irq_restore(flags);
}

void thread_yield(void)
{
    uint64_t flags = irq_save();
    struct turn_cpu *c = this_turn();
    spin_lock(&c->lock);
    ring_yield(&c->core, clock_now());
    spin_unlock(&c->lock);
    turn(false);
    irq_restore(flags);
}
