// SPDX-License-Identifier: GPL-3.0-or-later
// The formatter against the C library's snprintf, for every conversion, flag, width and precision
// it promises, with values at the edges.
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "lib/format.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

#define check_format(...)                                      \
    do {                                                       \
        char ours[128], theirs[128];                           \
        int a = format_text(ours, sizeof(ours), __VA_ARGS__);  \
        int b = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
        assert_string_equal(ours, theirs);                     \
        assert_int_equal(a, b);                                \
    } while (0)

static void test_integers_as_the_c_library(void **state)
{
    static const char *const flags[] = { "", "-", "0", "+", " ", "#", "-#", "0#", "+0", "-0" };
    static const char *const sizes[] = { "", "3", "12", ".0", ".5", "9.3", "2.8" };
    static const int64_t values[] = { 0, 1, -1, 42, -42, INT_MAX, INT_MIN, INT64_MAX, INT64_MIN };
    for (size_t f = 0; f < array_len(flags); f++)
        for (size_t s = 0; s < array_len(sizes); s++)
            for (const char *kind = "diuxXo"; *kind; kind++)
                for (size_t v = 0; v < array_len(values); v++) {
                    char format[32];
                    snprintf(format, sizeof(format), "<%%%s%s%c>", flags[f], sizes[s], *kind);
                    check_format(format, (int)values[v]);
                    snprintf(format, sizeof(format), "<%%%s%sl%c>", flags[f], sizes[s], *kind);
                    check_format(format, values[v]);
                    snprintf(format, sizeof(format), "<%%%s%shh%c>", flags[f], sizes[s], *kind);
                    check_format(format, (int)values[v]);
                    snprintf(format, sizeof(format), "<%%%s%sh%c>", flags[f], sizes[s], *kind);
                    check_format(format, (int)values[v]);
                }
}

static void test_texts_as_the_c_library(void **state)
{
    check_format("%s|%8s|%-8s|%.2s|%8.2s", "abc", "abc", "abc", "abc", "abc");
    check_format("%c|%4c|%-4c|%%", 'a', 'b', 'c');
    check_format("%.*s|%*d|%-*d|%*d", 2, "abcdef", 6, 12, 6, 12, -6, 12);
    check_format("%p|%zu|%td|%jd|%lld", (void *)0x1234abcd, (size_t)7, (ptrdiff_t)-3, (intmax_t)-9,
                 -5ll);
    check_format("plain");
    check_format("%s", "");
}

static void test_a_text_that_does_not_fit_is_cut_and_ends(void **state)
{
    char to[5] = "....";
    assert_int_equal(format_text(to, sizeof(to), "%d", 1234567), 7);
    assert_string_equal(to, "1234");
    assert_int_equal(format_text(to, 1, "abc"), 3);
    assert_string_equal(to, "");
    assert_int_equal(format_text(NULL, 0, "%s", "abc"), 3);
}

static void test_a_bad_format_does_no_harm(void **state)
{
    char to[32];
    format_text(to, sizeof(to), "a%");
    assert_string_equal(to, "a%");
    format_text(to, sizeof(to), "a%yb");
    assert_string_equal(to, "a%yb");
    const char *volatile nothing = NULL;
    format_text(to, sizeof(to), "%s", nothing);
    assert_string_equal(to, "(null)");
}

static void test_growing_text_notes_the_cut(void **state)
{
    char buffer[8];
    struct text t = { buffer, sizeof(buffer), 0, false };
    text_add(&t, "%d,", 12);
    text_add(&t, "%d,", 34);
    assert_false(t.cut);
    assert_int_equal(t.length, 6);
    text_add(&t, "%d,", 56);
    assert_true(t.cut);
    assert_string_equal(buffer, "12,34,5");
    text_add(&t, "more");
    assert_string_equal(buffer, "12,34,5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_as_the_c_library),
        cmocka_unit_test(test_texts_as_the_c_library),
        cmocka_unit_test(test_a_text_that_does_not_fit_is_cut_and_ends),
        cmocka_unit_test(test_a_bad_format_does_no_harm),
        cmocka_unit_test(test_growing_text_notes_the_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
