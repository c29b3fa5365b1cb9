// SPDX-License-Identifier: GPL-3.0-or-later
// First stacks: of programs known to speak Redox (redox_stack_build in redox.h), and of those that
// may turn out to.
//
// The stack of an undecided program is Linux's, with spare pairs (AT_IGNORE) before the end of the
// auxiliary vector and the working directory's path among its strings. When the program turns out
// to speak Redox, which is before its C library looks at the vector, the spare pairs become what
// that library wants. Linux programs must not see Redox's numbers: 33 is the vDSO's address there.
#pragma once
#include "kernel/process/stack.h"

struct process;

enum {                  // types of pairs that Redox adds
    AUX_DIRECTORY = 32, // the working directory's path: pointer, and length
    AUX_DIRECTORY_LENGTH = 33,
    AUX_IGNORED_SIGNALS = 34,
    AUX_BLOCKED_SIGNALS = 36,
};

err_t undecided_stack_build(struct program *p, uaddr_t *stack_pointer) must_check;
// Fills in the spare pairs of the calling process, once; what it has overwritten is left alone.
void redox_stack_adopt(struct process *p);
