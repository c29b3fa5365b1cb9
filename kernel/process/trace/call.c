// SPDX-License-Identifier: GPL-3.0-or-later
// System calls of tasks that somebody watches, or that have filters: the function that stands in
// task.system_call in place of the ABI's own.
#include "kernel/process/filter/filter.h"
#include "kernel/process/internal.h"
#include "kernel/process/trace/trace.h"

#define CALL_NONE UINT64_MAX // in place of a number: no call is to be made

// A signal that the watcher left at a call.
static void raise(int number)
{
    struct signal_info info = { .number = number, .code = SIGNAL_FROM_KERNEL };
    (void)signal_send_task(task_current(), &info);
}

// Told of the beginning. True: the call is not made, its result is what the frame says.
static bool call_begins(struct trap_frame *f)
{
    struct trace_event e = { .cause = TRACE_CALL_BEGIN };
    struct trace_verdict v = trace_point(f, &e);
    if (v.signal)
        raise(v.signal);
    return v.skip || (v.stopped && f->error == CALL_NONE);
}

// The processor would trap one instruction later: who steps over a call sees its end.
static bool steps_over(struct trap_frame *f, struct task *t)
{
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    bool signal = t->trace && !(t->trace->wanted & TRACE_STEP) && trace_step_end(f, t);
    spin_unlock_irq(&t->process->signal_lock, flags);
    return signal;
}

static void call_ends(struct trap_frame *f, struct task *t)
{
    struct trace_event e = { .cause = TRACE_CALL_END };
    struct trace_verdict v = trace_point(f, &e);
    if (v.signal)
        raise(v.signal);
    if (!v.stopped && steps_over(f, t)) {
        struct signal_info step = { .number = SIGNAL_TRAP,
                                    .code = TRAP_BY_STEP,
                                    .address = f->rip };
        signal_force(t, &step);
    }
}

static int64_t call_made(struct trap_frame *f, struct task *t)
{
    bool by_pages = t->upcall.model == UPCALL_PAGES;
    if (by_pages)
        t->process->abi->call_begin(t);
    int64_t result = t->process->abi->system_call(f, t);
    if (result < 0)
        result = t->process->abi->system_call_failed(f, result);
    if (by_pages)
        t->process->abi->call_end(t);
    return result;
}

// Who watches sees the result in the registers, and may put another one there.
static int64_t watched_call(struct trap_frame *f, struct task *t)
{
    t->call_seen = true;
    bool skip = trace_on(t) && call_begins(f);
    if (!skip && t->filter_mode)
        skip = filter_call(f, t);
    if (!skip) {
        int64_t result = call_made(f, t);
        if (f->vector == TRAP_SYSCALL)
            trap_set_result(f, result);
    }
    t->call_seen = false;
    if (trace_on(t))
        call_ends(f, t);
    return (int64_t)f->rax;
}

void task_choose_call(struct task *t)
{
    const struct trace *r = t->trace;
    bool watched = t->filter_mode || t->upcall.model == UPCALL_PAGES ||
                   (r && ((r->wanted & TRACE_CALLS) || r->step));
    __atomic_store_n(&t->system_call, watched ? watched_call : t->process->abi->system_call,
                     __ATOMIC_RELEASE);
}
