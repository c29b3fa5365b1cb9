// SPDX-License-Identifier: GPL-3.0-or-later
// Carrying requests out: at once by who has them, or handing them to who waits.
#include "kernel/process/process.h"
#include "kernel/process/rings/rings_inside.h"

enum { TRIES_MAX = 8 }; // then a worker waits in the call itself

int64_t rings_carry_out(struct rings_request *q, struct file *f)
{
    struct task *t = task_current();
    t->lent = f;
    int64_t result = q->ring->border->carry_out(&q->entry, f);
    t->lent = NULL;
    return result;
}

static bool would_wait(int64_t result)
{
    return result == -EAGAIN || result == -EWOULDBLOCK;
}

void rings_attempt(struct rings_request *q, rings_todo *todo)
{
    struct file now, *f = q->file;
    if (!file_view_can(f)) {
        rings_finish(q, rings_carry_out(q, f), todo);
        return;
    }
    file_view_now(f, &now);
    int64_t result = rings_carry_out(q, &now);
    if (!would_wait(result) || q->entry.never_waits)
        rings_finish(q, result, todo);
    else if (++q->tries > TRIES_MAX)
        rings_work(q, todo);
    else
        rings_park(q, q->entry.ready, todo);
}

static void poll_once(struct rings_request *q, rings_todo *todo)
{
    unsigned ready = poll_expand(file_poll(q->file, NULL)) &
                     (q->entry.ready | POLL_ERROR | POLL_HANGUP | POLL_INVALID);
    if (ready)
        rings_finish(q, ready, todo);
    else
        rings_park(q, q->entry.ready, todo);
}

// How to find what is to be cancelled.
static bool is_meant(const struct rings_request *q, const struct rings_request *by)
{
    const struct rings_entry *e = &by->entry;
    if (e->kind == RINGS_TIMEOUT_REMOVE)
        return q->entry.kind == RINGS_TIMEOUT && q->entry.user_data == e->address;
    if (e->only_polls && q->entry.kind != RINGS_POLL)
        return false;
    return e->any ||
           (e->by_file ? q->file && q->file == by->file : q->entry.user_data == e->address);
}

// A parked request that is meant, out of the tables; NULL: none. By its data it is found at once.
static struct rings_request *take_meant(struct rings_request *by)
{
    struct rings *r = by->ring;
    struct rings_request *found = NULL;
    spin_lock(&r->lock);
    if (by->entry.any || by->entry.by_file) {
        list_for_each (link, &r->parked) {
            struct rings_request *q = list_entry(link, struct rings_request, every);
            if (!found && is_meant(q, by))
                found = q;
        }
    } else {
        hash_for_each (link, &r->by_data, hash_word(0, by->entry.address)) {
            struct rings_request *q = container_of(link, struct rings_request, by_data);
            if (!found && is_meant(q, by))
                found = q;
        }
    }
    if (found)
        rings_unpark_locked(found);
    spin_unlock(&r->lock);
    return found;
}

static void cancel(struct rings_request *q, rings_todo *todo)
{
    int64_t count = 0;
    struct rings_request *found;
    while ((q->entry.all || !count) && (found = take_meant(q))) {
        rings_cancel(found, todo);
        count++;
    }
    bool counts = q->entry.all || q->entry.any;
    rings_finish(q, counts ? count : count ? 0 : -ENOENT, todo);
}

static void change_timeout(struct rings_request *q, rings_todo *todo)
{
    nanos_t deadline;
    err_t e = q->ring->border->deadline(&q->entry, &deadline);
    struct rings_request *found = e ? NULL : take_meant(q);
    if (found) {
        found->deadline = deadline;
        found->target = 0;
        rings_park(found, 0, todo);
    }
    rings_finish(q, e ? e : found ? 0 : -ENOENT, todo);
}

static void timeout(struct rings_request *q, rings_todo *todo)
{
    err_t e = rings_timeout_set(q);
    if (e) {
        rings_finish(q, e, todo);
        return;
    }
    if (q->entry.offset) {
        spin_lock(&q->ring->lock);
        q->target = q->ring->answered + q->entry.offset;
        spin_unlock(&q->ring->lock);
    }
    rings_park(q, 0, todo);
}

static void call(struct rings_request *q, rings_todo *todo)
{
    struct file *f = q->file;
    bool waits = q->entry.waits || (f && f->ops->keeps_offset);
    bool async = q->entry.flags & RINGS_ASYNC && !(f && file_view_can(f));
    if (waits || async)
        rings_work(q, todo);
    else if (f)
        rings_attempt(q, todo);
    else
        rings_finish(q, rings_carry_out(q, NULL), todo);
}

static void issue(struct rings_request *q, rings_todo *todo)
{
    if (q->next && q->next->entry.kind == RINGS_LINK_TIMEOUT)
        rings_guard_arm(q, todo);
    if (q->error) {
        rings_finish(q, q->error, todo);
        return;
    }
    switch (q->entry.kind) {
    case RINGS_NOTHING:
        rings_finish(q, 0, todo);
        break;
    case RINGS_CALL:
        call(q, todo);
        break;
    case RINGS_POLL:
        poll_once(q, todo);
        break;
    case RINGS_TIMEOUT:
        timeout(q, todo);
        break;
    case RINGS_TIMEOUT_REMOVE:
        if (q->entry.update)
            change_timeout(q, todo);
        else
            cancel(q, todo);
        break;
    case RINGS_CANCEL:
        cancel(q, todo);
        break;
    case RINGS_LINK_TIMEOUT: // nothing that it could bound
        rings_finish(q, -EINVAL, todo);
        break;
    }
}

void rings_run(rings_todo *todo)
{
    for (struct list *link; (link = list_pop_front(todo));)
        issue(list_entry(link, struct rings_request, link), todo);
}
