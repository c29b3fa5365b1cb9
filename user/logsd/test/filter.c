// SPDX-License-Identifier: GPL-3.0-or-later
// Levels, prefixes and the ring of logsd, on the build machine.
#include "user/logsd/filter.h"
#include <redox/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// cmocka needs the three above first.
#include <cmocka.h>

static struct logs l;
static char text[RING_SIZE + 1];

static int set_up(void **state)
{
    memset(&l, 0, sizeof(l));
    l.level = 6;
    return 0;
}

static bool line(const char *prefix, const char *t)
{
    return logs_line(&l, prefix, strlen(prefix), t, strlen(t));
}

static int64_t command(const char *t)
{
    return logs_command(&l, t, strlen(t));
}

static const char *all(void)
{
    uint64_t place = 0;
    text[logs_read(&l, &place, text, RING_SIZE)] = 0;
    return text;
}

static void lines_have_levels_and_prefixes(void **state)
{
    assert_true(line("", "plain"));
    assert_true(line("net", "<3>cable gone"));
    assert_true(line("", "<0>disk: on fire"));
    assert_false(line("", "<7>detail"));
    assert_true(line("", "<9>not a level"));
    assert_true(line("", "<6"));
    assert_string_equal(all(), "<6>plain\n<3>net: cable gone\n<0>disk: on fire\n"
                               "<6><9>not a level\n<6><6\n");
    assert_int_equal(l.kept, 5);
    assert_int_equal(l.dropped, 1);
}

static void prefixes_have_levels_of_their_own(void **state)
{
    assert_int_equal(command("level net 3"), 0);
    assert_false(line("net", "chatter"));
    assert_false(line("", "net: the same in the line"));
    assert_true(line("", "network: is another"));
    assert_true(line("", "a word net: is text"));
    assert_true(line("net", "<3>error"));
    assert_int_equal(command("level -1"), 0);
    assert_false(line("", "<0>nothing"));
    assert_true(line("net", "<3>still"));
    assert_int_equal(command("forget net"), 0);
    assert_false(line("net", "<3>gone"));
    assert_int_equal(command("  level   7 "), 0);
    assert_true(line("net", "<7>all"));
}

static void commands_are_checked(void **state)
{
    static const char *const bad[] = { "",           "level",       "level 8",    "level -2",
                                       "level x",    "level a b c", "levels 3",   "forget",
                                       "forget you", "clear all",   "level 1 2 3" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(command(bad[i]), -REDOX_EINVAL);
    assert_int_equal(command("level abcdefghijabcdefghijabcdefghijab 3"), -REDOX_EINVAL);
    char name[] = "level p00 1";
    for (int i = 0; i < RULES_MAX; i++) {
        name[7] = (char)('0' + i / 10);
        name[8] = (char)('0' + i % 10);
        assert_int_equal(command(name), 0);
    }
    assert_int_equal(command("level one_more 1"), -REDOX_ENOSPC);
    assert_int_equal(command("level p05 2"), 0);
}

static void settings_are_shown(void **state)
{
    command("level net 3");
    command("level quiet -1");
    line("", "x");
    line("quiet", "y");
    const char *wanted = "level 6\nlevel net 3\nlevel quiet -1\nkept 1 dropped 1\n";
    assert_int_equal(logs_settings(&l, text, sizeof(text)), strlen(wanted));
    assert_memory_equal(text, wanted, strlen(wanted));
    text[5] = '#';
    assert_int_equal(logs_settings(&l, text, 5), strlen(wanted));
    assert_int_equal(text[5], '#');
}

static void the_ring_keeps_whole_lines(void **state)
{
    char t[40];
    memset(t, 'a', sizeof(t));
    for (unsigned i = 0; i < 10000; i++)
        assert_true(logs_line(&l, "", 0, t, i % sizeof(t)));
    assert_true(l.end - l.begin <= RING_SIZE && l.end - l.begin > RING_SIZE - 64);
    assert_memory_equal(all(), "<6>", 3);
    uint64_t place = l.end - 1;
    assert_int_equal(logs_read(&l, &place, text, 10), 1);
    assert_int_equal(text[0], '\n');
    assert_int_equal(logs_read(&l, &place, text, 10), 0);
    assert_int_equal(command("clear"), 0);
    assert_string_equal(all(), "");
}

static void long_lines_are_cut(void **state)
{
    static char t[5000];
    memset(t, 'x', sizeof(t));
    assert_true(logs_line(&l, "p", 1, t, sizeof(t)));
    size_t length;
    const char *kept = logs_last(&length);
    assert_int_equal(length, 3 + 3 + LINE_MAX + 1);
    assert_int_equal(kept[length - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_have_levels_and_prefixes, set_up),
        cmocka_unit_test_setup(prefixes_have_levels_of_their_own, set_up),
        cmocka_unit_test_setup(commands_are_checked, set_up),
        cmocka_unit_test_setup(settings_are_shown, set_up),
        cmocka_unit_test_setup(the_ring_keeps_whole_lines, set_up),
        cmocka_unit_test_setup(long_lines_are_cut, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
