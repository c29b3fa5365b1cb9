// SPDX-License-Identifier: GPL-3.0-or-later
// Buddy allocator over an array of struct page: blocks of 2^order frames, aligned to their size.
//
//   buddy_init(&b, pages, zone);
//   buddy_add(&b, first_frame, frames);
//   struct page *p = buddy_take(&b, order);  ...  buddy_give(&b, p, order);
//
// The array is indexed by frame number. Wherever one frame of an aligned block of the largest order
// is in the allocator, all its struct pages exist, so a neighbour may always be looked at.
// A free block: its head has PAGE_FREE and its order and is linked; its other pages have no flags.
// Knows nothing of locks, references or contents. Portable. Tests: kernel/memory/test/buddy.c.
#pragma once
#include "kernel/memory/page.h"

struct buddy {
    struct page *pages;
    struct list free[PAGE_ORDER_MAX + 1];
    uint64_t orders; // bit for each order with a free block
    uint64_t free_frames;
    uint8_t zone; // written into the pages it is given
};

void buddy_init(struct buddy *b, struct page *pages, uint8_t zone);

// Takes in frames that were never in the allocator, whatever their flags said.
void buddy_add(struct buddy *b, uint64_t first, uint64_t frames);

// A block with order set and no flags, or NULL.
struct page *buddy_take(struct buddy *b, unsigned order) must_check;

// A block, or a part of one, that was taken; no page of it has flags.
void buddy_give(struct buddy *b, struct page *p, unsigned order);
