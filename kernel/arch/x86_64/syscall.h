// SPDX-License-Identifier: GPL-3.0-or-later
// The SYSCALL instruction's way into the kernel and back.
//
// syscall_entry.S builds the same struct trap_frame as every trap (vector TRAP_SYSCALL, error = the
// number), calls syscall_hook(frame, thread) with interrupts on, and leaves by SYSRET when the
// frame still is that of the call and says what SYSRET can express: the fast case, where only the
// result and what C does not preserve are loaded. Otherwise, or when the thread's return_work is
// set, it leaves through trap_enter_user(). RCX and R11 are lost, as the instruction defines. The
// thread's system time is counted on the way.
//
// The hook returns the result, which becomes the frame's RAX when the frame still is the call's
// (its vector says so); a negative one goes through syscall_failed_hook first.
//
// 32-bit ways in are refused: SYSCALL from 32-bit code returns -ENOSYS, SYSENTER and INT 0x80 are
// general protection faults.
#pragma once
#include "kernel/arch/x86_64/trap.h"

// trap_set_user_hooks() sets it, before the first user thread runs.
extern int64_t (*syscall_hook)(struct trap_frame *f, struct thread *t);
extern int64_t (*syscall_failed_hook)(struct trap_frame *f, int64_t result);

// Points this CPU's SYSCALL here (cpu_init, cpu_init_secondary).
void syscall_init_cpu(void);
