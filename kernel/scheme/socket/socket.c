// SPDX-License-Identifier: GPL-3.0-or-later
// Sockets as open files: how they come and go, read, write, poll.
//
// A socket outlives its file as long as its peer or a message it sent needs it. The list of all is
// in parts, each with a lock (RANK_LEAF) that also keeps what is in it from being freed.
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/socket/inside.h"
#include "lib/format.h"
#include "lib/string.h"

enum { PARTS = 16, DEFAULT_MAX = 212992 };

static struct list_part {
    struct spinlock lock; // RANK_LEAF
    struct list sockets;  // struct socket.all
} align_to(64) parts[PARTS];
static struct slab_cache *sockets;
static const struct node_ops socket_nodes = { 0 };
static const struct scheme_ops socket_scheme_ops = { 0 };
static struct scheme socket_scheme = { .name = "socket", .ops = &socket_scheme_ops };

static struct list_part *part_of(const struct socket *s)
{
    return &parts[hash_word(0, (uint64_t)(uintptr_t)s) % PARTS];
}

struct socket_credentials socket_caller(void)
{
    struct caller c;
    caller_look(&c);
    return (struct socket_credentials){ c.process, c.user, c.group };
}

struct socket *socket_alloc(enum socket_type type)
{
    struct socket *s = slab_alloc(sockets);
    if (!s)
        return NULL;
    s->references = 1;
    s->type = (uint8_t)type;
    s->send_max = s->receive_max = DEFAULT_MAX;
    s->backlog_max = DATAGRAMS_MAX;
    s->self = s->remote = (struct socket_credentials){ 0, UINT32_MAX, UINT32_MAX };
    spin_init(&s->lock, RANK_QUEUE);
    mutex_init(&s->setup, RANK_SOCKET_SETUP);
    mutex_init(&s->reading, RANK_SOCKET);
    wait_queue_init(&s->readable);
    wait_queue_init(&s->writable);
    list_init(&s->blocked);
    list_init(&s->blocked_link);
    list_init(&s->backlog);
    list_init(&s->backlog_link);
    list_init(&s->carriers);
    list_init(&s->loose);
    list_init(&s->flying);
    list_init(&s->found);
    struct list_part *part = part_of(s);
    spin_lock(&part->lock);
    list_push_back(&part->sockets, &s->all);
    spin_unlock(&part->lock);
    return s;
}

void socket_get_ref(struct socket *s)
{
    __atomic_fetch_add(&s->references, 1, __ATOMIC_RELAXED);
}

void socket_put(struct socket *s)
{
    if (__atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL))
        return;
    struct list_part *part = part_of(s);
    spin_lock(&part->lock);
    list_remove(&s->all);
    spin_unlock(&part->lock);
    address_put(s->address);
    slab_free(sockets, s);
}

void socket_tell(struct socket *s)
{
    wait_wake_key(&s->readable, 0, UINT_MAX);
    wait_wake_key(&s->writable, 0, UINT_MAX);
}

void socket_cut(struct socket *s, unsigned ends, int32_t error)
{
    spin_lock(&s->lock);
    if (error)
        __atomic_store_n(&s->error, error, __ATOMIC_RELEASE);
    __atomic_store_n(&s->shut, (uint8_t)(s->shut | ends), __ATOMIC_RELEASE);
    spin_unlock(&s->lock);
    socket_tell(s);
}

void socket_join(struct socket *a, struct socket *b)
{
    socket_get_ref(a);
    socket_get_ref(b);
    a->peer = b;
    b->peer = a;
    b->state = STATE_CONNECTED;
}

// Every message holds what it carries, so nothing is looked at after it is dropped.
bool socket_empty(struct socket *s)
{
    struct message *m;
    struct list *link;
    bool some = false;
    while ((m = socket_first(s))) {
        some = true;
        queue_pop(s);
        charge_give(m->sender ? m->sender : s->peer, m->charge);
        message_drop(m);
    }
    do {
        spin_lock(&s->lock);
        link = list_pop_front(&s->loose);
        s->loose_count -= link != NULL;
        spin_unlock(&s->lock);
        if (link)
            passed_drop(container_of(link, struct passed, loose));
    } while (link);
    return some;
}

void socket_end(struct socket *s)
{
    spin_lock(&s->lock);
    s->closed = true;
    __atomic_store_n(&s->shut, (uint8_t)SHUT_BOTH, __ATOMIC_RELEASE);
    spin_unlock(&s->lock);
    address_end(s);
    backlog_end(s);
    bool lost = socket_empty(s) || !s->file; // not read, or never accepted
    spin_lock(&s->lock);
    struct socket *peer = s->peer;
    s->peer = NULL;
    spin_unlock(&s->lock);
    if (peer && s->type == SOCKET_DATAGRAM)
        socket_unblock(s, peer);
    else if (peer)
        socket_cut(peer, SHUT_BOTH, lost ? ECONNRESET : 0);
    s->file = NULL;
    socket_tell(s); // those who wait to send here
    blocked_wake(s);
    if (peer)
        socket_put(peer);
}

// Whoever polls `s` is told when `on` has room again; only while `s` is connected with it.
void socket_block(struct socket *s, struct socket *on)
{
    spin_lock(&on->lock);
    if (__atomic_load_n(&s->peer, __ATOMIC_ACQUIRE) == on && list_empty(&s->blocked_link))
        list_push_back(&on->blocked, &s->blocked_link);
    spin_unlock(&on->lock);
}

void socket_unblock(struct socket *s, struct socket *from)
{
    spin_lock(&from->lock);
    list_remove(&s->blocked_link);
    spin_unlock(&from->lock);
}

nanos_t socket_deadline(nanos_t span)
{
    nanos_t deadline;
    if (likely(!span) || add_overflows(clock_now(), span, &deadline))
        return WAIT_FOREVER;
    return deadline;
}

// A call with a time limit is not made again after a handler: it would wait anew.
err_t socket_wait_error(err_t e, nanos_t deadline)
{
    if (e == -ETIMEDOUT)
        return -EAGAIN;
    return deadline == WAIT_FOREVER ? -ERESTARTSYS : -ERESTARTNOHAND;
}

bool socket_waits(const struct file *f, unsigned flags)
{
    return !(flags & SOCKET_DONT_WAIT) &&
           !(__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK);
}

len_t socket_send(struct file *f, struct io *io, const struct socket_outgoing *out)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    bool wait = socket_waits(f, out->flags);
    return s->type == SOCKET_STREAM ? stream_send(s, io, out, wait)
                                    : datagram_send(s, io, out, wait);
}

len_t socket_receive(struct file *f, struct io *io, struct socket_incoming *in)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    bool wait = socket_waits(f, in->flags);
    return s->type == SOCKET_STREAM ? stream_receive(s, io, in, wait)
                                    : datagram_receive(s, io, in, wait);
}

// As files.

static len_t socket_read(struct file *f, struct io *io, uint64_t offset)
{
    struct socket_incoming in = { 0 };
    return io->left ? socket_receive(f, io, &in) : 0;
}

static len_t socket_write(struct file *f, struct io *io, uint64_t offset)
{
    struct socket_outgoing out = { 0 };
    return socket_send(f, io, &out);
}

static unsigned poll_write(struct socket *s)
{
    if (s->state == STATE_LISTENS || !socket_writable(s))
        return 0;
    if (s->type != SOCKET_DATAGRAM)
        return POLL_OUT;
    struct socket *peer = peer_get(s);
    if (!peer)
        return POLL_OUT;
    bool full = queue_is_full(peer, s);
    if (full) {
        socket_block(s, peer);
        full = queue_is_full(peer, s); // else nobody would tell
    }
    socket_put(peer);
    return full ? 0 : POLL_OUT;
}

static unsigned socket_poll(struct file *f, struct poll_table *t)
{
    struct socket *s = f->data;
    if (t) {
        t->add(t, &s->readable);
        t->add(t, &s->writable);
    }
    unsigned shut = seen8(&s->shut), ready = poll_write(s);
    if (__atomic_load_n(&s->error, __ATOMIC_ACQUIRE))
        ready |= POLL_ERROR;
    if (shut == SHUT_BOTH || (s->type != SOCKET_DATAGRAM && seen8(&s->state) == STATE_FRESH))
        ready |= POLL_HANGUP;
    if (shut & SOCKET_END_READ)
        ready |= POLL_IN | POLL_READ_HANGUP;
    if (socket_first(s) || seen32(&s->backlog_count) || seen32(&s->loose_count))
        ready |= POLL_IN;
    return ready;
}

static err_t bytes_ready(struct socket *s, uint64_t *value)
{
    *value = 0;
    if (seen8(&s->state) == STATE_LISTENS)
        return -EINVAL;
    mutex_lock(&s->reading); // so that nothing is taken meanwhile
    spin_lock(&s->lock);
    for (struct message *m = s->first; m; m = m->next) {
        *value += message_length(m);
        if (s->type == SOCKET_DATAGRAM)
            break;
    }
    spin_unlock(&s->lock);
    mutex_unlock(&s->reading);
    return 0;
}

static err_t socket_control(struct file *f, unsigned request, void *argument)
{
    struct socket *s = f->data;
    switch (request) {
    case CONTROL_BYTES_READY:
        return bytes_ready(s, argument);
    case CONTROL_BYTES_QUEUED:
        *(uint64_t *)argument = seen32(&s->queued);
        return 0;
    default:
        return -ENOTTY;
    }
}

static err_t socket_path(struct file *f, char *to, size_t room, size_t *length)
{
    struct socket *s = f->data;
    if (s->is_chan)
        return chan_path(s, to, room, length);
    int n = format_text(to, room, "socket:[%llu]", (unsigned long long)f->node->inode);
    *length = (size_t)n;
    return *length < room ? 0 : -ERANGE;
}

static err_t socket_sync(struct file *f, bool data_only)
{
    return ((struct socket *)f->data)->is_chan ? 0 : -EINVAL;
}

static void socket_close(struct file *f)
{
    struct socket *s = f->data;
    socket_end(s);
    socket_put(s);
}

static const struct file_ops socket_files = {
    .name = "socket",
    .read = socket_read,
    .write = socket_write,
    .poll = socket_poll,
    .control = socket_control,
    .path = socket_path,
    .sync = socket_sync,
    .derive = chan_derive,
    .send = chan_send,
    .close = socket_close,
};

struct socket *socket_of(const struct file *f)
{
    return f->ops == &socket_files ? f->data : NULL;
}

bool socket_is(const struct file *f)
{
    return socket_of(f) != NULL;
}

enum socket_type socket_type_of(const struct file *f)
{
    return socket_of(f)->type;
}

err_t socket_open(struct socket *s, unsigned flags, struct file **file)
{
    struct node *n;
    err_t e = node_make(&socket_scheme, &socket_nodes, NODE_SOCKET, s->is_chan ? 0666 : 0777, &n);
    if (!e) {
        struct socket_credentials c = socket_caller();
        n->user = c.user;
        n->group = c.group;
        e = file_make(&socket_files, n, NULL, (flags & OPEN_NONBLOCK) | OPEN_READ | OPEN_WRITE, s,
                      file);
        node_put(n);
    }
    if (e) {
        socket_end(s);
        socket_put(s);
        return e;
    }
    s->file = *file;
    s->inode = (*file)->node->inode;
    return 0;
}

err_t socket_make(enum socket_type type, unsigned flags, struct file **file)
{
    struct socket *s = socket_alloc(type);
    return s ? socket_open(s, flags, file) : -ENOMEM;
}

err_t socket_pair(enum socket_type type, unsigned flags, struct file *ends[2])
{
    struct socket *a = socket_alloc(type), *b = socket_alloc(type);
    if (!a || !b) {
        if (a)
            socket_put(a);
        if (b)
            socket_put(b);
        return -ENOMEM;
    }
    socket_join(a, b);
    a->state = STATE_CONNECTED;
    a->self = b->self = a->remote = b->remote = socket_caller();
    err_t e = socket_open(a, flags, &ends[0]);
    if (e) {
        socket_end(b);
        socket_put(b);
        return e;
    }
    e = socket_open(b, flags, &ends[1]);
    if (e)
        file_put(ends[0]);
    return e;
}

void socket_visit(bool (*visit)(const struct socket_seen *s, void *data), void *data)
{
    bool more = true;
    for (unsigned i = 0; i < PARTS && more; i++) {
        spin_lock(&parts[i].lock);
        list_for_each (link, &parts[i].sockets) {
            struct socket *s = container_of(link, struct socket, all);
            struct socket_seen seen = { .type = s->type,
                                        .listens = seen8(&s->state) == STATE_LISTENS,
                                        .connected = seen8(&s->state) == STATE_CONNECTED,
                                        .references = seen32(&s->references),
                                        .inode = s->inode };
            struct address *a = address_of(s);
            if (a)
                seen.name = a->name;
            more = visit(&seen, data);
            if (!more)
                break;
        }
        spin_unlock(&parts[i].lock);
    }
}

void socket_init(void)
{
    sockets = slab_cache_make("socket", sizeof(struct socket), 8);
    for (unsigned i = 0; i < PARTS; i++) {
        spin_init(&parts[i].lock, RANK_LEAF);
        list_init(&parts[i].sockets);
    }
    messages_init();
    names_of_sockets_init();
    scheme_prepare(&socket_scheme);
}
