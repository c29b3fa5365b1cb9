// SPDX-License-Identifier: GPL-3.0-or-later
// Helpers: tasks of a process that work for it in the kernel and never reach its program.
//
//   static const struct helper_ops worker = { .name = "ring", .run = work, .ended = work_ended };
//   err_t e = helper_start(&worker, data);          of the calling process
//   in work():  while (helper_attend()) { ... }     false: return now
//
// A helper has the process's space, descriptors and rights. It takes no signals, but stops and
// ends with its process, and ends when the process becomes another program; a process of which
// nothing but helpers is left ends. `ended` is called in any case, in the helper's context, also
// where helper_attend() did not return. Thread context.
#pragma once
#include "lib/base.h"
#include <redox/errno.h>

struct helper_ops {
    const char *name;
    void (*run)(void *data);
    void (*ended)(void *data);
};

err_t helper_start(const struct helper_ops *ops, void *data) must_check; // -EAGAIN, -ENOMEM
bool helper_attend(void) must_check;
