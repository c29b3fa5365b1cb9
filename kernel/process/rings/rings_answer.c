// SPDX-License-Identifier: GPL-3.0-or-later
// Answers of a ring: into shared memory, or kept until there is room; and what the end of a request
// lets go on: what is linked to it, what waited for all before, timeouts that count.
#include "kernel/memory/heap.h"
#include "kernel/process/process.h"
#include "kernel/process/rings/rings_inside.h"

void rings_get(struct rings *r)
{
    __atomic_fetch_add(&r->references, 1, __ATOMIC_RELAXED);
}

void rings_put(struct rings *r)
{
    if (__atomic_sub_fetch(&r->references, 1, __ATOMIC_ACQ_REL))
        return;
    if (r->list)
        file_put(r->list);
    if (r->kick)
        file_put(r->kick);
    if (r->event)
        file_put(r->event);
    rings_memory_drop(&r->rings);
    rings_memory_drop(&r->entries);
    account_unbook(r->account, ACCOUNT_RING_BYTES, r->bytes);
    account_put(r->account);
    heap_free(r->buffers);
    heap_free(r);
}

void rings_request_free(struct rings_request *q)
{
    struct rings *r = q->ring;
    account_unbook(r->account, ACCOUNT_RING_REQUESTS, 1);
    heap_free(q);
    rings_put(r);
}

// Under the lock. False: there is no room. The program's head is read once, and nothing but a
// difference from our own tail is made of it.
static bool put_locked(struct rings *r, const struct rings_request *q)
{
    if (r->tail - rings_load(r, RINGS_CQ_HEAD) >= r->answer_count)
        return false;
    uint64_t at = RINGS_ANSWERS + (r->tail & (r->answer_count - 1)) * sizeof(struct rings_answer);
    *(struct rings_answer *)rings_memory_at(&r->rings, at) =
        (struct rings_answer){ .user_data = q->entry.user_data, .result = q->result };
    rings_store(r, RINGS_CQ_TAIL, ++r->tail);
    return true;
}

// Puts what waited for room where it belongs; the requests go to `done`.
static void flush_locked(struct rings *r, struct list *done)
{
    bool some = !list_empty(&r->overflow);
    while (!list_empty(&r->overflow)) {
        struct rings_request *q = list_first(&r->overflow, struct rings_request, link);
        if (!put_locked(r, q))
            return;
        list_remove(&q->link);
        list_push_back(done, &q->link);
    }
    if (some)
        rings_store(r, RINGS_SQ_FLAGS, 0);
}

static void free_all(struct list *done)
{
    for (struct list *link; (link = list_pop_front(done));)
        rings_request_free(list_entry(link, struct rings_request, link));
}

uint32_t rings_answers_ready(struct rings *r)
{
    struct list done = LIST_INIT(done);
    spin_lock(&r->lock);
    flush_locked(r, &done);
    uint32_t ready = r->tail - rings_load(r, RINGS_CQ_HEAD);
    spin_unlock(&r->lock);
    free_all(&done);
    return ready;
}

void rings_release_locked(struct rings *r, rings_todo *todo)
{
    if (r->active == 0)
        r->draining = false;
    while (!list_empty(&r->deferred)) {
        struct rings_request *q = list_first(&r->deferred, struct rings_request, link);
        bool drains = q->entry.flags & RINGS_DRAIN;
        if (r->draining || (drains && r->active))
            return;
        list_remove(&q->link);
        r->draining = drains;
        for (struct rings_request *n = q; n; n = n->next)
            r->active++;
        list_push_back(todo, &q->link);
    }
}

// Under the lock: timeouts that so many answers end, out of the tables.
static void count_locked(struct rings *r, struct list *over)
{
    struct rb_node *next;
    for (struct rb_node *n = rb_first(&r->timeouts); n; n = next) {
        struct rings_request *q = container_of(n, struct rings_request, order);
        next = rb_next(n);
        if (q->target && r->answered >= q->target) {
            rings_unpark_locked(q);
            list_push_back(over, &q->link);
        }
    }
}

// The ring's counter file, by a copy that does not wait for room in it.
static void tell_event(struct rings *r, struct file *event)
{
    uint64_t one = 1;
    struct io io = io_kernel(&one, sizeof(one));
    struct file now;
    file_view_now(event, &now);
    (void)!file_write(&now, &io);
}

// Writes one answer. Gives up the request.
static void answer(struct rings_request *q, int64_t result, rings_todo *todo)
{
    struct rings *r = q->ring;
    struct rings_request *guard = NULL;
    struct list over = LIST_INIT(over), done = LIST_INIT(done);
    bool silent = q->entry.flags & RINGS_SILENT && result >= 0, kept = false;
    bool inline_now = !task_current() || !task_current()->helper;
    q->result = r->border->result(result);
    if (q->file)
        file_put(q->file);
    q->file = NULL;
    spin_lock(&r->lock);
    if (q->guard && q->entry.kind != RINGS_LINK_TIMEOUT && q->guard->parked) {
        guard = q->guard;
        rings_unpark_locked(guard);
    }
    if (q->guard)
        q->guard->guard = NULL;
    q->guard = NULL;
    flush_locked(r, &done);
    // Of a ring that closes nobody takes what would wait for room.
    if (!silent && !r->closing && (!list_empty(&r->overflow) || !put_locked(r, q))) {
        kept = true;
        list_push_back(&r->overflow, &q->link);
        rings_store(r, RINGS_SQ_FLAGS, RINGS_SQ_OVERFLOWN);
    }
    r->answered += silent || q->entry.kind == RINGS_TIMEOUT ? 0 : 1;
    count_locked(r, &over);
    if (--r->active == 0)
        rings_release_locked(r, todo);
    struct file *event = r->event && !(r->event_later && inline_now) && !silent ? r->event : NULL;
    if (event)
        file_get(event);
    spin_unlock(&r->lock);
    if (event) {
        tell_event(r, event);
        file_put(event);
    }
    wait_wake_key(&r->changed, POLL_IN, UINT_MAX);
    if (guard)
        rings_finish(guard, -ECANCELED, todo);
    for (struct list *link; (link = list_pop_front(&over));)
        rings_finish(list_entry(link, struct rings_request, link), 0, todo);
    free_all(&done);
    if (!kept)
        rings_request_free(q);
}

static bool failed(const struct rings_request *q, int64_t result)
{
    if (q->entry.kind == RINGS_TIMEOUT && result == -ETIME && q->entry.success)
        return false;
    return result < 0 || (q->entry.whole && (uint64_t)result < q->entry.length);
}

void rings_finish(struct rings_request *q, int64_t result, rings_todo *todo)
{
    while (q) {
        struct rings_request *next = q->next;
        bool on = !failed(q, result) || (q->entry.flags & RINGS_HARD_LINK && result != -ECANCELED);
        q->next = NULL;
        answer(q, result, todo);
        if (next && on) {
            list_push_back(todo, &next->link);
            return;
        }
        q = next;
        result = -ECANCELED;
    }
}
