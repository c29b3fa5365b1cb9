// SPDX-License-Identifier: GPL-3.0-or-later
// Sparse array against a plain table, with every allocation made to fail in turn.
#include "lib/radix.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static unsigned nodes_out, fail_after;

static void *node_make(void)
{
    if (fail_after && --fail_after == 0)
        return NULL;
    nodes_out++;
    return calloc(1, sizeof(struct radix_node));
}

static void node_drop(void *node)
{
    nodes_out--;
    free(node);
}

static const struct radix_nodes nodes = { node_make, node_drop };

static const uint64_t places[] = {
    0,
    1,
    63,
    64,
    65,
    4095,
    4096,
    262143,
    262144,
    1ull << 32,
    (1ull << 32) + 63,
    1ull << 60,
    UINT64_MAX - 1,
    UINT64_MAX,
};

static int values[array_len(places)];

static void check_same(const struct radix *r, const bool *in)
{
    size_t expected = 0;
    uint64_t index = 0;
    for (void *p; (p = radix_next(r, &index)); index++) {
        while (expected < array_len(places) && !in[expected])
            expected++;
        assert_true(expected < array_len(places));
        assert_true(index == places[expected]);
        assert_ptr_equal(p, &values[expected]);
        expected++;
        if (index == UINT64_MAX)
            break;
    }
    for (size_t i = 0; i < array_len(places); i++) {
        assert_ptr_equal(radix_get(r, places[i]), in[i] ? &values[i] : NULL);
        if (i >= expected)
            assert_false(in[i]);
    }
}

static void radix_agrees_with_a_table(void **state)
{
    struct radix r;
    bool in[array_len(places)] = { 0 };
    radix_init(&r, &nodes);
    srand(2);
    for (unsigned step = 0; step < 4000; step++) {
        size_t i = rand() % array_len(places);
        if (in[i])
            assert_ptr_equal(radix_remove(&r, places[i]), &values[i]);
        else
            assert_true(radix_put(&r, places[i], &values[i]));
        in[i] = !in[i];
        check_same(&r, in);
    }
    for (size_t i = 0; i < array_len(places); i++)
        (void)radix_remove(&r, places[i]);
    assert_int_equal(nodes_out, 0);
    assert_null(radix_remove(&r, 5));
}

static void radix_dense_and_cleared(void **state)
{
    struct radix r;
    radix_init(&r, &nodes);
    for (uintptr_t i = 0; i < 10000; i++)
        assert_true(radix_put(&r, i * 3, (void *)(i + 1)));
    uint64_t index = 0;
    for (uintptr_t i = 0; i < 10000; i++, index++) {
        assert_ptr_equal(radix_next(&r, &index), (void *)(i + 1));
        assert_true(index == i * 3);
    }
    assert_null(radix_next(&r, &index));
    radix_clear(&r);
    assert_int_equal(nodes_out, 0);
}

static void radix_put_fails_cleanly(void **state)
{
    for (size_t first = 0; first < array_len(places); first++) {
        for (size_t second = 0; second < array_len(places); second++) {
            for (unsigned n = 1; n < 30; n++) {
                struct radix r;
                bool in[array_len(places)] = { 0 };
                radix_init(&r, &nodes);
                fail_after = n;
                in[first] = radix_put(&r, places[first], &values[first]);
                if (!in[first])
                    assert_int_equal(nodes_out, 0);
                if (second != first)
                    in[second] = radix_put(&r, places[second], &values[second]);
                fail_after = 0;
                check_same(&r, in);
                radix_clear(&r);
                assert_int_equal(nodes_out, 0);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(radix_agrees_with_a_table),
        cmocka_unit_test(radix_dense_and_cleared),
        cmocka_unit_test(radix_put_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
