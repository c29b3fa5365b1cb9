// SPDX-License-Identifier: GPL-3.0-or-later
// What a handle's session tells of its target, and new contexts that wait for the tracer. See
// trace.h.
#include "kernel/process/context/trace.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/inside.h"
#include "kernel/process/context/registers.h"

static const struct {
    uint64_t theirs;
    uint32_t ours;
} causes[] = {
    { REDOX_PTRACE_STOP_PRE_SYSCALL, TRACE_CALL_BEGIN },
    { REDOX_PTRACE_STOP_POST_SYSCALL, TRACE_CALL_END },
    { REDOX_PTRACE_STOP_SINGLESTEP, TRACE_STEP },
    { REDOX_PTRACE_STOP_SIGNAL, TRACE_SIGNAL },
    { REDOX_PTRACE_STOP_BREAKPOINT, TRACE_BREAKPOINT },
    { REDOX_PTRACE_STOP_EXIT, TRACE_EXIT },
    { REDOX_PTRACE_EVENT_CLONE, TRACE_CLONE },
    { REDOX_PTRACE_EVENT_ADDRSPACE_SWITCH, TRACE_SPACE },
};

uint32_t trace_causes(uint64_t theirs)
{
    uint32_t ours = 0;
    for (size_t i = 0; i < array_len(causes); i++) {
        if (theirs & causes[i].theirs)
            ours |= causes[i].ours;
    }
    return ours;
}

static uint64_t cause_of(uint32_t ours)
{
    for (size_t i = 0; i < array_len(causes); i++) {
        if (causes[i].ours == ours)
            return causes[i].theirs;
    }
    return 0;
}

static struct handle_trace *handle_trace_of(struct trace *r)
{
    return container_of(r, struct handle_trace, trace);
}

static void queue_event(struct handle_trace *h, const struct trace_event *e)
{
    if (h->count == TRACE_EVENTS) {
        h->first = (h->first + 1) % TRACE_EVENTS;
        h->count--;
    }
    h->events[(h->first + h->count++) % TRACE_EVENTS] = (struct redox_ptrace_event){
        .cause = cause_of(e->cause),
        .a = e->a,
        .b = e->b,
    };
}

static void stops(struct trace *r, const struct trace_event *e, struct trap_frame *f)
{
    if (e->cause != TRACE_ASKED)
        queue_event(handle_trace_of(r), e);
    handle_trace_of(r)->signal = e->signal ? e->signal->number : 0;
}

static void tell(struct trace *r)
{
    wait_wake_all(&handle_trace_of(r)->wait);
}

// The registers that were written meanwhile; of a call that is still to be made, with its number.
static void goes(struct trace *r, const struct trace_event *e, struct trap_frame *f)
{
    bool step = f->rflags & RFLAGS_TF;
    if (!registers_take_owed(r->task, f))
        return;
    if (step)
        f->rflags |= RFLAGS_TF;
    if (e->cause != TRACE_CALL_BEGIN)
        return;
    f->vector = TRAP_SYSCALL;
    f->error = f->rax;
}

static void gone(struct trace *r, int status)
{
    struct handle_trace *h = handle_trace_of(r);
    uint64_t flags = spin_lock_irq(&r->task->process->signal_lock);
    h->ended = true;
    spin_unlock_irq(&r->task->process->signal_lock, flags);
    wait_wake_all(&h->wait);
}

static void free_session(struct trace *r)
{
    heap_free(handle_trace_of(r));
}

const struct trace_ops handle_trace_ops = {
    .stops = stops,
    .tell = tell,
    .goes = goes,
    .gone = gone,
    .free = free_session,
};

// True: the child is held for the tracer of the calling task, which is to stop on its way out.
static bool hold_for_tracer(struct process *child)
{
    struct task *t = task_current();
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    struct trace *r = t->trace;
    bool wanted =
        r && r->ops == &handle_trace_ops && (r->wanted & TRACE_CLONE) && !handle_trace_of(r)->held;
    if (wanted) {
        struct trace_event e = { .cause = TRACE_CLONE, .a = (uint64_t)child->number };
        process_get(handle_trace_of(r)->held = child);
        queue_event(handle_trace_of(r), &e);
        trace_ask_locked(r, ATTEND_TRACE);
        wait_wake_all(&handle_trace_of(r)->wait);
    }
    spin_unlock_irq(&t->process->signal_lock, flags);
    return wanted;
}

// The child does not run before the next write. The caller stops on its way out of the call.
void handle_trace_made(struct process *child)
{
    struct task *t;
    if (!trace_on(task_current()) || context_task(child, &t))
        return;
    uint64_t flags = spin_lock_irq(&child->signal_lock);
    child->context.holds++;
    spin_unlock_irq(&child->signal_lock, flags);
    if (hold_for_tracer(child))
        thread_set_work(&t->thread, WORK_NOTIFY);
    else
        hold_release(child);
    task_put(t);
}
