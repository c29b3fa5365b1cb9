// SPDX-License-Identifier: GPL-3.0-or-later
// See buffer.h. The window is one object mapped shared into the server; a slot of it is a few
// frames that lie together, so that the kernel sees them as one piece. Slots get their frames when
// they are first used. Locks: window.lock (RANK_LEAF) guards the stack of free slots.
#include "kernel/scheme/user/buffer.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/space.h"
#include "kernel/sync/spinlock.h"
#include "lib/string.h"

enum { SLOTS = 64, SLOT_PAGES = BUFFER_MOST / PAGE_SIZE, SLOT_ORDER = 2 };
_Static_assert(1 << SLOT_ORDER == SLOT_PAGES, "a slot is one block of frames");

#define NOWHERE (1ull << 63) // what the server is told of a buffer without bytes

struct window {
    struct spinlock lock;
    struct space *space;
    struct memory_object *object;
    uaddr_t address;
    uint16_t free[SLOTS], free_count;
    char *memory[SLOTS];
};

err_t window_make(struct space *server, struct window **window)
{
    struct window *w = heap_alloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    spin_init(&w->lock, RANK_LEAF);
    w->object = object_make(&anonymous_pager, NULL, SLOTS * BUFFER_MOST);
    err_t e = w->object ? 0 : -ENOMEM;
    if (!e)
        e = space_map(server,
                      &(struct map_request){ .size = SLOTS * BUFFER_MOST,
                                             .access = MAP_READ | MAP_WRITE,
                                             .flags = MAPF_SHARED | MAPF_NO_FORK,
                                             .object = w->object },
                      &w->address);
    if (e) {
        if (w->object)
            object_put(w->object);
        heap_free(w);
        return e;
    }
    space_get(server);
    w->space = server;
    for (unsigned i = 0; i < SLOTS; i++)
        w->free[w->free_count++] = (uint16_t)(SLOTS - 1 - i);
    *window = w;
    return 0;
}

void window_drop(struct window *w)
{
    if (space_unmap(w->space, w->address, SLOTS * BUFFER_MOST))
        log_debug("scheme: a window stays mapped until its server ends");
    space_put(w->space);
    object_put(w->object);
    heap_free(w);
}

static err_t slot_fill(struct window *w, unsigned slot)
{
    struct page *p = page_alloc(SLOT_ORDER, PAGE_ZERO | PAGE_MODEST);
    if (!p)
        return -ENOMEM;
    page_split(p);
    for (unsigned i = 0; i < SLOT_PAGES; i++) {
        err_t e = object_adopt(w->object, slot * SLOT_PAGES + i, p + i);
        if (!e)
            continue;
        for (unsigned j = i; j < SLOT_PAGES; j++)
            page_put(p + j);
        object_punch(w->object, slot * SLOT_PAGES, (slot + 1) * SLOT_PAGES);
        return e;
    }
    w->memory[slot] = page_virt(p);
    return 0;
}

static err_t slot_take(struct window *w, struct buffer *b)
{
    spin_lock(&w->lock);
    bool found = w->free_count > 0;
    if (found)
        b->slot = w->free[--w->free_count];
    spin_unlock(&w->lock);
    if (!found)
        return -EAGAIN;
    b->window = w;
    err_t e = w->memory[b->slot] ? 0 : slot_fill(w, b->slot);
    b->memory = w->memory[b->slot];
    if (e)
        buffer_drop(b);
    return e;
}

err_t buffer_begin(struct buffer *b, struct window *w, struct io *io, uint64_t size,
                   enum buffer_way way)
{
    *b = (struct buffer){ .address = NOWHERE, .size = min_of(size, (uint64_t)BUFFER_MOST) };
    if (!size)
        return 0;
    err_t e = slot_take(w, b);
    if (e)
        return e;
    b->way = way;
    b->address = w->address + b->slot * (uint64_t)BUFFER_MOST;
    if (way == BUFFER_OUT) {
        memset(b->memory, 0, b->size); // nobody reads what was another's
        return 0;
    }
    struct io copy = *io;
    e = io_get(&copy, b->memory, b->size);
    if (e)
        buffer_drop(b);
    return e;
}

err_t buffer_end(struct buffer *b, struct io *io, uint64_t count)
{
    err_t e = 0;
    if (b->window && count && b->way == BUFFER_OUT)
        e = io_put(io, b->memory, min_of(count, b->size));
    else if (count)
        io_skip(io, min_of(count, b->size));
    buffer_drop(b);
    return e;
}

void buffer_drop(struct buffer *b)
{
    struct window *w = b->window;
    if (!w)
        return;
    b->window = NULL;
    spin_lock(&w->lock);
    w->free[w->free_count++] = b->slot;
    spin_unlock(&w->lock);
}
