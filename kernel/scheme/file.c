// SPDX-License-Identifier: GPL-3.0-or-later
// Open files: making and dropping them, and the checks before each operation.
//
// Memory of a struct file is only ever reused as a struct file (it goes back to a pool of our own),
// and `references` of a free one is 0. So descriptor_file() may look at a file that is being closed
// under its eyes: file_try_get() fails on it, or takes a reference on what it has become, which the
// caller notices by looking at the slot again.
#include "kernel/scheme/file.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/notice.h"
#include "kernel/scheme/socket/socket.h"
#include "kernel/scheme/watch.h"
#include "lib/string.h"

enum { POOL_PARTS = 16 };

// Free files, in parts so that CPUs seldom meet; which part a caller uses follows from its stack.
static struct file_pool {
    struct spinlock lock; // RANK_LEAF
    struct list free;     // struct file.watchers
} align_to(64) pools[POOL_PARTS];

static unsigned pool_here(void)
{
    uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
    return hash_word(0, stack >> 13) % POOL_PARTS;
}

void file_init(void)
{
    for (unsigned i = 0; i < POOL_PARTS; i++) {
        spin_init(&pools[i].lock, RANK_LEAF);
        list_init(&pools[i].free);
    }
}

static const struct file_hooks no_hooks, *hooks = &no_hooks;

void file_set_hooks(const struct file_hooks *set)
{
    hooks = set;
}

// Looked at without the lock: who holds a lock here has a reference, so it was put in before.
static bool has_locks(const struct file *f)
{
    return f->node && !list_empty(&f->node->locks);
}

static struct list *pool_take(struct file_pool *pool)
{
    if (__atomic_load_n(&pool->free.next, __ATOMIC_RELAXED) == &pool->free)
        return NULL;
    spin_lock(&pool->lock);
    struct list *link = list_pop_front(&pool->free);
    spin_unlock(&pool->lock);
    return link;
}

// From the part at hand, else from any: files are often dropped elsewhere than they were made.
static struct file *file_alloc(void)
{
    struct list *link = NULL;
    unsigned here = pool_here();
    for (unsigned i = 0; !link && i < POOL_PARTS; i++)
        link = pool_take(&pools[(here + i) % POOL_PARTS]);
    if (!link)
        return heap_alloc(sizeof(struct file));

    struct file *f = container_of(link, struct file, watchers);
    size_t keep = offsetof(struct file, references) + sizeof(f->references);
    memset((char *)f + keep, 0, sizeof(*f) - keep);
    return f;
}

static void file_free(struct file *f)
{
    struct file_pool *pool = &pools[pool_here()];
    spin_lock(&pool->lock);
    list_push_front(&pool->free, &f->watchers);
    spin_unlock(&pool->lock);
}

// Counts who writes and who runs a program's file: never both (-ETXTBSY).
static err_t writers_take(struct node *n, unsigned flags)
{
    if (!n || n->kind != NODE_FILE || !(flags & (OPEN_WRITE | OPEN_EXECUTE)))
        return 0;
    int32_t step = flags & OPEN_WRITE ? 1 : -1;
    int32_t seen = __atomic_load_n(&n->writers, __ATOMIC_RELAXED);
    do {
        if ((step > 0 && seen < 0) || (step < 0 && seen > 0))
            return -ETXTBSY;
    } while (!__atomic_compare_exchange_n(&n->writers, &seen, seen + step, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return 0;
}

static void writers_give(struct node *n, unsigned flags)
{
    if (n && n->kind == NODE_FILE && (flags & (OPEN_WRITE | OPEN_EXECUTE)))
        __atomic_fetch_sub(&n->writers, flags & OPEN_WRITE ? 1 : -1, __ATOMIC_RELEASE);
}

err_t file_make(const struct file_ops *ops, struct node *node, struct name *where, unsigned flags,
                void *data, struct file **file)
{
    err_t e = writers_take(node, flags);
    if (e)
        return e;
    struct file *f = file_alloc();
    if (!f) {
        writers_give(node, flags);
        return -ENOMEM;
    }
    f->flags = flags;
    f->ops = ops;
    f->data = data;
    f->node = node;
    if (node)
        node_get(node);
    f->where = where;
    if (where) {
        name_get(where);
        f->quiet = __atomic_load_n(&where->quiet, __ATOMIC_RELAXED);
    }
    mutex_init(&f->lock, RANK_FILE);
    list_init(&f->watchers);
    spin_init(&f->watch_lock, RANK_WATCH_FILE);
    __atomic_store_n(&f->references, 1, __ATOMIC_RELEASE); // pairs with file_try_get()
    *file = f;
    return 0;
}

void file_end(struct file *f)
{
    watch_file_closing(f);
    notice_file(f, f->flags & OPEN_WRITE ? NOTICE_CLOSE_WRITE : NOTICE_CLOSE_OTHER);
    if (unlikely(has_locks(f)) && hooks->released)
        hooks->released(f);
    if (f->ops->close)
        f->ops->close(f);
    writers_give(f->node, f->flags);
    if (f->where)
        name_put(f->where);
    if (f->node)
        node_put(f->node);
    file_free(f);
}

void file_flew(void)
{
    __atomic_store_n(&socket_unsettled, true, __ATOMIC_RELEASE);
}

void descriptor_file_put(struct descriptors *d, struct file *f)
{
    if (unlikely(has_locks(f)) && hooks->descriptor_closed)
        hooks->descriptor_closed(f, d);
    file_put(f);
    if (unlikely(__atomic_load_n(&socket_unsettled, __ATOMIC_RELAXED)))
        socket_collect();
}

// To a file that somebody may watch.
static no_inline len_t read_told(struct file *f, struct io *io, uint64_t offset)
{
    len_t n = f->ops->read(f, io, offset);
    if (n > 0)
        notice_file(f, NOTICE_ACCESS);
    return n;
}

static force_inline len_t read_checked(struct file *f, struct io *io, uint64_t offset)
{
    if (unlikely(!(f->flags & OPEN_READ)))
        return -EBADF;
    if (unlikely(f->node && f->node->kind == NODE_DIRECTORY))
        return -EISDIR;
    if (unlikely(!f->ops->read))
        return -EINVAL;
    if (offset != FILE_OFFSET_OWN && offset &&
        io->left > INT64_MAX - min_of(offset, (uint64_t)INT64_MAX))
        return -EINVAL;
    if (f->node && notice_stale(f->quiet)) // nobody is told of what has no node
        return read_told(f, io, offset);
    return f->ops->read(f, io, offset);
}

// To a regular file, of which a limit may leave less room than is wanted.
static no_inline len_t write_within_limit(struct file *f, struct io *io, uint64_t offset)
{
    uint64_t all = io->left;
    len_t room = all ? hooks->write_room(f->flags & OPEN_APPEND ? f->node->size : offset, all) : 0;
    if (room < 0)
        return room;
    io->left = (uint64_t)room;
    len_t n = f->ops->write(f, io, offset);
    io->left += all - (uint64_t)room;
    return n;
}

static force_inline len_t write_unwatched(struct file *f, struct io *io, uint64_t offset)
{
    if (unlikely(!(f->flags & OPEN_WRITE)))
        return -EBADF;
    if (unlikely(!f->ops->write))
        return -EINVAL;
    if (offset != FILE_OFFSET_OWN && offset &&
        io->left > INT64_MAX - min_of(offset, (uint64_t)INT64_MAX))
        return -EFBIG;
    if (f->node && f->node->kind == NODE_FILE && hooks->write_room)
        return write_within_limit(f, io, offset);
    return f->ops->write(f, io, offset);
}

// To a file that somebody may watch.
static no_inline len_t write_told(struct file *f, struct io *io, uint64_t offset)
{
    len_t n = write_unwatched(f, io, offset);
    if (n > 0)
        notice_file(f, NOTICE_MODIFY);
    return n;
}

static force_inline len_t write_checked(struct file *f, struct io *io, uint64_t offset)
{
    return f->node && notice_stale(f->quiet) ? write_told(f, io, offset)
                                             : write_unwatched(f, io, offset);
}

static no_inline len_t read_seekable(struct file *f, struct io *io)
{
    mutex_lock(&f->lock);
    len_t n = read_checked(f, io, f->offset);
    if (n > 0)
        f->offset += (uint64_t)n;
    mutex_unlock(&f->lock);
    return n;
}

len_t file_read(struct file *f, struct io *io)
{
    if (f->ops->keeps_offset)
        return read_checked(f, io, FILE_OFFSET_OWN);
    return f->ops->seek ? read_seekable(f, io) : read_checked(f, io, 0);
}

static no_inline len_t write_seekable(struct file *f, struct io *io)
{
    mutex_lock(&f->lock);
    len_t n = write_checked(f, io, f->offset);
    if (n > 0) {
        f->offset += (uint64_t)n;
        if (f->flags & OPEN_APPEND && f->node)
            f->offset = f->node->size;
    }
    mutex_unlock(&f->lock);
    return n;
}

len_t file_write(struct file *f, struct io *io)
{
    if (f->ops->keeps_offset)
        return write_checked(f, io, FILE_OFFSET_OWN);
    return f->ops->seek ? write_seekable(f, io) : write_checked(f, io, 0);
}

len_t file_read_at(struct file *f, struct io *io, uint64_t offset)
{
    if (!f->ops->seek)
        return f->flags & OPEN_PATH ? -EBADF : -ESPIPE;
    return offset > INT64_MAX ? -EINVAL : read_checked(f, io, offset);
}

len_t file_write_at(struct file *f, struct io *io, uint64_t offset)
{
    if (!f->ops->seek)
        return f->flags & OPEN_PATH ? -EBADF : -ESPIPE;
    return offset > INT64_MAX ? -EINVAL : write_checked(f, io, offset);
}

void file_view_now(const struct file *f, struct file *view)
{
    *view = *f;
    view->references = 1; // the caller's: calls may take others and give them back
    view->flags |= OPEN_NONBLOCK;
    view->flying = false;
    mutex_init(&view->lock, RANK_FILE);
    list_init(&view->watchers);
    spin_init(&view->watch_lock, RANK_WATCH_FILE);
}

err_t file_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    if (f->flags & OPEN_PATH)
        return -EBADF;
    if (!f->ops->seek)
        return -ESPIPE;
    if (f->ops->keeps_offset)
        return f->ops->seek(f, by, from, result);
    mutex_lock(&f->lock);
    err_t e = f->ops->seek(f, by, from, result);
    if (!e)
        f->offset = *result;
    mutex_unlock(&f->lock);
    return e;
}

err_t file_seek_within(struct file *f, int64_t by, enum seek_from from, uint64_t size,
                       uint64_t *result)
{
    int64_t base;
    switch (from) {
    case SEEK_FROM_START:
        base = 0;
        break;
    case SEEK_FROM_HERE:
        base = (int64_t)f->offset;
        break;
    case SEEK_FROM_END:
        base = (int64_t)size;
        break;
    case SEEK_DATA_AT: // without holes: all of it is data, and a hole is at the end
    case SEEK_HOLE_AT:
        if (by < 0 || (uint64_t)by >= size)
            return -ENXIO;
        *result = from == SEEK_DATA_AT ? (uint64_t)by : size;
        return 0;
    default:
        return -EINVAL;
    }
    int64_t to;
    if (add_overflows(base, by, &to))
        return -EOVERFLOW;
    if (to < 0)
        return -EINVAL;
    *result = (uint64_t)to;
    return 0;
}

// Stands before the caller's sink and notes how far it got.
struct list_progress {
    struct directory_sink sink;
    struct directory_sink *inner;
    uint64_t offset;
};

static bool list_entry_pass(struct directory_sink *s, const char *name, size_t length,
                            uint64_t inode, unsigned kind, uint64_t next_offset)
{
    struct list_progress *p = container_of(s, struct list_progress, sink);
    if (!p->inner->entry(p->inner, name, length, inode, kind, next_offset))
        return false;
    p->offset = next_offset;
    return true;
}

err_t file_list(struct file *f, struct directory_sink *s)
{
    if (!f->ops->list)
        return f->flags & OPEN_PATH ? -EBADF : -ENOTDIR;
    if (!(f->flags & OPEN_READ))
        return -EBADF;
    if (f->node && __atomic_load_n(&f->node->dead, __ATOMIC_RELAXED))
        return -ENOENT;
    bool lock = !f->ops->keeps_offset;
    if (lock)
        mutex_lock(&f->lock);
    struct list_progress p = { { list_entry_pass }, s, f->offset };
    err_t e = f->ops->list(f, f->offset, &p.sink);
    f->offset = p.offset;
    if (lock)
        mutex_unlock(&f->lock);
    if (!e)
        notice_file(f, NOTICE_ACCESS);
    return e;
}

bool file_list_dots(struct file *f, uint64_t *offset, struct directory_sink *s)
{
    uint64_t own = f->node ? f->node->inode : 1, above = own;
    if (*offset == 0) {
        if (!s->entry(s, ".", 1, own, NODE_DIRECTORY, 1))
            return false;
        *offset = 1;
    }
    if (*offset == 1) {
        if (f->where) {
            struct name *parent = name_parent(NULL, f->where);
            if (parent->node)
                above = parent->node->inode;
            name_put(parent);
        }
        if (!s->entry(s, "..", 2, above, NODE_DIRECTORY, 2))
            return false;
        *offset = 2;
    }
    return true;
}

err_t file_control(struct file *f, unsigned request, void *argument)
{
    if (f->flags & OPEN_PATH)
        return -EBADF;
    return f->ops->control ? f->ops->control(f, request, argument) : -ENOTTY;
}

err_t file_sync(struct file *f, bool data_only)
{
    if (f->flags & OPEN_PATH)
        return -EBADF;
    return f->ops->sync ? f->ops->sync(f, data_only) : -EINVAL;
}

err_t file_resize(struct file *f, uint64_t size)
{
    if (f->flags & OPEN_PATH)
        return -EBADF;
    if (!(f->flags & OPEN_WRITE) || size > INT64_MAX)
        return -EINVAL;
    err_t e = f->ops->resize ? f->ops->resize(f, size) : -EINVAL;
    if (!e)
        notice_file(f, NOTICE_MODIFY);
    return e;
}

err_t file_allocate(struct file *f, unsigned mode, uint64_t offset, uint64_t size)
{
    if (!(f->flags & OPEN_WRITE))
        return -EBADF;
    if (size == 0)
        return -EINVAL;
    if (!range_fits(offset, size, INT64_MAX))
        return -EFBIG;
    err_t e = f->ops->allocate ? f->ops->allocate(f, mode, offset, size) : -EOPNOTSUPP;
    if (!e)
        notice_file(f, NOTICE_MODIFY);
    return e;
}

err_t file_status(struct file *f, struct file_status *status)
{
    if (f->ops->status) {
        err_t e = f->ops->status(f, status);
        if (!e && !status->device)
            status->device = f->device;
        return e;
    }
    if (f->node)
        return node_status(f->node, status);
    *status =
        (struct file_status){ .device = f->device, .mode = 0600, .links = 1, .block_size = 4096 };
    return 0;
}

err_t file_totals(struct file *f, struct scheme_totals *totals)
{
    if (f->ops->totals)
        return f->ops->totals(f, totals);
    return f->node ? node_totals(f->node, totals) : -EBADF;
}

err_t file_derive(struct file *f, const void *bytes, size_t size, struct file **file)
{
    err_t e = f->ops->derive ? f->ops->derive(f, bytes, size, file) : -EINVAL;
    if (!e && !(*file)->device)
        (*file)->device = f->device;
    return e;
}

err_t file_open_at(struct file *f, const char *path, size_t length, unsigned flags, unsigned mode,
                   struct file **file)
{
    if (!f->ops->open_at)
        return -EOPNOTSUPP;
    err_t e = f->ops->open_at(f, path, length, flags, mode, file);
    if (!e && !(*file)->device)
        (*file)->device = f->device;
    return e;
}

err_t file_change_flags(struct file *f, unsigned flags)
{
    unsigned may = OPEN_APPEND | OPEN_NONBLOCK | OPEN_NO_ACCESS_TIME | OPEN_DIRECT | OPEN_ASYNC;
    unsigned seen = __atomic_load_n(&f->flags, __ATOMIC_RELAXED), wanted;
    if (f->ops->change_flags) {
        err_t e = f->ops->change_flags(f, (seen & ~may) | (flags & may));
        if (e)
            return e;
    }
    do {
        wanted = (seen & ~may) | (flags & may);
    } while (!__atomic_compare_exchange_n(&f->flags, &seen, wanted, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return 0;
}

err_t file_send(struct file *f, struct file *sent, unsigned flags, uint64_t argument,
                uint64_t *result)
{
    return f->ops->send ? f->ops->send(f, sent, flags, argument, result) : -EOPNOTSUPP;
}

err_t file_path(struct file *f, char *to, size_t room, size_t *length)
{
    if (f->ops->path)
        return f->ops->path(f, to, room, length);
    if (!f->where)
        return -ENOENT;
    return name_path(NULL, f->where, true, to, room, length);
}

err_t file_label(char *to, size_t room, size_t *length, const char *label)
{
    *length = strlen(label);
    return string_copy(to, label, room) ? 0 : -ERANGE;
}
