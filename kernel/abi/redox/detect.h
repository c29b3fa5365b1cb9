// SPDX-License-Identifier: GPL-3.0-or-later
// Which of the two interfaces a program gets. By its file where that tells; else it is *undecided*
// until the first system call that only one of the two has, and a Linux program until then. The
// rule with examples: docs/redox-programs.md. Tests: tests/boot/test_redox_start.py.
#pragma once
#include "kernel/process/program.h"

struct trap_frame;

// The chooser of program.h. Thread context; may sleep.
const struct abi *abi_choose(const struct program *p);
extern const struct abi undecided_abi;
// The hook of context.h: the same for a program that another one has loaded (image.c).
void abi_of_loaded(struct trap_frame *f);

// What one PT_NOTE segment, and what the interpreter's path says; NULL: nothing.
enum { ABI_NOTES_SIZE_MAX = 1024 }; // more of a segment is not looked at
const struct abi *abi_notes_say(const void *notes, size_t size);
const struct abi *abi_interpreter_says(const char *path);

// What a number that both interfaces have, or only one, says about the program that made the call.
enum call_verdict {
    CALL_REDOX,
    CALL_LINUX,
    CALL_LINUX_FOR_NOW, // serve it as Linux, and go on watching
};
enum call_verdict abi_call_verdict(const struct trap_frame *f);
