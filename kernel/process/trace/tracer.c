// SPDX-License-Identifier: GPL-3.0-or-later
// The tracer's side: attaching, telling a stopped task how to go on, letting go. See tracer.h.
#include "kernel/memory/heap.h"
#include "kernel/process/trace/inside.h"

err_t tracee_tie_locked(struct tracee *r, struct process *p, int32_t tracer)
{
    struct process *target = r->trace.task->process;
    spin_lock(&target->signal_lock);
    err_t e = trace_tie_locked(&r->trace);
    spin_unlock(&target->signal_lock);
    if (e)
        return e;
    r->tracer = p;
    r->tracer_number = tracer;
    list_push_back(&p->tracees, &r->link);
    if (tracee_is_leader(r))
        target->leader_trace = r;
    return 0;
}

// Its process may be stopped: then it joins the others. Tree lock held; the caller puts it.
static void let_go_locked(struct tracee *r, int signal)
{
    struct task *t = r->trace.task;
    const struct trace_course c = { .signal = signal };
    spin_lock(&t->process->signal_lock);
    if (t->trace == &r->trace) {
        trace_untie_locked(&r->trace);
        trace_go_locked(&r->trace, &c);
        if (t->process->stop_signal)
            trace_ask_locked(&r->trace, ATTEND_STOP);
    }
    spin_unlock(&t->process->signal_lock);
    list_remove(&r->link);
    r->tracer = NULL;
    if (t->process->leader_trace == r)
        t->process->leader_trace = NULL;
}

// One that is stopped already comes to a stop of the tracer's.
static void stop_attached(struct tracee *r)
{
    struct task *t = r->trace.task;
    const struct signal_info stop = { .number = SIGNAL_STOP, .code = SIGNAL_FROM_USER };
    if (!r->seized)
        (void)signal_send_task(t, &stop);
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    if (t->process->stop_signal && t->trace == &r->trace) {
        trace_ask_locked(&r->trace, ATTEND_STOP);
        wait_wake_all(&t->process->stop_wait);
    }
    spin_unlock_irq(&t->process->signal_lock, flags);
}

// Either exec of a set-user-id file sees the tracer (tracer_limits_exec), or we see that it goes
// on.
static err_t allowed(const struct task *t)
{
    bool gains = __atomic_load_n(&t->process->context.gains, __ATOMIC_SEQ_CST);
    bool may = !process_may_inspect(t->process) && (!gains || process_has(CAPABILITY_SYS_PTRACE));
    return may ? 0 : -EPERM;
}

err_t tracer_attach(struct task *t, bool seize, unsigned options)
{
    struct process *self = process_current();
    if (t->process == self || t->helper || allowed(t))
        return -EPERM;
    struct tracee *r = tracee_make(t, seize, options);
    if (!r)
        return -ENOMEM;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    err_t e = t->process->zombie || t->process->exiting
                  ? -EPERM
                  : tracee_tie_locked(r, self, task_current()->number);
    if (!e && allowed(t)) {
        e = -EPERM;
        let_go_locked(r, 0);
    }
    spin_unlock_irq(&process_tree_lock, flags);
    if (e) {
        tracee_put(r);
        return e == -ESRCH ? -EPERM : e;
    }
    stop_attached(r);
    return 0;
}

// The task that made the process, or another one that has not ended; 0: there is none.
static int32_t tracer_in_locked(struct process *parent, int32_t maker)
{
    int32_t number = 0;
    spin_lock(&parent->signal_lock);
    list_for_each (link, &parent->tasks) {
        const struct task *t = list_entry(link, struct task, process_link);
        if (!t->tracer_closed && (!number || t->number == maker))
            number = t->number;
    }
    spin_unlock(&parent->signal_lock);
    return number;
}

// The parent may trace it: it lacks no capability that the caller has.
static bool parent_may_locked(struct process *parent)
{
    struct credentials mine, theirs;
    credentials_look(process_current(), &mine);
    credentials_look(parent, &theirs);
    return !(mine.permitted & ~theirs.permitted) ||
           credentials_have(&theirs, CAPABILITY_SYS_PTRACE);
}

err_t tracer_attach_self(void)
{
    struct task *t = task_current();
    struct tracee *r = tracee_make(t, false, 0);
    if (!r)
        return -ENOMEM;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process *parent = t->process->parent;
    int32_t number = parent ? tracer_in_locked(parent, t->process->maker) : 0;
    err_t e = number && parent_may_locked(parent) ? tracee_tie_locked(r, parent, number) : -EPERM;
    spin_unlock_irq(&process_tree_lock, flags);
    if (e)
        tracee_put(r);
    return e;
}

void tracee_put(struct tracee *r)
{
    if (r)
        trace_put(&r->trace);
}

err_t tracee_lock(struct tracee *r, uint64_t *flags)
{
    struct process *p = r->trace.task->process;
    *flags = spin_lock_irq(&p->signal_lock);
    if (r->trace.stopped && !r->listens && r->trace.task->trace == &r->trace)
        return 0;
    spin_unlock_irq(&p->signal_lock, *flags);
    return -ESRCH;
}

void tracee_unlock(struct tracee *r, uint64_t flags)
{
    spin_unlock_irq(&r->trace.task->process->signal_lock, flags);
}

err_t tracee_find(int32_t number, bool stopped, struct tracee **tracee)
{
    struct task *t;
    err_t e = task_find(number, &t);
    if (e)
        return e;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    spin_lock(&t->process->signal_lock);
    struct tracee *r = tracee_of(t->trace);
    bool mine = r && r->tracer == process_current() && r->tracer_number == task_current()->number &&
                (!stopped || (r->trace.stopped && !r->listens));
    if (mine)
        trace_get(&r->trace);
    spin_unlock(&t->process->signal_lock);
    spin_unlock_irq(&process_tree_lock, flags);
    task_put(t);
    *tracee = r;
    return mine ? 0 : -ESRCH;
}

err_t tracee_go(struct tracee *r, enum tracee_pace pace, int signal)
{
    uint64_t flags;
    uint64_t tree = spin_lock_irq(&process_tree_lock);
    err_t e = tracee_lock(r, &flags);
    if (!e) {
        struct trace_course c = { tracee_wanted(r, pace), pace == TRACEE_STEP, false, signal };
        trace_go_locked(&r->trace, &c);
        tracee_unlock(r, flags);
        if (r->tracer)
            tracee_quiet_locked(r);
    }
    spin_unlock_irq(&process_tree_lock, tree);
    return e;
}

err_t tracee_detach(struct tracee *r, int signal)
{
    uint64_t flags;
    uint64_t tree = spin_lock_irq(&process_tree_lock);
    err_t e = tracee_lock(r, &flags);
    if (!e)
        tracee_unlock(r, flags); // it stays stopped: only its tracer, us, lets it go on
    bool mine = !e && r->tracer;
    if (mine)
        let_go_locked(r, signal);
    spin_unlock_irq(&process_tree_lock, tree);
    if (mine)
        tracee_put(r);
    return e;
}

err_t tracee_interrupt(struct tracee *r)
{
    struct task *t = r->trace.task;
    if (!r->seized)
        return -EIO;
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    if (r->listens)
        __atomic_store_n(&r->trace.again, true, __ATOMIC_RELEASE);
    trace_ask_locked(&r->trace, ATTEND_TRACE);
    spin_unlock_irq(&t->process->signal_lock, flags);
    return 0;
}

// What came since the stop (SIGCONT) is told at once.
err_t tracee_listen(struct tracee *r)
{
    uint64_t flags;
    err_t e = tracee_lock(r, &flags);
    if (e)
        return e;
    struct task *t = r->trace.task;
    if (!r->seized || !(r->cause & (TRACE_STOP | TRACE_ASKED))) {
        e = -EIO;
    } else {
        r->listens = true;
        if (t->attend & ATTEND_NOTE)
            __atomic_store_n(&r->trace.again, true, __ATOMIC_RELEASE);
        wait_wake_all(&r->trace.go);
    }
    tracee_unlock(r, flags);
    return e;
}

void tracee_set_options_locked(struct tracee *r, unsigned options)
{
    r->options = options;
}

static struct tracee *first_of(struct list *l, int32_t tracer)
{
    list_for_each (link, l) {
        struct tracee *r = list_entry(link, struct tracee, link);
        if (r->tracer_number == tracer)
            return r;
    }
    return NULL;
}

// Lets go of one of the task's; false: there was none.
static bool end_one(struct task *t)
{
    struct process *self = t->process, *unwanted = NULL;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct tracee *r = first_of(&self->tracees, t->number);
    if (!r)
        r = first_of(&self->tracees_news, t->number);
    if (r) {
        struct process *p = r->trace.task->process;
        const struct signal_info kill = { .number = SIGNAL_KILL, .code = SIGNAL_FROM_KERNEL };
        bool told_now = tracee_is_leader(r) && p->zombie && p->parent != self;
        let_go_locked(r, 0);
        if ((r->options & TRACEE_END_WITH_TRACER) && !p->zombie)
            (void)signal_send_process(p, &kill);
        if (told_now && process_report_end_locked(p))
            unwanted = p;
    } else {
        t->tracer_closed = true;
    }
    spin_unlock_irq(&process_tree_lock, flags);
    process_put(unwanted);
    tracee_put(r);
    return r;
}

void tracer_end(struct task *t)
{
    while (end_one(t))
        ;
}

void tracer_renumber(struct task *t, int32_t number)
{
    struct list *const lists[] = { &t->process->tracees, &t->process->tracees_news };
    for (size_t i = 0; i < array_len(lists); i++) {
        list_for_each (link, lists[i]) {
            struct tracee *r = list_entry(link, struct tracee, link);
            if (r->tracer_number == t->number)
                r->tracer_number = number;
        }
    }
}

int32_t tracer_number_of(const struct task *t)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    spin_lock(&t->process->signal_lock);
    const struct tracee *r = tracee_of(t->trace);
    int32_t number = r && r->tracer ? r->tracer->number : 0;
    spin_unlock(&t->process->signal_lock);
    spin_unlock_irq(&process_tree_lock, flags);
    return number;
}

bool tracer_limits_exec(void)
{
    struct process *p = process_current();
    bool limits = false;
    if (!trace_on(task_current()))
        return false;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    spin_lock(&p->signal_lock);
    const struct tracee *r = tracee_of(task_current()->trace);
    struct process *tracer = r ? r->tracer : NULL;
    spin_unlock(&p->signal_lock);
    if (tracer) {
        struct credentials c;
        credentials_look(tracer, &c);
        limits = !credentials_have(&c, CAPABILITY_SYS_PTRACE);
    }
    spin_unlock_irq(&process_tree_lock, flags);
    return limits;
}
