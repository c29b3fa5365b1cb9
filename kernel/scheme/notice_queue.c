// SPDX-License-Identifier: GPL-3.0-or-later
// The files that notices are read from (notice.h): each a queue of what happened, and the watches
// by number. One lock for each guards both.
#include "kernel/memory/heap.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/notice_inside.h"
#include "lib/string.h"

static void *branch_make(void)
{
    return heap_alloc(sizeof(struct radix_node));
}

static const struct radix_nodes nodes = { branch_make, heap_free };

// The room for a name as it is read; 0: no name.
static size_t name_room(const struct notice_queue *q, size_t length)
{
    return length ? round_up(length + 1, q->layout->align) : 0;
}

static size_t record_size(const struct notice_queue *q, const struct notice_event_kept *k)
{
    return q->layout->head + name_room(q, k->length);
}

static bool is_same(const struct notice_event_kept *k, const struct notice *n)
{
    return k->watch == n->watch && k->event == n->event && !(k->event & NOTICE_IGNORED) &&
           k->length == n->length && memcmp(k->name, n->name, n->length) == 0;
}

static struct notice_event_kept *keep(struct notice_queue *q, const struct notice *n)
{
    size_t size = sizeof(struct notice_event_kept) + n->length;
    if (q->count >= NOTICE_EVENTS_MAX ||
        !account_book(q->account, ACCOUNT_NOTICE_BYTES, size, NOTICE_BYTES_MAX))
        return NULL;
    struct notice_event_kept *k = heap_alloc(size);
    if (!k) {
        account_unbook(q->account, ACCOUNT_NOTICE_BYTES, size);
        return NULL;
    }
    k->watch = n->watch;
    k->event = n->event;
    k->cookie = n->cookie;
    k->length = (uint16_t)n->length;
    if (n->length)
        memcpy(k->name, n->name, n->length);
    return k;
}

static void forget(struct notice_queue *q, struct notice_event_kept *k)
{
    if (k == &q->overflow)
        return;
    account_unbook(q->account, ACCOUNT_NOTICE_BYTES, sizeof(*k) + k->length);
    heap_free(k);
}

// Under the queue's lock. True: there is something new to read.
static bool tell_locked(struct notice_queue *q, const struct notice *n)
{
    if (q->closed)
        return false;
    if (!list_empty(&q->events) &&
        is_same(list_entry(q->events.prev, struct notice_event_kept, link), n))
        return false;
    struct notice_event_kept *k = keep(q, n);
    if (!k) {
        if (!list_empty(&q->overflow.link)) // it was told already
            return false;
        k = &q->overflow;
    }
    list_push_back(&q->events, &k->link);
    q->bytes += record_size(q, k);
    __atomic_store_n(&q->count, q->count + 1, __ATOMIC_RELEASE);
    return true;
}

void notice_queue_tell(struct notice_queue *q, const struct notice *n)
{
    spin_lock(&q->lock);
    bool news = tell_locked(q, n);
    spin_unlock(&q->lock);
    if (news)
        wait_wake_key(&q->readable, POLL_IN, UINT_MAX);
}

err_t notice_queue_enter(struct notice_queue *q, struct notice_watch *w)
{
    if (!account_book(q->account, ACCOUNT_NOTICE_WATCHES, 1, NOTICE_WATCHES_MAX))
        return -ENOSPC;
    spin_lock(&q->lock);
    do {
        q->next = q->next == INT32_MAX ? 1 : q->next + 1;
    } while (radix_get(&q->watches, (uint64_t)q->next));
    err_t e = q->closed ? -EBADF : radix_put(&q->watches, (uint64_t)q->next, w) ? 0 : -ENOMEM;
    w->number = q->next;
    spin_unlock(&q->lock);
    if (e)
        account_unbook(q->account, ACCOUNT_NOTICE_WATCHES, 1);
    return e;
}

void notice_queue_leave(struct notice_queue *q, struct notice_watch *w)
{
    spin_lock(&q->lock);
    (void)radix_remove(&q->watches, (uint64_t)w->number);
    spin_unlock(&q->lock);
    account_unbook(q->account, ACCOUNT_NOTICE_WATCHES, 1);
    notice_queue_tell(q, &(struct notice){ .watch = w->number, .event = NOTICE_IGNORED });
}

struct notice_watch *notice_queue_find(struct notice_queue *q, int number)
{
    spin_lock(&q->lock);
    struct notice_watch *w = number > 0 ? radix_get(&q->watches, (uint64_t)number) : NULL;
    if (w)
        __atomic_fetch_add(&w->references, 1, __ATOMIC_RELAXED);
    spin_unlock(&q->lock);
    return w;
}

void notice_queue_put(struct notice_queue *q)
{
    if (__atomic_sub_fetch(&q->references, 1, __ATOMIC_ACQ_REL))
        return;
    account_put(q->account);
    heap_free(q);
}

static bool has_news(const struct notice_queue *q)
{
    return __atomic_load_n(&q->count, __ATOMIC_ACQUIRE) != 0;
}

// The first one, if its record fits: -EINVAL. -EAGAIN: there is none.
static err_t take(struct notice_queue *q, uint64_t room, struct notice_event_kept **taken)
{
    spin_lock(&q->lock);
    struct notice_event_kept *k =
        list_empty(&q->events) ? NULL : list_first(&q->events, struct notice_event_kept, link);
    err_t e = !k ? -EAGAIN : record_size(q, k) > room ? -EINVAL : 0;
    if (!e) {
        q->bytes -= record_size(q, k);
        __atomic_store_n(&q->count, q->count - 1, __ATOMIC_RELEASE);
        list_remove(&k->link);
        *taken = k;
    }
    spin_unlock(&q->lock);
    return e;
}

static err_t hand_out(struct notice_queue *q, const struct notice_event_kept *k, struct io *io)
{
    uint8_t head[NOTICE_HEAD_MAX];
    size_t room = name_room(q, k->length);
    struct notice n = { .watch = k->watch,
                        .event = k->event,
                        .cookie = k->cookie,
                        .length = k->length,
                        .name = k->name };
    q->layout->encode(&n, room, head);
    err_t e = io_put(io, head, q->layout->head);
    if (!e && room)
        e = io_put(io, k->name, k->length);
    if (!e && room)
        e = io_put_zeros(io, room - k->length);
    return e;
}

static len_t queue_read(struct file *f, struct io *io, uint64_t offset)
{
    struct notice_queue *q = f->data;
    struct notice_event_kept *k;
    err_t e = 0;
    while (!e) {
        e = take(q, io->left, &k);
        if (!e) {
            e = hand_out(q, k, io);
            forget(q, k);
        } else if (e == -EAGAIN && !io->done &&
                   !(__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK)) {
            e = wait_until(&q->readable, has_news(q), WAIT_FOREVER) ? -ERESTARTSYS : 0;
        }
    }
    return io_result(io, e);
}

static unsigned queue_poll(struct file *f, struct poll_table *t)
{
    struct notice_queue *q = f->data;
    if (t)
        t->add(t, &q->readable);
    return has_news(q) ? POLL_IN : 0;
}

static err_t queue_control(struct file *f, unsigned request, void *argument)
{
    struct notice_queue *q = f->data;
    if (request != CONTROL_BYTES_READY)
        return -ENOTTY;
    spin_lock(&q->lock);
    *(uint64_t *)argument = q->bytes;
    spin_unlock(&q->lock);
    return 0;
}

static err_t queue_path(struct file *f, char *to, size_t room, size_t *length)
{
    return file_label(to, room, length, "anon_inode:inotify");
}

// The next watch by number, with a reference; NULL: there is none.
static struct notice_watch *any_watch(struct notice_queue *q)
{
    uint64_t number = 0;
    spin_lock(&q->lock);
    struct notice_watch *w = radix_next(&q->watches, &number);
    if (w)
        __atomic_fetch_add(&w->references, 1, __ATOMIC_RELAXED);
    spin_unlock(&q->lock);
    return w;
}

static void queue_close(struct file *f)
{
    struct notice_queue *q = f->data;
    struct list left = LIST_INIT(left);
    spin_lock(&q->lock);
    q->closed = true;
    list_append_all(&left, &q->events);
    spin_unlock(&q->lock);
    for (struct list *link; (link = list_pop_front(&left));)
        forget(q, list_entry(link, struct notice_event_kept, link));
    for (struct notice_watch *w; (w = any_watch(q));) {
        notice_watch_end(w);
        notice_watch_put(w);
    }
    account_unbook(q->account, ACCOUNT_NOTICE_QUEUES, 1);
    notice_queue_put(q);
}

static const struct file_ops queue_files = {
    .name = "notice",
    .read = queue_read,
    .poll = queue_poll,
    .control = queue_control,
    .path = queue_path,
    .close = queue_close,
};

bool notice_queue_is(const struct file *f)
{
    return f->ops == &queue_files;
}

err_t notice_queue_make(const struct notice_layout *layout, unsigned flags, struct file **file)
{
    struct notice_queue *q = heap_alloc(sizeof(*q));
    struct scheme_account *account = account_get(caller_ids().user);
    err_t e = -ENOMEM;
    if (!q || !account)
        goto drop;
    e = -EMFILE;
    if (!account_book(account, ACCOUNT_NOTICE_QUEUES, 1, NOTICE_QUEUES_MAX))
        goto drop;
    q->references = 1;
    q->account = account;
    q->layout = layout;
    spin_init(&q->lock, RANK_NOTICE_QUEUE);
    radix_init(&q->watches, &nodes);
    list_init(&q->events);
    list_init(&q->overflow.link);
    q->overflow.watch = -1;
    q->overflow.event = NOTICE_OVERFLOW;
    wait_queue_init(&q->readable);
    e = file_make(&queue_files, NULL, NULL, flags | OPEN_READ, q, file);
    if (!e)
        return 0;
    account_unbook(account, ACCOUNT_NOTICE_QUEUES, 1);
drop:
    account_put(account);
    heap_free(q);
    return e;
}
