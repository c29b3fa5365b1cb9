// SPDX-License-Identifier: GPL-3.0-or-later
// A tree of ranges that do not overlap, which also finds free room between them in O(log n).
//
//   struct rb_tree tree = range_tree_make();
//   if (range_tree_gap(&tree, size, align, low, high, true, &start)) {
//       r->start = start; r->end = start + size;
//       range_tree_insert(&tree, r);
//   }
//   r = range_tree_find(&tree, address);          the first range that ends after `address`
//
// Each member knows the room before it and the largest such room in its subtree. After changing a
// member's start or end (never past a neighbour) call range_tree_changed(). The caller locks.
// Tests: lib/test/range_tree.c.
#pragma once
#include "lib/rbtree.h"

struct range_node {
    struct rb_node node;
    uint64_t start, end;  // [start, end), end > start
    uint64_t gap;         // free room between the range before (or 0) and start
    uint64_t largest_gap; // in this subtree
};

struct rb_tree range_tree_make(void);
void range_tree_insert(struct rb_tree *t, struct range_node *r);
void range_tree_remove(struct rb_tree *t, struct range_node *r);
void range_tree_changed(struct rb_tree *t, struct range_node *r);

// The first range whose end lies above `address` (it contains the address or comes after it); NULL:
// none.
struct range_node *range_tree_find(const struct rb_tree *t, uint64_t address);

struct range_node *range_tree_first(const struct rb_tree *t);
struct range_node *range_tree_next(const struct range_node *r);
struct range_node *range_tree_prev(const struct range_node *r);

// Free room of `size` bytes at `align` (a power of two) within [low, high): the highest, or the
// lowest when not `top_down`. False when there is none. Size > 0.
bool range_tree_gap(const struct rb_tree *t, uint64_t size, uint64_t align, uint64_t low,
                    uint64_t high, bool top_down, uint64_t *start) must_check;
