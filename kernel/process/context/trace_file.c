// SPDX-License-Identifier: GPL-3.0-or-later
// The tracer's side: the handle `trace`, and `mem`, a context's memory as a file. See trace.h.
#include "kernel/memory/heap.h"
#include "kernel/process/context/operations.h"
#include "kernel/process/context/trace.h"
#include "lib/string.h"

#define SYSTEM_CALL_STOPS (REDOX_PTRACE_STOP_PRE_SYSCALL | REDOX_PTRACE_STOP_POST_SYSCALL)

static struct spinlock callers_lock = SPINLOCK_INIT(RANK_LEAF);
static uint32_t callers; // sessions that look at system calls

static void traced_system_call(struct trap_frame *f, struct thread *t)
{
    struct process *p = process_current();
    bool skip = trace_on(p) && trace_point(f, REDOX_PTRACE_STOP_PRE_SYSCALL, 0, 0);
    if (!skip)
        p->abi->system_call(f, task_current());
    if (trace_on(p))
        (void)trace_point(f, REDOX_PTRACE_STOP_POST_SYSCALL, 0, 0);
}

// How many sessions look at system calls; the first and the last change what the entry calls.
static void count_callers(int step)
{
    uint64_t flags = spin_lock_irq(&callers_lock);
    callers += (uint32_t)step;
    trap_set_system_call(callers ? traced_system_call : process_system_call);
    spin_unlock_irq(&callers_lock, flags);
}

err_t open_trace(struct grip *g)
{
    struct process *p = g->process;
    if (p == process_current())
        return -EINVAL;
    struct trace *r = heap_alloc(sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->references = 1;
    wait_queue_init(&r->wait);
    r->stop = g->flags & OPEN_TRUNCATE;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    err_t e = list_empty(&p->tasks) ? -ESRCH : p->context.trace ? -EBUSY : 0;
    if (!e)
        __atomic_store_n(&p->context.trace, r, __ATOMIC_RELEASE);
    spin_unlock_irq(&p->signal_lock, flags);
    if (e) {
        heap_free(r);
        return e;
    }
    g->trace = r;
    struct task *t;
    if (r->stop && !context_task(p, &t)) {
        thread_set_work(&t->thread, WORK_NOTIFY);
        task_put(t);
    }
    return 0;
}

static void let_child_go(struct process *child)
{
    if (!child)
        return;
    uint64_t flags = spin_lock_irq(&child->signal_lock);
    child->context.holds--;
    spin_unlock_irq(&child->signal_lock, flags);
    wait_wake_all(&child->stop_wait);
    process_put(child);
}

// The target runs on, until one of `wanted`. Returns whether it still can.
static bool run_on(struct process *p, struct trace *r, uint64_t wanted, bool ends)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    bool looked = r->wanted & SYSTEM_CALL_STOPS, looks = wanted & SYSTEM_CALL_STOPS;
    bool alive = !r->ended;
    struct process *child = r->held;
    r->held = NULL;
    r->wanted = wanted & (REDOX_PTRACE_STOP_MASK | REDOX_PTRACE_EVENT_MASK);
    r->ignore = wanted & REDOX_PTRACE_FLAG_IGNORE;
    r->step = r->stop;
    r->stop = false;
    __atomic_store_n(&r->stopped, false, __ATOMIC_RELEASE);
    if (ends)
        __atomic_store_n(&p->context.trace, NULL, __ATOMIC_RELEASE);
    spin_unlock_irq(&p->signal_lock, flags);
    if (looked != looks)
        count_callers(looks ? 1 : -1);
    wait_wake_all(&p->stop_wait);
    let_child_go(child);
    return alive;
}

void close_trace(struct grip *g)
{
    struct trace *r = g->trace;
    if (!r)
        return;
    if (g->flags & OPEN_EXCLUSIVE) {
        struct signal_info info = { .number = SIGNAL_KILL, .code = SIGNAL_FROM_KERNEL };
        (void)signal_send_process(g->process, &info);
    }
    (void)run_on(g->process, r, 0, true);
    trace_put(r);
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

static bool event_take(struct process *p, struct trace *r, struct redox_ptrace_event *to)
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

static bool has_news(const struct trace *r)
{
    return __atomic_load_n(&r->count, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&r->ended, __ATOMIC_ACQUIRE);
}

len_t read_trace(struct grip *g, struct io *io, uint64_t offset)
{
    struct trace *r = g->trace;
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

// The page at an address, to be changed: where the program itself may not write (its code), the
// page first becomes the program's own. Nothing else sees the change.
static err_t page_to_write(struct space *s, uaddr_t page, struct page **p)
{
    err_t e = space_page(s, page, MAP_WRITE, p);
    if (e != -EACCES)
        return e;
    struct space_shared shared;
    e = space_share(s, page, PAGE_SIZE, &shared);
    if (e)
        return e;
    e = shared.writable ? -EACCES
                        : object_page(shared.object, shared.offset >> PAGE_SHIFT, true, p);
    object_put(shared.object);
    return e;
}

static len_t transfer(struct grip *g, struct io *io, uint64_t offset, bool write)
{
    struct space *s = context_space(g->process);
    if (!s)
        return -ESRCH;
    err_t e = 0;
    while (!e && io->left) {
        uaddr_t at = offset + io->done;
        size_t inside = at % PAGE_SIZE, n = (size_t)min_of(io->left, PAGE_SIZE - inside);
        struct page *p;
        e = at >= USER_END ? -EFAULT
            : write        ? page_to_write(s, at - inside, &p)
                           : space_page(s, at - inside, MAP_READ, &p);
        if (e)
            break;
        char *bytes = (char *)page_virt(p) + inside;
        e = write ? io_get(io, bytes, n) : io_put(io, bytes, n);
        page_put(p);
    }
    space_put(s);
    return io_result(io, e == -EACCES ? -EFAULT : e);
}

len_t read_memory(struct grip *g, struct io *io, uint64_t offset)
{
    return transfer(g, io, offset, false);
}

len_t write_memory(struct grip *g, struct io *io, uint64_t offset)
{
    return transfer(g, io, offset, true);
}
