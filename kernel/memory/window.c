// SPDX-License-Identifier: GPL-3.0-or-later
// Windows: their place in the server's space, and the slots. See window.h.
//
// Pairs: slot_push() stores `next`, then releases `free` by its compare-and-swap / slot_pop()
// acquires `free`, then reads `next`. A `next` read of a slot that somebody else just took may be
// stale; the count in `free` then makes the compare-and-swap fail.
#include "kernel/memory/window_inside.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/page.h"
#include "lib/string.h"
#include <redox/errno.h>

static struct slot_state *slot_at(struct window *w, uint32_t number)
{
    return &w->chunks[number / WINDOW_CHUNK][number % WINDOW_CHUNK];
}

err_t window_make(struct space *server, struct window **window)
{
    struct window *w = heap_alloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    struct map_request r = {
        .size = WINDOW_BYTES,
        .access = MAP_READ | MAP_WRITE,
        .max_access = MAP_READ | MAP_WRITE,
        .flags = MAPF_PINNED | MAPF_NO_FORK | MAPF_NO_HUGE,
    };
    err_t e = space_map(server, &r, &w->base);
    if (e) {
        heap_free(w);
        return e;
    }
    w->references = 1;
    w->space = server;
    space_get(server);
    spin_init(&w->lock, RANK_WINDOW);
    w->loans = range_tree_make();
    *window = w;
    return 0;
}

void window_get(struct window *w)
{
    __atomic_fetch_add(&w->references, 1, __ATOMIC_RELAXED);
}

void window_put(struct window *w)
{
    if (__atomic_sub_fetch(&w->references, 1, __ATOMIC_ACQ_REL))
        return;
    assert(rb_empty(&w->loans));
    space_unpin(w->space, w->base, WINDOW_BYTES);
    for (uint32_t n = 0; n < w->made; n++)
        page_put(slot_at(w, n)->page);
    for (unsigned i = 0; i < WINDOW_CHUNKS; i++)
        heap_free(w->chunks[i]);
    space_put(w->space);
    heap_free(w);
}

struct space *window_space(const struct window *w)
{
    return w->space;
}

static bool slot_pop(struct window *w, uint32_t *number)
{
    uint64_t first = __atomic_load_n(&w->free, __ATOMIC_ACQUIRE), next;
    do {
        if (!(uint32_t)first)
            return false;
        *number = (uint32_t)first - 1;
        next = ((first >> 32) + 1) << 32 |
               __atomic_load_n(&slot_at(w, *number)->next, __ATOMIC_RELAXED);
    } while (!__atomic_compare_exchange_n(&w->free, &first, next, true, __ATOMIC_ACQUIRE,
                                          __ATOMIC_ACQUIRE));
    return true;
}

static void slot_push(struct window *w, uint32_t number)
{
    uint64_t first = __atomic_load_n(&w->free, __ATOMIC_RELAXED), next;
    do {
        __atomic_store_n(&slot_at(w, number)->next, (uint32_t)first, __ATOMIC_RELAXED);
        next = ((first >> 32) + 1) << 32 | (number + 1);
    } while (!__atomic_compare_exchange_n(&w->free, &first, next, true, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

// One slot more, for the caller. w->lock is held.
static err_t slot_make(struct window *w, uint32_t *number)
{
    uint32_t n = w->made;
    if (n == WINDOW_SLOTS_MAX)
        return -ENOMEM;
    struct slot_state **chunk = &w->chunks[n / WINDOW_CHUNK];
    if (!*chunk)
        *chunk = heap_alloc(WINDOW_CHUNK * sizeof(struct slot_state));
    if (!*chunk)
        return -ENOMEM;
    struct page *p = page_alloc(0, PAGE_ZERO | PAGE_MODEST);
    if (!p)
        return -ENOMEM;
    err_t e = space_lend(w->space, w->base + n * PAGE_SIZE, &p, 1, true);
    if (e) {
        page_put(p);
        return e;
    }
    slot_at(w, n)->page = p;
    w->made = n + 1;
    *number = n;
    return 0;
}

static err_t slot_take(struct window *w, uint32_t *number)
{
    if (likely(slot_pop(w, number)))
        return 0;
    spin_lock(&w->lock);
    err_t e = slot_make(w, number);
    spin_unlock(&w->lock);
    return e;
}

err_t window_take(struct window *w, size_t size, enum loan_way way, struct window_slot *slot)
{
    assert(size <= PAGE_SIZE);
    uint32_t number = 0;
    err_t e = slot_take(w, &number);
    if (e)
        return e;
    struct slot_state *s = slot_at(w, number);
    char *memory = page_virt(s->page);
    size_t kept = way & LOAN_READ ? size : 0;
    if (s->dirty > kept)
        memset(memory + kept, 0, s->dirty - kept);
    *slot = (struct window_slot){
        .memory = memory,
        .address = w->base + number * PAGE_SIZE,
        .number = number,
        .size = (uint32_t)size,
    };
    return 0;
}

void window_give(struct window *w, struct window_slot *slot)
{
    slot_at(w, slot->number)->dirty = slot->size;
    slot_push(w, slot->number);
}
