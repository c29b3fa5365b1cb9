// SPDX-License-Identifier: GPL-3.0-or-later
// One queue of messages in order of urgency (post_queue.h), and open files of it.
#include "kernel/memory/heap.h"
#include "kernel/process/post_inside.h"
#include "kernel/process/process.h"
#include "kernel/scheme/user/limits.h"
#include "lib/string.h"

enum { MESSAGE_COST = 48, URGENCY_COST = 48 }; // as Linux reckons them (mq_overview(7))

struct post_queue {
    struct spinlock lock;
    struct rb_tree messages; // the next to be received first
    uint64_t most, size, count, serial;
    struct list senders, receivers; // struct exchange.wait
    struct wait_queue changed;      // for poll
    struct process *told;           // with a reference; NULL: nobody
    struct post_notify how;
    struct scheme_account *account;
    uint64_t charged;
};

// Who waits with a message, or for one.
struct exchange {
    struct ipc_wait wait; // must stay first
    struct post *message;
};

struct post *post_make(size_t size)
{
    struct post *m = heap_alloc(sizeof(*m) + size);
    if (m)
        m->size = size;
    return m;
}

err_t post_queue_make(uint64_t most, uint64_t size, struct post_queue **queue)
{
    struct process *p = process_current();
    struct credentials c;
    credentials_look(p, &c);
    uint64_t bytes =
        most * (size + MESSAGE_COST) + min_of(most, (uint64_t)POST_URGENCY_MAX) * URGENCY_COST;
    struct post_queue *q = heap_alloc(sizeof(*q));
    struct scheme_account *account = account_get(c.user);
    err_t e = q && account ? 0 : -ENOMEM;
    if (!e && !account_book(account, ACCOUNT_POST_BYTES, bytes, p->limits[LIMIT_MESSAGES].soft))
        e = -EMFILE;
    if (e) {
        account_put(account);
        heap_free(q);
        return e;
    }
    q->most = most;
    q->size = size;
    q->account = account;
    q->charged = bytes;
    spin_init(&q->lock, RANK_QUEUE);
    list_init(&q->senders);
    list_init(&q->receivers);
    wait_queue_init(&q->changed);
    *queue = q;
    return 0;
}

static struct post *post_of(struct rb_node *n)
{
    return container_of(n, struct post, order);
}

void post_queue_drop(struct post_queue *q)
{
    for (struct rb_node *n; (n = rb_first(&q->messages));) {
        rb_remove(&q->messages, n);
        heap_free(post_of(n));
    }
    if (q->told)
        process_put(q->told);
    account_unbook(q->account, ACCOUNT_POST_BYTES, q->charged);
    account_put(q->account);
    heap_free(q);
}

static struct post_queue *queue_of(const struct file *f)
{
    return f->node->data;
}

static bool before(const struct rb_node *a, const struct rb_node *b)
{
    const struct post *x = container_of(a, struct post, order);
    const struct post *y = container_of(b, struct post, order);
    return x->urgency != y->urgency ? x->urgency > y->urgency : x->serial < y->serial;
}

static void insert_locked(struct post_queue *q, struct post *m)
{
    m->serial = q->serial++;
    rb_insert(&q->messages, &m->order, before);
    __atomic_store_n(&q->count, q->count + 1, __ATOMIC_RELEASE);
}

// The first message of an empty queue came: whom to tell, with the reference; told once only.
static struct process *take_told_locked(struct post_queue *q, struct post_notify *how)
{
    struct process *p = q->told;
    q->told = NULL;
    *how = q->how;
    return p;
}

static void tell(struct process *p, const struct post_notify *how)
{
    if (!p)
        return;
    struct credentials c = credentials_now();
    struct signal_info info = { .number = how->signal,
                                .code = SIGNAL_FROM_POST,
                                .sender = process_current()->number,
                                .sender_user = c.user,
                                .value = how->value };
    if (how->signal)
        (void)signal_send_process(p, &info);
    process_put(p);
}

static struct exchange *first_of(struct list *waiting)
{
    return list_empty(waiting) ? NULL : list_first(waiting, struct exchange, wait.link);
}

static bool may_wait(const struct file *f)
{
    return !(__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK);
}

static err_t send_locked(struct post_queue *q, struct post *m, bool wait, nanos_t deadline,
                         bool *news)
{
    struct exchange *receiver = first_of(&q->receivers);
    *news = false;
    if (receiver) {
        receiver->message = m;
        ipc_wake(&receiver->wait, 0);
        return 0;
    }
    if (q->count < q->most) {
        *news = q->count == 0;
        insert_locked(q, m);
        return 0;
    }
    if (!wait)
        return -EAGAIN;
    struct exchange self = { .message = m };
    ipc_wait_begin(&self.wait, &q->senders);
    return ipc_sleep(&self.wait, &q->lock, deadline);
}

err_t post_send(struct file *f, struct post *m, nanos_t deadline)
{
    struct post_queue *q = queue_of(f);
    struct process *told = NULL;
    struct post_notify how;
    bool news;
    if (!(f->flags & OPEN_WRITE))
        return -EBADF;
    if (m->size > q->size)
        return -EMSGSIZE;
    spin_lock(&q->lock);
    err_t e = send_locked(q, m, may_wait(f), deadline, &news);
    if (news)
        told = take_told_locked(q, &how);
    spin_unlock(&q->lock);
    tell(told, &how);
    if (!e)
        wait_wake_key(&q->changed, POLL_IN, UINT_MAX);
    return e;
}

static err_t receive_locked(struct post_queue *q, bool wait, nanos_t deadline, struct post **m)
{
    struct rb_node *first = rb_first(&q->messages);
    if (first) {
        rb_remove(&q->messages, first);
        q->count--;
        *m = post_of(first);
        struct exchange *sender = first_of(&q->senders);
        if (sender) {
            insert_locked(q, sender->message);
            ipc_wake(&sender->wait, 0);
        }
        return 0;
    }
    if (!wait)
        return -EAGAIN;
    struct exchange self = { .message = NULL };
    ipc_wait_begin(&self.wait, &q->receivers);
    err_t e = ipc_sleep(&self.wait, &q->lock, deadline);
    *m = self.message;
    return e;
}

err_t post_receive(struct file *f, size_t room, nanos_t deadline, struct post **m)
{
    struct post_queue *q = queue_of(f);
    if (!(f->flags & OPEN_READ))
        return -EBADF;
    if (room < q->size)
        return -EMSGSIZE;
    spin_lock(&q->lock);
    err_t e = receive_locked(q, may_wait(f), deadline, m);
    spin_unlock(&q->lock);
    if (!e)
        wait_wake_key(&q->changed, POLL_OUT, UINT_MAX);
    return e;
}

// No longer tells the calling process, if it is the one.
static void untell(struct post_queue *q)
{
    struct task *t = task_current();
    struct process *gone = NULL;
    spin_lock(&q->lock);
    if (t && q->told == t->process) {
        gone = q->told;
        q->told = NULL;
    }
    spin_unlock(&q->lock);
    if (gone)
        process_put(gone);
}

err_t post_notify(struct file *f, const struct post_notify *how)
{
    struct post_queue *q = queue_of(f);
    if (!how) {
        untell(q);
        return 0;
    }
    spin_lock(&q->lock);
    bool taken = q->told != NULL;
    if (!taken) {
        q->told = process_current();
        process_get(q->told);
        q->how = *how;
    }
    spin_unlock(&q->lock);
    return taken ? -EBUSY : 0;
}

void post_status(struct file *f, struct post_status *status)
{
    struct post_queue *q = queue_of(f);
    *status =
        (struct post_status){ q->most, q->size, __atomic_load_n(&q->count, __ATOMIC_ACQUIRE) };
}

static unsigned post_poll(struct file *f, struct poll_table *t)
{
    struct post_queue *q = queue_of(f);
    if (t)
        t->add(t, &q->changed);
    uint64_t count = __atomic_load_n(&q->count, __ATOMIC_ACQUIRE);
    return (count ? POLL_IN : 0u) | (count < q->most ? POLL_OUT : 0u);
}

static err_t post_path(struct file *f, char *to, size_t room, size_t *length)
{
    return file_label(to, room, length, "mqueue");
}

static void post_close(struct file *f)
{
    untell(queue_of(f));
}

const struct file_ops post_files = {
    .name = "post",
    .poll = post_poll,
    .path = post_path,
    .close = post_close,
};

bool post_is(const struct file *f)
{
    return f->ops == &post_files;
}
