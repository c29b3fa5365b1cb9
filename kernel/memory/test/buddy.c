// SPDX-License-Identifier: GPL-3.0-or-later
// Buddy allocator: no frame is given out twice, none is lost, neighbours join again.
#include "kernel/memory/buddy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { FRAMES = 3 << PAGE_ORDER_MAX };

static struct page pages[FRAMES];

// Walks the free lists: aligned, not overlapping, flags right, the count right, no two free
// buddies.
static void check_lists(const struct buddy *b)
{
    static bool is_free[FRAMES];
    uint64_t total = 0;
    memset(is_free, 0, sizeof(is_free));
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
        assert_int_equal(!list_empty(&b->free[order]), b->orders >> order & 1);
        list_for_each (link, &b->free[order]) {
            struct page *p = container_of(link, struct page, link);
            uint64_t frame = p - pages;
            assert_int_equal(p->flags, PAGE_FREE);
            assert_int_equal(p->order, order);
            assert_int_equal(frame & ((1u << order) - 1), 0);
            for (unsigned i = 0; i < 1u << order; i++) {
                assert_false(is_free[frame + i]);
                is_free[frame + i] = true;
                assert_true(i == 0 || p[i].flags == 0);
            }
            struct page *buddy = pages + (frame ^ (1u << order));
            assert_false(order < PAGE_ORDER_MAX && (buddy->flags & PAGE_FREE) &&
                         buddy->order == order);
            total += 1u << order;
        }
    }
    assert_int_equal(total, b->free_frames);
}

static void reserve_all(void)
{
    memset(pages, 0, sizeof(pages));
    for (unsigned i = 0; i < FRAMES; i++)
        pages[i].flags = PAGE_RESERVED;
}

static void buddy_random_use(void **state)
{
    struct buddy b;
    struct page *out[500] = { 0 };
    unsigned orders[array_len(out)] = { 0 };
    static bool taken[FRAMES];
    reserve_all();
    memset(taken, 0, sizeof(taken));
    buddy_init(&b, pages, 1);
    buddy_add(&b, 5, 1000);
    buddy_add(&b, 1030, 1500);
    check_lists(&b);
    srand(5);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = rand() % array_len(out);
        if (out[i]) {
            memset(taken + (out[i] - pages), 0, 1u << orders[i]);
            buddy_give(&b, out[i], orders[i]);
            out[i] = NULL;
        } else {
            orders[i] = rand() % 8 ? rand() % 3 : rand() % 9;
            out[i] = buddy_take(&b, orders[i]);
            for (unsigned n = 0; out[i] && n < 1u << orders[i]; n++) {
                uint64_t frame = out[i] - pages + n;
                assert_false(taken[frame]);
                assert_true((frame >= 5 && frame < 1005) || (frame >= 1030 && frame < 2530));
                taken[frame] = true;
            }
        }
        if (step % 64 == 0)
            check_lists(&b);
    }
    for (unsigned i = 0; i < array_len(out); i++)
        if (out[i])
            buddy_give(&b, out[i], orders[i]);
    check_lists(&b);
    assert_int_equal(b.free_frames, 2500);
}

static void buddy_runs_out_and_recovers(void **state)
{
    struct buddy b;
    reserve_all();
    buddy_init(&b, pages, 0);
    buddy_add(&b, 0, FRAMES);
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(buddy_take(&b, PAGE_ORDER_MAX));
    assert_null(buddy_take(&b, 0));
    for (unsigned i = 0; i < FRAMES; i += 2)
        buddy_give(&b, pages + i, 0);
    assert_null(buddy_take(&b, 1));
    for (unsigned i = 1; i < FRAMES; i += 2)
        buddy_give(&b, pages + i, 0);
    check_lists(&b);
    assert_non_null(buddy_take(&b, PAGE_ORDER_MAX));
}

static void buddy_keeps_zones_apart(void **state)
{
    struct buddy low, high;
    reserve_all();
    buddy_init(&low, pages, 0);
    buddy_init(&high, pages, 1);
    buddy_add(&low, 0, 8);
    buddy_add(&high, 8, 8);
    struct page *p = buddy_take(&low, 3);
    assert_ptr_equal(p, pages);
    buddy_give(&low, p, 3);
    assert_null(buddy_take(&low, 4));
    assert_non_null(buddy_take(&high, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buddy_random_use),
        cmocka_unit_test(buddy_runs_out_and_recovers),
        cmocka_unit_test(buddy_keeps_zones_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
