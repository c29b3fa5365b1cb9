// SPDX-License-Identifier: GPL-3.0-or-later
// Changing from one thread's kernel stack to another's, and the thread's own user registers.
#pragma once
#include "lib/base.h"

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

// Saves into `from`, continues in `to`; returns when somebody switches back. Interrupts off.
void arch_context_switch(struct arch_context *from, struct arch_context *to);

// Sets the stack for the next entry from user mode (TSS and percpu). Interrupts off.
void arch_set_kernel_stack(uint64_t top);

void arch_user_save(struct arch_user *u); // FS and GS base of the running thread
void arch_user_load(const struct arch_user *u);
void arch_ports_load(bool all); // whether user mode on this CPU may use I/O ports. Preemption off.
