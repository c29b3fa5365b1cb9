// SPDX-License-Identifier: GPL-3.0-or-later
// The record of one traced task: what its stops and its end are to the tracer, and what wait tells
// of them. See tracer.h.
#include "kernel/memory/heap.h"
#include "kernel/process/trace/inside.h"
#include "kernel/process/wait.h"

enum { EVENT_STOP = 128, CALL_MARK = 0x80 }; // numbers of ptrace(2)

struct tracee *tracee_make(struct task *t, bool seized, unsigned options)
{
    struct tracee *r = heap_alloc(sizeof(*r));
    if (!r)
        return NULL;
    trace_setup(&r->trace, &tracee_ops, t);
    list_init(&r->link);
    r->number = t->number;
    r->seized = seized;
    r->options = options;
    r->call = UINT64_MAX;
    r->trace.wanted = tracee_wanted(r, TRACEE_RUN);
    return r;
}

uint32_t tracee_wanted(const struct tracee *r, enum tracee_pace pace)
{
    const uint32_t events =
        TRACE_CHILDREN | TRACE_VFORK_DONE | TRACE_EXEC | TRACE_EXIT | TRACE_FILTER;
    uint32_t wanted = TRACE_SIGNAL | TRACE_IGNORED | TRACE_STOP | TRACE_ASKED | TRACE_HANDLER |
                      (r->options & events);
    if (!r->seized && !(r->options & TRACE_EXEC))
        wanted |= TRACE_EXEC_TRAP;
    return wanted | (pace == TRACEE_TO_CALL ? TRACE_CALLS : 0);
}

// As wait tells a stop: the signal, and above it which event.
static int stop_code(const struct tracee *r, const struct trace_event *e)
{
    int stopped_by = r->trace.task->process->stop_signal;
    switch (e->cause) {
    case TRACE_SIGNAL:
        return e->signal->number;
    case TRACE_HANDLER:
        return SIGNAL_TRAP;
    case TRACE_CALL_BEGIN:
    case TRACE_CALL_END:
        return SIGNAL_TRAP | (r->options & TRACEE_MARK_CALLS ? CALL_MARK : 0);
    case TRACE_STOP:
    case TRACE_ASKED:
        if (!r->seized)
            return (int)e->a;
        return (stopped_by ? stopped_by : SIGNAL_TRAP) | EVENT_STOP << 8;
    default:
        return SIGNAL_TRAP | __builtin_ctz(e->cause) << 8;
    }
}

static void stops(struct trace *trace, const struct trace_event *e, struct trap_frame *f)
{
    struct tracee *r = tracee_of(trace);
    r->cause = e->cause;
    r->status = stop_code(r, e);
    r->signal = e->signal;
    r->listens = false;
    if (e->cause & (TRACE_CHILDREN | TRACE_VFORK_DONE | TRACE_EXEC | TRACE_EXIT | TRACE_FILTER))
        r->message = e->a;
    trace->signal = e->cause == TRACE_SIGNAL ? e->signal->number : 0;
    if (e->cause == TRACE_CALL_BEGIN) {
        r->call = f->error;
        trap_set_result(f, -ENOSYS); // until it is made
    } else if (e->cause == TRACE_CALL_END) {
        r->message = 0;
    }
}

void tracee_news_locked(struct tracee *r)
{
    r->news = true;
    list_remove(&r->link);
    list_push_back(&r->tracer->tracees_news, &r->link);
}

void tracee_quiet_locked(struct tracee *r)
{
    r->news = false;
    list_remove(&r->link);
    if (r->tracer)
        list_push_back(&r->tracer->tracees, &r->link);
}

void tracer_notify_locked(struct tracee *r, int code, int status)
{
    struct process *tracer = r->tracer, *p = r->trace.task->process;
    struct signal_info info = process_child_signal(p, r->number, code, status);
    struct signal_action a = signal_action_of(tracer, SIGNAL_CHILD);
    if (code != CHILD_TRAPPED || !(a.flags & ACTION_NO_CHILD_STOP))
        (void)signal_send_process(tracer, &info);
    wait_wake_all(&tracer->child_wait);
}

// It may have been told to go on meanwhile, by a tracer who did not wait.
static void tell(struct trace *trace)
{
    struct tracee *r = tracee_of(trace);
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    if (r->tracer && __atomic_load_n(&trace->stopped, __ATOMIC_ACQUIRE)) {
        tracee_news_locked(r);
        tracer_notify_locked(r, CHILD_TRAPPED, r->status & 0x7f);
    }
    spin_unlock_irq(&process_tree_lock, flags);
}

static int end_code(int status)
{
    return status & 0x7f ? CHILD_KILLED : CHILD_EXITED;
}

static int end_status(int status)
{
    return status & 0x7f ? status & 0x7f : status >> 8 & 0xff;
}

// The end of a first task is its process's (process_end()), and told with that.
static void gone(struct trace *trace, int status)
{
    struct tracee *r = tracee_of(trace);
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    if (r->tracer && tracee_is_leader(r)) {
        tracee_quiet_locked(r);
    } else if (r->tracer) {
        r->ended = true;
        r->status = status;
        tracee_news_locked(r);
        tracer_notify_locked(r, end_code(status), end_status(status));
    }
    spin_unlock_irq(&process_tree_lock, flags);
}

static void child(struct trace *trace, struct task *t)
{
    struct tracee *mine = tracee_of(trace), *r = tracee_make(t, mine->seized, mine->options);
    if (!r)
        return; // runs untraced
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process *tracer = mine->tracer;
    err_t e = tracer ? tracee_tie_locked(r, tracer, mine->tracer_number) : -ESRCH;
    spin_unlock_irq(&process_tree_lock, flags);
    if (e) {
        tracee_put(r);
        return;
    }
    const struct signal_info stop = { .number = SIGNAL_STOP, .code = SIGNAL_FROM_USER };
    if (mine->seized)
        __atomic_or_fetch(&t->attend, ATTEND_TRACE, __ATOMIC_RELAXED);
    else
        (void)signal_send_task(t, &stop);
    thread_set_work(&t->thread, WORK_SIGNAL);
}

static void free_tracee(struct trace *trace)
{
    heap_free(tracee_of(trace));
}

const struct trace_ops tracee_ops = {
    .stops = stops,
    .tell = tell,
    .child = child,
    .gone = gone,
    .free = free_tracee,
};

static bool is_meant(const struct process *self, const struct tracee *r, int32_t which)
{
    const struct process *p = r->trace.task->process;
    if (which > 0)
        return r->number == which;
    if (which == -1)
        return true;
    int32_t group = which == 0 ? self->group->number : -which;
    return p->group && p->group->number == group;
}

static void fill(struct wait_look *l, const struct tracee *r, int code, int status, int raw)
{
    struct credentials c;
    credentials_look(r->trace.task->process, &c);
    *l->result = (struct wait_result){
        .number = r->number, .user = c.user, .code = code, .status = status, .raw = raw
    };
}

static void let_go_locked(struct tracee *r)
{
    list_remove(&r->link);
    r->tracer = NULL;
    r->news = false;
}

static bool report_end(struct wait_look *l, struct tracee *r, int status)
{
    if (!(l->options & WAIT_EXITED))
        return false;
    fill(l, r, end_code(status), end_status(status), status);
    if (l->options & WAIT_LEAVE)
        return true;
    let_go_locked(r);
    l->gone = r;
    return true;
}

// The zombie of a child is told among the children; others' to the tracer first.
static bool report_zombie(struct process *self, struct wait_look *l, struct tracee *r)
{
    struct process *p = r->trace.task->process;
    if (p->parent == self || !report_end(l, r, p->exit_status))
        return false;
    if (l->gone) {
        p->leader_trace = NULL;
        l->reaped = process_report_end_locked(p) ? p : NULL;
    }
    return true;
}

static bool report(struct process *self, struct wait_look *l, struct tracee *r)
{
    if (tracee_is_leader(r) && r->trace.task->process->zombie)
        return report_zombie(self, l, r);
    if (r->ended)
        return report_end(l, r, r->status);
    fill(l, r, CHILD_TRAPPED, r->status, r->status << 8 | 0x7f);
    if (!(l->options & WAIT_LEAVE))
        tracee_quiet_locked(r);
    return true;
}

// Those with news in their order; of the others it only matters whether there are any.
int tracees_look_locked(struct process *self, struct wait_look *l)
{
    list_for_each_safe (link, &self->tracees_news) {
        struct tracee *r = list_entry(link, struct tracee, link);
        if (!is_meant(self, r, l->which))
            continue;
        l->found = max_of(l->found, 0);
        if (report(self, l, r))
            return l->found = 1;
    }
    list_for_each (link, &self->tracees) {
        if (l->found >= 0)
            break;
        if (is_meant(self, list_entry(link, struct tracee, link), l->which))
            l->found = 0;
    }
    return l->found;
}

bool tracee_is_own_locked(const struct process *child, const struct process *self)
{
    return child->leader_trace && child->leader_trace->tracer == self;
}

bool tracee_hides_end_locked(const struct process *p)
{
    return p->leader_trace && p->leader_trace->tracer != p->parent;
}

void tracee_tell_end_locked(struct process *p)
{
    struct tracee *r = p->leader_trace;
    tracee_news_locked(r);
    tracer_notify_locked(r, end_code(p->exit_status), end_status(p->exit_status));
}

struct tracee *tracee_reaped_locked(struct process *p)
{
    struct tracee *r = p->leader_trace;
    p->leader_trace = NULL;
    if (r)
        let_go_locked(r);
    return r;
}

struct tracee *tracee_renumber_locked(struct task *t, int32_t number)
{
    struct process *p = t->process;
    spin_lock(&p->signal_lock);
    struct tracee *r = tracee_of(t->trace);
    spin_unlock(&p->signal_lock);
    struct tracee *old = p->leader_trace;
    if (old)
        let_go_locked(old);
    p->leader_trace = NULL;
    if (r && r->tracer) {
        r->number = number;
        p->leader_trace = r;
    }
    return old;
}

// Signals end a stop of the process for its traced tasks as well, but only those that listen leave
// theirs: the others are told with their next stop.
void tracees_end_stop_locked(struct process *p, bool tell)
{
    list_for_each (link, &p->tasks) {
        struct task *t = list_entry(link, struct task, process_link);
        struct tracee *r = tracee_of(t->trace);
        __atomic_and_fetch(&t->attend, ~(uint32_t)ATTEND_STOP, __ATOMIC_RELAXED);
        if (!r || !r->seized || !tell)
            continue;
        if (r->listens)
            __atomic_store_n(&r->trace.again, true, __ATOMIC_RELEASE);
        trace_ask_locked(&r->trace, ATTEND_NOTE);
    }
}

bool task_is_trace_stopped(const struct task *t)
{
    struct process *p = t->process;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    bool stopped = t->trace && t->trace->stopped;
    spin_unlock_irq(&p->signal_lock, flags);
    return stopped;
}
