// SPDX-License-Identifier: GPL-3.0-or-later
// Tracing through handles: a session (process/trace/trace.h) whose stops and events are records in
// a queue that the handle reads. The handle has a reference on it. Guard: the target's signal lock.
#pragma once
#include "kernel/process/trace/trace.h"
#include <redox/flags.h>
#include <redox/types.h>

enum { TRACE_EVENTS = 16 }; // unread ones kept; the oldest goes

struct handle_trace {
    struct trace trace;
    bool ended;
    int signal;           // of the stop it is in
    struct process *held; // a new context that waits for the next write; with a reference
    struct redox_ptrace_event events[TRACE_EVENTS];
    unsigned first, count;
    struct wait_queue wait; // who reads the handle
};

extern const struct trace_ops handle_trace_ops;

void handle_trace_made(struct process *child); // the caller opened a new context
void hold_release(struct process *child);      // one who held it less
uint32_t trace_causes(uint64_t theirs);        // REDOX_PTRACE_* as enum trace_cause
