// SPDX-License-Identifier: GPL-3.0-or-later
// See message_queue.h.
#include "kernel/process/message_queue.h"
#include "kernel/memory/heap.h"
#include "kernel/process/process.h"
#include "lib/string.h"
#include <redox/errno.h>

struct message_queue {
    struct ipc ipc; // must stay first
    struct spinlock lock;
    bool removed;
    struct list messages;           // oldest first
    struct list senders, receivers; // struct sender.wait, struct receiver.wait
    struct messages_status status;  // all but `ipc`
    struct scheme_account *account;
};

struct sender {
    struct ipc_wait wait; // must stay first
    struct ipc_message *message;
    int32_t process;
};

struct receiver {
    struct ipc_wait wait; // must stay first
    const struct message_wish *wish;
    struct ipc_message *message; // what it got
    int32_t process;
};

static struct ipc_table queues;

void message_queues_init(void)
{
    ipc_table_init(&queues, MESSAGE_QUEUES_MAX);
}

err_t ipc_message_make(size_t size, struct ipc_message **m)
{
    struct scheme_account *account = ipc_charge(sizeof(**m) + size);
    if (!account)
        return -ENOMEM;
    *m = heap_alloc(sizeof(**m) + size);
    if (!*m) {
        ipc_discharge(account, sizeof(**m) + size);
        return -ENOMEM;
    }
    (*m)->size = size;
    (*m)->account = account;
    return 0;
}

void ipc_message_drop(struct ipc_message *m)
{
    if (!m)
        return;
    ipc_discharge(m->account, sizeof(*m) + m->size);
    heap_free(m);
}

static struct message_queue *queue_of(struct ipc *o)
{
    return (struct message_queue *)o;
}

static void queue_put(struct message_queue *q)
{
    if (!q || !ipc_drop(&q->ipc))
        return;
    for (struct list *link; (link = list_pop_front(&q->messages));)
        ipc_message_drop(list_entry(link, struct ipc_message, link));
    ipc_discharge(q->account, sizeof(*q));
    heap_free(q);
}

static err_t queue_make(struct message_queue **made)
{
    struct scheme_account *account = ipc_charge(sizeof(struct message_queue));
    if (!account)
        return -ENOSPC;
    struct message_queue *q = heap_alloc(sizeof(*q));
    if (!q) {
        ipc_discharge(account, sizeof(*q));
        return -ENOMEM;
    }
    q->ipc.references = 1;
    q->account = account;
    spin_init(&q->lock, RANK_QUEUE);
    list_init(&q->messages);
    list_init(&q->senders);
    list_init(&q->receivers);
    q->status.bytes_max = MESSAGES_BYTES_MAX;
    q->status.change_time = ipc_now();
    *made = q;
    return 0;
}

err_t messages_get(int32_t key, unsigned flags, unsigned mode, int *id)
{
    struct message_queue *fresh = NULL;
    bool may_make = !key || (flags & IPC_MAKE);
    err_t e = may_make ? queue_make(&fresh) : 0;
    if (e)
        return e;
    mutex_lock(&queues.lock);
    struct message_queue *q = key ? queue_of(ipc_find_key(&queues, key)) : NULL;
    if (q) {
        e = (flags & IPC_MAKE) && (flags & IPC_MAKE_ONLY)
                ? -EEXIST
                : ipc_access(&q->ipc, (mode | mode >> 3 | mode >> 6) & 7);
    } else if (!may_make) {
        e = -ENOENT;
    } else {
        e = ipc_add(&queues, &fresh->ipc, key, mode & 0777);
        q = fresh;
    }
    if (!e)
        *id = q->ipc.id;
    if (!e && q == fresh)
        fresh = NULL;
    mutex_unlock(&queues.lock);
    queue_put(fresh);
    return e;
}

static err_t queue_hold(int id, unsigned wanted, struct message_queue **queue)
{
    struct message_queue *q = queue_of(ipc_hold(&queues, id));
    if (!q)
        return -EINVAL;
    err_t e = ipc_access(&q->ipc, wanted);
    if (e)
        queue_put(q);
    *queue = q;
    return e;
}

static bool is_wanted(const struct ipc_message *m, const struct message_wish *w)
{
    switch (w->choice) {
    case MESSAGE_OF_TYPE:
        return m->type == w->type;
    case MESSAGE_NOT_OF_TYPE:
        return m->type != w->type;
    case MESSAGE_UP_TO:
        return m->type <= w->type;
    default:
        return true;
    }
}

// Under the queue's lock, as all that follow. NULL: none that is wanted.
static struct ipc_message *find(struct message_queue *q, const struct message_wish *w)
{
    struct ipc_message *best = NULL;
    int64_t at = 0;
    list_for_each (link, &q->messages) {
        struct ipc_message *m = list_entry(link, struct ipc_message, link);
        if (w->choice == MESSAGE_AT ? at++ != w->type : !is_wanted(m, w))
            continue;
        if (!best || m->type < best->type)
            best = m;
        if (w->choice != MESSAGE_UP_TO)
            break;
    }
    return best;
}

static void note_sent(struct message_queue *q, int32_t process)
{
    q->status.last_sender = process;
    q->status.sent_time = ipc_now();
}

static void note_received(struct message_queue *q, int32_t process)
{
    q->status.last_receiver = process;
    q->status.received_time = ipc_now();
}

static bool too_long(const struct ipc_message *m, const struct message_wish *w)
{
    return m->size > w->room && !w->cut;
}

static bool has_room(const struct message_queue *q, const struct ipc_message *m)
{
    return m->size + q->status.bytes <= q->status.bytes_max &&
           q->status.count + 1 <= q->status.bytes_max;
}

// To a receiver that waits for it, or to the end of the queue.
static void deliver(struct message_queue *q, struct ipc_message *m, int32_t sender)
{
    note_sent(q, sender);
    list_for_each_safe (link, &q->receivers) {
        struct receiver *r = list_entry(link, struct receiver, wait.link);
        if (!is_wanted(m, r->wish))
            continue;
        if (too_long(m, r->wish)) {
            ipc_wake(&r->wait, -E2BIG);
            continue;
        }
        r->message = m;
        note_received(q, r->process);
        ipc_wake(&r->wait, 0);
        return;
    }
    list_push_back(&q->messages, &m->link);
    q->status.bytes += m->size;
    q->status.count++;
}

// There may be room for who waits to send.
static void let_in(struct message_queue *q)
{
    while (!list_empty(&q->senders)) {
        struct sender *s = list_first(&q->senders, struct sender, wait.link);
        if (!has_room(q, s->message))
            return;
        struct ipc_message *m = s->message;
        int32_t process = s->process;
        ipc_wake(&s->wait, 0);
        deliver(q, m, process);
    }
}

err_t messages_send(int id, struct ipc_message *m, bool no_wait)
{
    struct sender s = { .message = m, .process = process_current()->number };
    struct message_queue *q;
    err_t e = queue_hold(id, IPC_WRITE, &q);
    if (e)
        return e;
    spin_lock(&q->lock);
    if (q->removed) {
        e = -EIDRM;
    } else if (has_room(q, m)) {
        deliver(q, m, s.process);
    } else if (no_wait) {
        e = -EAGAIN;
    } else {
        ipc_wait_begin(&s.wait, &q->senders);
        e = ipc_sleep(&s.wait, &q->lock, WAIT_FOREVER);
        e = e ? e : s.wait.result;
    }
    spin_unlock(&q->lock);
    queue_put(q);
    return e;
}

static err_t take_or_wait(struct message_queue *q, struct receiver *r)
{
    struct ipc_message *m = find(q, r->wish);
    if (m && too_long(m, r->wish))
        return -E2BIG;
    if (m) {
        list_remove(&m->link);
        q->status.bytes -= m->size;
        q->status.count--;
        note_received(q, r->process);
        r->message = m;
        let_in(q);
        return 0;
    }
    if (r->wish->no_wait)
        return -ENOMSG;
    ipc_wait_begin(&r->wait, &q->receivers);
    err_t e = ipc_sleep(&r->wait, &q->lock, WAIT_FOREVER);
    return e ? e : r->wait.result;
}

// A copy of one that stays, into `to`, which was made as large as any may be that is wanted.
static err_t copy(struct message_queue *q, const struct message_wish *w, struct ipc_message *to)
{
    struct ipc_message *m = find(q, w);
    if (!m)
        return -ENOMSG;
    if (m->size > to->size)
        return w->cut ? -EINVAL : -E2BIG;
    to->type = m->type;
    memcpy(to->bytes, m->bytes, m->size);
    return (err_t)m->size;
}

// What is handed out has the size that it was charged for; so the copy is made anew to fit.
static err_t receive_copy(struct message_queue *q, const struct message_wish *w,
                          struct ipc_message **message)
{
    struct ipc_message *room, *m;
    err_t e = ipc_message_make(min_of(w->room, (size_t)MESSAGE_SIZE_MAX), &room);
    if (e)
        return e;
    spin_lock(&q->lock);
    e = q->removed ? -EIDRM : copy(q, w, room);
    spin_unlock(&q->lock);
    err_t size = e;
    if (e >= 0)
        e = ipc_message_make((size_t)size, &m);
    if (!e) {
        m->type = room->type;
        memcpy(m->bytes, room->bytes, (size_t)size);
        *message = m;
    }
    ipc_message_drop(room);
    return e;
}

err_t messages_receive(int id, const struct message_wish *wish, struct ipc_message **m)
{
    struct receiver r = { .wish = wish, .process = process_current()->number };
    struct message_queue *q;
    err_t e = queue_hold(id, IPC_READ, &q);
    if (e)
        return e;
    if (wish->choice == MESSAGE_AT) {
        e = receive_copy(q, wish, m);
    } else {
        spin_lock(&q->lock);
        e = q->removed ? -EIDRM : take_or_wait(q, &r);
        spin_unlock(&q->lock);
        *m = r.message;
    }
    queue_put(q);
    return e;
}

static void end_waits(struct list *waiting)
{
    list_for_each_safe (link, waiting)
        ipc_wake(list_entry(link, struct ipc_wait, link), -EIDRM);
}

err_t messages_remove(int id)
{
    mutex_lock(&queues.lock);
    struct message_queue *q = queue_of(ipc_find(&queues, id));
    err_t e = q ? ipc_owns(&q->ipc) : -EINVAL;
    if (!e)
        ipc_remove(&queues, &q->ipc);
    mutex_unlock(&queues.lock);
    if (e)
        return e;
    spin_lock(&q->lock);
    q->removed = true;
    end_waits(&q->senders);
    end_waits(&q->receivers);
    spin_unlock(&q->lock);
    queue_put(q);
    return 0;
}

err_t messages_set(int id, const struct ipc_owner *owner, uint64_t bytes_max)
{
    bool may_more = process_has(CAPABILITY_SYS_RESOURCE);
    mutex_lock(&queues.lock);
    struct message_queue *q = queue_of(ipc_find(&queues, id));
    err_t e = !q                                            ? -EINVAL
              : bytes_max > MESSAGES_BYTES_MAX && !may_more ? -EPERM
                                                            : ipc_set(&q->ipc, owner);
    if (!e) {
        spin_lock(&q->lock);
        q->status.bytes_max = bytes_max;
        q->status.change_time = ipc_now();
        let_in(q);
        spin_unlock(&q->lock);
    }
    mutex_unlock(&queues.lock);
    return e;
}

err_t messages_status(int id, bool by_place, bool any, struct messages_status *status)
{
    mutex_lock(&queues.lock);
    struct message_queue *q = queue_of(!by_place ? ipc_find(&queues, id)
                                       : id >= 0 ? ipc_at(&queues, (unsigned)id)
                                                 : NULL);
    err_t e = !q ? -EINVAL : any ? 0 : ipc_access(&q->ipc, IPC_READ);
    if (!e) {
        spin_lock(&q->lock);
        *status = q->status;
        spin_unlock(&q->lock);
        status->ipc = q->ipc;
    }
    mutex_unlock(&queues.lock);
    return e;
}

void messages_totals(struct messages_totals *totals)
{
    unsigned place = 0;
    mutex_lock(&queues.lock);
    *totals = (struct messages_totals){ queues.count, ipc_last_place(&queues), 0, 0 };
    for (struct ipc *o; (o = ipc_next(&queues, &place)); place++) {
        struct message_queue *q = queue_of(o);
        spin_lock(&q->lock);
        totals->messages += q->status.count;
        totals->bytes += q->status.bytes;
        spin_unlock(&q->lock);
    }
    mutex_unlock(&queues.lock);
}
