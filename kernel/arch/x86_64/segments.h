// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptor table, task state and interrupt stacks of one CPU. For trap.c and switch.c only.
#pragma once
#include "lib/base.h"

// Interrupt stacks by their IST number in a gate; 0 in a gate: the thread's own kernel stack.
enum trap_stack { TRAP_STACK_NMI = 1, TRAP_STACK_DOUBLE, TRAP_STACK_CHECK, TRAP_STACK_DEBUG };
enum { TRAP_STACK_COUNT = 4 };

// Builds and loads them on the calling CPU, whose percpu area is in place. Interrupts off.
void segments_init_cpu(void);
