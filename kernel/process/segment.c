// SPDX-License-Identifier: GPL-3.0-or-later
// See segment.h. While it is not removed, the table has one reference on the segment's file; the
// last one's end takes the segment out of the table, so that whoever finds it there under the lock
// may try for a reference of his own.
#include "kernel/process/segment.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/space.h"
#include "kernel/process/process.h"
#include "kernel/scheme/file.h"
#include <redox/errno.h>

struct segment {
    struct ipc ipc;
    uint64_t size;
    struct memory_object *object;
    struct file *file;
    int64_t attach_time, detach_time; // atomic
    int64_t change_time;
    int32_t maker;
    int32_t last; // atomic
};

static struct ipc_table segments;

static void note_use(struct segment *s, int64_t *time)
{
    struct task *t = task_current();
    __atomic_store_n(time, ipc_now(), __ATOMIC_RELAXED);
    if (t)
        __atomic_store_n(&s->last, t->process->number, __ATOMIC_RELAXED);
}

static err_t segment_map(struct file *f, struct map_request *r)
{
    struct segment *s = f->data;
    if (!(r->access & MAP_WRITE))
        r->max_access &= ~(unsigned)MAP_WRITE;
    object_get(s->object);
    r->object = s->object;
    return 0;
}

static void segment_unmapped(struct file *f, uint64_t offset, uint64_t size)
{
    struct segment *s = f->data;
    note_use(s, &s->detach_time);
}

static err_t segment_path(struct file *f, char *to, size_t room, size_t *length)
{
    return file_label(to, room, length, "SYSV");
}

static void segment_close(struct file *f)
{
    struct segment *s = f->data;
    mutex_lock(&segments.lock);
    ipc_remove(&segments, &s->ipc);
    mutex_unlock(&segments.lock);
    object_put(s->object);
    heap_free(s);
}

static const struct file_ops segment_files = {
    .name = "segment",
    .map = segment_map,
    .unmapped = segment_unmapped,
    .path = segment_path,
    .close = segment_close,
};

void segment_init(void)
{
    ipc_table_init(&segments, SEGMENTS_MAX);
}

static struct segment *segment_of(struct ipc *o)
{
    return o ? container_of(o, struct segment, ipc) : NULL;
}

static struct segment *segment_find(int id)
{
    return segment_of(ipc_find(&segments, id));
}

// Its file with a reference; NULL: there is none, or it is just going.
static struct file *segment_hold(int id)
{
    mutex_lock(&segments.lock);
    struct segment *s = segment_find(id);
    struct file *f = s && file_try_get(s->file) ? s->file : NULL;
    mutex_unlock(&segments.lock);
    return f;
}

static void segment_drop(struct segment *s)
{
    if (s && s->object)
        object_put(s->object);
    heap_free(s);
}

// One that is in no table yet.
static err_t segment_make(uint64_t size, struct segment **made)
{
    struct segment *s = heap_alloc(sizeof(*s));
    if (s)
        s->object = object_make(&anonymous_pager, NULL, round_up(size, PAGE_SIZE));
    if (!s || !s->object) {
        segment_drop(s);
        return -ENOMEM;
    }
    s->size = size;
    s->maker = process_current()->number;
    s->change_time = ipc_now();
    *made = s;
    return 0;
}

// With the table's lock: what a key that is there answers.
static err_t check_found(const struct segment *s, uint64_t size, unsigned flags, unsigned mode)
{
    if ((flags & IPC_MAKE) && (flags & IPC_MAKE_ONLY))
        return -EEXIST;
    if (size > s->size)
        return -EINVAL;
    return ipc_access(&s->ipc, (mode | mode >> 3 | mode >> 6) & 7);
}

// The segment's file is made last: with it the segment is complete, and without it, gone.
static err_t enter(struct segment *s, int32_t key, unsigned mode)
{
    err_t e = ipc_add(&segments, &s->ipc, key, mode & 0777);
    if (e)
        return e;
    e = file_make(&segment_files, NULL, NULL, OPEN_READ | OPEN_WRITE, s, &s->file);
    if (e)
        ipc_remove(&segments, &s->ipc);
    return e;
}

err_t segment_get(int32_t key, uint64_t size, unsigned flags, unsigned mode, int *id)
{
    struct segment *fresh = NULL;
    err_t e = 0;
    bool may_make = !key || (flags & IPC_MAKE);
    bool size_ok = size && size <= USER_END - PAGE_SIZE;
    if (may_make && size_ok)
        e = segment_make(size, &fresh);
    if (e)
        return e;
    mutex_lock(&segments.lock);
    struct segment *s = key ? segment_of(ipc_find_key(&segments, key)) : NULL;
    if (s) {
        e = check_found(s, size, flags, mode);
    } else if (!may_make || !fresh) {
        e = may_make ? -EINVAL : -ENOENT;
    } else {
        e = enter(fresh, key, mode);
        s = fresh;
    }
    if (!e)
        *id = s->ipc.id;
    if (!e && s == fresh)
        fresh = NULL;
    mutex_unlock(&segments.lock);
    segment_drop(fresh);
    return e;
}

static err_t may_attach(struct segment *s, unsigned flags)
{
    mutex_lock(&segments.lock);
    err_t e = ipc_access(&s->ipc, IPC_READ | (flags & SEGMENT_WRITE ? IPC_WRITE : 0u) |
                                      (flags & SEGMENT_EXECUTE ? 1u : 0u));
    mutex_unlock(&segments.lock);
    return e;
}

err_t segment_attach(int id, unsigned flags, uaddr_t *address)
{
    struct file *f = segment_hold(id);
    if (!f)
        return -EINVAL;
    struct segment *s = f->data;
    struct map_request r = {
        .address = *address,
        .size = s->size,
        .access = MAP_READ | (flags & SEGMENT_WRITE ? MAP_WRITE : 0u) |
                  (flags & SEGMENT_EXECUTE ? MAP_EXECUTE : 0u),
        .flags = MAPF_SHARED | (*address ? MAPF_FIXED : 0u) |
                 (flags & SEGMENT_REPLACE ? 0u : MAPF_NO_REPLACE),
    };
    err_t e = may_attach(s, flags);
    if (!e)
        e = file_map(f, process_current()->space, &r, address);
    if (!e)
        note_use(s, &s->attach_time);
    file_put(f);
    return e == -EEXIST ? -EINVAL : e;
}

// What is left of one attachment: mappings of the file at the places that it began with.
struct remains {
    uaddr_t begin, start, end; // of the attachment; of the first piece, if any
    uint64_t size;             // of the segment
    const struct file *file;   // NULL: the first mapping tells
};

static bool find_piece(const struct mapping *m, void *data)
{
    struct remains *r = data;
    const struct file *f = m->file;
    if (m->start - m->offset == r->begin && f && f->ops == &segment_files &&
        (!r->file || r->file == f)) {
        r->file = f;
        r->size = ((struct segment *)f->data)->size;
        r->start = m->start;
        r->end = m->end;
        return false;
    }
    return r->file && m->start < r->begin + r->size;
}

err_t segment_detach(uaddr_t address)
{
    struct space *s = process_current()->space;
    struct remains r = { .begin = address };
    space_visit_from(s, address, find_piece, &r);
    if (!r.file)
        return -EINVAL;
    while (r.start < r.end) {
        err_t e = space_unmap(s, r.start, r.end - r.start);
        if (e)
            return e;
        uaddr_t next = r.end;
        r.start = r.end = 0;
        space_visit_from(s, next, find_piece, &r);
    }
    return 0;
}

err_t segment_remove(int id)
{
    struct file *gone = NULL;
    mutex_lock(&segments.lock);
    struct segment *s = segment_find(id);
    err_t e = s ? ipc_owns(&s->ipc) : -EINVAL;
    if (!e && !s->ipc.removed) {
        ipc_forget_key(&segments, &s->ipc);
        gone = s->file;
    }
    mutex_unlock(&segments.lock);
    if (gone)
        file_put(gone);
    return e;
}

err_t segment_set(int id, const struct ipc_owner *owner)
{
    mutex_lock(&segments.lock);
    struct segment *s = segment_find(id);
    err_t e = s ? ipc_set(&s->ipc, owner) : -EINVAL;
    if (!e)
        s->change_time = ipc_now();
    mutex_unlock(&segments.lock);
    return e;
}

static void status_fill(const struct segment *s, struct segment_status *status)
{
    uint32_t references = __atomic_load_n(&s->file->references, __ATOMIC_RELAXED);
    uint32_t own = s->ipc.removed ? 0 : 1;
    *status = (struct segment_status){
        .ipc = s->ipc,
        .size = s->size,
        .attached = references > own ? references - own : 0,
        .resident = s->object->resident,
        .attach_time = __atomic_load_n(&s->attach_time, __ATOMIC_RELAXED),
        .detach_time = __atomic_load_n(&s->detach_time, __ATOMIC_RELAXED),
        .change_time = s->change_time,
        .maker = s->maker,
        .last = __atomic_load_n(&s->last, __ATOMIC_RELAXED),
    };
}

err_t segment_status(int id, bool by_place, bool any, struct segment_status *status)
{
    mutex_lock(&segments.lock);
    struct segment *s = !by_place ? segment_find(id)
                        : id >= 0 ? segment_of(ipc_at(&segments, (unsigned)id))
                                  : NULL;
    err_t e = s ? 0 : -EINVAL;
    if (!e && !any)
        e = ipc_access(&s->ipc, IPC_READ);
    if (!e)
        status_fill(s, status);
    mutex_unlock(&segments.lock);
    return e;
}

void segment_totals(struct segment_totals *totals)
{
    mutex_lock(&segments.lock);
    *totals =
        (struct segment_totals){ .count = segments.count, .last_place = ipc_last_place(&segments) };
    unsigned place = 0;
    for (struct ipc *o; (o = ipc_next(&segments, &place)); place++) {
        totals->pages += div_round_up(segment_of(o)->size, PAGE_SIZE);
        totals->resident += segment_of(o)->object->resident;
    }
    mutex_unlock(&segments.lock);
}
