// SPDX-License-Identifier: GPL-3.0-or-later
// See physical.h. Owns the list of allocations.
#include "kernel/memory/physical.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/memory.h"
#include <redox/errno.h>

#define KERNEL_FREE_END MIB(1)

struct allocation {
    struct list link;
    uint64_t space; // struct space.id
    phys_t start;
    uint64_t size;
    struct memory_object *object;
};

static struct list allocations = LIST_INIT(allocations);
static struct spinlock lock = SPINLOCK_INIT(RANK_LEAF);

// All pages that the object will ever have are there from the start.
static err_t no_more_pages(struct memory_object *o, uint64_t index, struct page *p)
{
    return -EIO;
}

const struct pager contiguous_pager = {
    .name = "contiguous",
    .fill = no_more_pages,
    .never_copied = true,
};

#define WINDOW(text, how)                                  \
    (const struct pager)                                   \
    {                                                      \
        .name = (text), .physical = true, .caching = (how) \
    }

static const struct pager windows[] = {
    [CACHING_AUTO] = WINDOW("physical", CACHING_AUTO),
    [CACHING_BACK] = WINDOW("physical", CACHING_BACK),
    [CACHING_COMBINE] = WINDOW("physical", CACHING_COMBINE),
    [CACHING_NONE] = WINDOW("physical", CACHING_NONE),
};

static unsigned order_of(uint64_t size)
{
    unsigned order = 0;
    while (PAGE_SIZE << order < size)
        order++;
    return order;
}

// Puts the first `count` frames of a block into the object, its reference spread over them, and
// frees the rest.
static err_t adopt_block(struct memory_object *o, uint64_t first, struct page *block,
                         uint64_t count)
{
    uint64_t frames = 1ull << block->order;
    err_t e = 0;
    page_split(block);
    for (uint64_t i = 0; i < frames; i++) {
        if (!e && i < count)
            e = object_adopt(o, first + i, block + i);
        if (e || i >= count)
            page_put(block + i);
    }
    return e;
}

static err_t fill_object(struct memory_object *o, struct page *block, uint64_t offset,
                         uint64_t size)
{
    return adopt_block(o, offset >> PAGE_SHIFT, block, size >> PAGE_SHIFT);
}

static struct page *block_alloc(uint64_t size, bool low)
{
    if (!size || size > PHYSICAL_ALLOC_MAX)
        return NULL;
    return page_alloc(order_of(size), PAGE_ZERO | PAGE_MODEST | (low ? PAGE_LOW : 0));
}

err_t contiguous_object(uint64_t size, bool low, uint64_t offset, struct memory_object **object,
                        phys_t *at)
{
    uint64_t end;
    if (add_overflows(offset, size, &end))
        return -EOVERFLOW;
    struct memory_object *o = object_make(&contiguous_pager, NULL, end);
    struct page *block = o ? block_alloc(size, low) : NULL;
    if (at && block)
        *at = page_phys(block);
    err_t e = block ? fill_object(o, block, offset, size) : -ENOMEM;
    if (e && o)
        object_put(o);
    *object = o;
    return e;
}

err_t physical_alloc(struct space *s, uint64_t size, bool low, phys_t *at)
{
    struct allocation *a = heap_alloc(sizeof(*a));
    struct page *block = a ? block_alloc(size, low) : NULL;
    if (!block) {
        heap_free(a);
        return -ENOMEM;
    }
    *a = (struct allocation){ .space = s->id, .start = page_phys(block), .size = size };
    a->object = object_make(&contiguous_pager, NULL, a->start + size);
    if (!a->object) {
        page_put(block);
        heap_free(a);
        return -ENOMEM;
    }
    err_t e = fill_object(a->object, block, a->start, size);
    if (e) {
        object_put(a->object);
        heap_free(a);
        return e;
    }
    *at = a->start;
    uint64_t flags = spin_lock_irq(&lock);
    list_push_back(&allocations, &a->link);
    spin_unlock_irq(&lock, flags);
    return 0;
}

static void allocation_drop(struct allocation *a)
{
    object_put(a->object);
    heap_free(a);
}

err_t physical_free(phys_t at, uint64_t size)
{
    struct allocation *found = NULL;
    uint64_t flags = spin_lock_irq(&lock);
    list_for_each (link, &allocations) {
        struct allocation *a = list_entry(link, struct allocation, link);
        if (a->start == at && a->size == size) {
            list_remove(link);
            found = a;
            break;
        }
    }
    spin_unlock_irq(&lock, flags);
    if (!found)
        return -EINVAL;
    allocation_drop(found);
    return 0;
}

static struct allocation *take_one_of(uint64_t space)
{
    struct allocation *found = NULL;
    uint64_t flags = spin_lock_irq(&lock);
    list_for_each (link, &allocations) {
        struct allocation *a = list_entry(link, struct allocation, link);
        if (a->space == space) {
            list_remove(link);
            found = a;
            break;
        }
    }
    spin_unlock_irq(&lock, flags);
    return found;
}

void physical_space_gone(const struct space *s)
{
    struct allocation *a;
    while ((a = take_one_of(s->id)))
        allocation_drop(a);
}

static struct memory_object *allocated_object(phys_t start, uint64_t size)
{
    struct memory_object *o = NULL;
    uint64_t flags = spin_lock_irq(&lock);
    list_for_each (link, &allocations) {
        struct allocation *a = list_entry(link, struct allocation, link);
        if (start >= a->start && size <= a->size && start - a->start <= a->size - size) {
            o = a->object;
            object_get(o);
            break;
        }
    }
    spin_unlock_irq(&lock, flags);
    return o;
}

static bool is_somebodys(phys_t start, uint64_t size)
{
    phys_t low = memory_low_page(), end = start + size;
    return (low && low >= start && low < end) ||
           phys_meets_memory(max_of(start, KERNEL_FREE_END), end);
}

err_t physical_object(phys_t start, uint64_t size, enum caching caching,
                      struct memory_object **object)
{
    *object = allocated_object(start, size);
    if (*object)
        return 0;
    if (is_somebodys(start, size))
        return -EACCES;
    *object = object_make(&windows[caching], NULL, start + size);
    return *object ? 0 : -ENOMEM;
}
