// SPDX-License-Identifier: GPL-3.0-or-later
// The SYSCALL instruction's way into the kernel and back.
//
// syscall_entry.S builds the same struct trap_frame as every trap (vector TRAP_SYSCALL, error = the
// number), calls syscall_hook(frame) with interrupts on, and leaves by SYSRET when the frame still
// says what SYSRET can express: the fast case. Otherwise, or when the thread's return_work is set,
// it leaves through trap_enter_user(). RCX and R11 are lost, as the instruction defines.
//
// 32-bit ways in are refused: SYSCALL from 32-bit code returns -ENOSYS, SYSENTER and INT 0x80 are
// general protection faults.
#pragma once
#include "kernel/arch/x86_64/trap.h"

// trap_set_user_hooks() sets it, before the first user thread runs.
extern void (*syscall_hook)(struct trap_frame *f);

// Points this CPU's SYSCALL here (cpu_init, cpu_init_secondary).
void syscall_init_cpu(void);
