// SPDX-License-Identifier: GPL-3.0-or-later
// How a Redox context takes its signals: what `thisproc:.../sighandler` and `sigstack` set, and the
// Redox ABI's signal delivery reads. One in each task; written by the task itself or before it
// starts, or while it is stopped.
#pragma once
#include "lib/base.h"

enum upcall_model {
    UPCALL_NONE,     // the handler is called with the restorer as its return address
    UPCALL_ENTRY,    // 0.5.0 to 0.5.2: a frame on the stack, and on at `entry`
    UPCALL_RESTORER, // 0.3 and 0.4: `sigstack` was opened; actions and masks have 128 bits
    UPCALL_PAGES,    // 0.5.3 to 0.5.11: words in two shared pages
};

struct upcall {
    enum upcall_model model;
    uaddr_t entry;           // ENTRY, PAGES: where the program takes signals
    uaddr_t exception_entry; // PAGES
    uaddr_t stack;           // ENTRY: the alternate stack; RESTORER: its top, UINT64_MAX none
    uint64_t stack_size;     // ENTRY
    uaddr_t thread_page, process_page; // PAGES
    uaddr_t frame; // NONE, RESTORER: of the innermost handler that runs; 0: none does
};
