// SPDX-License-Identifier: GPL-3.0-or-later
// Tracers who wait: a task traces others, hears of their stops as a parent hears of its children
// (SIGCHLD, process_wait), and tells each how to go on. ptrace(2) is this with numbers.
//
//   struct tracee *r;
//   err_t e = tracer_attach(task, true, options);        then process_wait() tells of its stop
//   e = tracee_find(number, true, &r);                    only a stopped one of the calling task's
//   e = tracee_go(r, &course);   tracee_put(r);
//
// Each traced task has a record in its tracer's process, which outlives the task until the tracer
// has heard of its end. A first task that ends stays a zombie of its parent; whoever traces it
// hears of the end first, and the parent when he has waited for it or let go.
//
//            tracer_attach, a traced task's child              wait tells of a stop
//   (none) -------------------------------------> TIED, quiet <--------------------> TIED, news
//                                                   |  task ends             tracee_detach |
//                                                   v                                      v
//                                            news of the end ---- wait, or tracer ends --> (none)
//
// Locks: process_tree_lock for lists, tracers and news; the target's signal lock for the session
// (trace.h). Tests: tests/programs/traces.c.
#pragma once
#include "kernel/process/trace/trace.h"

enum tracee_option { // beside the causes TRACE_FORK to TRACE_FILTER, which are told when they are
                     // set
    TRACEE_MARK_CALLS = 1 << 20, // stops at calls have 0x80 in their signal
    TRACEE_END_WITH_TRACER = 1 << 21,
};

struct tracee {
    struct trace trace;
    struct process *tracer; // NULL: let go of
    int32_t tracer_number;  // of its task
    struct list link;       // in tracees or tracees_news
    int32_t number;         // of the task: it may have ended
    bool seized;            // asked to stop without a signal; told of stops of its process
    bool news, ended;       // for wait: a stop or (ended) its end, with `status`
    int status;             // as wait tells it: signal | event << 8, or the task's end
    // The stop it is in; the session's lock.
    unsigned options; // causes, and enum tracee_option
    bool listens;     // stopped, and only waits to stop anew
    uint32_t cause;
    uint64_t message;
    struct signal_info *signal; // TRACE_SIGNAL: what is to be delivered
    uint64_t call;              // the number of the call it is in
};

// -EPERM: it may not be traced by the caller, or is already; -ESRCH.
err_t tracer_attach(struct task *t, bool seize, unsigned options) must_check;
err_t tracer_attach_self(void) must_check; // to the parent. -EPERM

// One of the calling task's, with a reference. `stopped`: only one that is stopped. -ESRCH.
err_t tracee_find(int32_t number, bool stopped, struct tracee **tracee) must_check;
void tracee_put(struct tracee *r);
// Takes its signal lock when it is stopped (*flags for tracee_unlock); -ESRCH: it is not.
err_t tracee_lock(struct tracee *r, uint64_t *flags) must_check;
void tracee_unlock(struct tracee *r, uint64_t flags);

enum tracee_pace { TRACEE_RUN, TRACEE_TO_CALL, TRACEE_STEP };
err_t tracee_go(struct tracee *r, enum tracee_pace pace, int signal) must_check;
err_t tracee_detach(struct tracee *r, int signal) must_check;
err_t tracee_interrupt(struct tracee *r) must_check; // -EIO: not a seized one
err_t tracee_listen(struct tracee *r) must_check;    // -EIO: not in a stop of its process
void tracee_set_options_locked(struct tracee *r, unsigned options);

// For process_wait(); tree lock held. 1 something was told, 0 nothing yet, -ECHILD nobody.
struct wait_look;
int tracees_look_locked(struct process *self, struct wait_look *l);
// Of a child that is a zombie: whether another process traces it, which hears of the end first.
bool tracee_hides_end_locked(const struct process *p);
void tracee_tell_end_locked(struct process *p); // tells it
bool tracee_is_own_locked(const struct process *child, const struct process *self);
// The zombie was waited for: its record goes; the caller puts it without the lock. May be NULL.
struct tracee *tracee_reaped_locked(struct process *p);

// SIGCONT or SIGKILL ends stops of its process; `tell`: seized ones. Signal lock held.
void tracees_end_stop_locked(struct process *p, bool tell);

void tracer_end(struct task *t); // the calling task ends: lets go of all it traces
void tracer_renumber(struct task *t, int32_t number); // exec gave it another one
// The same of a traced one. The record of the task that had the number before, for the caller to
// put; NULL: none. Tree lock.
struct tracee *tracee_renumber_locked(struct task *t, int32_t number);
int32_t tracer_number_of(const struct task *t); // who traces it; 0: nobody
bool tracer_limits_exec(void); // somebody without CAP_SYS_PTRACE traces the calling process
bool task_is_trace_stopped(const struct task *t); // for /proc
