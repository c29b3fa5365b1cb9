// SPDX-License-Identifier: GPL-3.0-or-later
// Contents of tmpfs files: bytes in the pages of a memory object, charged to their tree page by
// page.
#include "kernel/memory/heap.h"
#include "kernel/memory/space.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/seal.h"
#include "kernel/scheme/tmp.h"

// What an object knows of its tree; lives as long as the object, which mappings may hold.
struct tmp_content {
    struct scheme *scheme;
    uint64_t charged; // pages counted in the tree's pages_used; atomic
};

// A page is being made: count it. Under the object's lock.
static err_t content_fill(struct memory_object *o, uint64_t index, struct page *p)
{
    struct tmp_content *c = o->private_data;
    struct tmp_tree *t = c->scheme->data;
    if (__atomic_add_fetch(&t->pages_used, 1, __ATOMIC_RELAXED) > t->pages_limit) {
        __atomic_fetch_sub(&t->pages_used, 1, __ATOMIC_RELAXED);
        return -ENOSPC;
    }
    __atomic_fetch_add(&c->charged, 1, __ATOMIC_RELAXED);
    return 0;
}

static void content_uncharge(struct tmp_content *c, uint64_t pages)
{
    struct tmp_tree *t = c->scheme->data;
    __atomic_fetch_sub(&c->charged, pages, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&t->pages_used, pages, __ATOMIC_RELAXED);
}

// After pages went: what is charged but not there any more.
static void content_settle(struct memory_object *o)
{
    struct tmp_content *c = o->private_data;
    mutex_lock(&o->lock);
    if (c->charged > o->resident)
        content_uncharge(c, c->charged - o->resident);
    mutex_unlock(&o->lock);
}

static void content_drop(struct memory_object *o)
{
    struct tmp_content *c = o->private_data;
    content_uncharge(c, c->charged);
    scheme_put(c->scheme);
    heap_free(c);
}

static const struct pager tmp_pager = {
    .name = "tmp",
    .fill = content_fill,
    .drop = content_drop,
};

err_t tmp_file_init(struct node *n)
{
    struct tmp_content *c = heap_alloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->scheme = n->scheme;
    n->seals = SEAL_SEAL;
    n->object = object_make(&tmp_pager, c, 0);
    if (!n->object) {
        heap_free(c);
        return -ENOMEM;
    }
    scheme_get(c->scheme);
    return 0;
}

static len_t tmp_read(struct file *f, struct io *io, uint64_t offset)
{
    struct node *n = f->node;
    uint64_t size = __atomic_load_n(&n->size, __ATOMIC_ACQUIRE);
    if (offset >= size)
        return 0;
    uint64_t left = min_of(io->left, size - offset);
    err_t e = 0;
    while (left && !e) {
        size_t at = offset % PAGE_SIZE, piece = min_of(left, PAGE_SIZE - at);
        struct page *p;
        e = object_page(n->object, offset / PAGE_SIZE, false, &p);
        if (e)
            break;
        if (p) {
            e = io_put(io, (char *)page_virt(p) + at, piece);
            page_put(p);
        } else {
            e = io_put_zeros(io, piece);
        }
        offset += piece;
        left -= piece;
    }
    // The time of access moves when it is older than the last change (as "relatime").
    bool wanted = !(f->flags & OPEN_NO_ACCESS_TIME) &&
                  !(f->where && f->where->mount && f->where->mount->flags & MOUNT_NO_TIMES);
    if (wanted && n->times.accessed <= n->times.modified)
        n->times.accessed = clock_wall();
    return io_result(io, e);
}

static void changed(struct node *n)
{
    n->times.modified = n->times.changed = clock_wall();
    if (n->mode & MODE_SET_USER || (n->mode & MODE_SET_GROUP && n->mode & 0010))
        n->mode &= (uint16_t) ~(MODE_SET_USER | MODE_SET_GROUP);
}

// Sets the size of object and node. Under the node's lock.
static err_t size_set(struct node *n, uint64_t size)
{
    bool shrinks = size < n->object->size;
    err_t e = object_resize(n->object, size);
    if (e)
        return e;
    __atomic_store_n(&n->size, size, __ATOMIC_RELEASE);
    if (shrinks)
        content_settle(n->object);
    return 0;
}

static err_t write_pages(struct node *n, struct io *io, uint64_t offset)
{
    while (io->left) {
        size_t at = offset % PAGE_SIZE, piece = min_of(io->left, PAGE_SIZE - at);
        struct page *p;
        err_t e = object_page(n->object, offset / PAGE_SIZE, true, &p);
        if (e)
            return e;
        e = io_get(io, (char *)page_virt(p) + at, piece);
        page_put(p);
        if (e)
            return e;
        offset += piece;
    }
    return 0;
}

// What the seals say of writing [offset, end): -EPERM, or how many bytes at its end are too many.
// A page is written to its end or, where that would make the file grow, not at all.
static err_t sealed_write(const struct node *n, uint64_t offset, uint64_t end, uint64_t *beyond)
{
    uint64_t whole = round_down(n->size, PAGE_SIZE);
    if (n->seals & SEALS_WRITE)
        return -EPERM;
    if (!(n->seals & SEAL_GROW) || end <= n->size)
        return 0;
    if (offset >= whole)
        return -EPERM;
    *beyond = end - whole;
    return 0;
}

static len_t tmp_write(struct file *f, struct io *io, uint64_t offset)
{
    struct node *n = f->node;
    if (io->left == 0)
        return 0;
    mutex_lock(&n->lock);
    if (f->flags & OPEN_APPEND)
        offset = n->size;
    uint64_t size = n->size, end, beyond = 0;
    err_t e = add_overflows(offset, io->left, &end) || end > INT64_MAX ? -EFBIG : 0;
    if (!e)
        e = sealed_write(n, offset, end, &beyond);
    end -= beyond;
    io->left -= beyond;
    if (!e && end > size)
        e = object_resize(n->object, end);
    if (!e) {
        e = write_pages(n, io, offset);
        changed(n);
        err_t cut = 0;
        if (end > size)
            cut = size_set(n, io->done ? max_of(size, offset + io->done) : size);
        if (cut && !e)
            e = cut;
    }
    mutex_unlock(&n->lock);
    io->left += beyond;
    return io_result(io, e);
}

// The next page boundary where data begins (or ends), from `offset` on.
static err_t seek_data(struct node *n, uint64_t offset, bool hole, uint64_t *result)
{
    uint64_t size = n->size;
    if (offset >= size)
        return -ENXIO;
    uint64_t first = offset / PAGE_SIZE, index = first;
    mutex_lock(&n->object->lock);
    bool found = radix_next(&n->object->pages, &index);
    if (hole)
        while (found && index == first) { // a run of pages
            index = ++first;
            found = radix_next(&n->object->pages, &index);
        }
    mutex_unlock(&n->object->lock);
    uint64_t at = (hole ? first : index) * PAGE_SIZE;
    if (!hole && (!found || at >= size))
        return -ENXIO;
    *result = min_of(max_of(at, offset), size);
    return 0;
}

static err_t tmp_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    if (from != SEEK_DATA_AT && from != SEEK_HOLE_AT)
        return file_seek_within(f, by, from, f->node->size, result);
    if (by < 0)
        return -ENXIO;
    return seek_data(f->node, (uint64_t)by, from == SEEK_HOLE_AT, result);
}

bool tmp_file_is(const struct node *n)
{
    return n->object && n->object->pager == &tmp_pager;
}

err_t tmp_file_adopt(struct node *n, uint64_t index, struct page *p)
{
    err_t e = content_fill(n->object, index, p);
    if (e)
        return e;
    e = object_adopt(n->object, index, p);
    if (e)
        content_uncharge(n->object->private_data, 1);
    return e;
}

err_t tmp_file_resize(struct node *n, uint64_t size)
{
    mutex_lock(&n->lock);
    bool sealed =
        (size < n->size && n->seals & SEAL_SHRINK) || (size > n->size && n->seals & SEAL_GROW);
    err_t e = sealed ? -EPERM : size_set(n, size);
    if (!e)
        changed(n);
    mutex_unlock(&n->lock);
    return e;
}

static err_t tmp_resize(struct file *f, uint64_t size)
{
    return tmp_file_resize(f->node, size);
}

// Zeroes [start, end), which lies in one page, if the page is there.
static err_t zero_piece(struct node *n, uint64_t start, uint64_t end)
{
    struct page *p;
    err_t e = start < end ? object_page(n->object, start / PAGE_SIZE, false, &p) : 0;
    if (e || start >= end || !p)
        return e;
    __builtin_memset((char *)page_virt(p) + start % PAGE_SIZE, 0, end - start);
    page_put(p);
    return 0;
}

static err_t zero_range(struct node *n, uint64_t start, uint64_t end)
{
    uint64_t first = round_up(start, PAGE_SIZE), last = round_down(end, PAGE_SIZE);
    if (first > last) // within one page
        return zero_piece(n, start, end);
    err_t e = zero_piece(n, start, first);
    if (!e)
        e = zero_piece(n, last, end);
    if (!e && first < last) {
        object_punch(n->object, first / PAGE_SIZE, last / PAGE_SIZE);
        content_settle(n->object);
    }
    return e;
}

static err_t make_range(struct node *n, uint64_t start, uint64_t end)
{
    err_t e = 0;
    for (uint64_t i = start / PAGE_SIZE; !e && i < div_round_up(end, PAGE_SIZE); i++) {
        struct page *p;
        e = object_page(n->object, i, true, &p);
        if (!e)
            page_put(p);
    }
    return e;
}

static err_t tmp_allocate(struct file *f, unsigned mode, uint64_t offset, uint64_t size)
{
    struct node *n = f->node;
    uint64_t end = offset + size;
    bool keep = mode & ALLOCATE_KEEP_SIZE, punch = mode & ALLOCATE_PUNCH_HOLE;
    if (mode & ~(unsigned)(ALLOCATE_KEEP_SIZE | ALLOCATE_PUNCH_HOLE | ALLOCATE_ZERO_RANGE) ||
        (punch && (!keep || mode & ALLOCATE_ZERO_RANGE)))
        return -EOPNOTSUPP;
    mutex_lock(&n->lock);
    uint64_t before = n->size;
    bool sealed = punch ? n->seals & SEALS_WRITE : end > before && n->seals & SEAL_GROW;
    err_t e = sealed ? -EPERM : 0;
    if (!e && end > before && !keep)
        e = object_resize(n->object, end);
    uint64_t inside = min_of(end, n->object->size);
    if (!e && mode & (ALLOCATE_PUNCH_HOLE | ALLOCATE_ZERO_RANGE) && offset < inside)
        e = zero_range(n, offset, inside);
    if (!e && !punch && offset < inside)
        e = make_range(n, offset, inside);
    if (!sealed && end > before && !keep) {
        err_t set = size_set(n, e ? before : end);
        e = e ? e : set;
    }
    if (!e)
        changed(n);
    mutex_unlock(&n->lock);
    return e;
}

static err_t tmp_map(struct file *f, struct map_request *r)
{
    object_get(f->node->object);
    r->object = f->node->object;
    return 0;
}

static err_t tmp_sync(struct file *f, bool data_only)
{
    return 0;
}

const struct file_ops tmp_files = {
    .name = "tmp",
    .read = tmp_read,
    .write = tmp_write,
    .seek = tmp_seek,
    .map = tmp_map,
    .sync = tmp_sync,
    .resize = tmp_resize,
    .allocate = tmp_allocate,
};
