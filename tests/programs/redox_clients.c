// SPDX-License-Identifier: GPL-3.0-or-later
// A user scheme's client that speaks Redox: what Linux's calls do not reach. The scheme "files" is
// served by `user_schemes serve files`.
#include "tests/programs/redox_contexts.h"

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

static void only_the_last_of_a_file_is_sent_exclusively(void)
{
    char text[16] = "";
    int64_t reader = file_open("pipe:", REDOX_O_RDONLY), writer = file_dup(reader, "write");
    int64_t f = file_open("files:", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    expect(reader >= 0 && writer >= 0 && f >= 0);
    int64_t other = redox_dup(writer, NULL, 0);
    expect_is(redox_sendfd(f, writer, REDOX_SENDFD_EXCLUSIVE, 0), -REDOX_EBUSY);
    expect_is(redox_close(other), 0);
    expect_is(redox_write(writer, "mine ", 5), 5); // it stayed
    expect_is(redox_sendfd(f, writer, REDOX_SENDFD_EXCLUSIVE, 0), 7);
    expect_is(redox_close(writer), -REDOX_EBADF);
    expect_is(redox_read(reader, text, sizeof(text)), 13);
    expect_is(memcmp(text, "mine obtained", 13), 0);
    redox_close(reader);
    redox_close(f);
}

static void directories_have_entries(void)
{
    static char entries[200];
    int64_t file = file_open("files:entry", REDOX_O_RDWR | REDOX_O_CREAT | 0600);
    int64_t f = file_open("files:", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    expect(file >= 0 && f >= 0);
    int64_t n = redox_getdents(f, entries, sizeof(entries), 0);
    const struct redox_dirent_header *h = (const void *)entries;
    bool found = false;
    uint64_t next = 0;
    for (int64_t at = 0; at < n; at += h->length) {
        h = (const void *)(entries + at);
        next = h->next_opaque;
        found |= strcmp(entries + at + sizeof(*h), "entry") == 0;
    }
    expect(found && n > 0);
    expect_is(redox_getdents(f, entries, sizeof(entries), next), 0);
    redox_close(f);
    redox_close(file);
    expect_is(file_unlink("files:entry"), 0);
}

// fork leaves shared mappings of scheme files out of the copy; the library maps them anew by the
// file that `grant-fd-` gives it, so parent and child see the same pages.
static void forked_mappings_stay_shared(void)
{
    static char bytes[PAGE];
    memset(bytes, 'a', sizeof(bytes));
    int64_t f = file_open("files:map", REDOX_O_RDWR | REDOX_O_CREAT | 0600);
    expect(f >= 0);
    expect_is(redox_write(f, bytes, sizeof(bytes)), sizeof(bytes));
    struct redox_map map = { .size = PAGE,
                             .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_SHARED };
    volatile char *p = (volatile char *)redox_fmap(f, &map);
    expect((int64_t)p > 0);
    expect_is(redox_close(f), 0);
    int64_t pid = fork_context();
    if (pid == 0) {
        bool good = p[0] == 'a';
        p[1] = 'b';
        redox_exit(good ? 3 : 4);
    }
    uint64_t status = 0;
    expect_is(redox_waitpid((uint64_t)pid, &status, 0), pid);
    expect_is(status, 3 << 8);
    expect_is(p[1], 'b');
    int64_t own = own_context(), space = file_dup(own, "addrspace");
    char name[40];
    print_into(name, sizeof(name), "grant-fd-%llx", (unsigned long long)p);
    f = file_dup(space, name);
    expect(f >= 0);
    expect_is(redox_lseek(f, 1, REDOX_SEEK_SET), 1);
    expect_is(redox_read(f, bytes, 1), 1);
    expect_is(bytes[0], 'b');
    redox_close(f);
    redox_close(space);
    redox_close(own);
    expect_is(redox_funmap((uint64_t)p, PAGE), 0);
    expect_is(file_unlink("files:map"), 0);
}

// Requests that came after 0.5.2: servers of version 1 never see them.
static bool later_requests;

static void paths_begin_at_a_directory(void)
{
    char text[8] = "";
    int64_t top = file_open("files:", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    uint64_t make = REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_EXCL | 0600;
    expect(top >= 0);
    int64_t f = redox_openat(top, "at", 2, make, 0);
    if (!later_requests) {
        expect_is(f, -REDOX_EOPNOTSUPP);
        expect_is(redox_unlinkat(top, "at", 2, 0), -REDOX_EOPNOTSUPP);
        redox_close(top);
        return;
    }
    expect(f >= 0);
    expect_is(redox_write(f, "here", 4), 4);
    expect_is(redox_openat(top, "at", 2, make, 0), -REDOX_EEXIST);
    expect_is(redox_openat(f, "at", 2, REDOX_O_RDONLY, 0), -REDOX_ENOTDIR);
    expect_is(redox_close(f), 0);
    expect((f = redox_openat(top, "at", 2, REDOX_O_RDONLY, 0)) >= 0);
    expect_is(redox_read(f, text, sizeof(text)), 4); // positioned: the kernel keeps the offset
    expect_is(redox_read(f, text, sizeof(text)), 0);
    expect_is(memcmp(text, "here", 4), 0);
    expect_is(redox_close(f), 0);
    expect((f = redox_openat(top, "", 0, REDOX_O_RDONLY, 0)) >= 0); // itself anew
    expect_is(redox_close(f), 0);
    expect_is(redox_openat_into(top, "at", 2, REDOX_O_RDONLY, 0, 77), 77);
    expect_is(redox_close(77), 0);
    expect_is(redox_unlinkat(top, "at", 2, REDOX_AT_REMOVEDIR), -REDOX_ENOTDIR);
    expect_is(redox_unlinkat(top, "at", 2, 0), 0);
    expect_is(redox_unlinkat(top, "at", 2, 0), -REDOX_ENOENT);
    redox_close(top);
}

static void files_get_more_names(void)
{
    int64_t f = file_open("files:one", REDOX_O_RDWR | REDOX_O_CREAT | 0600);
    expect(f >= 0);
    int64_t result = redox_flink(f, "files:two", 9);
    expect_is(result, later_requests ? 0 : -REDOX_EOPNOTSUPP);
    expect_is(redox_flink(f, "/tmp/two", 8), -REDOX_EXDEV);
    if (later_requests)
        expect_is(file_unlink("files:two"), 0);
    redox_close(f);
    expect_is(file_unlink("files:one"), 0);
}

// What was sent comes back with every byte one more, also where pages are lent.
static void message_of(int64_t f, unsigned char *bytes, size_t size)
{
    static const uint64_t words[3] = { 5, 6, 7ull << 40 };
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)i;
    expect_is(redox_call(f, bytes, size, 3, words), 11 + (7ll << 40));
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (unsigned char)(i + 1)) {
            test_failed(__FILE_NAME__, __LINE__, "byte %zu of %zu is %d", i, size, bytes[i]);
            return;
        }
}

static void messages_mean_what_the_server_says(void)
{
    static unsigned char bytes[5 * PAGE];
    static const char constant[] = "these bytes cannot be written";
    static const uint64_t wrong = 13, none = 0;
    int64_t f = file_open("files:", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    expect(f >= 0);
    if (!later_requests) {
        expect_is(redox_call(f, bytes, 8, 0, NULL), -REDOX_EOPNOTSUPP);
        redox_close(f);
        return;
    }
    static const size_t sizes[] = { 1, 24, 4096, 4097, 4 * PAGE + 100 };
    for (size_t i = 0; i < array_len(sizes); i++) {
        message_of(f, bytes, sizes[i]);
        message_of(f, bytes + 33, sizes[i]);
    }
    expect_is(redox_call(f, NULL, 0, 0, NULL), 0);
    expect_is(redox_call(f, bytes, 8, 1, &wrong), -REDOX_EDOM);
    expect_is(
        redox_call(f, (void *)(uintptr_t)constant, sizeof(constant), 1 | REDOX_CALL_WRITE, &none),
        0);
    expect_is(redox_call(f, (void *)8, 8, 0, NULL), -REDOX_EFAULT);
    expect_is(redox_call(f, bytes, 8, 1, (const uint64_t *)8), -REDOX_EFAULT);
    expect_is(redox_call(f, bytes, 1ull << 40, 0, NULL), -REDOX_EINVAL);
    expect_is(redox_call(f, bytes, 8, REDOX_CALL_FD, NULL), -REDOX_EOPNOTSUPP);
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
    later_requests = argc > 1 && argv[1][0] == '2';
    static const struct test tests[] = {
        TEST(dup_with_a_name_opens_anew),
        TEST(the_server_tells_the_path),
        TEST(a_server_may_answer_with_its_file),
        TEST(files_are_sent_to_the_server),
        TEST(only_the_last_of_a_file_is_sent_exclusively),
        TEST(directories_have_entries),
        TEST(forked_mappings_stay_shared),
        TEST(paths_begin_at_a_directory),
        TEST(files_get_more_names),
        TEST(messages_mean_what_the_server_says),
        TEST(schemes_end_by_their_name),
    };
    return run_tests(tests, array_len(tests));
}
