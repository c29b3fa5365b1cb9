// SPDX-License-Identifier: GPL-3.0-or-later
// The table of requests and the edges between their states. See request.h.
#include "kernel/scheme/user/request_way.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/thread.h"
#include "kernel/scheme/file.h"
#include "kernel/scheme/user/limits.h"

void request_queue_init(struct request_queue *q, struct window *window)
{
    q->window = window;
    spin_init(&q->lock, RANK_QUEUE);
    list_init(&q->pending);
    list_init(&q->free);
    wait_queue_init(&q->pollers);
}

void request_queue_drop(struct request_queue *q)
{
    for (unsigned i = 0; i < array_len(q->chunks); i++)
        heap_free(q->chunks[i]);
}

// More slots, of which the very first is the spare one. Two threads may come at once: then both add
// some.
static err_t slots_grow(struct request_queue *q)
{
    struct request *chunk = heap_alloc_array(REQUESTS_CHUNK, sizeof(*chunk));
    if (!chunk)
        return -ENOMEM;
    spin_lock(&q->lock);
    err_t e = q->dead ? -ENODEV : q->count < REQUESTS_MAX ? 0 : -EAGAIN;
    if (!e) {
        bool first = q->count == 0;
        q->chunks[q->count / REQUESTS_CHUNK] = chunk;
        for (unsigned i = 0; i < REQUESTS_CHUNK; i++) {
            chunk[i].id = q->count++;
            chunk[i].window = q->window;
            window_get(q->window);
            if (i || !first)
                list_push_back(&q->free, &chunk[i].link);
        }
        if (first)
            __atomic_store_n(&q->spare, &chunk[0], __ATOMIC_SEQ_CST);
    }
    spin_unlock(&q->lock);
    if (e)
        heap_free(chunk);
    return e;
}

static err_t slot_find(struct request_queue *q, struct request **request)
{
    for (;;) {
        spin_lock(&q->lock);
        bool dead = q->dead;
        struct list *link = dead ? NULL : list_pop_front(&q->free);
        spin_unlock(&q->lock);
        if (link)
            *request = container_of(link, struct request, link);
        if (link || dead)
            return link ? 0 : -ENODEV;
        err_t e = slots_grow(q);
        if (e)
            return e;
    }
}

err_t request_slot_take(struct request_queue *q, struct scheme_account *account,
                        struct request **request)
{
    if (!account_take(&account->requests, account->requests_max))
        return -EAGAIN;
    err_t e = slot_find(q, request);
    if (e) {
        account_give(&account->requests);
        return e;
    }
    account_hold(account);
    (*request)->account = account;
    return 0;
}

static void window_drop(struct request *r)
{
    struct window *w = r->window;
    r->window = NULL;
    window_put(w);
}

void request_slot_give(struct request_queue *q, struct request *r)
{
    if (!r)
        return;
    if (r->account) {
        account_give(&r->account->requests);
        account_put(r->account);
        r->account = NULL;
    }
    spin_lock(&q->lock);
    bool dead = q->dead;
    if (!dead)
        list_push_front(&q->free, &r->link);
    spin_unlock(&q->lock);
    if (dead)
        window_drop(r);
}

static void reader_leave_locked(struct request_queue *q, const struct request_reader *reader)
{
    struct request_reader **at = &q->idle;
    while (*at && *at != reader)
        at = &(*at)->next;
    if (*at)
        *at = reader->next;
}

// Who waits goes, the request stays.
static void leave_locked(struct request *r, int64_t result)
{
    tell_locked(r, REQUEST_IS_GONE, result, thread_wake);
}

// The waiting thread got a signal, and is `doomed` to end by it or not.
static void request_interrupt(struct request_queue *q, struct request *r, struct request_wait *w,
                              bool doomed)
{
    bool queued = false;
    spin_lock(&q->lock);
    if (w->outcome != REQUEST_WAITS) { // the answer was faster
    } else if (r->state == REQUEST_QUEUED) {
        list_remove(&r->link);
        tell_locked(r, REQUEST_HAS_ANSWER, -EINTR, thread_wake);
    } else {
        if (!r->cancelled) {
            r->cancelled = r->cancel_queued = true;
            queued = !send_locked(q, r, true, thread_wake);
        }
        if (doomed)
            leave_locked(r, -EINTR);
    }
    spin_unlock(&q->lock);
    if (queued)
        pollers_wake(q);
}

// The first sleep ended without the outcome, or with a signal (`e`).
void request_sleep_on(struct request_queue *q, struct request *r, struct request_wait *w, err_t e)
{
    bool interrupted = false;
    for (;;) {
        if (e) {
            interrupted = true;
            request_interrupt(q, r, w, thread_is_doomed());
        }
        wait_prepare(NULL);
        spin_lock(&q->lock); // who is about to tell us does it under the lock
        bool waits = w->outcome == REQUEST_WAITS;
        spin_unlock(&q->lock);
        if (!waits)
            return;
        e = interrupted ? wait_sleep_fatal(NULL) : wait_sleep(NULL, WAIT_FOREVER, true);
    }
}

bool request_call(struct request_queue *q, struct request *r, int64_t *result)
{
    return request_call_way(q, r, result);
}

bool request_post(struct request_queue *q, struct request *r, enum message_kind kind)
{
    r->message.kind = kind;
    r->id = REQUEST_NO_SLOT;
    r->state = REQUEST_QUEUED;
    spin_lock(&q->lock);
    bool dead = q->dead;
    bool queued = !dead && !send_locked(q, r, false, thread_wake);
    spin_unlock(&q->lock);
    if (queued)
        pollers_wake(q);
    return !dead;
}

// What the server reads.

// The sleep of a reader that was not served ended: for good, or it sleeps on.
err_t request_wait_on(struct request_queue *q, struct request_reader *reader, err_t e)
{
    for (;;) {
        wait_prepare(NULL); // what woke us is used up
        irq_off();
        spin_lock_off(&q->lock); // who is about to serve us does it under the lock
        bool served = reader->served;
        if (!served)
            reader_leave_locked(q, reader);
        if (served || e || q->dead) {
            spin_unlock_off(&q->lock);
            irq_on_turn();
            return served ? 0 : e ? e : -ENODEV;
        }
        reader->next = q->idle;
        q->idle = reader;
        spin_unlock_off(&q->lock);
        e = wait_sleep_off();
        if (__atomic_load_n(&reader->served, __ATOMIC_ACQUIRE))
            return 0;
    }
}

static void take_any_locked(struct request *r, bool version2, struct request_read *read)
{
    take_locked(r, r->state == REQUEST_SEEN, version2, read);
}

err_t request_next(struct request_queue *q, bool version2, bool wait, struct request_read *read)
{
    spin_lock(&q->lock);
    struct list *link = list_pop_front(&q->pending);
    if (link)
        take_any_locked(container_of(link, struct request, link), version2, read);
    bool dead = q->dead;
    spin_unlock(&q->lock);
    if (link)
        return 0;
    if (dead || !wait)
        return dead ? -ENODEV : -EAGAIN;
    return request_next_way(q, version2, read); // which comes back here if something came meanwhile
}

// Queued again, as the first, or for a thread that waits.
static void send_again_locked(struct request_queue *q, struct request *r, bool cancel)
{
    if (q->idle)
        (void)send_locked(q, r, cancel, thread_wake);
    else
        list_push_front(&q->pending, &r->link);
}

void request_return(struct request_queue *q, struct request_read *read)
{
    struct request *r = read->request;
    bool drop = false;
    spin_lock(&q->lock);
    if (r->id == REQUEST_NO_SLOT) {
        drop = q->dead;
        r->state = REQUEST_QUEUED;
        if (!drop)
            send_again_locked(q, r, false);
    } else if (r->id == read->id && r->state == REQUEST_SEEN && !q->dead) {
        if (!read->cancel) {
            uncancel_locked(r);
            r->state = REQUEST_QUEUED;
            send_again_locked(q, r, false);
        } else if (!r->cancel_queued) {
            r->cancel_queued = true;
            send_again_locked(q, r, true);
        }
    }
    spin_unlock(&q->lock);
    if (drop)
        r->drop(r);
}

// What the server answers.

// A request that nobody waits for has its answer and is in our hands (NEW): gives back what it
// holds; what the server opened or mapped for it is to be closed.
void request_orphan_end(struct request_queue *q, struct request *r, int64_t result,
                        struct file *file)
{
    if (r->file)
        file_put(r->file);
    r->file = NULL;
    if (file)
        file_put(file);
    loan_drop(&r->loan);
    bool queued = false;
    bool undo = result >= 0 && !file && (opens(&r->message) || r->message.kind == MESSAGE_MAP);
    if (undo) {
        spin_lock(&q->lock);
        undo = !q->dead;
        if (undo) {
            if (opens(&r->message))
                r->message.handle = (uint64_t)result;
            r->message.kind = opens(&r->message) ? MESSAGE_CLOSE : MESSAGE_UNMAP;
            r->message.a = 0;
            r->state = REQUEST_QUEUED;
            r->id += REQUEST_NEXT;
            queued = !send_locked(q, r, false, thread_wake);
        }
        spin_unlock(&q->lock);
    }
    if (queued)
        pollers_wake(q);
    if (!undo)
        request_end(q, r);
}

err_t request_answer(struct request_queue *q, const struct answer *a, struct file *file)
{
    return request_answer_way(q, a->id, a->short_id, a->result, a->positioned, file);
}

err_t request_take_file(struct request_queue *q, const struct answer *a, struct file **file)
{
    spin_lock(&q->lock);
    struct request *r = find_locked(q, a->id, a->short_id);
    bool there = r && r->message.kind == MESSAGE_SEND && r->file;
    if (there) {
        *file = r->file;
        r->file = NULL;
    }
    spin_unlock(&q->lock);
    return there ? 0 : -EINVAL;
}

void request_return_file(struct request_queue *q, const struct answer *a, struct file *file)
{
    spin_lock(&q->lock);
    struct request *r = find_locked(q, a->id, a->short_id);
    if (r && !r->file) {
        r->file = file;
        file = NULL;
    }
    spin_unlock(&q->lock);
    if (file)
        file_put(file);
}

// The next one from slot *at on that nobody waits for, taken into our hands. Those that are waited
// for end on the way.
static struct request *fail_next(struct request_queue *q, unsigned *at, bool keep_seen)
{
    for (; *at < q->count; ++*at) {
        struct request *r = slot_of(q, *at);
        bool queued = r->state == REQUEST_QUEUED;
        if (!queued && r->state != REQUEST_SEEN)
            continue;
        if (queued)
            list_remove(&r->link);
        else
            uncancel_locked(r);
        if (r->wait) {
            if (keep_seen && !queued)
                leave_locked(r, -ENODEV);
            else
                tell_locked(r, REQUEST_HAS_ANSWER, -ENODEV, thread_wake);
        } else if (queued || !keep_seen) {
            r->state = REQUEST_NEW;
            return r;
        }
    }
    return NULL;
}

// Slots that nobody uses give back the window; who uses one does it at the end.
static void slots_empty(struct request_queue *q)
{
    request_slot_give(q, __atomic_exchange_n(&q->spare, NULL, __ATOMIC_SEQ_CST));
    for (;;) {
        spin_lock(&q->lock);
        struct list *link = list_pop_front(&q->free);
        spin_unlock(&q->lock);
        if (!link)
            return;
        window_drop(container_of(link, struct request, link));
    }
}

static void window_forget(struct request_queue *q)
{
    spin_lock(&q->lock);
    struct window *w = q->window;
    q->window = NULL;
    spin_unlock(&q->lock);
    if (w)
        window_put(w);
}

void requests_fail(struct request_queue *q, bool keep_seen)
{
    struct request *r;
    unsigned at = 0;
    do {
        spin_lock(&q->lock);
        __atomic_store_n(&q->dead, true, __ATOMIC_RELAXED);
        r = fail_next(q, &at, keep_seen);
        spin_unlock(&q->lock);
        if (r)
            request_orphan_end(q, r, -ENODEV, NULL);
    } while (r);
    slots_empty(q);
    if (!keep_seen)
        window_forget(q);

    for (;;) { // what is left are messages without an answer
        spin_lock(&q->lock);
        struct list *link = list_pop_front(&q->pending);
        spin_unlock(&q->lock);
        if (!link)
            break;
        struct request *message = container_of(link, struct request, link);
        message->drop(message);
    }
    spin_lock(&q->lock);
    while (q->idle) {
        struct request_reader *reader = q->idle;
        q->idle = reader->next;
        thread_wake(reader->thread);
    }
    spin_unlock(&q->lock);
    wait_wake_all(&q->pollers);
}
