// SPDX-License-Identifier: GPL-3.0-or-later
// Intrusive red-black tree: ordered members, every operation O(log n), no memory of its own.
//
//   struct rb_tree tree = RB_TREE_INIT;                     or RB_TREE_INIT_UPDATE(function)
//   rb_insert(&tree, &t->node, timer_before);
//   struct rb_node *first = rb_first(&tree);                O(1)
//   rb_for_each(n, &tree) { struct timer *t = container_of(n, struct timer, node); ... }
//   rb_remove(&tree, &t->node);
//
// Equal members keep the order in which they were inserted. A tree may carry an `update` function
// that recomputes what a member knows about its own subtree (the largest gap, say) from its two
// children; it is called wherever the subtree of a member changed, children before parents.
// The caller locks. Tests: lib/test/rbtree.c.
#pragma once
#include "lib/base.h"

struct rb_node {
    struct rb_node *parent, *left, *right;
    bool red;
};

struct rb_tree {
    struct rb_node *root;
    struct rb_node *first; // leftmost member
    void (*update)(struct rb_node *n);
};

#define RB_TREE_INIT \
    (struct rb_tree) \
    {                \
        0            \
    }
#define RB_TREE_INIT_UPDATE(function) \
    (struct rb_tree)                  \
    {                                 \
        .update = (function)          \
    }

static inline bool rb_empty(const struct rb_tree *t)
{
    return !t->root;
}

static inline struct rb_node *rb_first(const struct rb_tree *t)
{
    return t->first;
}

struct rb_node *rb_last(const struct rb_tree *t);
struct rb_node *rb_next(const struct rb_node *n); // NULL at the end
struct rb_node *rb_prev(const struct rb_node *n);

// Inserts by order: before(a, b) is true when a belongs before b.
void rb_insert(struct rb_tree *t, struct rb_node *n,
               bool (*before)(const struct rb_node *a, const struct rb_node *b));

// Inserts at a place the caller found: *link is the empty child pointer of `parent` (or &t->root).
void rb_link(struct rb_tree *t, struct rb_node *n, struct rb_node *parent, struct rb_node **link);

void rb_remove(struct rb_tree *t, struct rb_node *n);

// A member changed in a way that `update` looks at: recomputes it and all above it.
void rb_changed(struct rb_tree *t, struct rb_node *n);

// Members in order; the body must not remove `n` (take rb_next() first for that).
#define rb_for_each(n, tree) for (struct rb_node *n = rb_first(tree); n; n = rb_next(n))
