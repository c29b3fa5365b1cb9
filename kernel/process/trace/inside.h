// SPDX-License-Identifier: GPL-3.0-or-later
// What tracer.c and tracee.c share.
#pragma once
#include "kernel/process/internal.h"
#include "kernel/process/trace/tracer.h"

extern const struct trace_ops tracee_ops;

static inline struct tracee *tracee_of(struct trace *r) // NULL: another kind of session
{
    return r && r->ops == &tracee_ops ? container_of(r, struct tracee, trace) : NULL;
}

static inline bool tracee_is_leader(const struct tracee *r)
{
    return r->number == r->trace.task->process->number;
}

struct tracee *tracee_make(struct task *t, bool seized, unsigned options) must_check;
uint32_t tracee_wanted(const struct tracee *r, enum tracee_pace pace);
// Ties it to its task for a task of `p` with that number. Tree lock held.
err_t tracee_tie_locked(struct tracee *r, struct process *p, int32_t tracer) must_check;
void tracee_news_locked(struct tracee *r);  // there is something for wait to tell. Tree lock
void tracee_quiet_locked(struct tracee *r); // it was told, or is over
// The tracer's SIGCHLD, and who waits. Tree lock.
void tracer_notify_locked(struct tracee *r, int code, int status);
