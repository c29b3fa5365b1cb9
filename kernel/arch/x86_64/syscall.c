// SPDX-License-Identifier: GPL-3.0-or-later
// Setting up SYSCALL on each CPU (syscall.h).
#include "kernel/arch/x86_64/syscall.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/speculation.h"

bool syscall_guarded; // speculation.h
int64_t (*syscall_hook)(struct trap_frame *f, struct thread *t);
int64_t (*syscall_failed_hook)(struct trap_frame *f, int64_t result);

void syscall_entry(void); // syscall_entry.S
void syscall_entry_guarded(void);
void syscall_entry32(void); // the same

// SYSCALL loads CS and SS from bits 32-47 of STAR (and + 8), SYSRET from bits 48-63 (+ 16 and + 8).
_Static_assert(SELECTOR_KERNEL_DATA == SELECTOR_KERNEL_CODE + 8, "SYSCALL needs this order");
_Static_assert(SELECTOR_USER_DATA == (SELECTOR_USER_CODE32 | 3) + 8, "SYSRET needs this order");
_Static_assert(SELECTOR_USER_CODE == (SELECTOR_USER_CODE32 | 3) + 16, "SYSRET needs this order");

// Flags the kernel starts without: interrupts, single step, direction, AC (SMAP's door), and the
// rest so that it never depends on the user's. 0x8d5: the arithmetic flags.
#define SYSCALL_MASK                                                                              \
    (0x8d5 | RFLAGS_TF | (1 << 9) | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC | \
     RFLAGS_ID)

void syscall_init_cpu(void)
{
    msr_write(MSR_STAR,
              (uint64_t)(SELECTOR_USER_CODE32 | 3) << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
    msr_write(MSR_LSTAR, (uint64_t)(syscall_guarded ? syscall_entry_guarded : syscall_entry));
    msr_write(MSR_CSTAR, (uint64_t)syscall_entry32);
    msr_write(MSR_SYSCALL_MASK, SYSCALL_MASK);
    msr_write(MSR_SYSENTER_CS, 0);
    msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE);
}
