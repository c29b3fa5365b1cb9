// SPDX-License-Identifier: GPL-3.0-or-later
// Keeping this CPU to oneself: interrupts off, or preemption off.
//
//   uint64_t flags = irq_save();  ...  irq_restore(flags);       nests
//   preempt_off();                ...  preempt_on();             nests
//
// preempt_on() of the outermost pair takes the turn that became due meanwhile (ring.h). Any
// context.
//
// The upper half of preempt_count counts the interrupts this CPU is in (irq_begin, irq_end: by
// trap_dispatch() around each handler), the lower half everything else.
#pragma once
#include "kernel/arch/x86_64/percpu.h"

enum { RFLAGS_IF = 1 << 9 };

static force_inline uint64_t irq_save(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq\n\tpop %0\n\tcli" : "=r"(flags)::"memory");
    return flags;
}

static force_inline void irq_restore(uint64_t flags)
{
    if (flags & RFLAGS_IF)
        __asm__ volatile("sti" ::: "memory");
}

// Where it is known which they are.
static force_inline void irq_off(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static force_inline void irq_on(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static force_inline bool irqs_off(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq\n\tpop %0" : "=r"(flags)::"memory");
    return !(flags & RFLAGS_IF);
}

static force_inline void preempt_off(void)
{
    __asm__ volatile("incl %%gs:32" ::: "memory");
}

enum { PREEMPT_IRQ = 1 << 16 };

static force_inline void irq_begin(void)
{
    __asm__ volatile("addl %0, %%gs:32" ::"i"(PREEMPT_IRQ) : "memory");
}

static force_inline void irq_end(void)
{
    __asm__ volatile("subl %0, %%gs:32" ::"i"(PREEMPT_IRQ) : "memory");
}

// How many interrupts deep this CPU is; 0 in threads.
static force_inline unsigned irq_depth(void)
{
    uint32_t count;
    __asm__ volatile("movl %%gs:32, %0" : "=r"(count)::"memory");
    return count / PREEMPT_IRQ;
}

static force_inline bool in_irq(void)
{
    return irq_depth() != 0;
}

// The scheduler provides this: takes the turn that became due while preemption was off.
void preempt_turn(void);

// One instruction, so that it need not know on which CPU.
static force_inline bool turn_is_wanted(void)
{
    bool wanted;
    __asm__ volatile("cmpb $0, %%gs:36" : "=@ccne"(wanted)::"memory");
    return wanted;
}

// Interrupts come back, and the turn that became due meanwhile is taken. Threads only.
static force_inline void irq_on_turn(void)
{
    irq_on();
    if (unlikely(turn_is_wanted()))
        preempt_turn();
}

static force_inline void preempt_on(void)
{
    __asm__ volatile("decl %%gs:32" ::: "memory");
    if (unlikely(turn_is_wanted()) && percpu_self()->preempt_count == 0 && !irqs_off())
        preempt_turn();
}

#ifdef HOST_TEST // whatever a unit test takes for one
struct thread *thread_current(void);
#else
static force_inline struct thread *thread_current(void)
{
    struct thread *t;
    __asm__ volatile("mov %%gs:24, %0" : "=r"(t));
    return t;
}
#endif

// The switch between threads only.
static force_inline void thread_set_current(struct thread *t)
{
    __asm__ volatile("mov %0, %%gs:24" ::"r"(t) : "memory");
}

// True where the caller may block: a thread, preemption and interrupts on.
// The count is read by one instruction: a thread that moves to another CPU must not see the old
// one's.
static inline bool may_sleep(void)
{
    uint32_t count;
    __asm__ volatile("movl %%gs:32, %0" : "=r"(count)::"memory");
    return count == 0 && !irqs_off();
}

static force_inline void cpu_relax(void)
{
    __builtin_ia32_pause();
}
