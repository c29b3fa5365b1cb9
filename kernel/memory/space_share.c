// SPDX-License-Identifier: GPL-3.0-or-later
// Making memory of one space mappable by another: an object over a range of it (space_share()).
//
// Shared memory has its object already. Private memory is turned into shared memory in place: its
// pages become the pages of a new anonymous object, which the mappings then show. So everything
// else (faults, copy on write by the other space, truncation, the end of either) is as always.
// A page that a relative still has from a fork is copied first, as a write would do.
#include "kernel/console/panic.h"
#include "kernel/memory/account.h"
#include "kernel/memory/page.h"
#include "kernel/memory/space_inside.h"
#include <redox/errno.h>

struct share {
    struct table_visit visit;
    struct zap zap; // pages that copies took the place of
    struct memory_object *object;
    uaddr_t start;
    err_t error;
};

static bool is_own(struct page *p)
{
    return !(p->flags & PAGE_OBJECT) && page_references(p) == 1;
}

static struct page *copy_of(struct page *p)
{
    struct page *copy = page_alloc(0, PAGE_MODEST);
    if (copy)
        page_copy(page_virt(copy), page_virt(p));
    return copy;
}

static void account_as_shared(struct page *p)
{
    p->flags &= (uint16_t)~PAGE_USER;
    account_add(ACCOUNT_USER, -1);
}

// The entry's page moves into the object, or a copy of it when others have it too.
static void share_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address)
{
    struct share *s = container_of(v, struct share, visit);
    struct page *p = entry_page(*e);
    if (s->error)
        return;
    if (!p) { // zeros: the object makes them when asked
        table_set(e, 0);
        return;
    }
    struct page *mine = is_own(p) ? p : copy_of(p);
    s->error =
        mine ? object_adopt_new(s->object, (address - s->start) >> PAGE_SHIFT, mine) : -ENOMEM;
    if (s->error) {
        if (mine && mine != p)
            page_put(mine);
        return;
    }
    page_get(mine); // the entry's, beside the object's
    table_set(e, page_phys(mine) | (*e & ~ENTRY_ADDRESS));
    if (mine != p)
        zap_page(&s->zap, p);
    else if (p->flags & PAGE_USER)
        account_as_shared(p);
}

static void split_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address)
{
    struct share *s = container_of(v, struct share, visit);
    if (level > 1 && !s->error)
        s->error = entry_split(e);
}

static err_t share_pages(struct space *s, uaddr_t start, uaddr_t end, struct memory_object *o)
{
    struct share v = { .visit = { split_leaf, NULL }, .object = o, .start = start };
    zap_begin(&v.zap, s);
    spin_lock(&s->table_lock);
    table_visit(s->top_table, start, end, &v.visit);
    v.visit.leaf = share_leaf;
    zap_range(&v.zap, start, end);
    if (!v.error)
        table_visit(s->top_table, start, end, &v.visit);
    zap_finish(&v.zap);
    spin_unlock(&s->table_lock);
    return v.error;
}

// A private file mapping's page that was not touched yet is only in the file: it has to fault
// first.
static err_t all_present(struct space *s, const struct mapping *m, uaddr_t start, uaddr_t end)
{
    err_t e = 0;
    spin_lock(&s->table_lock);
    for (uaddr_t a = max_of(start, m->start); a < min_of(end, m->end) && !e; a += PAGE_SIZE) {
        phys_t phys;
        uint64_t bits;
        if (!table_lookup(s->top_table, a, &phys, &bits))
            e = -EAGAIN;
    }
    spin_unlock(&s->table_lock);
    return e;
}

// Whether [start, end) is private memory without a hole.
static err_t private_check(struct space *s, uaddr_t start, uaddr_t end, bool *writable)
{
    struct mapping *m = mapping_at(s, start);
    err_t e = 0;
    *writable = true;
    for (uaddr_t at = start; at < end && !e; m = mapping_next(m)) {
        if (!m || m->start > at)
            return -EFAULT;
        if (m->flags & MAPF_PINNED)
            return -EBUSY;
        if (m->flags & (MAPF_SHARED | MAPF_GROWS_DOWN))
            return -EINVAL;
        *writable &= !!(m->access & MAP_WRITE);
        at = m->end;
        e = m->object ? all_present(s, m, start, end) : 0;
    }
    return e;
}

// For each mapping of the range one like it that shows `o`; the range has been split off.
static err_t successors_make(struct space *s, uaddr_t start, uaddr_t end, struct memory_object *o,
                             struct list *made)
{
    for (struct mapping *m = mapping_find(s, start); m && m->start < end; m = mapping_next(m)) {
        struct mapping like = *m;
        like.object = o;
        like.flags |= MAPF_SHARED | MAPF_LENT;
        like.file = NULL;
        like.file_shift = 0;
        struct mapping *n = mapping_make(&like, m->start, m->end, m->start - start);
        if (!n)
            return -ENOMEM;
        list_push_back(made, &n->object_link);
    }
    return 0;
}

static void successors_enter(struct space *s, struct list *made, struct list *dead)
{
    while (!list_empty(made)) {
        struct mapping *n = list_first(made, struct mapping, object_link);
        list_remove(&n->object_link);
        mapping_remove(mapping_at(s, n->start), dead);
        mapping_insert(s, n);
    }
}

static err_t share_private(struct space *s, uaddr_t start, uaddr_t end, struct list *dead,
                           struct memory_object **object)
{
    struct list made = LIST_INIT(made);
    err_t e = mappings_split(s, start, end);
    if (e)
        return e;
    struct memory_object *o = object_make(&anonymous_pager, NULL, end - start);
    if (!o)
        return -ENOMEM;
    e = successors_make(s, start, end, o, &made);
    if (!e)
        e = share_pages(s, start, end, o);
    if (!e)
        successors_enter(s, &made, dead);
    while (!list_empty(&made)) // those that were not needed
        list_push_back(dead, list_pop_front(&made));
    if (e)
        object_put(o);
    else
        *object = o;
    return e;
}

static err_t share_locked(struct space *s, uaddr_t start, uaddr_t end, struct list *dead,
                          struct space_shared *shared)
{
    struct mapping *m = mapping_at(s, start);
    if (m && (m->flags & MAPF_SHARED) && m->end >= end) {
        object_get(m->object);
        shared->object = m->object;
        shared->offset = m->offset + (start - m->start);
        shared->writable = m->access & MAP_WRITE;
        return 0;
    }
    mappings_reclaim(s, start, end, dead);
    shared->offset = 0;
    err_t e = private_check(s, start, end, &shared->writable);
    return e ? e : share_private(s, start, end, dead, &shared->object);
}

err_t space_share(struct space *s, uaddr_t start, uint64_t size, struct space_shared *shared)
{
    enum { TRIES = 8 };
    uint64_t bytes = round_up(size, PAGE_SIZE);
    if (!is_aligned(start, PAGE_SIZE) || !size || bytes < size ||
        !range_fits(start, bytes, USER_END))
        return -EINVAL;
    err_t e = -EAGAIN;
    for (unsigned try = 0; try < TRIES && e == -EAGAIN; try++) {
        struct list dead = LIST_INIT(dead);
        rwlock_write(&s->lock);
        e = share_locked(s, start, start + bytes, &dead, shared);
        rwlock_write_end(&s->lock);
        mappings_release(&dead);
        if (e == -EAGAIN) {
            err_t missing = space_populate(s, start, bytes);
            e = missing ? missing : e;
        }
    }
    return e == -ENOMEM || e == -EBUSY || e == -EINVAL || !e ? e : -EFAULT;
}
