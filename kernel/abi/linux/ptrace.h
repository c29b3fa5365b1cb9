// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of ptrace(2) share: ptrace.c (how a task goes on, what it was stopped by) and
// ptrace_registers.c (its registers in Linux's layouts).
#pragma once
#include "kernel/abi/linux/linux.h"
#include "kernel/process/trace/tracer.h"

// What a request does with a stopped task. The result of the call.
typedef int64_t linux_ptrace_work(struct tracee *r, uint64_t address, uint64_t data);

linux_ptrace_work linux_peek_user, linux_poke_user, linux_get_registers, linux_set_registers,
    linux_get_floats, linux_set_floats, linux_get_set, linux_set_set, linux_get_call;

// The number of the call it is in as orig_rax shows it; -1: none. Signal lock held.
int64_t linux_traced_call(const struct tracee *r, const struct trap_frame *f);
