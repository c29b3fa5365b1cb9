// SPDX-License-Identifier: GPL-3.0-or-later
// Filters of system calls: programs (bpf.h) that a task has put between itself and the kernel, and
// that its children and whatever they execute keep. seccomp(2) is this with numbers.
//
//   err_t e = filter_add(code, count, flags, &other);
//   bool skip = filter_call(frame, task);       from the watched call (trace/call.c)
//
// A task's filters are a chain, the newest first, shared with those it was inherited from or by; a
// chain never changes but at its head. All of it runs at each call, and the strictest answer
// counts. Who has none pays nothing: task.system_call leads here only when one is there. Guard of a
// task's chain: its process's signal lock; the task itself reads its own without.
// Tests: tests/programs/filters.c.
#pragma once
#include "kernel/process/filter/bpf.h"
#include "kernel/process/process.h"

enum filter_mode { FILTER_NONE, FILTER_STRICT, FILTER_PROGRAMS }; // numbers of SECCOMP_MODE_*

enum filter_flag {
    FILTER_ALL_TASKS = 1, // of the process; they must have no others than the caller
    FILTER_LOGS = 2,      // calls that are not simply allowed are logged
};

// What a program answers: an action, and a datum in the lower half.
enum filter_action {
    FILTER_KILL_TASK = 0,
    FILTER_TRAP = 0x00030000,
    FILTER_ERROR = 0x00050000,
    FILTER_TRACE = 0x7ff00000,
    FILTER_LOG = 0x7ffc0000,
    FILTER_ALLOW = 0x7fff0000,
};
#define FILTER_KILL_PROCESS 0x80000000u
bool filter_has_action(uint32_t action);

// For the calling task. -EACCES: neither no_new_privs nor CAP_SYS_ADMIN; -EINVAL; -ENOMEM: too
// many, or too much for the user; -ESRCH: with FILTER_ALL_TASKS, task *other has others.
err_t filter_add(const struct bpf_instruction *code, size_t count, unsigned flags, int32_t *other)
    must_check;
err_t filter_strict(void)
    must_check; // only read, write, exit and sigreturn. -EINVAL: it has programs

// A call that the calling task is about to make. True: it is not made.
bool filter_call(struct trap_frame *f, struct task *t);

void filter_inherit_locked(struct task *child, const struct task *from); // from's signal lock held
void filter_inherit(struct task *child); // the calling task's, by one of a process that is made
void filter_drop(struct task *t);
unsigned filter_count(const struct task *t);
