// SPDX-License-Identifier: GPL-3.0-or-later
// Sparse array. A tree of height h holds indexes below 64^h; the root grows upwards on demand and
// shrinks when only its first slot is left.
#include "lib/radix.h"

enum { HEIGHT_MAX = div_round_up(64, RADIX_BITS) };

void radix_init(struct radix *r, const struct radix_nodes *nodes)
{
    *r = (struct radix){ .nodes = nodes };
}

static unsigned slot_of(uint64_t index, unsigned level)
{
    return (index >> (level * RADIX_BITS)) & (RADIX_SLOTS - 1);
}

// Whether a tree of this height has a place for the index.
static bool holds(unsigned height, uint64_t index)
{
    return height >= HEIGHT_MAX || (height && !(index >> (height * RADIX_BITS)));
}

void *radix_get(const struct radix *r, uint64_t index)
{
    if (!holds(r->height, index))
        return NULL;
    void *p = r->root;
    for (unsigned level = r->height; level-- && p;)
        p = ((struct radix_node *)p)->slots[slot_of(index, level)];
    return p;
}

static void slot_set(struct radix_node *n, unsigned slot, void *value)
{
    n->slots[slot] = value;
    if (value)
        n->used |= 1ull << slot;
    else
        n->used &= ~(1ull << slot);
}

// Drops nodes without members on the path to `index`, and levels the tree does not need.
static void prune(struct radix *r, uint64_t index)
{
    struct radix_node *path[HEIGHT_MAX + 1] = { 0 };
    void *p = holds(r->height, index) ? r->root : NULL;
    for (unsigned level = r->height; level-- && p;) {
        path[level] = p;
        p = path[level]->slots[slot_of(index, level)];
    }
    for (unsigned level = 0; level < r->height; level++) {
        if (!path[level])
            continue;
        if (path[level]->used)
            break;
        r->nodes->drop(path[level]);
        if (level + 1 < r->height)
            slot_set(path[level + 1], slot_of(index, level + 1), NULL);
        else
            r->root = NULL;
    }
    while (r->root && r->height > 1 && r->root->used == 1) {
        struct radix_node *old = r->root;
        r->root = old->slots[0];
        r->height--;
        r->nodes->drop(old);
    }
    if (!r->root)
        r->height = 0;
}

// Adds levels on top until the index has a place.
static bool grow(struct radix *r, uint64_t index)
{
    if (!r->root) {
        r->root = r->nodes->make();
        if (!r->root)
            return false;
        for (r->height = 1; !holds(r->height, index);)
            r->height++;
    }
    while (!holds(r->height, index)) {
        struct radix_node *top = r->nodes->make();
        if (!top)
            return false;
        slot_set(top, 0, r->root);
        r->root = top;
        r->height++;
    }
    return true;
}

bool radix_put(struct radix *r, uint64_t index, void *value)
{
    if (!grow(r, index))
        goto no_memory;
    struct radix_node *n = r->root;
    for (unsigned level = r->height - 1; level; level--) {
        unsigned slot = slot_of(index, level);
        if (!n->slots[slot]) {
            void *child = r->nodes->make();
            if (!child)
                goto no_memory;
            slot_set(n, slot, child);
        }
        n = n->slots[slot];
    }
    slot_set(n, slot_of(index, 0), value);
    return true;

no_memory:
    prune(r, index);
    return false;
}

void *radix_remove(struct radix *r, uint64_t index)
{
    if (!holds(r->height, index))
        return NULL;
    struct radix_node *n = r->root;
    for (unsigned level = r->height - 1; level && n; level--)
        n = n->slots[slot_of(index, level)];
    if (!n)
        return NULL;
    void *value = n->slots[slot_of(index, 0)];
    if (!value)
        return NULL;
    slot_set(n, slot_of(index, 0), NULL);
    if (!n->used)
        prune(r, index);
    return value;
}

// The first value at or after *index below `n`, whose subtree holds 64^(level+1) indexes.
static void *next_below(const struct radix_node *n, unsigned level, uint64_t *index)
{
    unsigned shift = level * RADIX_BITS;
    for (unsigned slot = slot_of(*index, level);;) {
        uint64_t rest = n->used & (~0ull << slot);
        if (!rest)
            return NULL;
        unsigned found = __builtin_ctzll(rest);
        if (found != slot) // a later subtree: from its beginning
            *index = (*index >> shift >> RADIX_BITS << RADIX_BITS | found) << shift;
        if (!level)
            return n->slots[found];
        void *p = next_below(n->slots[found], level - 1, index);
        if (p || found == RADIX_SLOTS - 1)
            return p;
        slot = found + 1;
        *index = (*index >> shift >> RADIX_BITS << RADIX_BITS | slot) << shift;
    }
}

void *radix_next(const struct radix *r, uint64_t *index)
{
    if (!r->root || !holds(r->height, *index))
        return NULL;
    return next_below(r->root, r->height - 1, index);
}

static void drop_below(struct radix *r, struct radix_node *n, unsigned level)
{
    for (uint64_t rest = level ? n->used : 0; rest; rest &= rest - 1)
        drop_below(r, n->slots[__builtin_ctzll(rest)], level - 1);
    r->nodes->drop(n);
}

void radix_clear(struct radix *r)
{
    if (r->root)
        drop_below(r, r->root, r->height - 1);
    r->root = NULL;
    r->height = 0;
}
