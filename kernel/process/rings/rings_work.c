// SPDX-License-Identifier: GPL-3.0-or-later
// The helpers of a ring: one driver that waits for files and times, and workers that wait in calls.
// They begin when there is something for them, and end with the process, or when it runs another
// program, or the ring closes; what is then not done is cancelled.
#include "kernel/memory/heap.h"
#include "kernel/process/helper.h"
#include "kernel/process/rings/rings_inside.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/watch.h"

enum { EVENTS = 16 };
#define KICKED    UINT64_MAX
#define IDLE_TIME (NANOS_PER_SECOND / 2)

static bool is_closing(const struct rings *r)
{
    return __atomic_load_n(&r->closing, __ATOMIC_ACQUIRE);
}

static struct rings_request *first_timeout(struct rings *r)
{
    struct rb_node *n = rb_first(&r->timeouts);
    return n ? container_of(n, struct rings_request, order) : NULL;
}

// The next timeout whose time has come, out of the tables, and what it bounds, if that is parked;
// *next: when to look again.
static struct rings_request *take_due(struct rings *r, struct rings_request **bounded,
                                      nanos_t *next)
{
    *bounded = NULL;
    spin_lock(&r->lock);
    struct rings_request *q = first_timeout(r);
    *next = q ? q->deadline : WAIT_FOREVER;
    if (q && q->deadline > clock_now())
        q = NULL;
    if (q)
        rings_unpark_locked(q);
    if (q && q->guard && q->guard->parked) {
        *bounded = q->guard;
        rings_unpark_locked(q->guard);
    }
    if (q && q->guard) {
        q->guard->guard = NULL;
        q->guard = NULL;
    }
    spin_unlock(&r->lock);
    return q;
}

// Timeouts that are over; when the next one is.
static nanos_t fire(struct rings *r, rings_todo *todo)
{
    struct rings_request *q, *bounded;
    nanos_t next;
    while ((q = take_due(r, &bounded, &next))) {
        bool late = q->entry.kind == RINGS_LINK_TIMEOUT && !bounded; // it is being carried out
        if (bounded)
            rings_cancel(bounded, todo);
        rings_finish(q, late ? -EALREADY : -ETIME, todo);
    }
    return next;
}

static struct rings_request *take_serial(struct rings *r, uint64_t serial)
{
    struct rings_request *found = NULL;
    spin_lock(&r->lock);
    hash_for_each (link, &r->by_serial, hash_word(0, serial)) {
        struct rings_request *q = container_of(link, struct rings_request, by_serial);
        if (q->serial == serial)
            found = q;
    }
    if (found)
        rings_unpark_locked(found);
    spin_unlock(&r->lock);
    return found;
}

static void drain_kick(struct rings *r)
{
    uint64_t count;
    struct io io = io_kernel(&count, sizeof(count));
    (void)!file_read(r->kick, &io);
}

static void became_ready(struct rings *r, const struct watch_event *event, rings_todo *todo)
{
    if (event->data == KICKED) {
        drain_kick(r);
        return;
    }
    struct rings_request *q = take_serial(r, event->data);
    if (!q)
        return;
    rings_unwatch(q);
    list_push_back(todo, &q->link); // issued again, which looks again
}

static void driver_run(void *data)
{
    struct rings *r = data;
    struct watch_event events[EVENTS];
    rings_todo todo = LIST_INIT(todo);
    while (helper_attend() && !is_closing(r)) {
        size_t count = 0;
        nanos_t next = fire(r, &todo);
        if (list_empty(&todo) && watch_wait(r->list, events, EVENTS, next, &count))
            count = 0;
        for (size_t i = 0; i < count; i++)
            became_ready(r, &events[i], &todo);
        rings_run(&todo);
    }
}

static struct rings_request *take_any(struct rings *r)
{
    struct rings_request *q = NULL;
    spin_lock(&r->lock);
    if (!list_empty(&r->parked)) {
        q = list_first(&r->parked, struct rings_request, every);
        rings_unpark_locked(q);
    }
    spin_unlock(&r->lock);
    return q;
}

static void driver_ended(void *data)
{
    struct rings *r = data;
    rings_todo todo = LIST_INIT(todo);
    spin_lock(&r->lock);
    r->driven = false; // nothing is parked from now on
    spin_unlock(&r->lock);
    for (struct rings_request *q; (q = take_any(r));)
        rings_cancel(q, &todo);
    for (struct list *link; (link = list_pop_front(&todo));)
        rings_finish(list_entry(link, struct rings_request, link), -ECANCELED, &todo);
    rings_put(r);
}

err_t rings_drive(struct rings *r)
{
    static const struct helper_ops driver = { "ring-driver", driver_run, driver_ended };
    spin_lock(&r->lock);
    bool runs = r->driven;
    r->driven = true;
    spin_unlock(&r->lock);
    if (runs)
        return 0;
    rings_get(r);
    err_t e = helper_start(&driver, r);
    if (e) {
        spin_lock(&r->lock);
        r->driven = false;
        spin_unlock(&r->lock);
        rings_put(r);
    }
    return e;
}

struct worker {
    struct rings *ring;
    struct rings_request *now; // what it carries out
};

static struct rings_request *take_work(struct rings *r)
{
    spin_lock(&r->lock);
    struct list *link = list_pop_front(&r->work);
    spin_unlock(&r->lock);
    return link ? list_entry(link, struct rings_request, link) : NULL;
}

static bool has_work(struct rings *r)
{
    return __atomic_load_n(&r->work.next, __ATOMIC_ACQUIRE) != &r->work || is_closing(r);
}

static void carry_out(struct worker *w, struct rings_request *q)
{
    rings_todo todo = LIST_INIT(todo);
    int64_t result;
    w->now = q;
    do
        result = rings_carry_out(q, q->file);
    while ((result == -EINTR || result == -ERESTARTSYS) && !is_closing(w->ring) && helper_attend());
    w->now = NULL;
    rings_finish(q, result == -ERESTARTSYS ? -EINTR : result, &todo);
    rings_run(&todo);
}

static bool wait_for_work(struct rings *r)
{
    spin_lock(&r->lock);
    r->idle++;
    spin_unlock(&r->lock);
    err_t e = wait_until(&r->work_wait, has_work(r), clock_now() + IDLE_TIME);
    spin_lock(&r->lock);
    r->idle--;
    spin_unlock(&r->lock);
    return e != -ETIMEDOUT;
}

static void worker_run(void *data)
{
    struct worker *w = data;
    bool on = true;
    while (on && helper_attend() && !is_closing(w->ring)) {
        struct rings_request *q = take_work(w->ring);
        if (q)
            carry_out(w, q);
        else
            on = wait_for_work(w->ring);
    }
}

// The last one cancels what nobody does any more, unless the time to wait was just over.
static void worker_ended(void *data)
{
    struct worker *w = data;
    struct rings *r = w->ring;
    rings_todo todo = LIST_INIT(todo);
    if (w->now)
        rings_finish(w->now, -ECANCELED, &todo);
    spin_lock(&r->lock);
    struct list left = LIST_INIT(left);
    if (--r->workers == 0)
        list_append_all(&left, &r->work);
    spin_unlock(&r->lock);
    for (struct list *link; (link = list_pop_front(&left)) || (link = list_pop_front(&todo));)
        rings_finish(list_entry(link, struct rings_request, link), -ECANCELED, &todo);
    rings_put(r);
    heap_free(w);
}

static err_t worker_start(struct rings *r)
{
    static const struct helper_ops worker = { "ring-worker", worker_run, worker_ended };
    struct worker *w = heap_alloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->ring = r;
    rings_get(r);
    err_t e = helper_start(&worker, w);
    if (e) {
        rings_put(r);
        heap_free(w);
    }
    return e;
}

void rings_work(struct rings_request *q, rings_todo *todo)
{
    struct rings *r = q->ring;
    spin_lock(&r->lock);
    bool start = r->idle == 0 && r->workers < RINGS_WORKERS_MAX;
    r->workers += start ? 1 : 0;
    spin_unlock(&r->lock);
    err_t e = start ? worker_start(r) : 0;
    spin_lock(&r->lock);
    r->workers -= e ? 1 : 0;
    bool none = r->workers == 0;
    if (!none)
        list_push_back(&r->work, &q->link);
    spin_unlock(&r->lock);
    if (none)
        rings_finish(q, e ? e : -EAGAIN, todo);
    else
        wait_wake_one(&r->work_wait);
}
