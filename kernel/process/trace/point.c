// SPDX-License-Identifier: GPL-3.0-or-later
// The traced task's side: coming to a stop and going on. See trace.h.
#include "kernel/arch/x86_64/registers.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"
#include "kernel/process/trace/trace.h"

void trace_setup(struct trace *r, const struct trace_ops *ops, struct task *t)
{
    r->ops = ops;
    r->references = 1;
    r->task = t;
    thread_get(&t->thread);
    wait_queue_init(&r->go);
}

void trace_get(struct trace *r)
{
    __atomic_fetch_add(&r->references, 1, __ATOMIC_RELAXED);
}

void trace_put(struct trace *r)
{
    if (!r || __atomic_sub_fetch(&r->references, 1, __ATOMIC_ACQ_REL))
        return;
    fpu_state_drop(r->floats);
    task_put(r->task);
    r->ops->free(r);
}

err_t trace_tie_locked(struct trace *r)
{
    struct task *t = r->task;
    if (t->ended)
        return -ESRCH;
    if (t->trace)
        return -EPERM;
    __atomic_store_n(&t->trace, r, __ATOMIC_RELEASE);
    task_choose_call(t);
    return 0;
}

void trace_untie_locked(struct trace *r)
{
    struct task *t = r->task;
    if (t->trace == r)
        __atomic_store_n(&t->trace, NULL, __ATOMIC_RELEASE);
    task_choose_call(t);
}

void trace_go_locked(struct trace *r, const struct trace_course *c)
{
    struct task *t = r->task;
    r->wanted = c->wanted;
    r->step = c->step;
    r->skip = c->skip;
    r->signal = c->signal;
    if (!r->stopped && (t->attend & ATTEND_TRACE)) { // not there yet: it does not come there
        t->attend &= ~(uint32_t)ATTEND_TRACE;
        if (c->step)
            trace_ask_locked(r, ATTEND_STEP);
    }
    task_choose_call(t);
    __atomic_store_n(&r->stopped, false, __ATOMIC_RELEASE);
    wait_wake_all(&r->go);
}

void trace_ask_locked(struct trace *r, uint32_t attend)
{
    __atomic_or_fetch(&r->task->attend, attend, __ATOMIC_RELEASE);
    task_notify(r->task);
}

static bool is_killed(struct task *t)
{
    uint64_t pending = __atomic_load_n(&t->process->pending.pending, __ATOMIC_ACQUIRE) |
                       __atomic_load_n(&t->pending.pending, __ATOMIC_ACQUIRE);
    return pending & SIGNAL_BIT(SIGNAL_KILL);
}

static bool is_ending(struct task *t)
{
    struct process *p = t->process;
    struct task *exec = __atomic_load_n(&p->exec_task, __ATOMIC_ACQUIRE);
    return __atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE) || (exec && exec != t);
}

// What ends a stop. One at the end of the task is not ended by the task's ending, but by SIGKILL,
// and by the end of its program: the first context waits for it, and may be the one who traces.
static bool may_go(struct task *t, struct trace *r, bool at_end)
{
    struct process *p = t->process;
    struct process *first = p->context.first;
    bool closing = first != p && __atomic_load_n(&first->context.closing, __ATOMIC_ACQUIRE);
    bool killed = is_killed(t) || ((p->exit_status & 0x7f) == SIGNAL_KILL && is_ending(t));
    return !__atomic_load_n(&r->stopped, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&r->again, __ATOMIC_ACQUIRE) || killed || closing ||
           (!at_end && (is_ending(t) || context_wanted(p)));
}

static void wait_here(struct task *t, struct trace *r, struct trap_frame *f, bool at_end)
{
    struct process *p = t->process;
    for (;;) {
        (void)wait_until_uninterrupted(&r->go, may_go(t, r, at_end), WAIT_FOREVER);
        if (at_end || !context_wanted(p) || is_ending(t))
            return;
        context_attend(t, f);
    }
}

// So that whoever looks finds them. Switches on the way to the stop write the same again.
static void registers_save(struct task *t)
{
    preempt_off();
    fpu_save_current(t->thread.fpu);
    arch_user_save(&t->thread.user);
    preempt_on();
}

static void registers_load(struct task *t, struct trace *r)
{
    preempt_off();
    if (r->floats) {
        fpu_state_copy(t->thread.fpu, r->floats);
        fpu_load_current(t->thread.fpu);
    }
    if (r->bases_changed) {
        t->thread.user = r->bases;
        arch_user_load(&t->thread.user);
    }
    if (t->thread.extras)
        thread_load_debug(&t->thread);
    preempt_on();
    fpu_state_drop(r->floats);
    r->floats = NULL;
    r->bases_changed = false;
}

// Who asked may have told it meanwhile how to go on. Signal lock held.
static bool is_still_asked(struct task *t, const struct trace_event *e)
{
    const uint32_t asked = ATTEND_TRACE | ATTEND_NOTE;
    return e->cause != TRACE_ASKED ||
           (__atomic_fetch_and(&t->attend, ~asked, __ATOMIC_ACQ_REL) & asked);
}

// With a reference, or NULL: nobody wants to know, or it is killed.
static struct trace *stop_begin(struct task *t, struct trap_frame *f, const struct trace_event *e)
{
    struct process *p = t->process;
    registers_save(t);
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct trace *r = t->trace;
    if (r && (!(r->wanted & e->cause) || is_killed(t) || !is_still_asked(t, e)))
        r = NULL;
    if (r) {
        trace_get(r);
        if (t->stepping)
            (void)trace_step_end(f, t);
        __atomic_and_fetch(&t->attend, ~(uint32_t)ATTEND_TRACE, __ATOMIC_RELAXED);
        if (e->cause & (TRACE_ASKED | TRACE_STOP))
            __atomic_and_fetch(&t->attend, ~(uint32_t)ATTEND_NOTE, __ATOMIC_RELAXED);
        r->stopped = true;
        r->again = r->skip = r->step = false;
        r->signal = 0;
        r->ops->stops(r, e, f);
    }
    spin_unlock_irq(&p->signal_lock, flags);
    return r;
}

// The trap flag is ours until its trap has come.
static void step_begin(struct trap_frame *f, struct task *t)
{
    f->rflags |= RFLAGS_TF;
    t->stepping = true;
}

bool trace_step_end(struct trap_frame *f, struct task *t)
{
    bool stepped = t->stepping;
    t->stepping = false;
    if (stepped)
        f->rflags &= ~(uint64_t)RFLAGS_TF;
    return stepped;
}

// Inside of a call whose beginning nobody saw: its end is told on the way out.
static bool owes_end(const struct task *t, const struct trace *r, const struct trace_event *e)
{
    const uint32_t inside = TRACE_CHILDREN | TRACE_VFORK_DONE | TRACE_EXEC;
    return (e->cause & inside) && !t->call_seen && (r->wanted & TRACE_CALL_END);
}

// True: it is to stop again.
static bool stop_end(struct task *t, struct trace *r, struct trap_frame *f,
                     const struct trace_event *e, struct trace_verdict *v)
{
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    bool again = r->again && t->trace == r && !is_ending(t);
    bool ended = r->stopped && !again; // by what ends the task
    r->again = false;
    if (!again) {
        r->stopped = false;
        *v = (struct trace_verdict){ true, r->skip || ended, ended ? 0 : r->signal };
        if (r->step && !ended)
            step_begin(f, t);
        if (!ended && owes_end(t, r, e))
            __atomic_or_fetch(&t->attend, ATTEND_CALL_END, __ATOMIC_RELAXED);
    } else {
        __atomic_and_fetch(&t->attend, ~(uint32_t)(ATTEND_TRACE | ATTEND_NOTE), __ATOMIC_RELAXED);
        r->ops->stops(r, e, f);
    }
    spin_unlock_irq(&t->process->signal_lock, flags);
    return again;
}

struct trace_verdict trace_point(struct trap_frame *f, const struct trace_event *e)
{
    struct task *t = task_current();
    struct trace_verdict v = { .signal = e->signal ? e->signal->number : 0 };
    struct trace *r = stop_begin(t, f, e);
    if (!r)
        return v;
    bool again;
    do {
        r->ops->tell(r);
        wait_here(t, r, f, e->cause == TRACE_EXIT);
        again = stop_end(t, r, f, e, &v);
    } while (again);
    registers_load(t, r);
    if (r->ops->goes)
        r->ops->goes(r, e, f);
    thread_set_work(&t->thread, WORK_NOTIFY); // all registers are to be loaded from the frame
    trace_put(r);
    return v;
}

void trace_note(uint32_t cause, uint64_t a)
{
    struct trace_event e = { .cause = cause, .a = a };
    if (trace_on(task_current()))
        (void)trace_point(trap_user_frame(task_current()->thread.stack_top), &e);
}

static void attend_step(struct trap_frame *f, struct task *t)
{
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    if (t->trace && t->trace->step)
        step_begin(f, t);
    spin_unlock_irq(&t->process->signal_lock, flags);
}

void trace_attend(struct trap_frame *f)
{
    const uint32_t mine = ATTEND_STEP | ATTEND_CALL_END, asked = ATTEND_TRACE | ATTEND_NOTE;
    struct task *t = task_current();
    uint32_t attend = __atomic_fetch_and(&t->attend, ~mine, __ATOMIC_ACQ_REL);
    if (attend & ATTEND_CALL_END)
        trace_note(TRACE_CALL_END, 0);
    if (attend & ATTEND_STEP)
        attend_step(f, t);
    if (attend & asked) {
        trace_note(TRACE_ASKED, 0);
        if (!trace_on(t))
            __atomic_and_fetch(&t->attend, ~asked, __ATOMIC_RELAXED);
    }
}
