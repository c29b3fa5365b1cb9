// SPDX-License-Identifier: GPL-3.0-or-later
// The tree of mappings of one space: finding, splitting, joining, removing.
#include "kernel/memory/heap.h"
#include "kernel/memory/space_inside.h"
#include <redox/errno.h>

static struct slab_cache *mapping_cache;
static const struct space_file_hooks *hooks;

void mappings_init(void)
{
    mapping_cache = slab_cache_make("mapping", sizeof(struct mapping), 8);
}

void space_set_file_hooks(const struct space_file_hooks *set)
{
    hooks = set;
}

static struct mapping *mapping_of(struct range_node *r)
{
    return r ? container_of(r, struct mapping, range) : NULL;
}

struct mapping *mapping_find(struct space *s, uaddr_t address)
{
    return mapping_of(range_tree_find(&s->mappings, address));
}

struct mapping *mapping_at(struct space *s, uaddr_t address)
{
    struct mapping *m = mapping_find(s, address);
    return m && m->start <= address ? m : NULL;
}

struct mapping *mapping_next(const struct mapping *m)
{
    return mapping_of(range_tree_next(&m->range));
}

struct mapping *mapping_prev(const struct mapping *m)
{
    return mapping_of(range_tree_prev(&m->range));
}

struct mapping *mapping_make(const struct mapping *like, uaddr_t start, uaddr_t end,
                             uint64_t offset)
{
    struct mapping *m = slab_alloc(mapping_cache);
    if (!m)
        return NULL;
    m->start = start;
    m->end = end;
    m->access = like->access;
    m->max_access = like->max_access;
    m->flags = like->flags;
    m->object = like->object;
    m->offset = like->object ? offset : 0;
    m->file = like->file;
    m->file_shift = like->file_shift;
    list_init(&m->object_link);
    if (m->object)
        object_get(m->object);
    if (m->file)
        hooks->get(m->file);
    return m;
}

// While its bounds change, nobody may walk the object's list of mappings.
static void object_lock(const struct mapping *m)
{
    if (m->object)
        mutex_lock(&m->object->lock);
}

static void object_unlock(const struct mapping *m)
{
    if (m->object)
        mutex_unlock(&m->object->lock);
}

// What the kernel pinned there is not the program's.
static uint64_t counted_bytes(const struct mapping *m)
{
    return m->flags & MAPF_PINNED ? 0 : m->end - m->start;
}

// These three with the object's lock held.
static void insert_locked(struct space *s, struct mapping *m)
{
    m->space = s;
    range_tree_insert(&s->mappings, &m->range);
    s->mapping_count++;
    s->mapped_bytes += counted_bytes(m);
    if (m->object)
        list_push_back(&m->object->mappings, &m->object_link);
}

static void remove_locked(struct mapping *m)
{
    range_tree_remove(&m->space->mappings, &m->range);
    m->space->mapping_count--;
    m->space->mapped_bytes -= counted_bytes(m);
    list_remove(&m->object_link);
}

static void resize_locked(struct mapping *m, uaddr_t start, uaddr_t end)
{
    m->space->mapped_bytes += (end - start) - (m->end - m->start);
    if (m->object)
        m->offset += start - m->start;
    m->start = start;
    m->end = end;
    range_tree_changed(&m->space->mappings, &m->range);
}

void mapping_insert(struct space *s, struct mapping *m)
{
    object_lock(m);
    insert_locked(s, m);
    object_unlock(m);
}

void mapping_remove(struct mapping *m, struct list *dead)
{
    object_lock(m);
    remove_locked(m);
    object_unlock(m);
    list_push_back(dead, &m->object_link);
}

void mapping_resize(struct mapping *m, uaddr_t start, uaddr_t end)
{
    object_lock(m);
    resize_locked(m, start, end);
    object_unlock(m);
}

void mappings_release(struct list *dead)
{
    while (!list_empty(dead)) {
        struct mapping *m = list_first(dead, struct mapping, object_link);
        list_remove(&m->object_link);
        if (m->object)
            object_put(m->object);
        if (m->file) {
            if (m->flags & MAPF_GONE)
                hooks->unmapped(m->file, m->offset - m->file_shift, m->end - m->start);
            hooks->put(m->file);
        }
        slab_free(mapping_cache, m);
    }
}

static bool mergeable(const struct mapping *a, const struct mapping *b)
{
    return a->end == b->start && a->access == b->access && a->max_access == b->max_access &&
           a->flags == b->flags && a->object == b->object && a->file == b->file &&
           a->file_shift == b->file_shift &&
           (!a->object || a->offset + (a->end - a->start) == b->offset);
}

// `second` is swallowed by the mapping before it.
static void merge_pair(struct mapping *first, struct mapping *second, struct list *dead)
{
    object_lock(first); // nobody sees the pages belong to neither
    remove_locked(second);
    resize_locked(first, first->start, second->end);
    object_unlock(first);
    list_push_back(dead, &second->object_link);
}

void mapping_merge(struct space *s, struct mapping *m, struct list *dead)
{
    struct mapping *before = mapping_prev(m), *after = mapping_next(m);
    if (after && mergeable(m, after))
        merge_pair(m, after, dead);
    if (before && mergeable(before, m))
        merge_pair(before, m, dead);
}

static err_t split_at(struct space *s, uaddr_t at)
{
    struct mapping *m = mapping_at(s, at);
    if (!m || m->start == at)
        return 0;
    if (m->space->mapping_count >= SPACE_MAPPINGS_MAX)
        return -ENOMEM;
    struct mapping *second = mapping_make(m, at, m->end, m->offset + (at - m->start));
    if (!second)
        return -ENOMEM;
    if (m->flags & MAPF_GROWS_DOWN)
        second->flags &= ~MAPF_GROWS_DOWN; // only the lowest part grows
    object_lock(m);
    resize_locked(m, m->start, at);
    insert_locked(s, second);
    object_unlock(m);
    return 0;
}

err_t mappings_split(struct space *s, uaddr_t start, uaddr_t end)
{
    err_t e = space_split_large(s, start);
    if (!e)
        e = space_split_large(s, end);
    if (!e)
        e = split_at(s, start);
    if (!e)
        e = split_at(s, end);
    return e;
}

bool mappings_pinned(struct space *s, uaddr_t start, uaddr_t end)
{
    for (struct mapping *m = mapping_find(s, start); m && m->start < end; m = mapping_next(m))
        if (m->flags & MAPF_PINNED)
            return true;
    return false;
}

err_t mappings_unmap(struct space *s, uaddr_t start, uaddr_t end, struct list *dead)
{
    struct mapping *m = mapping_find(s, start);
    if (!m || m->start >= end)
        return 0;
    if (mappings_pinned(s, start, end))
        return -EBUSY;
    err_t e = mappings_split(s, start, end);
    if (e)
        return e;
    for (m = mapping_find(s, start); m && m->start < end; m = mapping_find(s, start)) {
        m->flags |= MAPF_GONE;
        mapping_remove(m, dead);
    }
    space_zap(s, start, end);
    return 0;
}

bool mappings_gap(struct space *s, uint64_t size, uint64_t align, uaddr_t low, uaddr_t high,
                  uaddr_t *at)
{
    return range_tree_gap(&s->mappings, size, align, low, high, true, at);
}
