// SPDX-License-Identifier: GPL-3.0-or-later
// Requests that wait: for their file (the ring's watch list), for a time, or for both.
//
// A parked request is in the ring's tables, and whoever takes it out under the lock is the only one
// to have it: the driver when it is ready or its time has come, who cancels it, who makes the
// answer that a timeout counted. `serial` tells the driver whether what became ready is still
// there.
#include "kernel/process/rings/rings_inside.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/watch.h"

static bool earlier(const struct rb_node *a, const struct rb_node *b)
{
    return container_of(a, struct rings_request, order)->deadline <
           container_of(b, struct rings_request, order)->deadline;
}

static bool is_timeout(const struct rings_request *q)
{
    return q->entry.kind == RINGS_TIMEOUT || q->entry.kind == RINGS_LINK_TIMEOUT;
}

static void enter_locked(struct rings *r, struct rings_request *q)
{
    q->parked = true;
    q->serial = r->next_serial++ & INT32_MAX;
    hash_insert(&r->by_serial, hash_word(0, q->serial), &q->by_serial);
    hash_insert(&r->by_data, hash_word(0, q->entry.user_data), &q->by_data);
    list_push_back(&r->parked, &q->every);
    if (is_timeout(q))
        rb_insert(&r->timeouts, &q->order, earlier);
}

void rings_unpark_locked(struct rings_request *q)
{
    q->parked = false;
    hash_remove(&q->by_serial);
    hash_remove(&q->by_data);
    list_remove(&q->every);
    if (is_timeout(q))
        rb_remove(&q->ring->timeouts, &q->order);
}

void rings_unwatch(struct rings_request *q)
{
    if (q->file && !is_timeout(q))
        (void)!watch_remove(q->ring->list, q->file, (int)q->serial);
}

void rings_kick(struct rings *r)
{
    uint64_t one = 1;
    struct io io = io_kernel(&one, sizeof(one));
    (void)!file_write(r->kick, &io);
}

err_t rings_timeout_set(struct rings_request *q)
{
    return q->ring->border->deadline(&q->entry, &q->deadline);
}

// Takes it back if nobody else has. By its serial: it may be gone.
static bool take_back(struct rings *r, struct rings_request *q, uint32_t serial)
{
    bool mine = false;
    spin_lock(&r->lock);
    hash_for_each (link, &r->by_serial, hash_word(0, serial))
        mine |= container_of(link, struct rings_request, by_serial) == q && q->serial == serial;
    if (mine)
        rings_unpark_locked(q);
    spin_unlock(&r->lock);
    return mine;
}

void rings_park(struct rings_request *q, unsigned wanted, rings_todo *todo)
{
    struct rings *r = q->ring;
    struct file *f = is_timeout(q) ? NULL : q->file;
    err_t e = rings_drive(r);
    if (e) {
        rings_finish(q, e, todo);
        return;
    }
    rings_get(r);
    if (f)
        file_get(f);
    spin_lock(&r->lock);
    bool late = r->closing || !r->driven;
    if (!late)
        enter_locked(r, q);
    uint32_t serial = q->serial;
    bool first = !f && rb_first(&r->timeouts) == &q->order;
    spin_unlock(&r->lock);
    if (late) {
        rings_finish(q, -ECANCELED, todo);
    } else if (f) {
        e = watch_add(r->list, f, (int)serial, wanted, WATCH_ONCE | WATCH_ANY, serial);
        if (e && take_back(r, q, serial))
            rings_finish(q, e, todo);
    } else if (first) {
        rings_kick(r);
    }
    if (f)
        file_put(f);
    rings_put(r);
}

// One that the caller took out of the tables.
void rings_cancel(struct rings_request *q, rings_todo *todo)
{
    rings_unwatch(q);
    rings_finish(q, -ECANCELED, todo);
}

void rings_guard_arm(struct rings_request *q, rings_todo *todo)
{
    struct rings_request *guard = q->next;
    q->next = guard->next;
    guard->next = NULL;
    err_t e = rings_timeout_set(guard);
    if (e) {
        rings_finish(guard, e, todo);
        return;
    }
    q->guard = guard;
    guard->guard = q;
    rings_park(guard, 0, todo);
}
