// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the scheduler: from one thread to another, the part that both kinds of turn share (turn.c,
// hand_over.c). Inline: the registers that a switch saves are those the function around it saves.
//
// Interrupts off, preempt_count 0, no locks held.
#pragma once
#include "kernel/arch/x86_64/switch.h"
#include "kernel/sched/turn.h"

// What ran before the switch is dead, or may not run here any more.
void turn_let_go(struct turn_cpu *c, struct thread *left, bool dead);

// What few have, and what they leave.
void turn_load_extras(struct turn_cpu *c, const struct thread *from, struct thread *to);

// A system call's cycles are counted by its entry and exit; of one that sleeps, here.
static inline void account_calls(struct thread *from, struct thread *to, uint64_t cycles)
{
    if (from->system_since) {
        uint64_t spent = (uint32_t)cycles - from->system_since;
        from->system_cycles += spent;
        percpu_add_system_cycles(spent);
    }
    if (to->system_since)
        to->system_since = (uint32_t)cycles;
}

static inline void let_go(struct turn_cpu *c)
{
    struct thread *left = c->left;
    bool dead = left->state == THREAD_DEAD;
    if (unlikely(dead || left->ring.misplaced))
        turn_let_go(c, left, dead);
    else
        __atomic_store_n(&left->ring.on_core, false, __ATOMIC_RELEASE);
}

static force_inline void switch_to(struct turn_cpu *c, struct thread *from, struct thread *to)
{
    c->left = from;
    thread_set_current(to);
    arch_set_kernel_stack(to->stack_top);
    arch_user_switch(&from->user, &to->user);
    if (unlikely(to->extras | from->extras))
        turn_load_extras(c, from, to);
    if (likely(from->space && to->space)) {
        fpu_switch_programs(from->fpu, to->fpu);
        if (from->space != to->space)
            space_exchange(from->space, to->space);
    } else {
        fpu_switch(from->fpu, to->fpu);
        if (from->space != to->space)
            space_switch(to->space);
    }
    arch_context_switch(&from->context, &to->context);
    let_go(this_turn()); // maybe another CPU
}
