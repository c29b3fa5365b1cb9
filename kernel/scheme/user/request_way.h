// SPDX-License-Identifier: GPL-3.0-or-later
// The way of a call: the edges between the states of a request (request.h) that each call takes,
// inline, so that client, server and scheduler are one piece of code each. Only this folder's files
// include this; the edges that few take are request.c's.
//
// From the lock of the queue to the switch between the threads interrupts are off: who is told or
// served is not looked at any more after the last word about it (`outcome`, `served`).
#pragma once
#include "kernel/scheme/user/request.h"
#include "kernel/scheme/file.h"
#include "kernel/sched/thread.h"

// request.c
void request_sleep_on(struct request_queue *q, struct request *r, struct request_wait *w, err_t e);
void request_orphan_end(struct request_queue *q, struct request *r, int64_t result,
                        struct file *file);
struct request_reader;
err_t request_wait_on(struct request_queue *q, struct request_reader *reader, err_t e);

static inline struct request *slot_of(const struct request_queue *q, uint64_t slot)
{
    return &q->chunks[slot / REQUESTS_CHUNK][slot % REQUESTS_CHUNK];
}

static inline void pollers_wake(struct request_queue *q)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); // pairs with waiter_add()
    if (unlikely(__atomic_load_n(&q->pollers.waiters.next, __ATOMIC_RELAXED) !=
                 &q->pollers.waiters))
        wait_wake_key(&q->pollers, POLL_IN, 1);
}

static force_inline void packet_write(bool version2, uint64_t id, const struct message *m,
                                      struct request_read *read)
{
    if (version2)
        packet2_write(id, m, &read->entry);
    else
        packet1_write(id, m, &read->packet);
}

// `cancel`: the server has seen it, and is asked to cancel it.
static force_inline void take_locked(struct request *r, bool cancel, bool version2,
                                     struct request_read *read)
{
    uint64_t id = r->id;
    read->request = r;
    read->id = id;
    read->cancel = cancel;
    if (likely(!cancel)) {
        packet_write(version2, id, &r->message, read);
        r->state = REQUEST_SEEN;
        return;
    }
    struct message m = r->message;
    m.kind = MESSAGE_CANCEL;
    m.a = id;
    packet_write(version2, id, &m, read);
    r->cancel_queued = false;
}

// A thread of the server that waits for a request, on its own stack. `served`: `read` tells of one,
// and nobody will look at this again.
struct request_reader {
    struct request_reader *next; // in queue.idle
    struct thread *thread;
    struct request_read *read;
    bool version2;
    bool served; // atomic
};

// A request (QUEUED, or to be cancelled) goes to a thread that waits for one, the one whose memory
// is warm, or else is queued: false.
static force_inline bool send_locked(struct request_queue *q, struct request *r, bool cancel,
                                     bool (*wake)(struct thread *t))
{
    struct request_reader *reader = q->idle;
    if (unlikely(!reader)) {
        if (!cancel)
            r->state = REQUEST_QUEUED;
        list_push_back(&q->pending, &r->link);
        return false;
    }
    q->idle = reader->next;
    take_locked(r, cancel, reader->version2, reader->read);
    (void)wake(reader->thread);
    __atomic_store_n(&reader->served, true, __ATOMIC_RELEASE); // pairs with request_next()
    return true;
}

// Tells the waiting thread; from then on r is its own, or (gone) nobody's.
static force_inline void tell_locked(struct request *r, enum request_outcome outcome,
                                     int64_t result, bool (*wake)(struct thread *t))
{
    struct request_wait *w = r->wait;
    r->wait = NULL;
    if (outcome == REQUEST_HAS_ANSWER)
        r->state = REQUEST_ANSWERED;
    w->result = result;
    (void)wake(w->thread);
    __atomic_store_n(&w->outcome, outcome, __ATOMIC_RELEASE); // pairs with request_call()
}

static inline void uncancel_locked(struct request *r)
{
    if (likely(!r->cancel_queued))
        return;
    list_remove(&r->link);
    r->cancel_queued = false;
}

static inline struct request *find_slot_locked(struct request_queue *q, uint64_t id, bool short_id)
{
    uint64_t slot = id & REQUEST_NO_SLOT;
    if (slot >= q->count)
        return NULL;
    struct request *r = slot_of(q, index_clamp(slot, q->count));
    bool same = short_id ? (uint32_t)r->id == id : r->id == id;
    return same && r->state == REQUEST_SEEN ? r : NULL;
}

// The request that an answer names, if the server has it.
static force_inline struct request *find_locked(struct request_queue *q, uint64_t id, bool short_id)
{
    struct request *r = q->latest;
    bool same = likely(r != NULL) && (short_id ? (uint32_t)r->id == id : r->id == id);
    return likely(same && r->state == REQUEST_SEEN) ? r : find_slot_locked(q, id, short_id);
}

static inline bool opens(const struct message *m)
{
    return m->kind == MESSAGE_OPEN || m->kind == MESSAGE_DUP || m->kind == MESSAGE_OPEN_AT;
}

static inline int64_t result_for(const struct request *r, int64_t result)
{
    return unlikely(result == -EINTR) && !r->cancelled ? -EIO : result;
}

static force_inline bool request_call_way(struct request_queue *q, struct request *r,
                                          int64_t *result)
{
    struct request_wait w;
    w.thread = thread_current();
    w.outcome = REQUEST_WAITS;
    irq_off();
    spin_lock_off(&q->lock);
    if (unlikely(q->dead)) {
        spin_unlock_off(&q->lock);
        irq_on();
        *result = -ENODEV;
        return true;
    }
    r->wait = &w;
    q->latest = r;
    bool sent = send_locked(q, r, false, thread_hand_over);
    spin_unlock_off(&q->lock);
    if (!sent)
        pollers_wake(q);
    err_t e = wait_sleep_off();
    uint8_t outcome = __atomic_load_n(&w.outcome, __ATOMIC_ACQUIRE);
    if (unlikely(outcome != REQUEST_HAS_ANSWER)) {
        if (outcome == REQUEST_WAITS)
            request_sleep_on(q, r, &w, e);
        outcome = w.outcome;
    }
    *result = w.result;
    return outcome == REQUEST_HAS_ANSWER;
}

// What a server's thread that may wait gets when nothing is pending.
static force_inline err_t request_next_way(struct request_queue *q, bool version2,
                                           struct request_read *read)
{
    irq_off();
    spin_lock_off(&q->lock);
    if (unlikely(q->pending.next != &q->pending || q->dead)) {
        spin_unlock_off(&q->lock);
        irq_on();
        return request_next(q, version2, true, read);
    }
    struct request_reader reader;
    reader.thread = thread_current();
    reader.read = read;
    reader.version2 = version2;
    reader.served = false;
    reader.next = q->idle;
    q->idle = &reader;
    spin_unlock_off(&q->lock);
    err_t e = wait_sleep_off();
    if (likely(__atomic_load_n(&reader.served, __ATOMIC_ACQUIRE)))
        return 0; // whatever else woke us: the request is ours
    return request_wait_on(q, &reader, e);
}

// request_answer(), its answer taken apart.
static force_inline err_t request_answer_way(struct request_queue *q, uint64_t id, bool short_id,
                                             int64_t result, bool positioned, struct file *file)
{
    irq_off();
    spin_lock_off(&q->lock);
    struct request *r = find_locked(q, id, short_id);
    if (unlikely(!r || (file && !opens(&r->message)))) {
        bool swallow = q->dead || (id & REQUEST_NO_SLOT) == REQUEST_NO_SLOT;
        spin_unlock_off(&q->lock);
        irq_on_turn();
        if (swallow && file)
            file_put(file);
        return swallow ? 0 : -EINVAL;
    }
    uncancel_locked(r);
    r->positioned = positioned;
    if (unlikely(!r->wait)) {
        r->state = REQUEST_NEW;
        spin_unlock_off(&q->lock);
        irq_on_turn();
        request_orphan_end(q, r, result, file);
        return 0;
    }
    if (file)
        r->file = file;
    loan_revoke(&r->loan); // here and now: the client may not run for a while
    int64_t told = file ? 0 : result_for(r, result);
    if (likely(list_empty(&q->pending))) // else the server keeps its processor: it has more to do
        tell_locked(r, REQUEST_HAS_ANSWER, told, thread_hand_over);
    else
        tell_locked(r, REQUEST_HAS_ANSWER, told, thread_wake);
    spin_unlock_off(&q->lock);
    irq_on_turn();
    return 0;
}
