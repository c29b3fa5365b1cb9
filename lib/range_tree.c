// SPDX-License-Identifier: GPL-3.0-or-later
// Ranges in order of address; a member's gap depends on its neighbour before, so whatever changes
// an end tells the member after it.
#include "lib/range_tree.h"

static struct range_node *range_of(const struct rb_node *n)
{
    return n ? container_of(n, struct range_node, node) : NULL;
}

static uint64_t largest_gap(const struct rb_node *n)
{
    return n ? range_of(n)->largest_gap : 0;
}

static void range_update(struct rb_node *n)
{
    struct range_node *r = range_of(n);
    uint64_t below = max_of(largest_gap(n->left), largest_gap(n->right));
    r->largest_gap = max_of(r->gap, below);
}

struct rb_tree range_tree_make(void)
{
    return RB_TREE_INIT_UPDATE(range_update);
}

struct range_node *range_tree_first(const struct rb_tree *t)
{
    return range_of(rb_first(t));
}

struct range_node *range_tree_next(const struct range_node *r)
{
    return range_of(rb_next(&r->node));
}

struct range_node *range_tree_prev(const struct range_node *r)
{
    return range_of(rb_prev(&r->node));
}

static void gap_refresh(struct rb_tree *t, struct range_node *r)
{
    struct range_node *before = range_tree_prev(r);
    r->gap = r->start - (before ? before->end : 0);
    rb_changed(t, &r->node);
}

void range_tree_changed(struct rb_tree *t, struct range_node *r)
{
    gap_refresh(t, r);
    struct range_node *after = range_tree_next(r);
    if (after)
        gap_refresh(t, after);
}

void range_tree_insert(struct rb_tree *t, struct range_node *r)
{
    struct rb_node *parent = NULL, **link = &t->root;
    while (*link) {
        parent = *link;
        link = r->start < range_of(parent)->start ? &parent->left : &parent->right;
    }
    r->gap = r->largest_gap = 0;
    rb_link(t, &r->node, parent, link);
    range_tree_changed(t, r);
}

void range_tree_remove(struct rb_tree *t, struct range_node *r)
{
    struct range_node *after = range_tree_next(r);
    rb_remove(t, &r->node);
    if (after)
        gap_refresh(t, after);
}

struct range_node *range_tree_find(const struct rb_tree *t, uint64_t address)
{
    struct range_node *found = NULL;
    for (struct rb_node *n = t->root; n;) {
        struct range_node *r = range_of(n);
        if (r->end > address) {
            found = r;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return found;
}

// What is wanted of a gap.
struct wish {
    uint64_t size, align, low, high;
    bool top_down;
};

// Whether the free room [start, end), cut to the wish's bounds, holds it; *at is where.
static bool room_fits(const struct wish *w, uint64_t start, uint64_t end, uint64_t *at)
{
    start = max_of(start, w->low);
    end = min_of(end, w->high);
    if (start >= end || end - start < w->size)
        return false;
    uint64_t place = w->top_down ? round_down(end - w->size, w->align) : round_up(start, w->align);
    if (place < start || place > end - w->size)
        return false;
    *at = place;
    return true;
}

// Looks below `n` in the wanted direction, skipping subtrees whose largest gap is too small or that
// lie outside the bounds. Depth is that of the tree.
static bool gap_below(const struct wish *w, const struct rb_node *n, uint64_t *at)
{
    if (largest_gap(n) < w->size)
        return false;
    const struct range_node *r = range_of(n);
    const struct rb_node *first = w->top_down ? n->right : n->left;
    const struct rb_node *second = w->top_down ? n->left : n->right;
    bool right_useful = r->end < w->high;
    bool left_useful = r->start - r->gap > w->low;
    if ((w->top_down ? right_useful : left_useful) && gap_below(w, first, at))
        return true;
    if (room_fits(w, r->start - r->gap, r->start, at))
        return true;
    return (w->top_down ? left_useful : right_useful) && gap_below(w, second, at);
}

bool range_tree_gap(const struct rb_tree *t, uint64_t size, uint64_t align, uint64_t low,
                    uint64_t high, bool top_down, uint64_t *start)
{
    struct wish w = { size, align, low, high, top_down };
    const struct range_node *last = range_of(rb_last(t));
    uint64_t behind = last ? last->end : 0;
    if (top_down && room_fits(&w, behind, UINT64_MAX, start))
        return true;
    if (gap_below(&w, t->root, start))
        return true;
    return !top_down && room_fits(&w, behind, UINT64_MAX, start);
}
