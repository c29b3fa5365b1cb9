// SPDX-License-Identifier: GPL-3.0-or-later
// What each place means to the traced task: signals, exceptions, stops, children, exec, the end.
#include "kernel/arch/x86_64/registers.h"
#include "kernel/process/internal.h"
#include "kernel/process/trace/tracer.h"

// Another signal than the one that came is as if the tracer had sent it.
static void signal_replace(struct signal_info *info, int number)
{
    if (info->number == number)
        return;
    *info = (struct signal_info){ .number = number,
                                  .code = SIGNAL_FROM_USER,
                                  .sender = tracer_number_of(task_current()) };
}

bool trace_signal(struct trap_frame *f, struct signal_info *info, struct signal_action *action)
{
    struct task *t = task_current();
    struct trace_event e = { TRACE_SIGNAL, (uint64_t)info->number, action->handler, info };
    struct trace_verdict v = trace_point(f, &e);
    if (!v.signal)
        return false;
    if (!v.stopped)
        return true;
    signal_replace(info, v.signal);
    if (t->mask & SIGNAL_BIT(info->number) & ~SIGNALS_UNBLOCKABLE) {
        (void)signal_send_task(t, info); // that one waits
        return false;
    }
    *action = signal_action_of(t->process, info->number);
    return true;
}

bool trace_exception(struct trap_frame *f)
{
    struct task *t = task_current();
    uint32_t cause = f->vector == TRAP_DEBUG        ? TRACE_STEP
                     : f->vector == TRAP_BREAKPOINT ? TRACE_BREAKPOINT
                                                    : 0;
    if (!cause)
        return false;
    if (cause == TRACE_STEP && (t->thread.extras & EXTRA_DEBUG) &&
        arch_debug_hit(t->thread.debug, f->error))
        f->rflags |= RFLAGS_RF;
    bool was_step = cause == TRACE_STEP && (f->error & DR6_STEP) && trace_step_end(f, t);
    struct trace_event e = { .cause = cause };
    bool told = trace_on(t) && trace_point(f, &e).stopped;
    // A step that nobody waits for any more is no signal of the program's.
    return told || (was_step && !trace_on(t));
}

bool trace_at_stop(struct trap_frame *f, int signal)
{
    struct trace_event e = { .cause = TRACE_STOP, .a = (uint64_t)signal };
    return trace_on(task_current()) && trace_point(f, &e).stopped;
}

void trace_exit(int status)
{
    if ((status & 0x7f) != SIGNAL_KILL)
        trace_note(TRACE_EXIT, (uint64_t)status);
}

void trace_gone(struct task *t, int status)
{
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    struct trace *r = t->trace;
    if (r) {
        trace_get(r);
        trace_untie_locked(r);
    }
    spin_unlock_irq(&t->process->signal_lock, flags);
    if (r)
        r->ops->gone(r, status);
    trace_put(r);
}

static bool wants(struct task *t, uint32_t what)
{
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    bool wanted = t->trace && (t->trace->wanted & what);
    spin_unlock_irq(&t->process->signal_lock, flags);
    return wanted;
}

void trace_exec(int32_t number)
{
    struct task *t = task_current();
    if (!trace_on(t))
        return;
    trace_note(TRACE_EXEC, (uint64_t)number);
    if (wants(t, TRACE_EXEC_TRAP)) {
        struct signal_info trap = { .number = SIGNAL_TRAP,
                                    .code = SIGNAL_FROM_USER,
                                    .sender = t->process->number };
        (void)signal_send_task(t, &trap);
    }
}

uint32_t trace_child_begin(struct task *child, unsigned share, int exit_signal)
{
    struct task *t = task_current();
    if (!trace_on(t) || (share & CLONE_UNTRACED))
        return 0;
    bool thread = share & SHARE_PROCESS;
    uint32_t cause = share & CLONE_WAIT                      ? TRACE_VFORK
                     : thread || exit_signal != SIGNAL_CHILD ? TRACE_CLONE
                                                             : TRACE_FORK;
    struct trace *r = NULL;
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    bool told = t->trace && (t->trace->wanted & cause);
    if (t->trace && (told || (share & CLONE_TRACED)))
        trace_get(r = t->trace);
    spin_unlock_irq(&t->process->signal_lock, flags);
    if (r && r->ops->child)
        r->ops->child(r, child);
    trace_put(r);
    return told ? cause : 0;
}

bool trace_ignored(struct process *p, struct task *t)
{
    if (t)
        return t->trace && (t->trace->wanted & TRACE_IGNORED);
    list_for_each (link, &p->tasks) {
        const struct trace *r = list_entry(link, struct task, process_link)->trace;
        if (r && (r->wanted & TRACE_IGNORED))
            return true;
    }
    return false;
}
