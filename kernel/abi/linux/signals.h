// SPDX-License-Identifier: GPL-3.0-or-later
// What signals.c and frame.c share.
#pragma once
#include "kernel/abi/linux/linux.h"
#include "kernel/abi/linux/types.h"

// Into zeroed memory.
void linux_siginfo_fill(struct linux_siginfo *s, const struct signal_info *info);
struct signal_info linux_info_of(const struct linux_siginfo *s); // and back
bool linux_on_alternate_stack(const struct task *t, uint64_t stack_pointer);
