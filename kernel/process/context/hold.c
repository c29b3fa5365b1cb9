// SPDX-License-Identifier: GPL-3.0-or-later
// Keeping a context out of user mode while others look at it, and having it do something itself on
// its way there. Guards: the process's signal lock. Its stop_wait tells both sides of changes.
#include "kernel/memory/heap.h"
#include "kernel/process/context/inside.h"
#include "kernel/process/context/registers.h"

struct context_request {
    struct list link; // in context.requests until it is taken up
    void (*work)(void *data);
    void *data;
    err_t result;
    bool done; // read without the lock
};

err_t context_task(struct process *p, struct task **task)
{
    err_t e = 0;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    if (list_empty(&p->tasks))
        e = -ESRCH;
    else if (p->task_count > 1)
        e = -EBUSY;
    if (!e) {
        *task = list_first(&p->tasks, struct task, process_link);
        thread_get(&(*task)->thread);
    }
    spin_unlock_irq(&p->signal_lock, flags);
    return e;
}

// Off its processor since it was told: it does not reach user mode without seeing us.
static bool is_quiet(const struct task *t)
{
    return !__atomic_load_n(&t->thread.ring.on_core, __ATOMIC_SEQ_CST);
}

err_t hold_begin(struct process *p, struct task **task)
{
    struct task *t;
    err_t e = context_task(p, &t);
    if (e)
        return e;
    *task = t;
    if (t == task_current())
        return 0;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    p->context.holds++;
    spin_unlock_irq(&p->signal_lock, flags);
    thread_set_work(&t->thread, WORK_NOTIFY);
    // Nobody wakes us when it leaves its processor for another reason: hence the short deadline.
    do
        e = wait_until(&p->stop_wait, is_quiet(t) || t->ended, clock_now() + NANOS_PER_MILLI);
    while (e == -ETIMEDOUT);
    if (!e && t->ended)
        e = -ESRCH;
    if (e)
        hold_end(t);
    return e;
}

void hold_end(struct task *t)
{
    struct process *p = t->process;
    if (t != task_current()) {
        uint64_t flags = spin_lock_irq(&p->signal_lock);
        p->context.holds--;
        spin_unlock_irq(&p->signal_lock, flags);
        wait_wake_all(&p->stop_wait);
    }
    task_put(t);
}

static void request_finish(struct process *p, struct context_request *r, err_t result)
{
    r->result = result;
    __atomic_store_n(&r->done, true, __ATOMIC_RELEASE); // r is gone from here on
    wait_wake_all(&p->stop_wait);
}

err_t context_ask(struct process *p, void (*work)(void *data), void *data)
{
    struct context_request r = { .work = work, .data = data };
    list_init(&r.link);
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    bool ends = p->exiting || list_empty(&p->tasks);
    if (!ends) {
        list_push_back(&p->context.requests, &r.link);
        list_for_each (link, &p->tasks)
            task_notify(list_entry(link, struct task, process_link));
    }
    spin_unlock_irq(&p->signal_lock, flags);
    if (ends)
        return -ESRCH;
    wait_wake_all(&p->stop_wait);
    err_t e = wait_until(&p->stop_wait, __atomic_load_n(&r.done, __ATOMIC_ACQUIRE), WAIT_FOREVER);
    if (!e)
        return r.result;

    flags = spin_lock_irq(&p->signal_lock);
    bool withdrawn = !list_empty(&r.link);
    list_remove(&r.link);
    spin_unlock_irq(&p->signal_lock, flags);
    if (withdrawn)
        return e;
    (void)wait_until_uninterrupted(&p->stop_wait, __atomic_load_n(&r.done, __ATOMIC_ACQUIRE),
                                   WAIT_FOREVER);
    return r.result;
}

static struct context_request *request_take(struct process *p)
{
    if (likely(!context_wanted(p)))
        return NULL;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct list *link = list_pop_front(&p->context.requests);
    spin_unlock_irq(&p->signal_lock, flags);
    return link ? list_entry(link, struct context_request, link) : NULL;
}

void context_requests_fail(struct process *p)
{
    struct context_request *r;
    while ((r = request_take(p)))
        request_finish(p, r, -ESRCH);
    context_drop_old_table(p);
}

bool context_wanted(const struct process *p)
{
    return !list_empty(&p->context.requests);
}

static bool may_go(const struct process *p)
{
    return !__atomic_load_n(&p->context.holds, __ATOMIC_ACQUIRE) || context_wanted(p) ||
           __atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE);
}

void context_attend(struct task *t, struct trap_frame *f)
{
    struct process *p = t->process;
    for (;;) {
        struct context_request *r = request_take(p);
        if (r) {
            r->work(r->data);
            request_finish(p, r, 0);
            continue;
        }
        if (__atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE))
            return;
        if (registers_take_owed(t, f))
            continue;
        context_drop_old_table(p);
        if (!__atomic_load_n(&p->context.holds, __ATOMIC_ACQUIRE))
            return;
        (void)wait_until_uninterrupted(&p->stop_wait, may_go(p), WAIT_FOREVER);
    }
}
