// SPDX-License-Identifier: GPL-3.0-or-later
// Name spaces: numbers, what is in one that was made, leaving and coming back, and the null one,
// which ends the program's way back.
#include "tests/programs/redox_start.h"

static int64_t names(const char *const *list, size_t count)
{
    uint64_t pairs[8][2];
    for (size_t i = 0; i < count; i++) {
        pairs[i][0] = REDOX_WORD(list[i]);
        pairs[i][1] = strlen(list[i]);
    }
    return redox_mkns(pairs, count);
}

static int64_t try(const char *path)
{
    int64_t fd = file_open(path, REDOX_O_RDONLY);
    return fd < 0 ? fd : redox_close(fd);
}

static void numbers(void)
{
    expect_is(redox_getns(), 1);
    expect_is(redox_getens(), 1);
    expect_is(redox_setrens(-1, -1), 0);
    expect_is(redox_setrens(1, 1), 0);
    expect_is(redox_setrens(999999, -1), -REDOX_ENOENT);
    expect_is(redox_getns(), 1);
}

static void what_is_made_has_what_was_named(void)
{
    static const char *const list[] = { "null", "rand" };
    char text[512];
    int64_t number = names(list, 2);
    expect(number > 1);
    expect(names(list, 2) > number);
    expect_is(redox_setrens(-1, number), 0);
    expect_is(redox_getns(), 1);
    expect_is(redox_getens(), number);
    expect_is(try("null:"), 0);
    expect_is(try("/scheme/rand"), 0);
    expect_is(try("zero:"), -REDOX_ENODEV);
    expect_is(try("/scheme/zero"), -REDOX_ENODEV);
    expect_is(try("/etc/passwd"), -REDOX_ENOENT);
    expect_is(try("file:/etc/passwd"), -REDOX_ENOENT);
    expect_is(try("time:4"), 0);
    expect_is(try("pipe:"), 0);
    int64_t size = file_text(":", text, sizeof(text));
    expect(size > 0);
    expect(strstr(text, "null\n") && strstr(text, "event\n") && strstr(text, "memory\n"));
    expect(!strstr(text, "zero\n") && !strstr(text, "file\n"));
    expect_is(redox_setrens(-1, 1), 0);
    expect_is(try("zero:"), 0);
}

static void names_must_be_there(void)
{
    static const char *const none[] = { "no-such-scheme" }, *const usual[] = { "time", "null" };
    expect_is(names(none, 1), -REDOX_ENODEV);
    expect(names(usual, 2) > 1); // one that every name space has anyway
    uint64_t bad[2] = { 0x1000, 4 }, longer[2] = { REDOX_WORD(none), 257 };
    expect_is(redox_mkns((const uint64_t(*)[2]) & bad, 1), -REDOX_EFAULT);
    expect_is(redox_mkns((const uint64_t(*)[2]) & longer, 1), -REDOX_EINVAL);
    expect_is(redox_mkns((const uint64_t(*)[2])0x1000, 1), -REDOX_EFAULT);
}

static void only_root_makes_and_changes(void)
{
    static const char *const list[] = { "null" };
    expect_is(redox_setreuid(0, 1000), 0);
    expect_is(names(list, 1), -REDOX_EACCES);
    expect_is(redox_setrens(2, 2), -REDOX_EPERM);
    expect_is(redox_setrens(1, 1), 0);
    expect_is(redox_setreuid(0, 0), 0);
}

static void the_null_one_is_for_good(void)
{
    int64_t fd = file_open("/etc/passwd", REDOX_O_RDONLY);
    char text[8];
    expect(fd >= 0);
    expect_is(redox_setrens(0, 0), 0);
    expect_is(redox_getns(), 0);
    expect_is(redox_getens(), 0);
    expect_is(try("/etc/passwd"), -REDOX_ENOENT);
    expect_is(try("null:"), -REDOX_ENODEV);
    expect_is(try(":"), -REDOX_ENODEV);
    expect_is(try("/scheme/null"), -REDOX_ENODEV);
    expect_is(redox_unlink("/etc/passwd", 11), -REDOX_ENOENT);
    expect_is(try("pipe:"), 0);
    expect_is(try("memory:"), 0);
    expect_is(try("thisproc:current/name"), 0);
    expect_is(redox_read(fd, text, 4), 4);
    expect_is(redox_setrens(1, 1), -REDOX_EPERM);
    expect_is(redox_setrens(0, 0), 0);
    redox_close(fd);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(numbers),
        TEST(what_is_made_has_what_was_named),
        TEST(names_must_be_there),
        TEST(only_root_makes_and_changes),
        TEST(the_null_one_is_for_good), // the last one
    };
    return run_tests(tests, array_len(tests));
}
