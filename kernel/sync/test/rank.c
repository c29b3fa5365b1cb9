// SPDX-License-Identifier: GPL-3.0-or-later
// The order checks of kernel/sync/rank.h.
#include "kernel/sync/rank.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char locks[8]; // addresses to stand for locks

// One row per case: what is held (rank 0 ends), what is wanted, whether it is allowed.
static const struct {
    const char *name;
    uint8_t held[3], held_context[3];
    uint8_t wanted, context;
    bool nested, allowed;
} cases[] = {
    { "nothing held", { 0 }, { 0 }, 50, 0, false, true },
    { "inward", { 50 }, { 0 }, 60, 0, false, true },
    { "outward", { 60 }, { 0 }, 50, 0, false, false },
    { "equal", { 60 }, { 0 }, 60, 0, false, false },
    { "equal but said so", { 60 }, { 0 }, 60, 0, true, true },
    { "hidden below a smaller one", { 70, 50 }, { 0 }, 60, 0, false, false },
    { "an interrupt starts afresh", { 92 }, { 0 }, 50, 1, false, true },
    { "within the interrupt", { 50, 92 }, { 0, 1 }, 60, 1, false, false },
};

static void order_is_checked(void **state)
{
    for (size_t i = 0; i < array_len(cases); i++) {
        struct rank_stack s = { 0 };
        for (unsigned n = 0; n < 3 && cases[i].held[n]; n++)
            assert_true(rank_push(&s, cases[i].held_context[n], &locks[n], cases[i].held[n]));
        bool allowed = rank_conflict(&s, cases[i].context, &locks[7], cases[i].wanted,
                                     cases[i].nested) == NULL;
        if (allowed != cases[i].allowed)
            fail_msg("%s", cases[i].name);
    }
}

static void nested_needs_ascending_addresses(void **state)
{
    struct rank_stack s = { 0 };
    assert_true(rank_push(&s, 0, &locks[4], 60));
    assert_null(rank_conflict(&s, 0, &locks[5], 60, true));
    assert_non_null(rank_conflict(&s, 0, &locks[3], 60, true));
}

static void the_same_lock_is_refused_in_any_context(void **state)
{
    struct rank_stack s = { 0 };
    assert_true(rank_push(&s, 0, &locks[0], 50));
    assert_ptr_equal(rank_conflict(&s, 1, &locks[0], 50, false)->lock, &locks[0]);
}

static void release_in_any_order(void **state)
{
    struct rank_stack s = { 0 };
    for (unsigned i = 0; i < 3; i++)
        assert_true(rank_push(&s, 0, &locks[i], 50 + i));
    assert_true(rank_pop(&s, &locks[1]));
    assert_false(rank_pop(&s, &locks[1]));
    assert_true(rank_holds(&s, &locks[0]) && rank_holds(&s, &locks[2]));
    assert_true(rank_pop(&s, &locks[0]) && rank_pop(&s, &locks[2]));
    assert_int_equal(s.depth, 0);
    assert_false(rank_pop(&s, &locks[0]));
}

static void a_full_stack_says_so(void **state)
{
    struct rank_stack s = { 0 };
    for (unsigned i = 0; i < RANK_DEPTH; i++)
        assert_true(rank_push(&s, 0, &locks[0], i + 1));
    assert_false(rank_push(&s, 0, &locks[1], 99));
}

static void sleeping_ranks(void **state)
{
    uint8_t ranks[2], count = 0;
    assert_int_equal(rank_sleep_enter(ranks, &count, 2, 15, false), 0);
    assert_int_equal(rank_sleep_enter(ranks, &count, 2, 15, false), 15);
    assert_int_equal(rank_sleep_enter(ranks, &count, 2, 15, true), 0);
    assert_int_equal(rank_sleep_enter(ranks, &count, 2, 30, false), 0); // no room: not recorded
    assert_int_equal(count, 2);
    assert_int_equal(rank_sleep_enter(ranks, &count, 2, 10, false), 15);
    rank_sleep_leave(ranks, &count, 30);
    rank_sleep_leave(ranks, &count, 15);
    rank_sleep_leave(ranks, &count, 15);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_checked),
        cmocka_unit_test(nested_needs_ascending_addresses),
        cmocka_unit_test(the_same_lock_is_refused_in_any_context),
        cmocka_unit_test(release_in_any_order),
        cmocka_unit_test(a_full_stack_says_so),
        cmocka_unit_test(sleeping_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
