// SPDX-License-Identifier: GPL-3.0-or-later
// Buddy allocator. Two free neighbours that form an aligned block of the next order are always one.
#include "kernel/memory/buddy.h"

void buddy_init(struct buddy *b, struct page *pages, uint8_t zone)
{
    *b = (struct buddy){ .pages = pages, .zone = zone };
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
        list_init(&b->free[order]);
}

static void block_push(struct buddy *b, struct page *p, unsigned order)
{
    p->flags = PAGE_FREE;
    p->order = order;
    list_push_front(&b->free[order], &p->link);
    b->orders |= 1ull << order;
}

static void block_remove(struct buddy *b, struct page *p)
{
    list_remove(&p->link);
    p->flags = 0;
    if (list_empty(&b->free[p->order]))
        b->orders &= ~(1ull << p->order);
}

struct page *buddy_take(struct buddy *b, unsigned order)
{
    uint64_t fitting = b->orders & (~0ull << order);
    if (!fitting)
        return NULL;
    unsigned have = __builtin_ctzll(fitting);
    struct page *p = list_first(&b->free[have], struct page, link);
    block_remove(b, p);
    while (have > order) {
        have--;
        block_push(b, p + (1ull << have), have);
    }
    p->order = order;
    b->free_frames -= 1ull << order;
    return p;
}

void buddy_give(struct buddy *b, struct page *p, unsigned order)
{
    uint64_t frame = p - b->pages;
    b->free_frames += 1ull << order;
    for (; order < PAGE_ORDER_MAX; order++) {
        struct page *buddy = b->pages + (frame ^ (1ull << order));
        if (!(buddy->flags & PAGE_FREE) || buddy->order != order || buddy->zone != b->zone)
            break;
        block_remove(b, buddy);
        frame &= ~(1ull << order);
    }
    block_push(b, b->pages + frame, order);
}

void buddy_add(struct buddy *b, uint64_t first, uint64_t frames)
{
    for (uint64_t i = 0; i < frames; i++) {
        struct page *p = b->pages + first + i;
        p->flags = 0;
        p->references = 0;
        p->zone = b->zone;
    }
    while (frames) {
        unsigned order = first ? __builtin_ctzll(first) : PAGE_ORDER_MAX;
        order = min_of(order, (unsigned)PAGE_ORDER_MAX);
        while (1ull << order > frames)
            order--;
        buddy_give(b, b->pages + first, order);
        first += 1ull << order;
        frames -= 1ull << order;
    }
}
