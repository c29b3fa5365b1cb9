// SPDX-License-Identifier: GPL-3.0-or-later
// Pipes: a ring of slots, each a page with some bytes in it.
//
// A write of up to PIPE_ATOMIC bytes goes in whole: behind the bytes of the newest slot if it fits
// there, else into a slot of its own. A packet (OPEN_DIRECT) always has its own slot, and a read
// takes one packet at most. p->lock (RANK_PIPE) guards all of it and may be held over copies from
// and to user memory; `used`, `readers` and `writers` are also looked at without it, by who waits
// and by poll. A named pipe hangs at its node (node->pipe, under node->lock) while somebody has it
// open.
#include "kernel/scheme/pipe.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/format.h"
#include "lib/string.h"

enum {
    PIPE_ATOMIC = 4096,
    PIPE_SLOTS = 16,
    PIPE_SLOTS_MAX = 256,
};

struct slot {
    struct page *page;
    uint16_t start, length;
    bool packet;
};

struct pipe {
    struct mutex lock;
    uint32_t references; // open files; under the lock
    uint32_t readers, writers;
    uint32_t reader_opens, writer_opens; // so far, for who waits in open
    uint32_t first, used, capacity;      // slots; capacity is a power of two
    bool fills; // a write may be cut, so that every byte of room can be used (scheme "pipe")
    struct slot *slots;
    struct page *spare; // one page kept from the last read
    struct wait_queue readable, writable;
};

static struct slab_cache *pipes;

static struct pipe *pipe_alloc(void)
{
    struct pipe *p = slab_alloc(pipes);
    if (!p)
        return NULL;
    p->slots = heap_alloc_array(PIPE_SLOTS, sizeof(*p->slots));
    if (!p->slots) {
        slab_free(pipes, p);
        return NULL;
    }
    p->capacity = PIPE_SLOTS;
    mutex_init(&p->lock, RANK_PIPE);
    wait_queue_init(&p->readable);
    wait_queue_init(&p->writable);
    return p;
}

static void pipe_free(struct pipe *p)
{
    for (; p->used; p->used--, p->first++)
        page_put(p->slots[p->first & (p->capacity - 1)].page);
    if (p->spare)
        page_put(p->spare);
    heap_free(p->slots);
    slab_free(pipes, p);
}

static struct slot *slot_at(struct pipe *p, uint32_t n)
{
    return &p->slots[(p->first + n) & (p->capacity - 1)];
}

static void slot_end(struct pipe *p)
{
    struct slot *s = slot_at(p, 0);
    if (!p->spare)
        p->spare = s->page;
    else
        page_put(s->page);
    s->page = NULL;
    p->first++;
    __atomic_store_n(&p->used, p->used - 1, __ATOMIC_RELEASE);
}

// Moves what is there into `io`.
static err_t pipe_drain(struct pipe *p, struct io *io)
{
    while (p->used && io->left) {
        struct slot *s = slot_at(p, 0);
        size_t n = min_of(io->left, (uint64_t)s->length);
        uint64_t before = io->done;
        err_t e = io_put(io, (char *)page_virt(s->page) + s->start, n);
        n = io->done - before;
        s->start += n;
        s->length -= n;
        bool packet = s->packet;
        if (s->length == 0 || (packet && !e))
            slot_end(p);
        if (e)
            return e;
        if (packet)
            break;
    }
    return 0;
}

// Appends to the newest slot when that is allowed; bytes taken from `io`.
static err_t pipe_merge(struct pipe *p, struct io *io)
{
    if (!p->used)
        return 0;
    struct slot *s = slot_at(p, p->used - 1);
    uint32_t end = s->start + s->length, room = PAGE_SIZE - end;
    bool whole = !p->fills && io->left <= PIPE_ATOMIC;
    if (s->packet || room == 0 || (room < io->left && whole))
        return 0;
    uint64_t before = io->done;
    err_t e = io_get(io, (char *)page_virt(s->page) + end, min_of(io->left, (uint64_t)room));
    s->length += io->done - before;
    return e;
}

static err_t pipe_append(struct pipe *p, struct io *io, bool packet)
{
    struct page *page = p->spare ? p->spare : page_alloc(0, 0);
    if (!page)
        return -ENOMEM;
    p->spare = NULL;
    uint64_t before = io->done;
    err_t e = io_get(io, page_virt(page), min_of(io->left, PAGE_SIZE));
    if (io->done == before) {
        p->spare = page;
        return e;
    }
    *slot_at(p, p->used) = (struct slot){ page, 0, (uint16_t)(io->done - before), packet };
    __atomic_store_n(&p->used, p->used + 1, __ATOMIC_RELEASE);
    return e;
}

static err_t pipe_fill(struct pipe *p, struct io *io, bool packet)
{
    err_t e = packet ? 0 : pipe_merge(p, io);
    while (!e && io->left && p->used < p->capacity)
        e = pipe_append(p, io, packet);
    return e;
}

static uint32_t seen(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

// Apart from reading and writing, which seldom wait: those need no waiter on their stack.
static no_inline err_t wait_readable(struct pipe *p)
{
    return wait_until(&p->readable, seen(&p->used) || !seen(&p->writers), WAIT_FOREVER);
}

static no_inline err_t wait_writable(struct pipe *p)
{
    return wait_until(&p->writable, seen(&p->used) < seen(&p->capacity) || !seen(&p->readers),
                      WAIT_FOREVER);
}

static len_t pipe_read(struct file *f, struct io *io, uint64_t offset)
{
    struct pipe *p = f->data;
    err_t e = 0;
    if (io->left == 0)
        return 0;
    for (;;) {
        mutex_lock(&p->lock);
        uint32_t used = p->used;
        e = pipe_drain(p, io);
        bool freed = p->used < used, ended = p->writers == 0;
        mutex_unlock(&p->lock);
        if (freed)
            wait_wake_key(&p->writable, POLL_OUT, UINT_MAX);
        if (io->done || e || ended)
            break;
        if (__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK) {
            e = -EAGAIN;
            break;
        }
        if (wait_readable(p)) {
            e = -ERESTARTSYS;
            break;
        }
    }
    return io_result(io, e);
}

static len_t pipe_write(struct file *f, struct io *io, uint64_t offset)
{
    struct pipe *p = f->data;
    err_t e = 0;
    if (io->left == 0)
        return 0;
    for (;;) {
        unsigned flags = __atomic_load_n(&f->flags, __ATOMIC_RELAXED);
        uint64_t before = io->done;
        mutex_lock(&p->lock);
        e = p->readers ? pipe_fill(p, io, flags & OPEN_DIRECT) : -EPIPE;
        mutex_unlock(&p->lock);
        if (io->done != before)
            wait_wake_key(&p->readable, POLL_IN, UINT_MAX);
        if (e || io->left == 0 || (io->done && p->fills))
            break;
        if (flags & OPEN_NONBLOCK) {
            e = -EAGAIN;
            break;
        }
        if (wait_writable(p)) {
            e = -ERESTARTSYS;
            break;
        }
    }
    return io_result(io, e);
}

static unsigned pipe_poll(struct file *f, struct poll_table *t)
{
    struct pipe *p = f->data;
    unsigned ready = 0;
    if (f->flags & OPEN_READ) {
        if (t)
            t->add(t, &p->readable);
        if (seen(&p->used))
            ready |= POLL_IN;
        if (!seen(&p->writers) && seen(&p->writer_opens) != f->offset)
            ready |= POLL_HANGUP;
    }
    if (f->flags & OPEN_WRITE) {
        if (t)
            t->add(t, &p->writable);
        if (seen(&p->used) < seen(&p->capacity))
            ready |= POLL_OUT;
        if (!seen(&p->readers))
            ready |= POLL_ERROR;
    }
    return ready;
}

static err_t pipe_set_size(struct pipe *p, uint64_t *size)
{
    if (*size > PIPE_SLOTS_MAX * PAGE_SIZE)
        return -EPERM;
    uint32_t capacity = 1;
    while (capacity * PAGE_SIZE < *size)
        capacity *= 2;
    struct slot *slots = heap_alloc_array(capacity, sizeof(*slots));
    if (!slots)
        return -ENOMEM;

    mutex_lock(&p->lock);
    err_t e = p->used > capacity ? -EBUSY : 0;
    if (!e) {
        for (uint32_t i = 0; i < p->used; i++)
            slots[i] = *slot_at(p, i);
        struct slot *old = p->slots;
        p->slots = slots;
        slots = old;
        p->first = 0;
        __atomic_store_n(&p->capacity, capacity, __ATOMIC_RELEASE);
        *size = capacity * PAGE_SIZE;
    }
    mutex_unlock(&p->lock);
    heap_free(slots);
    if (!e)
        wait_wake_key(&p->writable, POLL_OUT, UINT_MAX);
    return e;
}

static err_t pipe_control(struct file *f, unsigned request, void *argument)
{
    struct pipe *p = f->data;
    uint64_t *value = argument;
    switch (request) {
    case CONTROL_BYTES_READY:
        *value = 0;
        mutex_lock(&p->lock);
        for (uint32_t i = 0; i < p->used; i++)
            *value += slot_at(p, i)->length;
        mutex_unlock(&p->lock);
        return 0;
    case CONTROL_PIPE_SIZE:
        *value = seen(&p->capacity) * PAGE_SIZE;
        return 0;
    case CONTROL_SET_PIPE_SIZE:
        return pipe_set_size(p, value);
    default:
        return -ENOTTY;
    }
}

// One end more or less. Under the lock.
static void pipe_count(struct pipe *p, unsigned flags, int by)
{
    if (flags & OPEN_READ)
        __atomic_store_n(&p->readers, p->readers + (uint32_t)by, __ATOMIC_RELEASE);
    if (flags & OPEN_WRITE)
        __atomic_store_n(&p->writers, p->writers + (uint32_t)by, __ATOMIC_RELEASE);
    if (by > 0 && flags & OPEN_READ)
        __atomic_store_n(&p->reader_opens, p->reader_opens + 1, __ATOMIC_RELEASE);
    if (by > 0 && flags & OPEN_WRITE)
        __atomic_store_n(&p->writer_opens, p->writer_opens + 1, __ATOMIC_RELEASE);
}

// Tells both sides that an end came or went.
static void pipe_tell_all(struct pipe *p)
{
    wait_wake_key(&p->readable, 0, UINT_MAX);
    wait_wake_key(&p->writable, 0, UINT_MAX);
}

// Takes away one end that pipe_count() counted, and the pipe with its last reference.
static void pipe_leave(struct pipe *p, struct node *n, unsigned flags)
{
    mutex_lock(&n->lock);
    mutex_lock(&p->lock);
    pipe_count(p, flags, -1);
    bool last = --p->references == 0;
    if (last)
        n->pipe = NULL;
    mutex_unlock(&p->lock);
    if (!last) // still under the node's lock: the next one that leaves may free the pipe
        pipe_tell_all(p);
    mutex_unlock(&n->lock);
    if (last)
        pipe_free(p);
}

static void pipe_close(struct file *f)
{
    pipe_leave(f->data, f->node, f->flags);
}

static err_t pipe_path(struct file *f, char *to, size_t room, size_t *length)
{
    if (f->where)
        return name_path(NULL, f->where, true, to, room, length);
    if (((struct pipe *)f->data)->fills)
        return file_label(to, room, length, "pipe:");
    int n = format_text(to, room, "pipe:[%llu]", (unsigned long long)f->node->inode);
    *length = (size_t)n;
    return *length < room ? 0 : -ERANGE;
}

static err_t pipe_derive(struct file *f, const void *bytes, size_t size, struct file **file);

static const struct file_ops pipe_files = {
    .name = "pipe",
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .control = pipe_control,
    .path = pipe_path,
    .derive = pipe_derive,
    .close = pipe_close,
};

static const struct node_ops pipe_nodes = { 0 };
static struct scheme pipe_scheme;

// A new pipe with its reading end only.
static err_t pipe_make_reader(unsigned mode, unsigned flags, bool fills, struct file **reader)
{
    struct node *n;
    err_t e = node_make(&pipe_scheme, &pipe_nodes, NODE_PIPE, mode, &n);
    if (e)
        return e;
    struct pipe *p = pipe_alloc();
    if (!p) {
        e = -ENOMEM;
        goto put_node;
    }
    n->pipe = p; // so that /proc/PID/fd/N can open it once more
    p->fills = fills;
    p->references = 1;
    pipe_count(p, OPEN_READ, 1);
    e = file_make(&pipe_files, n, NULL, flags | OPEN_READ, p, reader);
    if (e)
        pipe_free(p);
put_node:
    node_put(n);
    return e;
}

// The other end of a pipe that has none yet; -EBADF: it has had one.
static err_t pipe_make_writer(struct file *reader, unsigned flags, struct file **writer)
{
    struct pipe *p = reader->data;
    mutex_lock(&p->lock);
    bool first = p->writer_opens == 0;
    if (first) {
        p->references++;
        pipe_count(p, OPEN_WRITE, 1);
    }
    mutex_unlock(&p->lock);
    if (!first)
        return -EBADF;
    err_t e = file_make(&pipe_files, reader->node, NULL, flags | OPEN_WRITE, p, writer);
    if (e)
        pipe_leave(p, reader->node, OPEN_WRITE);
    return e;
}

err_t pipe_make(unsigned flags, struct file **reader, struct file **writer)
{
    flags &= OPEN_NONBLOCK | OPEN_DIRECT;
    err_t e = pipe_make_reader(0600, flags, false, reader);
    if (e)
        return e;
    e = pipe_make_writer(*reader, flags, writer);
    if (e)
        file_put(*reader);
    return e;
}

// Redox's way to the writing end: dup with the name "write", once.
static err_t pipe_derive(struct file *f, const void *bytes, size_t size, struct file **file)
{
    if (size != 5 || memcmp(bytes, "write", 5) != 0)
        return -EINVAL;
    if (!(f->flags & OPEN_READ))
        return -EBADF;
    unsigned flags = __atomic_load_n(&f->flags, __ATOMIC_RELAXED);
    return pipe_make_writer(f, flags & OPEN_NONBLOCK, file);
}

bool pipe_is(const struct file *f)
{
    return f->ops == &pipe_files;
}

bool pipe_same(const struct file *a, const struct file *b)
{
    return a->data == b->data;
}

// Appends up to `size` bytes of what is in `from` to `to`. Both are locked.
static len_t copy_locked(struct pipe *from, struct pipe *to, uint64_t size)
{
    uint64_t done = 0;
    for (uint32_t i = 0; i < from->used && done < size && to->used < to->capacity; i++) {
        const struct slot *s = slot_at(from, i);
        struct io io = io_kernel((char *)page_virt(s->page) + s->start,
                                 min_of(size - done, (uint64_t)s->length));
        err_t e = pipe_append(to, &io, s->packet);
        if (e)
            return done ? (len_t)done : e;
        done += io.done;
    }
    return (len_t)done;
}

static len_t copy_once(struct pipe *from, struct pipe *to, uint64_t size)
{
    mutex_lock(&min_of(from, to)->lock);
    mutex_lock(&max_of(from, to)->lock);
    len_t n = to->readers ? copy_locked(from, to, size) : -EPIPE;
    bool ended = !n && !from->used && !from->writers;
    mutex_unlock(&max_of(from, to)->lock);
    mutex_unlock(&min_of(from, to)->lock);
    if (n > 0)
        wait_wake_key(&to->readable, POLL_IN, UINT_MAX);
    return n || ended ? n : -EAGAIN;
}

static err_t copy_wait(struct pipe *from, struct pipe *to)
{
    err_t e = wait_until(&from->readable, seen(&from->used) || !seen(&from->writers), WAIT_FOREVER);
    if (!e)
        e = wait_until(&to->writable, seen(&to->used) < seen(&to->capacity) || !seen(&to->readers),
                       WAIT_FOREVER);
    return e ? -ERESTARTSYS : 0;
}

len_t pipe_copy(struct file *from, struct file *to, uint64_t size, bool no_wait)
{
    unsigned flags = __atomic_load_n(&from->flags, __ATOMIC_RELAXED) |
                     __atomic_load_n(&to->flags, __ATOMIC_RELAXED);
    no_wait |= (flags & OPEN_NONBLOCK) != 0;
    for (;;) {
        len_t n = copy_once(from->data, to->data, size);
        if (n != -EAGAIN || no_wait)
            return n;
        err_t e = copy_wait(from->data, to->data);
        if (e)
            return e;
    }
}

static err_t pipe_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                            unsigned flags, unsigned mode, struct file **file)
{
    if (length)
        return -ENOENT;
    if (flags & OPEN_DIRECTORY)
        return -ENOTDIR;
    if (flags & OPEN_PATH)
        return handle_place(s, path, NODE_PIPE, 0666, flags, file);
    return pipe_make_reader(0666, flags & OPEN_NONBLOCK, true, file);
}

static const struct scheme_ops pipe_scheme_ops = {
    .root = path_scheme_root,
    .open_path = pipe_open_path,
};
static struct scheme pipe_scheme = { .name = "pipe", .ops = &pipe_scheme_ops };

// Waits until the other end has been opened, if only for a moment.
static err_t fifo_wait(struct pipe *p, unsigned flags, uint32_t opens_before)
{
    if (flags & OPEN_READ)
        return wait_until(&p->readable, seen(&p->writers) || seen(&p->writer_opens) != opens_before,
                          WAIT_FOREVER);
    return wait_until(&p->writable, seen(&p->readers) || seen(&p->reader_opens) != opens_before,
                      WAIT_FOREVER);
}

err_t fifo_open(struct node *n, struct name *where, unsigned flags, struct file **file)
{
    unsigned ends = flags & (OPEN_READ | OPEN_WRITE);
    bool named = n->scheme != &pipe_scheme; // else this is /proc/PID/fd/N, which waits for nobody
    mutex_lock(&n->lock);
    if (!n->pipe)
        n->pipe = pipe_alloc();
    struct pipe *p = n->pipe;
    if (!p) {
        mutex_unlock(&n->lock);
        return -ENOMEM;
    }
    mutex_lock(&p->lock);
    p->references++;
    uint32_t writer_opens = p->writer_opens, reader_opens = p->reader_opens;
    pipe_count(p, ends, 1);
    bool alone = named && (ends == OPEN_READ ? p->writers == 0 : p->readers == 0);
    mutex_unlock(&p->lock);
    mutex_unlock(&n->lock);
    pipe_tell_all(p);

    err_t e = 0;
    if (alone && !(flags & OPEN_NONBLOCK)) {
        if (fifo_wait(p, ends, ends == OPEN_READ ? writer_opens : reader_opens))
            e = -ERESTARTSYS;
    } else if (alone && ends == OPEN_WRITE) {
        e = -ENXIO;
    }
    if (!e)
        e = file_make(&pipe_files, n, named ? where : NULL, flags, p, file);
    if (e)
        pipe_leave(p, n, ends);
    else
        (*file)->offset = alone && flags & OPEN_NONBLOCK ? writer_opens : UINT64_MAX;
    return e;
}

void pipe_init(void)
{
    pipes = slab_cache_make("pipe", sizeof(struct pipe), 8);
    err_t e = scheme_register(&pipe_scheme);
    if (e)
        panic("scheme: cannot register pipe");
}
