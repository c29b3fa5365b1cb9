// SPDX-License-Identifier: GPL-3.0-or-later
// A user scheme's client that speaks Redox: what Linux's calls do not reach. The scheme "files" is
// served by `user_schemes serve files`.
#include "tests/programs/redox_start.h"

static void dup_with_a_name_opens_anew(void)
{
    char byte;
    int64_t f = file_open("files:dup", REDOX_O_RDWR | REDOX_O_CREAT | 0600);
    expect(f >= 0);
    expect_is(redox_write(f, "xy", 2), 2);
    int64_t again = file_dup(f, "again");
    expect(again >= 0);
    expect_is(redox_read(again, &byte, 1), 1);
    expect_is(byte, 'x');
    expect_is(file_dup(f, "other"), -REDOX_EINVAL);
    expect_is(redox_close(again), 0);
    expect_is(redox_close(f), 0);
    expect_is(file_unlink("files:dup"), 0);
}

static void the_server_tells_the_path(void)
{
    char path[16] = "";
    int64_t f = file_open("/scheme/files/path", REDOX_O_RDWR | REDOX_O_CREAT);
    expect(f >= 0);
    expect_is(redox_fpath(f, path, sizeof(path)), 4);
    expect_is(memcmp(path, "path", 4), 0);
    expect_is(redox_close(f), 0);
    expect_is(file_unlink("files:path"), 0);
}

static void a_server_may_answer_with_its_file(void)
{
    char text[8] = "";
    int64_t f = file_open("files:given", REDOX_O_RDONLY);
    expect(f >= 0);
    expect_is(redox_read(f, text, sizeof(text)), 5);
    expect_is(memcmp(text, "given", 5), 0);
    expect_is(redox_close(f), 0);
}

static void files_are_sent_to_the_server(void)
{
    char text[16] = "";
    int64_t reader = file_open("pipe:", REDOX_O_RDONLY);
    expect(reader >= 0);
    int64_t writer = file_dup(reader, "write");
    expect(writer >= 0);
    int64_t f = file_open("files:", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    expect(f >= 0);
    expect_is(redox_sendfd(f, writer, 0, 0), 7);
    expect_is(redox_read(reader, text, sizeof(text)), 8);
    expect_is(memcmp(text, "obtained", 8), 0);
    expect_is(redox_close(writer), -REDOX_EBADF);
    expect_is(redox_read(reader, text, sizeof(text)), 0);
    redox_close(reader);
    redox_close(f);
}

static void schemes_end_by_their_name(void)
{
    int64_t f = file_open("files:last", REDOX_O_RDWR | REDOX_O_CREAT);
    expect(f >= 0);
    expect_is(file_unlink(":files"), 0);
    expect_is(redox_write(f, "x", 1), -REDOX_ENODEV);
    expect_is(file_open("files:last", REDOX_O_RDWR), -REDOX_ENODEV);
    expect_is(redox_close(f), 0);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(dup_with_a_name_opens_anew),        TEST(the_server_tells_the_path),
        TEST(a_server_may_answer_with_its_file), TEST(files_are_sent_to_the_server),
        TEST(schemes_end_by_their_name),
    };
    return run_tests(tests, array_len(tests));
}
