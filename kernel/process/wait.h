// SPDX-License-Identifier: GPL-3.0-or-later
// One look at what there is to tell of children and of traced tasks: what wait.c and
// trace/tracee.c share. Guard: process_tree_lock.
#pragma once
#include "kernel/process/process.h"

struct wait_look {
    struct process *self;
    int32_t which;
    unsigned options;
    struct wait_result *result;
    int found; // 1 something was told, 0 nothing yet, -ECHILD nobody to wait for
    // What left all tables by it; the caller puts them without the lock.
    struct process *reaped;
    struct tracee *gone;
};
