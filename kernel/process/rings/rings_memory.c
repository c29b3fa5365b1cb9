// SPDX-License-Identifier: GPL-3.0-or-later
// Memory that a ring shares with its program. Nothing in it is trusted: see ring.h.
#include "kernel/memory/heap.h"
#include "kernel/process/rings/rings_inside.h"

err_t rings_memory_make(struct rings_memory *m, uint64_t size)
{
    uint64_t count = div_round_up(size, PAGE_SIZE);
    m->object = object_make(&anonymous_pager, NULL, count * PAGE_SIZE);
    m->pages = heap_alloc_array(count, sizeof(*m->pages));
    err_t e = m->object && m->pages ? 0 : -ENOMEM;
    for (; !e && m->count < count; m->count += e ? 0 : 1)
        e = object_page(m->object, m->count, true, &m->pages[m->count]);
    return e; // rings_memory_drop() in any case
}

void rings_memory_drop(struct rings_memory *m)
{
    while (m->count)
        page_put(m->pages[--m->count]);
    heap_free(m->pages);
    if (m->object)
        object_put(m->object);
}

void *rings_memory_at(const struct rings_memory *m, uint64_t offset)
{
    uint64_t page = index_clamp(offset / PAGE_SIZE, m->count);
    return (char *)page_virt(m->pages[page]) + offset % PAGE_SIZE;
}

uint32_t rings_load(const struct rings *r, uint32_t place)
{
    return __atomic_load_n((uint32_t *)rings_memory_at(&r->rings, place), __ATOMIC_ACQUIRE);
}

void rings_store(const struct rings *r, uint32_t place, uint32_t value)
{
    __atomic_store_n((uint32_t *)rings_memory_at(&r->rings, place), value, __ATOMIC_RELEASE);
}
