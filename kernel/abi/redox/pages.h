// SPDX-License-Identifier: GPL-3.0-or-later
// Signals by words in two pages of the program's (UPCALL_PAGES; 0.5.3 to 0.5.11): which of them
// are pending, which are allowed, what their actions are.
//
// The program blocks and allows, calls handlers and returns from them without telling the kernel.
// So in user mode the kernel's own mask is empty: every signal that arrives is written into the
// page at once, and when it is allowed and INHIBIT is not set the program goes on at its entry. In
// a system call the kernel's mask is what the page said at its beginning, so that only allowed
// signals cut it short. Actions in the kernel's table mean nothing but for KILL and STOP.
#pragma once
#include "kernel/process/process.h"

void redox_pages_enter(struct task *t); // around each call of such a task
void redox_pages_leave(struct task *t);
// What the process page says of a signal, as an action.
void redox_pages_action(struct task *t, const struct signal_info *info,
                        struct signal_action *action);
err_t redox_pages_deliver(struct trap_frame *f, struct task *t, const struct signal_info *info)
    must_check;
