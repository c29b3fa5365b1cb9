// SPDX-License-Identifier: GPL-3.0-or-later
// Questions about a space: which page, which futex, what is resident, what is mapped; and msync.
#include "kernel/memory/page.h"
#include "kernel/memory/space_inside.h"
#include "lib/string.h"
#include <redox/errno.h>

// The page that an entry shows with the wanted right, with a reference; NULL: not (any more).
static struct page *page_shown(struct space *s, uaddr_t address, unsigned access)
{
    struct page *p = NULL;
    spin_lock(&s->table_lock);
    phys_t phys;
    uint64_t bits;
    if (table_lookup(s->top_table, address, &phys, &bits) &&
        (!(access & MAP_WRITE) || (bits & ENTRY_WRITE)) && phys_is_memory(phys)) {
        p = phys_to_page(phys);
        page_get(p);
    }
    spin_unlock(&s->table_lock);
    return p;
}

static bool is_physical(struct space *s, uaddr_t address)
{
    rwlock_read(&s->lock);
    const struct mapping *m = mapping_at(s, address);
    bool physical = m && m->object && m->object->pager->physical;
    rwlock_read_end(&s->lock);
    return physical;
}

err_t space_page(struct space *s, uaddr_t address, unsigned access, struct page **page)
{
    if (address >= USER_END || is_physical(s, address))
        return -EFAULT; // the kernel's half is in every space's table
    for (;;) {
        *page = page_shown(s, address, access);
        if (*page)
            return 0;
        err_t e = space_fault(s, address, access);
        if (e)
            return e;
    }
}

// The rights with which a mapping's page is its own: a write, where that is allowed.
static unsigned strongest_access(struct space *s, uaddr_t address)
{
    rwlock_read(&s->lock);
    const struct mapping *m = mapping_at(s, address);
    unsigned access = m && m->access & MAP_WRITE ? MAP_WRITE : MAP_READ;
    rwlock_read_end(&s->lock);
    return access;
}

static bool place_shown(struct space *s, uaddr_t address, unsigned access, phys_t *at)
{
    uint64_t bits;
    spin_lock(&s->table_lock);
    bool shown = table_lookup(s->top_table, address, at, &bits) &&
                 (!(access & MAP_WRITE) || (bits & ENTRY_WRITE));
    spin_unlock(&s->table_lock);
    return shown;
}

err_t space_physical(struct space *s, uaddr_t address, phys_t *at)
{
    unsigned access = strongest_access(s, address);
    while (!place_shown(s, address, access, at)) {
        err_t e = space_fault(s, address, access);
        if (e)
            return e == -ENOMEM ? e : -EFAULT;
    }
    return 0;
}

err_t space_populate(struct space *s, uaddr_t start, uint64_t size)
{
    uaddr_t end = start + size;
    for (uaddr_t a = start; a < end; a += PAGE_SIZE) {
        err_t e = space_fault(s, a, strongest_access(s, a));
        if (e)
            return e == -EFAULT ? -ENOMEM : e;
    }
    return 0;
}

static err_t prefault_error(err_t e)
{
    switch (e) {
    case -EFAULT:
        return -ENOMEM;
    case -EACCES:
        return -EINVAL;
    case -EIO:
        return -EFAULT;
    default:
        return e;
    }
}

err_t space_prefault(struct space *s, uaddr_t start, uint64_t size, unsigned access)
{
    uaddr_t end = start + size;
    err_t e = 0;
    for (uaddr_t a = start; a < end && !e; a += PAGE_SIZE) {
        rwlock_read(&s->lock);
        const struct mapping *m = mapping_at(s, a);
        e = !m ? -EFAULT : m->access & access ? 0 : -EACCES; // who may write may not read by that
        rwlock_read_end(&s->lock);
        if (!e)
            e = space_fault(s, a, access);
    }
    return prefault_error(e);
}

static err_t sync_mapping(const struct mapping *m, uaddr_t start, uaddr_t end)
{
    if (!m->object || !(m->flags & MAPF_SHARED))
        return 0;
    uint64_t first = (m->offset + (start - m->start)) >> PAGE_SHIFT;
    return object_sync(m->object, first, first + ((end - start) >> PAGE_SHIFT));
}

err_t space_sync(struct space *s, uaddr_t start, uint64_t size, bool invalidate)
{
    uaddr_t end;
    if (!is_aligned(start, PAGE_SIZE) || add_overflows(start, round_up(size, PAGE_SIZE), &end))
        return -EINVAL;
    err_t e = 0;
    uaddr_t at = start;
    rwlock_read(&s->lock);
    for (struct mapping *m = mapping_find(s, start); at < end && !e; m = mapping_next(m)) {
        if (!m || m->start > at)
            e = -ENOMEM;
        else if (invalidate && (m->flags & MAPF_LOCKED))
            e = -EBUSY;
        else
            e = sync_mapping(m, at, min_of(end, m->end));
        if (e || m->end >= end)
            break;
        at = m->end;
    }
    rwlock_read_end(&s->lock);
    return e;
}

static bool is_resident(struct space *s, const struct mapping *m, uaddr_t address)
{
    phys_t phys;
    uint64_t bits;
    spin_lock(&s->table_lock);
    bool found = table_lookup(s->top_table, address, &phys, &bits);
    spin_unlock(&s->table_lock);
    if (found || !m->object)
        return found;
    mutex_lock(&m->object->lock);
    found = radix_get(&m->object->pages, (m->offset + (address - m->start)) >> PAGE_SHIFT);
    mutex_unlock(&m->object->lock);
    return found;
}

err_t space_residency(struct space *s, uaddr_t start, uint64_t pages, uint8_t *out)
{
    err_t e = 0;
    rwlock_read(&s->lock);
    for (uint64_t i = 0; i < pages && !e; i++) {
        uaddr_t a = start + i * PAGE_SIZE;
        const struct mapping *m = mapping_at(s, a);
        if (m)
            out[i] = is_resident(s, m, a);
        else
            e = -ENOMEM;
    }
    rwlock_read_end(&s->lock);
    return e;
}

err_t space_futex_key(struct space *s, uaddr_t address, bool shared, struct futex_key *key)
{
    *key = (struct futex_key){ (uint64_t)s, address };
    if (!shared)
        return 0;
    rwlock_read(&s->lock);
    const struct mapping *m = mapping_at(s, address);
    if (m && m->object && (m->flags & MAPF_SHARED)) // all windows on one place have one key
        *key = (struct futex_key){
            m->object->pager->physical ? 0 : (uint64_t)m->object,
            (m->object->pager->physical ? (uint64_t)(uintptr_t)m->object->private_data : 0) +
                m->offset + (address - m->start),
        };
    rwlock_read_end(&s->lock);
    return m ? 0 : -EFAULT;
}

struct residency_visit {
    struct table_visit visit;
    struct mapping_residency *residency;
};

static void residency_leaf(struct table_visit *v, entry_t *e, unsigned level, uint64_t address)
{
    struct mapping_residency *r = container_of(v, struct residency_visit, visit)->residency;
    struct page *p = entry_page(*e);
    if (!p)
        return;
    r->bytes += entry_span(level);
    if (!(p->flags & PAGE_OBJECT))
        r->own += entry_span(level);
}

void mapping_residency(const struct mapping *m, struct mapping_residency *r)
{
    struct residency_visit v = { .visit = { residency_leaf, NULL }, .residency = r };
    *r = (struct mapping_residency){ 0 };
    spin_lock(&m->space->table_lock);
    table_visit(m->space->top_table, m->start, m->end, &v.visit);
    spin_unlock(&m->space->table_lock);
}

bool space_is_mapped(struct space *s, uaddr_t start, uint64_t size)
{
    rwlock_read(&s->lock);
    const struct mapping *m = mapping_find(s, start);
    bool mapped = m && m->start < start + size;
    rwlock_read_end(&s->lock);
    return mapped;
}

void space_visit_from(struct space *s, uaddr_t start,
                      bool (*visit)(const struct mapping *m, void *data), void *data)
{
    rwlock_read(&s->lock);
    for (const struct mapping *m = mapping_find(s, start); m && visit(m, data);)
        m = mapping_next(m);
    rwlock_read_end(&s->lock);
}

void space_visit(struct space *s, bool (*visit)(const struct mapping *m, void *data), void *data)
{
    space_visit_from(s, 0, visit, data);
}

static bool add_usage(const struct mapping *m, void *data)
{
    struct space_usage *u = data;
    uint64_t bytes = m->end - m->start;
    u->mapped += bytes;
    if (m->flags & MAPF_LOCKED)
        u->locked += bytes;
    if (m->flags & MAPF_STACK)
        u->stack += bytes;
    else if (m->access & MAP_EXECUTE)
        u->code += bytes;
    else if ((m->access & MAP_WRITE) && !(m->flags & MAPF_SHARED))
        u->data += bytes;
    return true;
}

void space_usage(struct space *s, struct space_usage *usage)
{
    *usage = (struct space_usage){ 0 };
    space_visit(s, add_usage, usage);
    usage->resident = s->resident_pages * PAGE_SIZE;
}
