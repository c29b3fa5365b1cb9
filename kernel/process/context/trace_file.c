// SPDX-License-Identifier: GPL-3.0-or-later
// The tracer's side: the handle `trace`, and `mem`, a context's memory as a file. See trace.h.
#include "kernel/memory/heap.h"
#include "kernel/process/context/operations.h"
#include "kernel/process/context/trace.h"
#include "kernel/process/trace/memory.h"

err_t open_trace(struct grip *g)
{
    struct process *p = g->process;
    if (p == process_current())
        return -EINVAL;
    struct task *t;
    err_t e = context_task(p, &t);
    if (e)
        return e;
    struct handle_trace *h = heap_alloc(sizeof(*h));
    if (!h) {
        task_put(t);
        return -ENOMEM;
    }
    trace_setup(&h->trace, &handle_trace_ops, t);
    h->trace.wanted = TRACE_ASKED;
    wait_queue_init(&h->wait);
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    e = trace_tie_locked(&h->trace);
    if (!e && (g->flags & OPEN_TRUNCATE))
        trace_ask_locked(&h->trace, ATTEND_TRACE);
    spin_unlock_irq(&p->signal_lock, flags);
    task_put(t);
    if (e)
        trace_put(&h->trace);
    else
        g->trace = h;
    return e == -EPERM ? -EBUSY : e;
}

void hold_release(struct process *child)
{
    uint64_t flags = spin_lock_irq(&child->signal_lock);
    child->context.holds--;
    spin_unlock_irq(&child->signal_lock, flags);
    wait_wake_all(&child->stop_wait);
}

// The target runs on, until one of `wanted`. Returns whether it still can.
static bool run_on(struct process *p, struct handle_trace *h, uint64_t wanted, bool ends)
{
    uint32_t causes = trace_causes(wanted);
    struct trace_course c = { .wanted = causes | TRACE_ASKED,
                              .step = causes & TRACE_STEP,
                              .skip = wanted & REDOX_PTRACE_FLAG_IGNORE };
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    bool alive = !h->ended;
    struct process *child = h->held;
    h->held = NULL;
    c.signal = c.skip ? 0 : h->signal;
    if (ends)
        trace_untie_locked(&h->trace);
    trace_go_locked(&h->trace, &c);
    spin_unlock_irq(&p->signal_lock, flags);
    if (child) {
        hold_release(child);
        process_put(child);
    }
    return alive;
}

void close_trace(struct grip *g)
{
    struct handle_trace *h = g->trace;
    if (!h)
        return;
    if (g->flags & OPEN_EXCLUSIVE) {
        struct signal_info info = { .number = SIGNAL_KILL, .code = SIGNAL_FROM_KERNEL };
        (void)signal_send_process(g->process, &info);
    }
    (void)run_on(g->process, h, 0, true);
    trace_put(&h->trace);
}

len_t write_trace(struct grip *g, struct io *io)
{
    const uint64_t known =
        REDOX_PTRACE_STOP_MASK | REDOX_PTRACE_EVENT_MASK | REDOX_PTRACE_FLAG_IGNORE;
    uint64_t wanted;
    err_t e = grip_take(io, &wanted, sizeof(wanted));
    if (!e && (wanted & ~known))
        e = -EINVAL;
    if (e)
        return e;
    return run_on(g->process, g->trace, wanted, false) ? (len_t)io->done : -ESRCH;
}

static bool event_take(struct process *p, struct handle_trace *r, struct redox_ptrace_event *to)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    bool taken = r->count;
    if (taken) {
        *to = r->events[r->first];
        r->first = (r->first + 1) % TRACE_EVENTS;
        r->count--;
    }
    spin_unlock_irq(&p->signal_lock, flags);
    return taken;
}

static bool has_news(const struct handle_trace *r)
{
    return __atomic_load_n(&r->count, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&r->ended, __ATOMIC_ACQUIRE);
}

len_t read_trace(struct grip *g, struct io *io, uint64_t offset)
{
    struct handle_trace *r = g->trace;
    struct redox_ptrace_event event;
    if (io->left < sizeof(event))
        return -EINVAL;
    err_t e = 0;
    if (!has_news(r))
        e = g->own->flags & OPEN_NONBLOCK ? -EAGAIN
                                          : wait_until(&r->wait, has_news(r), WAIT_FOREVER);
    while (!e && io->left >= sizeof(event) && event_take(g->process, r, &event))
        e = io_put(io, &event, sizeof(event));
    if (!e && !io->done)
        e = -ESRCH; // it has ended, and all is told
    return io_result(io, e);
}

unsigned poll_trace(struct grip *g, struct poll_table *t)
{
    if (t && t->add)
        t->add(t, &g->trace->wait);
    return POLL_OUT | (has_news(g->trace) ? POLL_IN : 0);
}

static len_t transfer(struct grip *g, struct io *io, uint64_t offset, unsigned how)
{
    struct space *s = context_space(g->process);
    if (!s)
        return -ESRCH;
    err_t e = memory_transfer(s, offset, io, how);
    space_put(s);
    return io_result(io, e);
}

len_t read_memory(struct grip *g, struct io *io, uint64_t offset)
{
    return transfer(g, io, offset, 0);
}

len_t write_memory(struct grip *g, struct io *io, uint64_t offset)
{
    return transfer(g, io, offset, MEMORY_WRITE | MEMORY_FORCE);
}
