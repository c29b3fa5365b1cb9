// SPDX-License-Identifier: GPL-3.0-or-later
// Windows: their place in the server's space, and the slots. See window.h.
#include "kernel/memory/window_inside.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/page.h"
#include <redox/errno.h>

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
    list_init(&w->pages);
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
    list_for_each_safe (link, &w->pages)
        page_put(list_entry(link, struct page, link));
    space_put(w->space);
    heap_free(w);
}

struct space *window_space(const struct window *w)
{
    return w->space;
}

err_t window_take(struct window *w, struct window_slot *slot)
{
    struct page *p = page_alloc(0, PAGE_ZERO | PAGE_MODEST);
    if (!p)
        return -ENOMEM;
    spin_lock(&w->lock);
    uaddr_t at = w->base + w->made * PAGE_SIZE;
    err_t e = w->made < WINDOW_SLOTS_MAX ? space_lend(w->space, at, &p, 1, true) : -ENOMEM;
    if (!e) {
        list_push_back(&w->pages, &p->link);
        w->made++;
    }
    spin_unlock(&w->lock);
    if (e) {
        page_put(p);
        return e;
    }
    *slot = (struct window_slot){ .memory = page_virt(p), .address = at, .space = w->space };
    return 0;
}
