// SPDX-License-Identifier: GPL-3.0-or-later
// Preparing a stack to switch to, and the segment bases of user threads. No locks: interrupts are
// off, or the context does not run yet.
//
// While the kernel runs, the user's GS base rests in MSR_KERNEL_GS_BASE; SWAPGS exchanges the two.
// Between two of them no interrupt may come: it would take the user's base for the kernel's.
#include "kernel/arch/x86_64/switch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/segments.h"
#include "kernel/arch/x86_64/trap.h"

void arch_context_start(void); // switch.S

// What arch_context_change() and arch_context_start() pop, lowest address first.
struct switch_frame {
    uint64_t rbp, rip, entry, data;
};

// The trap frame of a user thread stands above the context's own frame.
void arch_context_prepare(struct arch_context *c, uint64_t top, void (*entry)(void *), void *data)
{
    struct switch_frame *frame = (struct switch_frame *)trap_user_frame(top) - 1;
    *frame = (struct switch_frame){
        .rip = (uint64_t)arch_context_start,
        .entry = (uint64_t)entry,
        .data = (uint64_t)data,
    };
    c->stack_pointer = (uint64_t)frame;
}

void arch_user_save(struct arch_user *u)
{
    if (cpu_has(CPU_FSGSBASE)) {
        __asm__ volatile("rdfsbase %0" : "=r"(u->fs_base));
        uint64_t flags = irq_save();
        __asm__ volatile("swapgs\n\trdgsbase %0\n\tswapgs" : "=r"(u->gs_base));
        irq_restore(flags);
    } else {
        u->fs_base = msr_read(MSR_FS_BASE);
        u->gs_base = msr_read(MSR_KERNEL_GS_BASE);
    }
}

void arch_user_load(const struct arch_user *u)
{
    if (cpu_has(CPU_FSGSBASE)) {
        __asm__ volatile("wrfsbase %0" ::"r"(u->fs_base));
        uint64_t flags = irq_save();
        __asm__ volatile("swapgs\n\twrgsbase %0\n\tswapgs" ::"r"(u->gs_base));
        irq_restore(flags);
    } else {
        msr_write(MSR_FS_BASE, u->fs_base);
        msr_write(MSR_KERNEL_GS_BASE, u->gs_base);
    }
}
