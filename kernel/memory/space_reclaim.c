// SPDX-License-Identifier: GPL-3.0-or-later
// The way back from space_share(): memory that was lent and is mapped by nobody else any more
// becomes private again, page by page without a copy. And fork of memory that still is on loan: the
// child gets copies, since private it was.
//
// A mapping of lent memory is MAPF_LENT and MAPF_SHARED. Nobody starts to map an object that has
// only our mappings while we hold our space's lock: they all come through space_share().
#include "kernel/memory/account.h"
#include "kernel/memory/page.h"
#include "kernel/memory/space_inside.h"
#include "lib/string.h"
#include <redox/errno.h>

// Object's lock held.
static bool is_ours_alone(const struct memory_object *o, const struct space *s)
{
    uint32_t ours = 0;
    list_for_each (link, &o->mappings) {
        if (container_of(link, struct mapping, object_link)->space != s)
            return false;
        ours++;
    }
    return __atomic_load_n(&o->references, __ATOMIC_ACQUIRE) == ours;
}

// The entry that shows the object's page, made if need be; NULL: no memory for tables.
static entry_t *entry_for(struct mapping *m, uaddr_t address, struct page *p)
{
    entry_t *e = table_entry(m->space->top_table, address, 1, true);
    if (e && !*e) {
        page_get(p);
        table_set(e, page_phys(p) | entry_bits(m, true));
        m->space->resident_pages++;
    }
    return e;
}

// The object's pages become the entries' own. What has no table stays, and the mapping lent.
static err_t take_pages(struct mapping *m)
{
    struct memory_object *o = m->object;
    uint64_t first = m->offset >> PAGE_SHIFT;
    uint64_t end = first + ((m->end - m->start) >> PAGE_SHIFT), index = first;
    err_t result = 0;
    struct page *p;
    spin_lock(&m->space->table_lock);
    while (!result && (p = radix_next(&o->pages, &index)) && index < end) {
        if (!entry_for(m, m->start + ((index - first) << PAGE_SHIFT), p)) {
            result = -ENOMEM;
            break;
        }
        object_leave_locked(o, index, p);
        p->flags |= PAGE_USER;
        account_add(ACCOUNT_USER, 1);
        index++;
    }
    spin_unlock(&m->space->table_lock);
    return result;
}

// False: it stays lent.
static bool reclaim_mapping(struct space *s, struct mapping *m)
{
    struct memory_object *o = m->object;
    mutex_lock(&o->lock);
    bool done = is_ours_alone(o, s) && !take_pages(m);
    if (done) {
        list_remove(&m->object_link);
        m->object = NULL;
        m->offset = 0;
        m->flags &= ~(MAPF_SHARED | MAPF_LENT);
    }
    mutex_unlock(&o->lock);
    if (done)
        object_put(o);
    return done;
}

void mappings_reclaim(struct space *s, uaddr_t start, uaddr_t end, struct list *dead)
{
    for (struct mapping *m = mapping_find(s, start); m && m->start < end;) {
        uaddr_t behind = m->end;
        if ((m->flags & MAPF_LENT) && reclaim_mapping(s, m))
            mapping_merge(s, m, dead);
        m = mapping_find(s, behind);
    }
}

void space_reclaim(struct space *s)
{
    struct list dead = LIST_INIT(dead);
    rwlock_write(&s->lock);
    mappings_reclaim(s, 0, USER_END, &dead);
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
}

static err_t copy_page(struct space *to, const struct mapping *copy, uaddr_t address,
                       struct page *from)
{
    struct page *p = page_alloc(0, PAGE_MODEST);
    if (!p)
        return -ENOMEM;
    page_copy(page_virt(p), page_virt(from));
    spin_lock(&to->table_lock);
    entry_t *e = table_entry(to->top_table, address, 1, true);
    if (e) {
        p->flags |= PAGE_USER;
        account_add(ACCOUNT_USER, 1);
        table_set(e, page_phys(p) | entry_bits(copy, true));
        to->resident_pages++;
    }
    spin_unlock(&to->table_lock);
    if (!e)
        page_put(p);
    return e ? 0 : -ENOMEM;
}

err_t space_fork_lent(struct space *to, const struct mapping *m)
{
    struct mapping like = *m;
    like.object = NULL;
    like.flags &= ~(MAPF_SHARED | MAPF_LENT);
    struct mapping *copy = mapping_make(&like, m->start, m->end, 0);
    if (!copy)
        return -ENOMEM;
    mapping_insert(to, copy);

    struct memory_object *o = m->object;
    uint64_t first = m->offset >> PAGE_SHIFT;
    uint64_t end = first + ((m->end - m->start) >> PAGE_SHIFT), index = first;
    err_t e = 0;
    struct page *p;
    mutex_lock(&o->lock);
    for (; !e && (p = radix_next(&o->pages, &index)) && index < end; index++)
        e = copy_page(to, copy, m->start + ((index - first) << PAGE_SHIFT), p);
    mutex_unlock(&o->lock);
    return e;
}
