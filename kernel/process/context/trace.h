// SPDX-License-Identifier: GPL-3.0-or-later
// Tracing: one session for each target, between the handle of who traces and the traced context.
//
//                    a stop that was asked for, or open with O_TRUNC
//        RUNNING ----------------------------------------------------> STOPPED
//                <----------------------------------------------------
//                    write to the handle, its close, or SIGKILL
//
// A stop and an event are records in the session's queue, which the handle reads. While it is
// stopped the target sleeps in the kernel with its frame complete, so registers are read and
// written as of any held context. The session is counted: the handle has it, and the target while
// it is in a stop. Guard: the target's signal lock, for everything in the session and the pointer
// to it. System calls are looked at only while some session wants that: then another function
// stands in the entry's pointer (trap.h), so nobody else pays.
#pragma once
#include "kernel/process/process.h"
#include <redox/flags.h>
#include <redox/types.h>

enum { TRACE_EVENTS = 16 }; // unread ones kept; the oldest goes

struct trace {
    uint32_t references;
    uint64_t wanted; // REDOX_PTRACE_*: run until one of these
    bool stop, stopped, ignore, ended;
    bool step;            // runs on from a stop it had not come to yet: it is to step from there
    struct process *held; // a new context that waits for the next write; with a reference
    struct redox_ptrace_event events[TRACE_EVENTS];
    unsigned first, count;
    struct wait_queue wait; // who reads the handle
};

void trace_put(struct trace *r);

// In the target, at the place that `cause` names. Returns when it may go on; true: the pending
// call or signal is to be left out. Does nothing when nobody wants to know.
bool trace_point(struct trap_frame *f, uint64_t cause, uint64_t a, uint64_t b);
static inline bool trace_on(const struct process *p)
{
    return unlikely(__atomic_load_n(&p->context.trace, __ATOMIC_RELAXED) != NULL);
}
bool trace_exception(struct trap_frame *f); // a debug exception that was ours
void trace_exit(int status);                // the calling task ends
void trace_made(struct process *child);     // the caller opened a new context
void trace_gone(struct process *p);         // it has ended
// Whether the target is to stop at once (O_TRUNC), and stopping.
void trace_attend(struct trap_frame *f);
