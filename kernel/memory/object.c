// SPDX-License-Identifier: GPL-3.0-or-later
// Memory objects: the tree of pages, and telling mappings when pages go.
#include "kernel/memory/object.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/memory/account.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/space_inside.h"
#include "lib/string.h"
#include <redox/errno.h>

const struct pager anonymous_pager = { .name = "anonymous" };
const struct pager physical_pager = { .name = "physical", .physical = true };
const struct pager framebuffer_pager = {
    .name = "framebuffer",
    .physical = true,
    .caching = CACHING_COMBINE,
};

static struct slab_cache *object_cache, *node_cache;

static void *node_make(void)
{
    return slab_alloc(node_cache);
}

static void node_drop(void *node)
{
    slab_free(node_cache, node);
}

static const struct radix_nodes nodes = { node_make, node_drop };

void object_init(void)
{
    object_cache = slab_cache_make("object", sizeof(struct memory_object), 8);
    node_cache = slab_cache_make("radix-node", sizeof(struct radix_node), 8);
}

struct memory_object *object_make(const struct pager *pager, void *private_data, uint64_t size)
{
    struct memory_object *o = slab_alloc(object_cache);
    if (!o)
        return NULL;
    o->references = 1;
    o->pager = pager;
    o->private_data = private_data;
    o->size = size;
    mutex_init(&o->lock, RANK_OBJECT);
    radix_init(&o->pages, &nodes);
    list_init(&o->mappings);
    return o;
}

void object_get(struct memory_object *o)
{
    __atomic_fetch_add(&o->references, 1, __ATOMIC_RELAXED);
}

// Takes a page out of the tree; it is freed when no page table and nobody else has it.
void object_leave_locked(struct memory_object *o, uint64_t index, struct page *p)
{
    radix_remove(&o->pages, index);
    o->resident--;
    account_add(ACCOUNT_CACHED, -1);
    __atomic_and_fetch(&p->flags, ~(PAGE_OBJECT | PAGE_DIRTY), __ATOMIC_RELAXED);
    page_put(p);
}

static void pages_leave(struct memory_object *o, uint64_t start, uint64_t end)
{
    uint64_t index = start;
    struct page *p;
    while (o->resident && (p = radix_next(&o->pages, &index)) && index < end) {
        object_leave_locked(o, index, p);
        if (++index == 0)
            break;
    }
}

void object_put(struct memory_object *o)
{
    if (__atomic_sub_fetch(&o->references, 1, __ATOMIC_ACQ_REL))
        return;
    pages_leave(o, 0, UINT64_MAX);
    radix_clear(&o->pages);
    if (o->pager->drop)
        o->pager->drop(o);
    slab_free(object_cache, o);
}

// A page that is in the tree already belongs to the object from here on.
static void page_enter(struct memory_object *o, uint64_t index, struct page *p)
{
    p->flags |= PAGE_OBJECT;
    p->object = o;
    p->index = index;
    o->resident++;
    account_add(ACCOUNT_CACHED, 1);
}

err_t object_adopt(struct memory_object *o, uint64_t index, struct page *p)
{
    mutex_lock(&o->lock);
    err_t e = radix_get(&o->pages, index) ? -EEXIST : radix_put(&o->pages, index, p) ? 0 : -ENOMEM;
    if (!e)
        page_enter(o, index, p);
    mutex_unlock(&o->lock);
    return e;
}

err_t object_adopt_new(struct memory_object *o, uint64_t index, struct page *p)
{
    if (!radix_put(&o->pages, index, p))
        return -ENOMEM;
    page_enter(o, index, p);
    return 0;
}

err_t object_page_locked(struct memory_object *o, uint64_t index, bool make, struct page **page)
{
    struct page *p = radix_get(&o->pages, index);
    *page = p;
    if (p)
        page_get(p);
    if (p || !make)
        return 0;
    if (o->pager->physical)
        return -EINVAL;

    p = page_alloc(0, PAGE_ZERO | PAGE_MODEST);
    if (!p)
        return -ENOMEM;
    err_t e = o->pager->fill ? o->pager->fill(o, index, p) : 0;
    if (!e && !radix_put(&o->pages, index, p))
        e = -ENOMEM;
    if (e) {
        page_put(p);
        return e;
    }
    page_enter(o, index, p);
    page_get(p);
    *page = p;
    return 0;
}

err_t object_page(struct memory_object *o, uint64_t index, bool make, struct page **page)
{
    mutex_lock(&o->lock);
    err_t e = object_page_locked(o, index, make, page);
    mutex_unlock(&o->lock);
    return e;
}

// Calls `act` for each mapping with the part of it that shows pages [start, end) of the object.
static void for_mappings(struct memory_object *o, uint64_t start, uint64_t end,
                         void (*act)(struct mapping *m, uaddr_t from, uaddr_t to))
{
    list_for_each (link, &o->mappings) {
        struct mapping *m = container_of(link, struct mapping, object_link);
        uint64_t first = m->offset >> PAGE_SHIFT;
        uint64_t last = first + ((m->end - m->start) >> PAGE_SHIFT);
        uint64_t from = max_of(start, first), to = min_of(end, last);
        if (from < to)
            act(m, m->start + ((from - first) << PAGE_SHIFT),
                m->start + ((to - first) << PAGE_SHIFT));
    }
}

static void pages_cut(struct memory_object *o, uint64_t start, uint64_t end)
{
    for_mappings(o, start, end, mapping_zap);
    pages_leave(o, start, end);
}

err_t object_resize(struct memory_object *o, uint64_t size)
{
    mutex_lock(&o->lock);
    uint64_t old = o->size;
    o->size = size;
    if (size < old) {
        pages_cut(o, div_round_up(size, PAGE_SIZE), UINT64_MAX);
        struct page *last = radix_get(&o->pages, size >> PAGE_SHIFT);
        if (last && size % PAGE_SIZE)
            memset((char *)page_virt(last) + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
    }
    mutex_unlock(&o->lock);
    return 0;
}

void object_punch(struct memory_object *o, uint64_t start, uint64_t end)
{
    mutex_lock(&o->lock);
    pages_cut(o, start, end);
    mutex_unlock(&o->lock);
}

// First nobody can write unnoticed any more, then the page goes to its backing: what is written
// meanwhile marks it changed again.
static err_t page_write_back(struct memory_object *o, uint64_t index, struct page *p)
{
    for_mappings(o, index, index + 1, mapping_write_protect);
    __atomic_and_fetch(&p->flags, ~PAGE_DIRTY, __ATOMIC_RELAXED);
    err_t e = o->pager->write_back(o, index, p);
    if (e)
        __atomic_or_fetch(&p->flags, PAGE_DIRTY, __ATOMIC_RELAXED);
    return e;
}

err_t object_sync(struct memory_object *o, uint64_t start, uint64_t end)
{
    if (!o->pager->write_back)
        return 0;
    err_t first_error = 0;
    mutex_lock(&o->lock);
    uint64_t index = start;
    for (struct page *p; (p = radix_next(&o->pages, &index)) && index < end; index++) {
        err_t e = p->flags & PAGE_DIRTY ? page_write_back(o, index, p) : 0;
        if (e && !first_error)
            first_error = e;
    }
    mutex_unlock(&o->lock);
    return first_error;
}
