// SPDX-License-Identifier: GPL-3.0-or-later
// Registers of a context as Redox programs see them, and those that others wrote for it and that
// it takes over on its way to user mode.
#pragma once
#include "kernel/process/process.h"

// Takes over what is owed; false: nothing was. The calling task's own.
bool registers_take_owed(struct task *t, struct trap_frame *f);
void registers_drop_owed(struct process *p);
struct redox_int_registers;
void registers_from_frame(struct redox_int_registers *r, const struct trap_frame *f);
