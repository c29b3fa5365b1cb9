// SPDX-License-Identifier: GPL-3.0-or-later
// What files hold: a range of pages each (tree.h).
#include "user/ramd/tree.h"

enum { FIRST_ROOM = 64 << 10, GROWTH = 8 };
#define FILE_LIMIT (1ull << 40)

uint64_t content_pages, content_limit = 16384;

static uint64_t pages_of(uint64_t size)
{
    return (size + REDOX_PAGE_SIZE - 1) / REDOX_PAGE_SIZE;
}

static int64_t map(uint64_t address, uint64_t size, uint64_t flags)
{
    struct redox_map m = { .size = size,
                           .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_PRIVATE | flags,
                           .address = address };
    return redox_fmap(REDOX_FD_NONE, &m);
}

static int64_t move(struct content *c, uint64_t room)
{
    int64_t address = map(0, room, 0);
    if (address < 0)
        return -REDOX_ENOSPC;
    if (c->room) {
        memcpy((void *)address, c->bytes, c->size);
        redox_funmap((uint64_t)c->bytes, c->room);
    }
    c->bytes = (char *)address;
    c->room = room;
    return 0;
}

// All from `size` on becomes zero; whole pages go back unless a client sees them.
static void cut(struct content *c, uint64_t size)
{
    uint64_t whole = pages_of(size) * REDOX_PAGE_SIZE, end = pages_of(c->size) * REDOX_PAGE_SIZE;
    uint64_t near = whole < c->size ? whole : c->size;
    memset(c->bytes + size, 0, near - size);
    if (whole >= end)
        return;
    uint64_t address = (uint64_t)c->bytes + whole;
    if (c->mapped || map(address, end - whole, REDOX_MAP_FIXED) < 0)
        memset((void *)address, 0, end - whole);
}

int64_t content_resize(struct content *c, uint64_t size)
{
    if (size > FILE_LIMIT)
        return -REDOX_EFBIG;
    uint64_t before = pages_of(c->size), after = pages_of(size);
    if (after > before && content_pages + (after - before) > content_limit)
        return -REDOX_ENOSPC;
    if (size > c->room) {
        uint64_t room = c->room ? c->room * GROWTH : FIRST_ROOM;
        while (room < size)
            room *= GROWTH;
        int64_t e = c->mapped ? -REDOX_ENOSPC : move(c, room);
        if (e)
            return e;
    }
    if (size < c->size)
        cut(c, size);
    else if (c->touched) // a client may have written behind the end
        memset(c->bytes + c->size, 0, size - c->size);
    content_pages += after - before;
    c->size = size;
    return 0;
}

int64_t content_pin(struct content *c)
{
    uint64_t room = c->size * GROWTH > MAPPED_ROOM ? c->size * GROWTH : MAPPED_ROOM;
    room = pages_of(room) * REDOX_PAGE_SIZE;
    return c->mapped || c->room >= room ? 0 : move(c, room);
}

void content_drop(struct content *c)
{
    content_pages -= pages_of(c->size);
    if (c->room)
        redox_funmap((uint64_t)c->bytes, c->room);
    *c = (struct content){ 0 };
}
