// SPDX-License-Identifier: GPL-3.0-or-later
// A client of ramd (user/ramd): what a scheme served by a program does for files, directories and
// mappings. ARGUMENT: the scheme's name. Waits until the scheme is there.
#include "tests/programs/redox_start.h"

static char prefix[40];
static char path[2][100];

// "NAME:rest"; two may be in use.
static const char *at(const char *rest)
{
    static unsigned which;
    char *to = path[which++ % 2];
    print_into(to, sizeof(path[0]), "%s:%s", prefix, rest);
    return to;
}

static int64_t open_at(const char *rest, uint64_t flags)
{
    return file_open(at(rest), flags);
}

static void the_scheme_comes(void)
{
    int64_t fd;
    (void)comes_true((fd = open_at("", REDOX_O_RDONLY | REDOX_O_DIRECTORY)) != -REDOX_ENODEV);
    expect(fd >= 0);
    expect_is(redox_close(fd), 0);
}

static void files_keep_bytes(void)
{
    char text[16] = "";
    int64_t fd = open_at("f", REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_EXCL | 0644);
    expect(fd >= 0);
    expect_is(open_at("f", REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_EXCL), -REDOX_EEXIST);
    expect_is(redox_write(fd, "abcdef", 6), 6);
    expect_is(redox_lseek(fd, 2, REDOX_SEEK_SET), 2);
    expect_is(redox_read(fd, text, 10), 4);
    expect(!memcmp(text, "cdef", 4));
    expect_is(redox_read(fd, text, 10), 0);
    expect_is(redox_lseek(fd, -1, REDOX_SEEK_END), 5);
    expect_is(redox_lseek(fd, -7, REDOX_SEEK_END), -REDOX_EINVAL);
    int64_t copy = redox_dup(fd, NULL, 0);
    expect_is(redox_lseek(copy, 0, REDOX_SEEK_CUR), 5);
    expect_is(redox_close(copy), 0);
    int64_t end = open_at("f", REDOX_O_WRONLY | REDOX_O_APPEND);
    expect_is(redox_write(end, "gh", 2), 2);
    expect_is(redox_read(end, text, 1), -REDOX_EBADF);
    expect_is(redox_ftruncate(end, 7), 0);
    expect_is(redox_close(end), 0);
    struct redox_stat s;
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_size, 7);
    expect_is(s.st_mode, REDOX_MODE_FILE | 0644);
    expect_is(redox_fchmod(fd, 0600), 0);
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_mode, REDOX_MODE_FILE | 0600);
    expect_is(redox_close(fd), 0);
}

static void large_transfers_are_whole(void)
{
    enum { SIZE = 300000 };
    char *out = pages(SIZE), *in = pages(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        out[i] = (char)(i * 7 + i / 4096);
    int64_t fd = open_at("large", REDOX_O_RDWR | REDOX_O_CREAT | 0644);
    // Not at the border of a page: the first and last page of a buffer are only partly lent.
    expect_is(redox_write(fd, out + 1, SIZE - 3), SIZE - 3);
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_SET), 0);
    memset(in, 0x55, SIZE);
    expect_is(redox_read(fd, in + 5, SIZE - 8), SIZE - 8);
    expect(!memcmp(in + 5, out + 1, SIZE - 8));
    expect_is(in[4], 0x55);
    expect_is(in[SIZE - 3], 0x55);
    expect_is(redox_close(fd), 0);
    expect_is(file_unlink(at("large")), 0);
    expect_is(redox_funmap((uint64_t)out, SIZE), 0);
    expect_is(redox_funmap((uint64_t)in, SIZE), 0);
}

static void directories_have_entries(void)
{
    char text[64] = "";
    int64_t fd = open_at("d", REDOX_O_CREAT | REDOX_O_DIRECTORY | REDOX_O_EXCL | 0755);
    expect(fd >= 0);
    expect_is(redox_close(fd), 0);
    fd = open_at("d/x", REDOX_O_CREAT | REDOX_O_WRONLY | 0644);
    expect(fd >= 0);
    expect_is(redox_fpath(fd, text, sizeof(text)), (int64_t)strlen(prefix) + 4);
    expect(!strncmp(text, at("d/x"), strlen(prefix) + 4));
    expect_is(redox_close(fd), 0);
    fd = open_at("d/x", REDOX_O_STAT);
    const char *to = at("d/y");
    expect_is(redox_frename(fd, to, strlen(to)), 0);
    expect_is(redox_close(fd), 0);
    memset(text, 0, sizeof(text));
    fd = open_at("d", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    expect_is(redox_read(fd, text, sizeof(text)), 2);
    expect(!strcmp(text, "y\n"));
    expect_is(redox_close(fd), 0);
    to = at("d");
    expect_is(redox_rmdir(to, strlen(to)), -REDOX_ENOTEMPTY);
    expect_is(file_unlink(to), -REDOX_EISDIR);
    expect_is(file_unlink(at("d/y")), 0);
    expect_is(file_unlink(at("d/y")), -REDOX_ENOENT);
    to = at("d");
    expect_is(redox_rmdir(to, strlen(to)), 0);
    expect_is(open_at("d/y", REDOX_O_RDONLY), -REDOX_ENOENT);
    expect_is(open_at("f/y", REDOX_O_RDONLY), -REDOX_ENOTDIR);
}

static void mappings_are_the_file(void)
{
    char byte = 0;
    int64_t fd = open_at("mapped", REDOX_O_RDWR | REDOX_O_CREAT | 0644);
    expect_is(redox_ftruncate(fd, 2 * REDOX_PAGE_SIZE), 0);
    struct redox_map m = { .size = 2 * REDOX_PAGE_SIZE,
                           .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_SHARED };
    int64_t address = redox_fmap(fd, &m);
    expect_is(address < 0 ? address : 0, 0);
    volatile char *bytes = (volatile char *)address;
    bytes[0] = 'A';
    bytes[REDOX_PAGE_SIZE] = 'B';
    expect_is(redox_lseek(fd, REDOX_PAGE_SIZE, REDOX_SEEK_SET), REDOX_PAGE_SIZE);
    expect_is(redox_read(fd, &byte, 1), 1);
    expect_is(byte, 'B');
    expect_is(redox_lseek(fd, 1, REDOX_SEEK_SET), 1);
    expect_is(redox_write(fd, "C", 1), 1);
    expect_is(bytes[1], 'C');
    m.flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_PRIVATE;
    int64_t own = redox_fmap(fd, &m);
    expect(own > 0 && own != address);
    *(volatile char *)own = 'P';
    expect_is(bytes[0], 'A');
    m.offset = 1;
    expect_is(redox_fmap(fd, &m), -REDOX_EINVAL);
    expect_is(redox_funmap((uint64_t)own, 2 * REDOX_PAGE_SIZE), 0);
    // The mapping outlives descriptor and name.
    expect_is(redox_close(fd), 0);
    expect_is(file_unlink(at("mapped")), 0);
    expect_is(bytes[REDOX_PAGE_SIZE], 'B');
    expect_is(redox_funmap((uint64_t)address, 2 * REDOX_PAGE_SIZE), 0);
}

static void the_bound_holds(void)
{
    struct redox_statvfs v;
    int64_t fd = open_at("f", REDOX_O_RDWR);
    expect_is(redox_fstatvfs(fd, &v), 0);
    expect(v.f_bfree < v.f_blocks);
    expect_is(redox_ftruncate(fd, (v.f_blocks + 1) * v.f_bsize), -REDOX_ENOSPC);
    expect_is(redox_ftruncate(fd, v.f_bfree * v.f_bsize), 0);
    expect_is(redox_ftruncate(fd, 0), 0);
    expect_is(redox_fstatvfs(fd, &v), 0);
    expect_is(v.f_bfree, v.f_blocks);
    expect_is(redox_close(fd), 0);
    expect_is(file_unlink(at("f")), 0);
}

static void the_scheme_goes(void)
{
    int64_t fd = open_at("left", REDOX_O_RDWR | REDOX_O_CREAT | 0600);
    expect(fd >= 0);
    char name[50], byte;
    print_into(name, sizeof(name), ":%s", prefix);
    expect_is(file_unlink(name), 0);
    expect_is(redox_read(fd, &byte, 1), -REDOX_ENODEV);
    expect_is(open_at("left", REDOX_O_RDONLY), -REDOX_ENODEV);
    expect_is(redox_close(fd), 0);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(the_scheme_comes),          TEST(files_keep_bytes),
        TEST(large_transfers_are_whole), TEST(directories_have_entries),
        TEST(mappings_are_the_file),     TEST(the_bound_holds),
        TEST(the_scheme_goes),
    };
    print_into(prefix, sizeof(prefix), "%s", argc > 1 ? argv[1] : "ram");
    return run_tests(tests, array_len(tests));
}
