// SPDX-License-Identifier: GPL-3.0-or-later
// Red-black tree: order, balance and the update function under random insertion and removal.
#include "lib/rbtree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct item {
    struct rb_node node;
    unsigned key, serial;
    unsigned count; // members in this subtree, kept by the update function
};

static struct item *item_of(const struct rb_node *n)
{
    return container_of(n, struct item, node);
}

static bool before(const struct rb_node *a, const struct rb_node *b)
{
    return item_of(a)->key < item_of(b)->key;
}

static unsigned count_of(const struct rb_node *n)
{
    return n ? item_of(n)->count : 0;
}

static void count_update(struct rb_node *n)
{
    item_of(n)->count = 1 + count_of(n->left) + count_of(n->right);
}

// Returns the black height; checks colours, parents and counts.
static unsigned check_below(const struct rb_node *n, const struct rb_node *parent)
{
    if (!n)
        return 1;
    assert_ptr_equal(n->parent, parent);
    assert_false(n->red && (!parent || parent->red));
    assert_int_equal(count_of(n), 1 + count_of(n->left) + count_of(n->right));
    unsigned left = check_below(n->left, n), right = check_below(n->right, n);
    assert_int_equal(left, right);
    return left + !n->red;
}

static void check_tree(const struct rb_tree *t, unsigned members)
{
    check_below(t->root, NULL);
    assert_int_equal(count_of(t->root), members);
    const struct item *last = NULL;
    unsigned seen = 0;
    rb_for_each (n, t) {
        const struct item *i = item_of(n);
        if (last) {
            assert_true(last->key <= i->key);
            assert_true(last->key < i->key || last->serial < i->serial);
            assert_ptr_equal(rb_prev(n), &last->node);
        }
        last = i;
        seen++;
    }
    assert_int_equal(seen, members);
    assert_ptr_equal(rb_last(t), last ? &last->node : NULL);
}

static void rbtree_stays_ordered_and_balanced(void **state)
{
    enum { COUNT = 400 };
    static struct item items[COUNT];
    bool in[COUNT] = { 0 };
    unsigned members = 0, serial = 0;
    struct rb_tree t = RB_TREE_INIT_UPDATE(count_update);
    srand(1);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = rand() % COUNT;
        if (in[i]) {
            rb_remove(&t, &items[i].node);
            members--;
        } else {
            items[i].key = rand() % 100;
            items[i].serial = serial++;
            rb_insert(&t, &items[i].node, before);
            members++;
        }
        in[i] = !in[i];
        if (step % 16 == 0)
            check_tree(&t, members);
    }
    while (!rb_empty(&t)) {
        rb_remove(&t, rb_first(&t));
        check_tree(&t, --members);
    }
    assert_null(rb_first(&t));
    assert_null(rb_last(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rbtree_stays_ordered_and_balanced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
