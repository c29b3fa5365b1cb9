// SPDX-License-Identifier: GPL-3.0-or-later
// Changing from one thread's kernel stack to another's, and the thread's own user registers.
#pragma once
#include "kernel/arch/x86_64/cpu.h"

struct trap_frame;

// Saved stack pointer of a thread that does not run; callee-saved registers lie on its stack.
struct arch_context {
    uint64_t stack_pointer;
};

// What a thread has besides its frame: loaded on a switch.
struct arch_user {
    uint64_t fs_base, gs_base;
};

// Prepares a context that starts in entry(data) on the stack that ends at `top`.
void arch_context_prepare(struct arch_context *c, uint64_t top, void (*entry)(void *data),
                          void *data);

// Saves into `from`, continues in `to`; returns when somebody switches back. Interrupts off. Inline
// for the list of registers: so the compiler saves them once, with those it has to save anyway.
static force_inline void arch_context_switch(struct arch_context *from, struct arch_context *to)
{
    __asm__ volatile("call arch_context_change"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "memory", "cc");
}

// Sets the stack for the next entry from user mode (TSS and percpu). Interrupts off.
static force_inline void arch_set_kernel_stack(uint64_t top)
{
    uint64_t *task_stack;
    __asm__ volatile("mov %%gs:88, %0\n\tmov %1, %%gs:16"
                     : "=&r"(task_stack)
                     : "r"(top)
                     : "memory");
    *task_stack = top; // four bytes off its natural place, as the processor has it
}

void arch_user_save(struct arch_user *u); // FS and GS base of the running thread
void arch_user_load(const struct arch_user *u);
// Both at once: what the running thread has goes to `from`. Interrupts off.
static force_inline void arch_user_switch(struct arch_user *from, const struct arch_user *to)
{
    if (unlikely(!cpu_has(CPU_FSGSBASE))) {
        arch_user_save(from);
        arch_user_load(to);
        return;
    }
    __asm__ volatile("rdfsbase %0\n\twrfsbase %1" : "=&r"(from->fs_base) : "r"(to->fs_base));
    __asm__ volatile("swapgs\n\trdgsbase %0\n\twrgsbase %1\n\tswapgs"
                     : "=&r"(from->gs_base)
                     : "r"(to->gs_base));
}

// Whether user mode on this CPU may use I/O ports. Preemption off.
void arch_ports_load(bool all);
static force_inline void arch_ports_switch(bool all)
{
    bool differs;
    __asm__ volatile("cmpb %1, %%gs:37" : "=@ccne"(differs) : "q"(all));
    if (unlikely(differs))
        arch_ports_load(all);
}
