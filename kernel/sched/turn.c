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
#include "kernel/sched/turn.h"
#include "kernel/sched/ring_heir.h"
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
    ring_timer(&ring, &this_cpu(turn_cpus).core, now);
}

static void turn_interrupt(struct trap_frame *f)
{
    percpu_self()->turn_wanted = true;
}

void turn_init_cpu(struct thread *idle)
{
    struct turn_cpu *c = &this_cpu(turn_cpus);
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

// What `from` ran since it came, for the CPU; the ring counts it for the thread.
static inline void account_span(struct turn_cpu *c, struct thread *from, nanos_t span)
{
    if (unlikely(!from->space)) {
        c->time_kernel += span;
        return;
    }
    unsigned nice = from->ring.nice > 0;
    c->time_busy[nice] += span;
    c->system_cycles[nice] += from->system_cycles - from->system_before;
    from->system_before = from->system_cycles;
}

static inline void account_switch(struct turn_cpu *c, struct thread *from, struct thread *to,
                                  nanos_t now)
{
    uint64_t cycles = cpu_cycles();
    if (from->system_since)
        from->system_cycles += cycles - from->system_since;
    if (to->system_since)
        to->system_since = cycles;
    if (from == c->idle)
        idle_end(c, now);
    else
        account_span(c, from, now - from->time_switched);
    to->time_switched = now;
}

static inline void let_go(struct turn_cpu *c)
{
    struct thread *left = c->left;
    c->left = NULL;
    bool dead = left->state == THREAD_DEAD;
    bool misplaced = left->ring.misplaced;
    left->ring.misplaced = false;

    // From here on another core may run it, and it may end there.
    __atomic_store_n(&left->ring.on_core, false, __ATOMIC_RELEASE);
    if (unlikely(dead))
        thread_bury(left);
    if (unlikely(misplaced) && !dead) {
        spin_lock(&left->lock);
        ring_wake(&ring, &c->core, &left->ring, RING_MOVED, clock_now());
        spin_unlock(&left->lock);
    }
}

void turn_finish(void)
{
    let_go(&this_cpu(turn_cpus));
}

void thread_load_debug(const struct thread *t)
{
    arch_debug_load(t->extras & EXTRA_DEBUG ? t->debug : NULL);
}

// In a system call a tracked thread has nothing that could be interrupted.
static no_inline void load_extras(struct turn_cpu *c, struct thread *from, struct thread *to)
{
    if (((to->extras | from->extras) & EXTRA_PORTS) || !from->space)
        arch_ports_load(to->extras & EXTRA_PORTS);
    if ((to->extras | from->extras) & EXTRA_DEBUG)
        thread_load_debug(to);
    if ((to->extras & EXTRA_TRACKED) && (!to->system_since || to->tracked_cpu != c->core.number)) {
        to->tracked_cpu = c->core.number;
        __atomic_fetch_or(&to->return_work, WORK_MOVED, __ATOMIC_RELAXED);
    }
}

static inline void switch_to(struct turn_cpu *c, struct thread *from, struct thread *to)
{
    c->left = from;
    percpu_self()->current = to;
    arch_set_kernel_stack(to->stack_top);
    fpu_switch(from->fpu, to->fpu);
    if (from->space)
        arch_user_save(&from->user);
    if (from->space != to->space)
        space_load(to->space);
    if (to->space) {
        arch_user_load(&to->user);
        if (unlikely(to->extras | from->extras))
            load_extras(c, from, to);
        else if (!from->space)
            arch_ports_load(false);
    } else if (unlikely(from->extras & EXTRA_DEBUG)) {
        arch_debug_load(NULL); // the next to come may have no extras, nor know of these
    }
    arch_context_switch(&from->context, &to->context);
    let_go(&this_cpu(turn_cpus)); // maybe another CPU
}

void turn(bool blocks)
{
    struct turn_cpu *c = &this_cpu(turn_cpus);
    struct thread *prev = thread_current();
    debug_assert(irqs_off() && percpu_self()->preempt_count == 0);
    debug_assert(prev == c->idle || !blocks || prev->state != THREAD_RUNNING);

    percpu_self()->turn_wanted = false;
    if (!blocks)
        prev->state = THREAD_READY;
    nanos_t now = clock_now();
    load_sample(now);
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
    account_switch(c, prev, next, now);
    switch_to(c, prev, next);
}

void turn_to_heir(void)
{
    struct turn_cpu *c = &this_cpu(turn_cpus);
    nanos_t now = c->core.heir && !turn_is_wanted() ? clock_now() : 0;
    struct ring_item *item = now ? ring_turn_to_heir(&c->core, now) : NULL;
    if (!item) {
        turn(true);
        return;
    }
    struct thread *prev = thread_current(), *next = container_of(item, struct thread, ring);
    debug_assert(next->state == THREAD_READY);
    next->state = THREAD_RUNNING;
    prev->switches_voluntary++;
    account_switch(c, prev, next, now);
    switch_to(c, prev, next);
}

void preempt_turn(void)
{
    uint64_t flags = irq_save();
    while (percpu_self()->turn_wanted) {
        if (unlikely(!this_cpu(turn_cpus).idle))
            percpu_self()->turn_wanted = false; // before sched_init
        else
            turn(false);
    }
    irq_restore(flags);
}

void thread_yield(void)
{
    uint64_t flags = irq_save();
    struct turn_cpu *c = &this_cpu(turn_cpus);
    spin_lock(&c->lock);
    ring_yield(&c->core, clock_now());
    spin_unlock(&c->lock);
    turn(false);
    irq_restore(flags);
}
