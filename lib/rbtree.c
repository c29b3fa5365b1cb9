// SPDX-License-Identifier: GPL-3.0-or-later
// Red-black tree. Invariants: the root is black; a red node has black children; every path from a
// node down to a missing child passes the same number of black nodes.
#include "lib/rbtree.h"

static bool is_red(const struct rb_node *n)
{
    return n && n->red;
}

static void update(struct rb_tree *t, struct rb_node *n)
{
    if (t->update)
        t->update(n);
}

void rb_changed(struct rb_tree *t, struct rb_node *n)
{
    if (!t->update)
        return;
    for (; n; n = n->parent)
        t->update(n);
}

static struct rb_node *leftmost(struct rb_node *n)
{
    while (n->left)
        n = n->left;
    return n;
}

struct rb_node *rb_last(const struct rb_tree *t)
{
    struct rb_node *n = t->root;
    while (n && n->right)
        n = n->right;
    return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
    if (n->right)
        return leftmost(n->right);
    while (n->parent && n == n->parent->right)
        n = n->parent;
    return n->parent;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
    if (n->left) {
        n = n->left;
        while (n->right)
            n = n->right;
        return (struct rb_node *)n;
    }
    while (n->parent && n == n->parent->left)
        n = n->parent;
    return n->parent;
}

// Puts `child` where `n` hung.
static void replace_child(struct rb_tree *t, struct rb_node *n, struct rb_node *child)
{
    struct rb_node *p = n->parent;
    if (!p)
        t->root = child;
    else if (p->left == n)
        p->left = child;
    else
        p->right = child;
    if (child)
        child->parent = p;
}

//     n              r
//    / \            / \     and back with rotate_right
//   a   r    ->    n   c
//      / \        / \ .
//     b   c      a   b
static void rotate_left(struct rb_tree *t, struct rb_node *n)
{
    struct rb_node *r = n->right;
    replace_child(t, n, r);
    n->right = r->left;
    if (n->right)
        n->right->parent = n;
    r->left = n;
    n->parent = r;
    update(t, n);
    update(t, r);
}

static void rotate_right(struct rb_tree *t, struct rb_node *n)
{
    struct rb_node *l = n->left;
    replace_child(t, n, l);
    n->left = l->right;
    if (n->left)
        n->left->parent = n;
    l->right = n;
    n->parent = l;
    update(t, n);
    update(t, l);
}

// A red node was hung below a red parent: moves the trouble up, or ends it by a rotation.
static void balance_insert(struct rb_tree *t, struct rb_node *n)
{
    while (is_red(n->parent)) {
        struct rb_node *p = n->parent, *g = p->parent; // a red node is never the root
        bool left = p == g->left;
        struct rb_node *uncle = left ? g->right : g->left;
        if (is_red(uncle)) {
            p->red = uncle->red = false;
            g->red = true;
            n = g;
            continue;
        }
        if (left && n == p->right) {
            rotate_left(t, p);
            p = n;
        } else if (!left && n == p->left) {
            rotate_right(t, p);
            p = n;
        }
        p->red = false;
        g->red = true;
        if (left)
            rotate_right(t, g);
        else
            rotate_left(t, g);
        break;
    }
    t->root->red = false;
}

void rb_link(struct rb_tree *t, struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
    if (!t->first || (t->first == parent && link == &parent->left))
        t->first = n;
    *n = (struct rb_node){ .parent = parent, .red = true };
    *link = n;
    rb_changed(t, n);
    balance_insert(t, n);
}

void rb_insert(struct rb_tree *t, struct rb_node *n,
               bool (*before)(const struct rb_node *a, const struct rb_node *b))
{
    struct rb_node *parent = NULL, **link = &t->root;
    while (*link) {
        parent = *link;
        link = before(n, parent) ? &parent->left : &parent->right;
    }
    rb_link(t, n, parent, link);
}

// The side below `p` where `n` hangs (or hung: n may be NULL) lacks one black node.
static void balance_remove(struct rb_tree *t, struct rb_node *n, struct rb_node *p)
{
    while (p && !is_red(n)) {
        bool left = n == p->left;
        struct rb_node *s = left ? p->right : p->left; // exists: it holds the black n lacks
        if (s->red) {
            s->red = false;
            p->red = true;
            if (left)
                rotate_left(t, p);
            else
                rotate_right(t, p);
            s = left ? p->right : p->left;
        }
        if (!is_red(s->left) && !is_red(s->right)) {
            s->red = true;
            n = p;
            p = n->parent;
            continue;
        }
        struct rb_node *far = left ? s->right : s->left;
        if (!is_red(far)) {
            struct rb_node *near = left ? s->left : s->right;
            near->red = false;
            s->red = true;
            if (left)
                rotate_right(t, s);
            else
                rotate_left(t, s);
            far = s;
            s = near;
        }
        s->red = p->red;
        p->red = false;
        far->red = false;
        if (left)
            rotate_left(t, p);
        else
            rotate_right(t, p);
        return;
    }
    if (n)
        n->red = false;
}

// `n` has two children: its successor takes its place and colour. Returns where the tree now lacks
// a node: *hole hangs (or hung) below the returned parent.
static struct rb_node *replace_by_next(struct rb_tree *t, struct rb_node *n, struct rb_node **hole,
                                       bool *lost_black)
{
    struct rb_node *s = leftmost(n->right), *below = s->parent;
    *hole = s->right;
    *lost_black = !s->red;
    if (below == n) {
        below = s;
    } else {
        replace_child(t, s, s->right);
        s->right = n->right;
        s->right->parent = s;
    }
    s->left = n->left;
    s->left->parent = s;
    s->red = n->red;
    replace_child(t, n, s);
    return below;
}

void rb_remove(struct rb_tree *t, struct rb_node *n)
{
    if (t->first == n)
        t->first = rb_next(n);
    struct rb_node *hole, *below;
    bool lost_black;
    if (n->left && n->right) {
        below = replace_by_next(t, n, &hole, &lost_black);
    } else {
        hole = n->left ? n->left : n->right;
        below = n->parent;
        lost_black = !n->red;
        replace_child(t, n, hole);
    }
    rb_changed(t, below);
    if (lost_black)
        balance_remove(t, hole, below);
    *n = (struct rb_node){ 0 };
}
