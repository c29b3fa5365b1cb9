// SPDX-License-Identifier: GPL-3.0-or-later
// The traced context's side: stops, and what it tells. See trace.h.
#include "kernel/process/context/trace.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/inside.h"
#include "kernel/process/context/registers.h"

void trace_put(struct trace *r)
{
    if (r && __atomic_sub_fetch(&r->references, 1, __ATOMIC_ACQ_REL) == 0)
        heap_free(r);
}

static void queue_event(struct trace *r, uint64_t cause, uint64_t a, uint64_t b)
{
    if (r->count == TRACE_EVENTS) {
        r->first = (r->first + 1) % TRACE_EVENTS;
        r->count--;
    }
    r->events[(r->first + r->count++) % TRACE_EVENTS] = (struct redox_ptrace_event){
        .cause = cause,
        .a = a,
        .b = b,
    };
}

static bool is_killed(struct task *t)
{
    uint64_t pending = __atomic_load_n(&t->process->pending.pending, __ATOMIC_ACQUIRE) |
                       __atomic_load_n(&t->pending.pending, __ATOMIC_ACQUIRE);
    return pending & SIGNAL_BIT(SIGNAL_KILL);
}

// What ends a stop. One at the end of the task is not ended by the task's ending, but by its
// program's: the first context waits for it, and may be the one who traces.
static bool may_go(struct task *t, struct trace *r, bool at_end)
{
    struct process *p = t->process;
    struct process *first = p->context.first;
    bool closing = first != p && __atomic_load_n(&first->context.closing, __ATOMIC_ACQUIRE);
    return !__atomic_load_n(&r->stopped, __ATOMIC_ACQUIRE) || is_killed(t) || closing ||
           (!at_end && (__atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE) || context_wanted(p)));
}

static void wait_here(struct task *t, struct trace *r, struct trap_frame *f, bool at_end)
{
    struct process *p = t->process;
    wait_wake_all(&r->wait);
    for (;;) {
        (void)wait_until_uninterrupted(&p->stop_wait, may_go(t, r, at_end), WAIT_FOREVER);
        if (at_end || !context_wanted(p) || __atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE))
            return;
        context_attend(t, f);
    }
}

// The trap flag is ours until its trap has come. Signal lock held.
static void step_if_wanted(struct process *p, const struct trace *r, struct trap_frame *f)
{
    if (!(r->wanted & REDOX_PTRACE_STOP_SINGLESTEP))
        return;
    f->rflags |= RFLAGS_TF;
    p->context.stepping = true;
}

// The registers that were written meanwhile; of a call that is still to be made, with its number.
static void take_registers(struct task *t, struct trap_frame *f, uint64_t cause)
{
    if (!registers_take_owed(t, f) || cause != REDOX_PTRACE_STOP_PRE_SYSCALL)
        return;
    f->vector = TRAP_SYSCALL;
    f->error = f->rax;
    thread_set_work(&t->thread, WORK_NOTIFY); // all registers are to be loaded from the frame
}

bool trace_point(struct trap_frame *f, uint64_t cause, uint64_t a, uint64_t b)
{
    struct task *t = task_current();
    struct process *p = t->process;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct trace *r = p->context.trace;
    bool wanted = r && (r->wanted & cause);
    if (wanted) {
        __atomic_fetch_add(&r->references, 1, __ATOMIC_RELAXED);
        queue_event(r, cause, a, b);
        r->stopped = true;
        r->ignore = false;
    }
    spin_unlock_irq(&p->signal_lock, flags);
    if (!wanted)
        return false;
    wait_here(t, r, f, cause == REDOX_PTRACE_STOP_EXIT);
    take_registers(t, f, cause);
    flags = spin_lock_irq(&p->signal_lock);
    r->stopped = false;
    bool ignore = r->ignore;
    step_if_wanted(p, r, f);
    spin_unlock_irq(&p->signal_lock, flags);
    trace_put(r);
    return ignore;
}

bool trace_exception(struct trap_frame *f)
{
    struct process *p = process_current();
    uint64_t cause = f->vector == TRAP_DEBUG        ? REDOX_PTRACE_STOP_SINGLESTEP
                     : f->vector == TRAP_BREAKPOINT ? REDOX_PTRACE_STOP_BREAKPOINT
                                                    : 0;
    bool stepped = f->vector == TRAP_DEBUG && p->context.stepping;
    if (!cause || (!trace_on(p) && !stepped))
        return false;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    bool wanted = p->context.trace && (p->context.trace->wanted & cause);
    spin_unlock_irq(&p->signal_lock, flags);
    if (stepped) { // also when nobody wants to know any more
        p->context.stepping = false;
        f->rflags &= ~(uint64_t)RFLAGS_TF;
    }
    if (wanted)
        (void)trace_point(f, cause, 0, 0);
    return wanted || stepped;
}

void trace_exit(int status)
{
    struct task *t = task_current();
    if (trace_on(t->process) && (status & 0x7f) != SIGNAL_KILL)
        (void)trace_point(trap_user_frame(t->thread.stack_top), REDOX_PTRACE_STOP_EXIT,
                          (uint64_t)status, 0);
}

// The child does not run before the next write. The caller stops on its way out of the call.
void trace_made(struct process *child)
{
    struct process *p = process_current();
    struct task *t;
    if (!trace_on(p) || context_task(child, &t))
        return;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct trace *r = p->context.trace;
    bool wanted = r && (r->wanted & REDOX_PTRACE_EVENT_CLONE) && !r->held;
    if (wanted) {
        process_get(r->held = child);
        queue_event(r, REDOX_PTRACE_EVENT_CLONE, (uint64_t)child->number, 0);
        r->stop = true;
        __atomic_fetch_add(&r->references, 1, __ATOMIC_RELAXED);
    }
    spin_unlock_irq(&p->signal_lock, flags);
    if (wanted) {
        flags = spin_lock_irq(&child->signal_lock);
        child->context.holds++;
        spin_unlock_irq(&child->signal_lock, flags);
        thread_set_work(&t->thread, WORK_NOTIFY);
        thread_set_work(&task_current()->thread, WORK_NOTIFY);
        wait_wake_all(&r->wait);
        trace_put(r);
    }
    task_put(t);
}

void trace_attend(struct trap_frame *f)
{
    struct task *t = task_current();
    struct process *p = t->process;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct trace *r = p->context.trace;
    bool stops = r && r->stop && !p->exiting;
    if (stops) {
        r->stop = false;
        r->stopped = true;
        __atomic_fetch_add(&r->references, 1, __ATOMIC_RELAXED);
    } else if (r && r->step) {
        step_if_wanted(p, r, f);
    }
    if (r)
        r->step = false;
    spin_unlock_irq(&p->signal_lock, flags);
    if (!stops)
        return;
    wait_here(t, r, f, false);
    flags = spin_lock_irq(&p->signal_lock);
    r->stopped = false;
    step_if_wanted(p, r, f);
    spin_unlock_irq(&p->signal_lock, flags);
    trace_put(r);
}

void trace_gone(struct process *p)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct trace *r = p->context.trace;
    if (r) {
        r->ended = true;
        __atomic_fetch_add(&r->references, 1, __ATOMIC_RELAXED);
    }
    spin_unlock_irq(&p->signal_lock, flags);
    if (r)
        wait_wake_all(&r->wait);
    trace_put(r);
}
