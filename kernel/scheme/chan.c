// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "chan": connections between programs of this machine, what Unix sockets are made of in
// Redox programs.
//
//   chan:NAME, created     a listener; dup "listen" takes the oldest connection, waiting for one
//   chan:NAME              a connection to that listener; it can be written to at once
//   chan:                  a listener without a name; dup "connect" connects to it, dup of any
//   other
//                          text gives what opening chan:TEXT in the same way gives
//
// A connection is two pipes (pipe.c), so their rules hold: 64 KiB a direction, end of file and
// -EPIPE when the other side is gone. Beside them each side has a queue of open files sent to it
// (file_ops.send), which dup "recvfd" takes one by one. Ends of connections cannot be sent: they
// could keep each other alive.
//
// Locks: listeners_lock (RANK_SLEEP_LEAF) guards the table of names and all listeners; link->lock
// (RANK_QUEUE) one connection's queues of files.
#include "kernel/memory/heap.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/kernel_schemes.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/sync/wait.h"
#include "lib/string.h"

enum { LISTENERS_MAX = 1024, BACKLOG_MAX = 64, SENT_MAX = 16 };

struct sent {
    struct file *files[SENT_MAX]; // a ring
    unsigned first, count;        // count is read without the lock
    struct wait_queue arrived;
};

struct link { // what both ends of a connection share
    uint32_t references;
    struct spinlock lock;
    struct sent to[2];
    bool gone[2];
};

struct end {
    struct file *in, *out; // of pipes
    struct link *link;
    unsigned side;
    struct list waiting; // in listener->ends: not accepted yet
};

struct listener {
    struct list by_name; // in `listeners`
    char *name;          // NULL: none
    unsigned flags;      // how it was opened
    struct list ends;
    unsigned count; // of `ends`; read without the lock
    struct wait_queue connected;
};

static struct mutex listeners_lock;
static struct list listeners = LIST_INIT(listeners);
static unsigned listener_count;
static struct scheme chan_scheme;
static const struct file_ops end_files, listener_files;

// Connections.

static void link_put(struct link *l)
{
    if (__atomic_sub_fetch(&l->references, 1, __ATOMIC_ACQ_REL) == 0)
        heap_free(l);
}

static struct link *link_make(void)
{
    struct link *l = heap_alloc(sizeof(*l));
    if (!l)
        return NULL;
    l->references = 2;
    spin_init(&l->lock, RANK_QUEUE);
    wait_queue_init(&l->to[0].arrived);
    wait_queue_init(&l->to[1].arrived);
    return l;
}

// The oldest file sent to a side; NULL: none.
static struct file *sent_take(struct link *l, unsigned side)
{
    struct sent *s = &l->to[side];
    struct file *f = NULL;
    spin_lock(&l->lock);
    if (s->count) {
        f = s->files[s->first];
        s->first = (s->first + 1) % SENT_MAX;
        __atomic_store_n(&s->count, s->count - 1, __ATOMIC_RELEASE);
    }
    spin_unlock(&l->lock);
    return f;
}

static bool other_gone(const struct end *e)
{
    return __atomic_load_n(&e->link->gone[!e->side], __ATOMIC_ACQUIRE);
}

static void end_drop(struct end *e)
{
    struct link *l = e->link;
    spin_lock(&l->lock);
    __atomic_store_n(&l->gone[e->side], true, __ATOMIC_RELEASE); // nothing is sent here any more
    spin_unlock(&l->lock);
    struct file *f;
    while ((f = sent_take(l, e->side)))
        file_put(f);
    file_put(e->in);
    file_put(e->out);
    wait_wake_key(&l->to[!e->side].arrived, 0, UINT_MAX);
    link_put(l);
    heap_free(e);
}

static struct end *end_alloc(struct link *l, unsigned side)
{
    struct end *e = heap_alloc(sizeof(*e));
    if (!e)
        return NULL;
    e->link = l;
    e->side = side;
    return e;
}

// Both ends of a new connection.
static err_t ends_make(struct end *ends[2])
{
    struct link *l = link_make();
    ends[0] = l ? end_alloc(l, 0) : NULL;
    ends[1] = l ? end_alloc(l, 1) : NULL;
    err_t e = ends[0] && ends[1] ? 0 : -ENOMEM;
    if (!e)
        e = pipe_make(0, &ends[0]->in, &ends[1]->out);
    if (e)
        goto drop;
    e = pipe_make(0, &ends[1]->in, &ends[0]->out);
    if (!e)
        return 0;
    file_put(ends[0]->in);
    file_put(ends[1]->out);
drop:
    heap_free(ends[0]);
    heap_free(ends[1]);
    heap_free(l);
    return e;
}

static err_t end_change_flags(struct file *f, unsigned flags)
{
    struct end *e = f->data;
    err_t failed = file_change_flags(e->in, flags & OPEN_NONBLOCK);
    return failed ? failed : file_change_flags(e->out, flags & OPEN_NONBLOCK);
}

// An open file on an end, which moves in also when it fails.
static err_t end_open(struct end *end, const char *name, unsigned flags, struct file **file)
{
    flags = (flags & OPEN_NONBLOCK) | OPEN_READ | OPEN_WRITE;
    err_t e = handle_make(&chan_scheme, &end_files, name, NODE_SOCKET, 0666, flags, end, file);
    if (e) {
        end_drop(end);
        return e;
    }
    return end_change_flags(*file, flags);
}

static len_t end_read(struct file *f, struct io *io, uint64_t offset)
{
    struct end *e = f->data;
    return file_read(e->in, io);
}

static len_t end_write(struct file *f, struct io *io, uint64_t offset)
{
    struct end *e = f->data;
    return file_write(e->out, io);
}

static unsigned sent_count(const struct end *e)
{
    return __atomic_load_n(&e->link->to[e->side].count, __ATOMIC_ACQUIRE);
}

static unsigned end_poll(struct file *f, struct poll_table *t)
{
    struct end *e = f->data;
    unsigned ready = file_poll(e->in, t) | file_poll(e->out, t);
    if (t)
        t->add(t, &e->link->to[e->side].arrived);
    if (ready & POLL_HANGUP)
        ready |= POLL_IN; // end of file is to be read
    return sent_count(e) ? ready | POLL_IN : ready;
}

static err_t end_send(struct file *f, struct file *sent, unsigned flags, uint64_t argument,
                      uint64_t *result)
{
    struct end *e = f->data;
    struct link *l = e->link;
    if (sent->ops == &end_files || sent->ops == &listener_files)
        return -EINVAL;
    struct sent *to = &l->to[!e->side];
    err_t failed = 0;
    spin_lock(&l->lock);
    if (l->gone[!e->side])
        failed = -EPIPE;
    else if (to->count == SENT_MAX)
        failed = -EAGAIN;
    if (!failed) {
        to->files[(to->first + to->count) % SENT_MAX] = sent;
        __atomic_store_n(&to->count, to->count + 1, __ATOMIC_RELEASE);
    }
    spin_unlock(&l->lock);
    if (!failed) {
        *result = 0;
        wait_wake_key(&to->arrived, POLL_IN, UINT_MAX);
    }
    return failed;
}

static err_t end_receive(struct file *f, struct file **file)
{
    struct end *e = f->data;
    while (!(*file = sent_take(e->link, e->side))) {
        if (other_gone(e))
            return -EPIPE;
        if (__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK)
            return -EAGAIN;
        if (wait_until(&e->link->to[e->side].arrived, sent_count(e) || other_gone(e), WAIT_FOREVER))
            return -ERESTARTSYS;
    }
    return 0;
}

static bool bytes_are(const void *bytes, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static err_t end_derive(struct file *f, const void *bytes, size_t size, struct file **file)
{
    return bytes_are(bytes, size, "recvfd") ? end_receive(f, file) : -EINVAL;
}

static err_t end_sync(struct file *f, bool data_only)
{
    return 0;
}

static void end_close(struct file *f)
{
    end_drop(f->data);
}

static const struct file_ops end_files = {
    .name = "chan",
    .read = end_read,
    .write = end_write,
    .poll = end_poll,
    .sync = end_sync,
    .path = handle_path,
    .derive = end_derive,
    .change_flags = end_change_flags,
    .send = end_send,
    .close = end_close,
};

// Listeners.

static struct listener *listener_find(const char *name) // under the lock
{
    list_for_each (link, &listeners) {
        struct listener *l = container_of(link, struct listener, by_name);
        if (string_equal(l->name, name))
            return l;
    }
    return NULL;
}

static struct listener *listener_alloc(const char *name, unsigned flags)
{
    struct listener *l = heap_alloc(sizeof(*l));
    if (!l)
        return NULL;
    if (*name && !(l->name = heap_string(name))) {
        heap_free(l);
        return NULL;
    }
    l->flags = flags;
    list_init(&l->by_name);
    list_init(&l->ends);
    wait_queue_init(&l->connected);
    return l;
}

static struct end *listener_pop(struct listener *l)
{
    struct end *e = NULL;
    mutex_lock(&listeners_lock);
    struct list *link = list_pop_front(&l->ends);
    if (link) {
        e = container_of(link, struct end, waiting);
        __atomic_store_n(&l->count, l->count - 1, __ATOMIC_RELEASE);
    }
    mutex_unlock(&listeners_lock);
    return e;
}

static void listener_drop(struct listener *l)
{
    mutex_lock(&listeners_lock);
    if (l->name)
        list_remove(&l->by_name);
    listener_count--;
    mutex_unlock(&listeners_lock);
    struct end *e;
    while ((e = listener_pop(l)))
        end_drop(e);
    heap_free(l->name);
    heap_free(l);
}

// -EEXIST: the name is taken.
static err_t listener_open(const char *name, unsigned flags, struct file **file)
{
    struct listener *l = listener_alloc(name, flags);
    if (!l)
        return -ENOMEM;
    err_t e = 0;
    mutex_lock(&listeners_lock);
    if (listener_count == LISTENERS_MAX)
        e = -ENFILE;
    else if (l->name && listener_find(name))
        e = -EEXIST;
    if (!e) {
        listener_count++;
        if (l->name)
            list_push_back(&listeners, &l->by_name);
    }
    mutex_unlock(&listeners_lock);
    if (e) {
        heap_free(l->name);
        heap_free(l);
        return e;
    }
    e = handle_make(&chan_scheme, &listener_files, name, NODE_SOCKET, 0666,
                    flags | OPEN_READ | OPEN_WRITE, l, file);
    if (e)
        listener_drop(l);
    return e;
}

// Connects to a listener: `known`, or the one of that name (-ENOENT).
static err_t listener_connect(struct listener *known, const char *name, unsigned flags,
                              struct file **file)
{
    struct end *ends[2];
    err_t e = ends_make(ends);
    if (e)
        return e;
    mutex_lock(&listeners_lock);
    struct listener *l = known ? known : listener_find(name);
    if (!l)
        e = -ENOENT;
    else if (l->count == BACKLOG_MAX)
        e = -EAGAIN;
    if (!e) {
        list_push_back(&l->ends, &ends[1]->waiting);
        __atomic_store_n(&l->count, l->count + 1, __ATOMIC_RELEASE);
        wait_wake_key(&l->connected, POLL_IN, UINT_MAX);
    }
    mutex_unlock(&listeners_lock);
    if (!e)
        return end_open(ends[0], name, flags, file);
    end_drop(ends[0]);
    end_drop(ends[1]);
    return e;
}

static err_t listener_accept(struct file *f, struct file **file)
{
    struct listener *l = f->data;
    struct end *e;
    while (!(e = listener_pop(l))) {
        if (__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK)
            return -EAGAIN;
        if (wait_until(&l->connected, __atomic_load_n(&l->count, __ATOMIC_ACQUIRE), WAIT_FOREVER))
            return -ERESTARTSYS;
    }
    return end_open(e, handle_rest(f), f->flags, file);
}

static unsigned listener_poll(struct file *f, struct poll_table *t)
{
    struct listener *l = f->data;
    if (t)
        t->add(t, &l->connected);
    return __atomic_load_n(&l->count, __ATOMIC_ACQUIRE) ? POLL_IN | POLL_OUT : 0;
}

// Makes a listener where that is asked for and the name is free, else a connection.
static err_t chan_open(const char *name, unsigned flags, struct file **file)
{
    if (flags & OPEN_CREATE || !*name) {
        err_t e = listener_open(name, flags, file);
        if (e != -EEXIST || flags & OPEN_EXCLUSIVE)
            return e;
    }
    return listener_connect(NULL, name, flags, file);
}

static err_t listener_derive(struct file *f, const void *bytes, size_t size, struct file **file)
{
    struct listener *l = f->data;
    unsigned kept = OPEN_NONBLOCK;
    unsigned flags = (l->flags & ~kept) | (__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & kept);
    if (bytes_are(bytes, size, "listen"))
        return listener_accept(f, file);
    if (bytes_are(bytes, size, "connect"))
        return listener_connect(l, handle_rest(f), flags, file);
    if (l->name || size == 0 || memchr(bytes, 0, size))
        return -EBADF;
    if (size >= PATH_LENGTH_MAX)
        return -ENAMETOOLONG;
    char *name = heap_alloc(size + 1);
    if (!name)
        return -ENOMEM;
    memcpy(name, bytes, size);
    err_t e = chan_open(name, flags, file);
    heap_free(name);
    return e;
}

static void listener_close(struct file *f)
{
    listener_drop(f->data);
}

static const struct file_ops listener_files = {
    .name = "chan-listener",
    .poll = listener_poll,
    .sync = end_sync,
    .path = handle_path,
    .derive = listener_derive,
    .close = listener_close,
};

static err_t chan_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                            unsigned flags, unsigned mode, struct file **file)
{
    if (flags & OPEN_DIRECTORY)
        return -ENOTDIR;
    if (!(flags & OPEN_PATH))
        return chan_open(path, flags, file);
    mutex_lock(&listeners_lock);
    bool found = length == 0 || listener_find(path);
    mutex_unlock(&listeners_lock);
    return found ? handle_place(s, path, NODE_SOCKET, 0666, flags, file) : -ENOENT;
}

static const struct scheme_ops chan_ops = {
    .root = path_scheme_root,
    .open_path = chan_open_path,
};

static struct scheme chan_scheme = { .name = "chan", .ops = &chan_ops };

void chan_scheme_init(void)
{
    mutex_init(&listeners_lock, RANK_SLEEP_LEAF);
    handle_scheme_add(&chan_scheme);
}
