// SPDX-License-Identifier: GPL-3.0-or-later
// Range tree: finding and gap search against a map of single cells.
#include "lib/range_tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { CELLS = 256 };

static bool taken[CELLS];

static bool cells_free(uint64_t start, uint64_t size)
{
    for (uint64_t i = start; i < start + size; i++)
        if (taken[i])
            return false;
    return true;
}

static bool gap_by_hand(uint64_t size, uint64_t align, uint64_t low, uint64_t high, bool top_down,
                        uint64_t *at)
{
    bool found = false;
    for (uint64_t i = low; i + size <= high; i++) {
        if (i % align || !cells_free(i, size))
            continue;
        *at = i;
        found = true;
        if (!top_down)
            break;
    }
    return found;
}

static void check_gaps(const struct rb_tree *t)
{
    for (unsigned n = 0; n < 40; n++) {
        uint64_t size = 1 + rand() % 30, align = 1u << rand() % 5, low = rand() % CELLS;
        uint64_t high = low + rand() % (CELLS - low + 1), want = 0, got = 0;
        bool top_down = rand() % 2;
        bool expected = gap_by_hand(size, align, low, high, top_down, &want);
        bool found = range_tree_gap(t, size, align, low, high, top_down, &got);
        assert_int_equal(found, expected);
        if (found)
            assert_int_equal(got, want);
    }
}

static void check_find(const struct rb_tree *t)
{
    for (uint64_t a = 0; a < CELLS; a++) {
        struct range_node *r = range_tree_find(t, a);
        bool inside = r && r->start <= a;
        assert_int_equal(inside, taken[a]);
        if (r)
            assert_true(r->end > a);
    }
}

static void range_tree_agrees_with_cells(void **state)
{
    struct rb_tree t = range_tree_make();
    struct range_node pool[40];
    bool in[array_len(pool)] = { 0 };
    srand(3);
    for (unsigned step = 0; step < 4000; step++) {
        size_t i = rand() % array_len(pool);
        struct range_node *r = &pool[i];
        if (in[i] && rand() % 3 == 0 && r->end - r->start > 1) { // shrink at one end
            if (rand() % 2)
                taken[r->start++] = false;
            else
                taken[--r->end] = false;
            range_tree_changed(&t, r);
        } else if (in[i]) {
            range_tree_remove(&t, r);
            memset(taken + r->start, 0, r->end - r->start);
            in[i] = false;
        } else {
            r->start = rand() % (CELLS - 12);
            r->end = r->start + 1 + rand() % 12;
            if (cells_free(r->start, r->end - r->start)) {
                range_tree_insert(&t, r);
                memset(taken + r->start, 1, r->end - r->start);
                in[i] = true;
            }
        }
        if (step % 4 == 0) {
            check_find(&t);
            check_gaps(&t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_tree_agrees_with_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
