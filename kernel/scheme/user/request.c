// SPDX-License-Identifier: GPL-3.0-or-later
// The table of requests and the edges between their states. See request.h.
#include "kernel/scheme/user/request.h"
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
    list_init(&q->idle);
    wait_queue_init(&q->pollers);
}

void request_queue_drop(struct request_queue *q)
{
    for (unsigned i = 0; i < array_len(q->chunks); i++)
        heap_free(q->chunks[i]);
}

static struct request *slot_of(const struct request_queue *q, uint64_t slot)
{
    return &q->chunks[slot / REQUESTS_CHUNK][slot % REQUESTS_CHUNK];
}

// More slots. Two threads may come at once: then both add some.
static err_t slots_grow(struct request_queue *q)
{
    struct request *chunk = heap_alloc_array(REQUESTS_CHUNK, sizeof(*chunk));
    if (!chunk)
        return -ENOMEM;
    err_t e = -EAGAIN;
    spin_lock(&q->lock);
    if (q->count < REQUESTS_MAX) {
        q->chunks[q->count / REQUESTS_CHUNK] = chunk;
        for (unsigned i = 0; i < REQUESTS_CHUNK; i++) {
            chunk[i].slot = q->count++;
            list_push_back(&q->free, &chunk[i].link);
        }
        e = 0;
    }
    spin_unlock(&q->lock);
    if (e)
        heap_free(chunk);
    return e;
}

static err_t slot_take(struct request_queue *q, struct request **request)
{
    for (;;) {
        spin_lock(&q->lock);
        bool dead = q->dead;
        struct list *link = dead ? NULL : list_pop_front(&q->free);
        if (link) {
            struct request *r = container_of(link, struct request, link);
            r->state = REQUEST_NEW;
            r->generation++;
            r->window = q->window;
            window_get(r->window);
            *request = r;
        }
        spin_unlock(&q->lock);
        if (link || dead)
            return link ? 0 : -ENODEV;
        err_t e = slots_grow(q);
        if (e)
            return e;
    }
}

err_t request_begin(struct request_queue *q, enum message_kind kind, struct scheme_account *account,
                    struct request **request)
{
    if (account && !account_take(&account->requests, account->requests_max))
        return -EAGAIN;
    err_t e = slot_take(q, request);
    if (e) {
        if (account)
            account_give(&account->requests);
        return e;
    }
    struct request *r = *request;
    r->message.kind = kind;
    r->message.buffer = r->message.size = r->message.a = r->message.b = 0;
    r->cancelled = r->cancel_queued = r->positioned = r->own_account = false;
    r->wait = NULL;
    r->file = NULL;
    r->loan.window = NULL; // nothing is lent
    r->account = account;
    return 0;
}

void request_end(struct request_queue *q, struct request *r)
{
    if (!r)
        return;
    struct scheme_account *account = r->account;
    struct window *window = r->window;
    bool own = r->own_account;
    if (account)
        account_give(&account->requests);
    spin_lock(&q->lock);
    r->state = REQUEST_FREE;
    list_push_front(&q->free, &r->link);
    spin_unlock(&q->lock);
    if (own)
        account_put(account);
    window_put(window);
}

// A thread of the server that waits for a request, on its own stack.
struct request_reader {
    struct list link; // in queue.idle, until it is woken for a request
    struct thread *thread;
};

// Something is pending: one idle thread of the server comes. (Who woke last sleeps first: its
// memory is warm.)
static void reader_wake_locked(struct request_queue *q, bool (*wake)(struct thread *t))
{
    struct list *link = list_pop_front(&q->idle);
    if (link)
        (void)wake(container_of(link, struct request_reader, link)->thread);
}

static inline void pollers_wake(struct request_queue *q)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); // pairs with waiter_add()
    if (unlikely(__atomic_load_n(&q->pollers.waiters.next, __ATOMIC_RELAXED) !=
                 &q->pollers.waiters))
        wait_wake_key(&q->pollers, POLL_IN, 1);
}

// Tells the waiting thread; from then on r is its own, or (gone) nobody's, and `w` may be anything:
// it leaves as soon as it sees the outcome, though not its last use of queue.lock. A server that
// has more to do keeps its processor.
static void tell_locked(struct request_queue *q, struct request *r, enum request_outcome outcome,
                        int64_t result)
{
    struct request_wait *w = r->wait;
    struct thread *thread = w->thread;
    r->wait = NULL;
    if (outcome == REQUEST_HAS_ANSWER)
        r->state = REQUEST_ANSWERED;
    w->result = result;
    __atomic_store_n(&w->outcome, outcome, __ATOMIC_RELEASE); // pairs with request_sleep()
    if (list_empty(&q->pending))
        thread_hand_over(thread);
    else
        thread_wake(thread);
}

// Who waits goes, the request stays: from here on it holds its account itself.
static void leave_locked(struct request_queue *q, struct request *r, int64_t result)
{
    if (r->account && !r->own_account) {
        account_hold(r->account);
        r->own_account = true;
    }
    tell_locked(q, r, REQUEST_IS_GONE, result);
}

static void uncancel_locked(struct request *r)
{
    if (r->cancel_queued)
        list_remove(&r->link);
    r->cancel_queued = false;
}

// The waiting thread got a signal, and is `doomed` to end by it or not.
static void request_interrupt(struct request_queue *q, struct request *r, struct request_wait *w,
                              bool doomed)
{
    bool wake = false;
    spin_lock(&q->lock);
    if (w->outcome != REQUEST_WAITS) { // the answer was faster
    } else if (r->state == REQUEST_QUEUED) {
        list_remove(&r->link);
        tell_locked(q, r, REQUEST_HAS_ANSWER, -EINTR);
    } else {
        wake = !r->cancelled;
        if (wake) {
            r->cancelled = r->cancel_queued = true;
            list_push_back(&q->pending, &r->link);
            reader_wake_locked(q, thread_wake);
        }
        if (doomed)
            leave_locked(q, r, -EINTR);
    }
    spin_unlock(&q->lock);
    if (wake)
        pollers_wake(q);
}

static void request_sleep(struct request_queue *q, struct request *r, struct request_wait *w)
{
    bool interrupted = false;
    for (;;) {
        wait_prepare(NULL);
        if (__atomic_load_n(&w->outcome, __ATOMIC_ACQUIRE) != REQUEST_WAITS)
            return;
        err_t e = interrupted ? wait_sleep_fatal(NULL) : wait_sleep(NULL, WAIT_FOREVER, true);
        if (e) {
            interrupted = true;
            request_interrupt(q, r, w, thread_is_doomed());
        }
    }
}

int64_t request_call(struct request_queue *q, struct request **request)
{
    struct request *r = *request;
    struct request_wait w = { .thread = thread_current() };
    spin_lock(&q->lock);
    bool dead = q->dead;
    if (!dead) {
        r->wait = &w;
        r->state = REQUEST_QUEUED;
        list_push_back(&q->pending, &r->link);
        reader_wake_locked(q, thread_hand_over);
    }
    spin_unlock(&q->lock);
    if (dead)
        return -ENODEV;
    pollers_wake(q);
    request_sleep(q, r, &w);
    if (w.outcome == REQUEST_IS_GONE) {
        spin_lock(&q->lock); // who told us has left `w` alone
        spin_unlock(&q->lock);
        *request = NULL;
    }
    return w.result;
}

bool request_post(struct request_queue *q, struct request *r, enum message_kind kind)
{
    r->message.kind = kind;
    r->slot = REQUEST_NO_SLOT;
    r->state = REQUEST_QUEUED;
    spin_lock(&q->lock);
    bool dead = q->dead;
    if (!dead) {
        list_push_back(&q->pending, &r->link);
        reader_wake_locked(q, thread_wake);
    }
    spin_unlock(&q->lock);
    if (!dead)
        pollers_wake(q);
    return !dead;
}

// What the server reads.

static void packet_write(bool version2, uint64_t id, const struct message *m,
                         struct request_read *read)
{
    if (version2)
        packet2_write(id, m, &read->entry);
    else
        packet1_write(id, m, &read->packet);
}

static void take_locked(struct request *r, bool version2, struct request_read *read)
{
    uint64_t id = request_id(r);
    read->request = r;
    read->generation = r->generation;
    read->cancel = r->state == REQUEST_SEEN;
    if (likely(!read->cancel)) {
        packet_write(version2, id, &r->message, read);
        r->state = REQUEST_SEEN;
        return;
    }
    struct message cancel = r->message;
    cancel.kind = MESSAGE_CANCEL;
    cancel.a = id;
    packet_write(version2, id, &cancel, read);
    r->cancel_queued = false;
}

// Sleeps until something is pending, or no more will be. The lock is given up meanwhile. A signal
// that comes together with a request leaves it to another thread.
static err_t wait_locked(struct request_queue *q)
{
    struct request_reader reader = { .thread = thread_current() };
    err_t e = 0;
    while (!e && list_empty(&q->pending) && !q->dead) {
        list_push_front(&q->idle, &reader.link);
        wait_prepare(NULL);
        spin_unlock(&q->lock);
        e = wait_sleep(NULL, WAIT_FOREVER, true);
        spin_lock(&q->lock);
        list_remove(&reader.link);
    }
    if (e && !list_empty(&q->pending))
        reader_wake_locked(q, thread_wake);
    return e;
}

err_t request_next(struct request_queue *q, bool version2, bool wait, struct request_read *read)
{
    spin_lock(&q->lock);
    err_t e = wait && list_empty(&q->pending) ? wait_locked(q) : 0;
    struct list *link = e ? NULL : list_pop_front(&q->pending);
    if (link)
        take_locked(container_of(link, struct request, link), version2, read);
    else if (!e)
        e = q->dead ? -ENODEV : -EAGAIN;
    spin_unlock(&q->lock);
    return e;
}

void request_read_done(struct request_queue *q, struct request_read *read)
{
    if (read->request->slot == REQUEST_NO_SLOT)
        read->request->drop(read->request);
}

void request_return(struct request_queue *q, struct request_read *read)
{
    struct request *r = read->request;
    bool drop = false;
    spin_lock(&q->lock);
    if (r->slot == REQUEST_NO_SLOT) {
        drop = q->dead;
        r->state = REQUEST_QUEUED;
        if (!drop)
            list_push_front(&q->pending, &r->link);
    } else if (r->generation == read->generation && r->state == REQUEST_SEEN && !q->dead) {
        if (!read->cancel)
            uncancel_locked(r);
        if (read->cancel && !r->cancel_queued)
            r->cancel_queued = true;
        else if (!read->cancel)
            r->state = REQUEST_QUEUED;
        list_push_front(&q->pending, &r->link);
    }
    if (!list_empty(&q->pending))
        reader_wake_locked(q, thread_wake);
    spin_unlock(&q->lock);
    if (drop)
        r->drop(r);
}

// What the server answers.

static struct request *find_locked(struct request_queue *q, const struct answer *a)
{
    uint64_t slot = a->id & REQUEST_NO_SLOT;
    if (slot >= q->count)
        return NULL;
    struct request *r = slot_of(q, index_clamp(slot, q->count));
    uint64_t id = request_id(r);
    bool same = a->short_id ? (uint32_t)id == a->id : id == a->id;
    return same && r->state == REQUEST_SEEN ? r : NULL;
}

static bool opens(const struct message *m)
{
    return m->kind == MESSAGE_OPEN || m->kind == MESSAGE_DUP || m->kind == MESSAGE_OPEN_AT;
}

// A request that nobody waits for has its answer and is in our hands (NEW): gives back what it
// holds; what the server opened or mapped for it is to be closed.
static void orphan_end(struct request_queue *q, struct request *r, int64_t result,
                       struct file *file)
{
    if (r->file)
        file_put(r->file);
    r->file = NULL;
    if (file)
        file_put(file);
    loan_drop(&r->loan);
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
            r->generation++;
            list_push_back(&q->pending, &r->link);
            reader_wake_locked(q, thread_wake);
        }
        spin_unlock(&q->lock);
    }
    if (undo)
        pollers_wake(q);
    else
        request_end(q, r);
}

static int64_t result_for(const struct request *r, const struct answer *a)
{
    return a->result == -EINTR && !r->cancelled ? -EIO : a->result;
}

err_t request_answer(struct request_queue *q, const struct answer *a, struct file *file)
{
    spin_lock(&q->lock);
    struct request *r = find_locked(q, a);
    if (!r || (file && !opens(&r->message))) {
        bool swallow = q->dead || (a->id & REQUEST_NO_SLOT) == REQUEST_NO_SLOT;
        spin_unlock(&q->lock);
        if (swallow && file)
            file_put(file);
        return swallow ? 0 : -EINVAL;
    }
    uncancel_locked(r);
    bool orphan = !r->wait;
    r->positioned = a->positioned;
    if (orphan) {
        r->state = REQUEST_NEW;
    } else {
        if (file)
            r->file = file;
        loan_revoke(&r->loan); // here and now: the client may not run for a while
        tell_locked(q, r, REQUEST_HAS_ANSWER, file ? 0 : result_for(r, a));
    }
    spin_unlock(&q->lock);
    if (orphan)
        orphan_end(q, r, a->result, file);
    return 0;
}

err_t request_take_file(struct request_queue *q, const struct answer *a, struct file **file)
{
    spin_lock(&q->lock);
    struct request *r = find_locked(q, a);
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
    struct request *r = find_locked(q, a);
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
                leave_locked(q, r, -ENODEV);
            else
                tell_locked(q, r, REQUEST_HAS_ANSWER, -ENODEV);
        } else if (queued || !keep_seen) {
            r->state = REQUEST_NEW;
            return r;
        }
    }
    return NULL;
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
        q->dead = true;
        r = fail_next(q, &at, keep_seen);
        spin_unlock(&q->lock);
        if (r)
            orphan_end(q, r, -ENODEV, NULL);
    } while (r);
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
    while (!list_empty(&q->idle))
        reader_wake_locked(q, thread_wake);
    spin_unlock(&q->lock);
    wait_wake_all(&q->pollers);
}
