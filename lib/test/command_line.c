// SPDX-License-Identifier: GPL-3.0-or-later
// Options are found as whole words only, the last one counts, quotes hold blanks; numbers are
// strict.
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "lib/command_line.h"
#include "lib/number.h"

static const char line[] = "  quiet panic=halt root=\"a b\"  mem=64M\tno=smap,pcid panic=reboot "
                           "empty= nokaslrx bad=12x open=\"a b";

static void test_whole_words_only(void **state)
{
    assert_true(command_line_has(line, "quiet"));
    assert_true(command_line_has(line, "panic"));
    assert_true(command_line_has(line, "empty"));
    assert_false(command_line_has(line, "nokaslr"));
    assert_false(command_line_has(line, "uiet"));
    assert_false(command_line_has(line, "halt"));
    assert_false(command_line_has("", "x"));
    assert_false(command_line_has("   ", "x"));
}

static void test_values(void **state)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        { "panic", "reboot" }, { "root", "a b" }, { "quiet", "" },
        { "empty", "" },       { "mem", "64M" },  { "open", "a b" },
    };
    char value[16];
    for (size_t i = 0; i < array_len(cases); i++) {
        assert_true(command_line_get(line, cases[i].name, value, sizeof(value)));
        assert_string_equal(value, cases[i].value);
    }
    assert_false(command_line_get(line, "absent", value, sizeof(value)));
    assert_true(command_line_get(line, "panic", value, 4));
    assert_string_equal(value, "reb");
}

static void test_numbers_and_lists(void **state)
{
    assert_int_equal(command_line_number(line, "mem", 1), MIB(64));
    assert_int_equal(command_line_number(line, "bad", 7), 7);
    assert_int_equal(command_line_number(line, "quiet", 7), 7);
    assert_int_equal(command_line_number(line, "absent", 7), 7);
    assert_true(command_line_lists(line, "no", "smap"));
    assert_true(command_line_lists(line, "no", "pcid"));
    assert_false(command_line_lists(line, "no", "sma"));
    assert_false(command_line_lists(line, "no", "smap,pcid"));
    assert_false(command_line_lists(line, "absent", "smap"));
}

static void test_numbers_are_strict(void **state)
{
    static const struct {
        const char *text;
        unsigned base;
        bool good;
        uint64_t value;
    } cases[] = {
        { "0", 0, true, 0 },
        { "42", 0, true, 42 },
        { "0x2A", 0, true, 42 },
        { "052", 0, true, 42 },
        { "2a", 16, true, 42 },
        { "18446744073709551615", 10, true, UINT64_MAX },
        { "18446744073709551616", 10, false, 0 },
        { "0x10000000000000000", 0, false, 0 },
        { "", 10, false, 0 },
        { "0x", 0, false, 0 },
        { "-1", 10, false, 0 },
        { " 1", 10, false, 0 },
        { "1 ", 10, false, 0 },
        { "9", 8, false, 0 },
    };
    for (size_t i = 0; i < array_len(cases); i++) {
        uint64_t value = 0;
        bool good = number_parse(cases[i].text, strlen(cases[i].text), cases[i].base, &value);
        assert_int_equal(good, cases[i].good);
        if (good)
            assert_int_equal(value, cases[i].value);
    }
    uint64_t value;
    assert_true(number_parse_size("3G", 2, &value));
    assert_int_equal(value, GIB(3));
    assert_false(number_parse_size("20000000T", 9, &value));
    assert_false(number_parse_size("M", 1, &value));
    assert_false(number_parse_size("", 0, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_words_only),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_numbers_and_lists),
        cmocka_unit_test(test_numbers_are_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
