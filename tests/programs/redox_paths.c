// SPDX-License-Identifier: GPL-3.0-or-later
// Names: their spellings, what open makes of its flags, directories as text, links, removing,
// renaming, full names, errors.
#include "tests/programs/redox_start.h"

#define CREATE (REDOX_O_CREAT | REDOX_O_EXCL | REDOX_O_RDWR | 0644)
#define MKDIR  (REDOX_O_CREAT | REDOX_O_DIRECTORY | REDOX_O_EXCL | 0755)

static const char root[] = "/tmp/redox_paths";

static int64_t remove_directory(const char *path)
{
    return redox_rmdir(path, strlen(path));
}

static int64_t make_directory(const char *path)
{
    int64_t fd = file_open(path, MKDIR);
    return fd < 0 ? fd : redox_close(fd);
}

static int64_t make_file(const char *path, const char *text)
{
    int64_t fd = file_open(path, CREATE);
    if (fd < 0)
        return fd;
    int64_t n = redox_write(fd, text, strlen(text));
    redox_close(fd);
    return n;
}

static int64_t status_of(const char *path, uint64_t flags, struct redox_stat *s)
{
    int64_t fd = file_open(path, REDOX_O_STAT | flags);
    if (fd < 0)
        return fd;
    int64_t e = redox_fstat(fd, s);
    redox_close(fd);
    return e;
}

static bool same_file(const char *a, const char *b)
{
    struct redox_stat x, y;
    return !status_of(a, 0, &x) && !status_of(b, 0, &y) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

static void spellings_name_one_file(void)
{
    struct redox_stat a, b;
    expect_is(make_file("/tmp/redox_paths/a", "text"), 4);
    expect(same_file("/tmp/redox_paths/a", "file:/tmp/redox_paths/a"));
    expect(same_file("/tmp/redox_paths/a", "file:tmp/redox_paths/a"));
    expect(same_file("/tmp/redox_paths/a", "/scheme/file/tmp/redox_paths/a"));
    expect(same_file("/tmp/redox_paths/a", "/tmp/../tmp//redox_paths/./a"));
    expect(same_file("/", "file:"));
    expect(same_file("/", "/scheme/file"));
    expect(!same_file("/tmp", "/tmp/redox_paths/a"));
    expect_is(status_of("null:", 0, &a), 0);
    expect_is(status_of("/scheme/null", 0, &b), 0);
    expect(a.st_dev == b.st_dev && a.st_dev);
    expect_is(file_unlink("file:/tmp/redox_paths/a"), 0);
    expect_is(file_open("/tmp/redox_paths/a", REDOX_O_RDONLY), -REDOX_ENOENT);
}

static void bad_paths_are_refused(void)
{
    static char longest[4098];
    memset(longest, 'a', sizeof(longest));
    longest[0] = '/';
    expect_is(redox_open(longest, 4097, REDOX_O_RDONLY), -REDOX_ENAMETOOLONG);
    expect_is(redox_open(longest, 4096, REDOX_O_RDONLY), -REDOX_ENAMETOOLONG); // one part
    expect_is(redox_open((char *)0x1000, 5, REDOX_O_RDONLY), -REDOX_EFAULT);
    expect_is(redox_open("relative", 8, REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(redox_open("rela/tive:x", 11, REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(redox_open("", 0, REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(redox_open("/tmp\0x", 6, REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(redox_open("/\xff", 2, REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(redox_open("/\xc0\xaf", 3, REDOX_O_RDONLY), -REDOX_EINVAL);     // too long a form
    expect_is(redox_open("/\xed\xa0\x80", 4, REDOX_O_RDONLY), -REDOX_EINVAL); // half of a pair
    expect_is(redox_open("/\xe2\x82", 3, REDOX_O_RDONLY), -REDOX_EINVAL);     // cut short
    expect_is(file_open("/\xe2\x82\xac", REDOX_O_RDONLY), -REDOX_ENOENT);
    expect_is(file_open("nosuch:x", REDOX_O_RDONLY), -REDOX_ENODEV);
    expect_is(file_open("/scheme/nosuch/x", REDOX_O_RDONLY), -REDOX_ENODEV);
    expect_is(file_open("/nosuch/x", REDOX_O_RDONLY), -REDOX_ENOENT);
    expect_is(file_open("/tmp/redox_paths", REDOX_O_WRONLY), -REDOX_EISDIR);
}

static void open_makes_files(void)
{
    struct redox_stat s;
    const char *path = "/tmp/redox_paths/new";
    int64_t mask = redox_umask(027);
    int64_t fd = file_open(path, REDOX_O_CREAT | REDOX_O_EXCL | REDOX_O_WRONLY | 0666);
    redox_umask((uint64_t)mask);
    expect(fd >= 0);
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_mode, REDOX_MODE_FILE | 0640);
    expect_is(redox_write(fd, "12345", 5), 5);
    expect_is(redox_close(fd), 0);
    expect_is(file_open(path, CREATE), -REDOX_EEXIST);
    fd = file_open(path, REDOX_O_CREAT | REDOX_O_RDWR | REDOX_O_TRUNC | 0666);
    expect(fd >= 0);
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_size, 0);
    expect_is(redox_close(fd), 0);
    expect_is(file_open(path, REDOX_O_RDONLY | REDOX_O_DIRECTORY), -REDOX_ENOTDIR);
    expect_is(file_unlink(path), 0);
    expect_is(file_unlink(path), -REDOX_ENOENT);
}

static void directories_are_made_and_removed(void)
{
    struct redox_stat s;
    const char *path = "/tmp/redox_paths/dir";
    expect_is(make_directory(path), 0);
    expect_is(status_of(path, 0, &s), 0);
    expect_is(s.st_mode, REDOX_MODE_DIR | 0755);
    expect_is(make_directory(path), -REDOX_EEXIST);
    int64_t fd = file_open(path, REDOX_O_CREAT | REDOX_O_DIRECTORY | 0755); // there is one: opened
    expect(fd >= 0);
    redox_close(fd);
    expect_is(file_unlink(path), -REDOX_EISDIR);
    expect_is(make_file("/tmp/redox_paths/dir/x", "x"), 1);
    expect_is(remove_directory(path), -REDOX_ENOTEMPTY);
    expect_is(remove_directory("/tmp/redox_paths/dir/x"), -REDOX_ENOTDIR);
    expect_is(file_unlink("/tmp/redox_paths/dir/x"), 0);
    expect_is(remove_directory(path), 0);
    expect_is(remove_directory(path), -REDOX_ENOENT);
    expect_is(make_directory("/tmp/redox_paths/no/such"), -REDOX_ENOENT);
}

// How many of a directory's names are in the text, and nothing else.
static unsigned names_in(const char *text, size_t size)
{
    unsigned count = 0;
    for (size_t i = 0; i < size; i++)
        count += text[i] == '\n';
    return count;
}

static void directories_are_read_as_text(void)
{
    enum { FILES = 200 };
    static char all[FILES * 16], part[FILES * 16];
    char path[64];
    expect_is(make_directory("/tmp/redox_paths/many"), 0);
    for (unsigned i = 0; i < FILES; i++) {
        print_into(path, sizeof(path), "/tmp/redox_paths/many/file%u", i);
        expect_is(make_file(path, ""), 0);
    }
    int64_t fd = file_open("/tmp/redox_paths/many", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    expect(fd >= 0);
    int64_t size = redox_read(fd, all, sizeof(all));
    expect(size > 0);
    expect_is(names_in(all, (size_t)size), FILES);
    expect_is(all[size - 1], '\n');
    all[size] = '\0';
    expect(strstr(all, "file199\n") && strstr(all, "file0\n"));
    expect(strncmp(all, ".", 1) && !strstr(all, "\n."));
    expect_is(redox_read(fd, part, sizeof(part)), 0);

    // In pieces that end within names; from any byte on.
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_SET), 0);
    size_t got = 0;
    for (int64_t n; (n = redox_read(fd, part + got, 7)) > 0;)
        got += (size_t)n;
    expect_is(got, size);
    expect(!memcmp(all, part, got));
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_CUR), size);
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_END), size);
    for (int64_t from = 1; from < size; from += 97) {
        expect_is(redox_lseek(fd, from, REDOX_SEEK_SET), from);
        expect_is(redox_read(fd, part, sizeof(part)), size - from);
        expect(!memcmp(all + from, part, (size_t)(size - from)));
    }
    expect_is(redox_lseek(fd, -1, REDOX_SEEK_SET), -REDOX_EINVAL);
    expect_is(redox_write(fd, "x", 1), -REDOX_EBADF);

    // Entry by entry.
    unsigned count = 0;
    uint64_t opaque = 0;
    for (int64_t n; (n = redox_getdents(fd, part, 256, opaque)) > 0;)
        for (int64_t at = 0; at < n; count++) {
            struct redox_dirent_header h;
            memcpy(&h, part + at, sizeof(h));
            const char *name = part + at + sizeof(h);
            expect_is(h.length, sizeof(h) + strlen(name) + 1);
            expect(strstr(all, name) && !strncmp(name, "file", 4));
            opaque = h.next_opaque;
            at += h.length;
        }
    expect_is(count, FILES);
    expect_is(redox_getdents(fd, part, 20, 0), -REDOX_EINVAL);
    redox_close(fd);
    for (unsigned i = 0; i < FILES; i++) {
        print_into(path, sizeof(path), "/tmp/redox_paths/many/file%u", i);
        expect_is(file_unlink(path), 0);
    }
    expect_is(remove_directory("/tmp/redox_paths/many"), 0);
}

static void links_are_made_by_writing_and_read(void)
{
    char text[64];
    struct redox_stat s;
    const char *link = "/tmp/redox_paths/link";
    uint64_t make = REDOX_O_CREAT | REDOX_O_WRONLY | REDOX_O_SYMLINK | 0777;
    expect_is(make_file("/tmp/redox_paths/target", "content"), 7);
    int64_t fd = file_open(link, make);
    expect(fd >= 0);
    expect_is(status_of(link, REDOX_O_SYMLINK, &s), -REDOX_ENOENT);
    expect_is(redox_write(fd, "/tmp/redox_paths/target", 23), 23);
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_mode & REDOX_MODE_TYPE, REDOX_MODE_SYMLINK);
    redox_close(fd);
    expect_is(file_open(link, make), -REDOX_EEXIST);

    fd = file_open(link, REDOX_O_RDONLY | REDOX_O_SYMLINK);
    expect(fd >= 0);
    expect_is(redox_read(fd, text, 5), 5);
    expect_is(redox_read(fd, text + 5, sizeof(text)), 18);
    expect_is(redox_read(fd, text + 23, sizeof(text) - 23), 0);
    expect(!memcmp(text, "/tmp/redox_paths/target", 23));
    redox_close(fd);
    expect_is(status_of(link, REDOX_O_SYMLINK, &s), 0);
    expect_is(s.st_mode & REDOX_MODE_TYPE, REDOX_MODE_SYMLINK);
    expect_is(status_of(link, REDOX_O_NOFOLLOW, &s), 0);
    expect_is(s.st_mode & REDOX_MODE_TYPE, REDOX_MODE_SYMLINK);
    expect_is(file_open(link, REDOX_O_RDONLY | REDOX_O_NOFOLLOW), -REDOX_ELOOP);
    expect(same_file(link, "/tmp/redox_paths/target"));
    expect_is(file_text(link, text, sizeof(text)), 7);
    expect_is(file_unlink(link), 0);
    expect_is(file_unlink("/tmp/redox_paths/target"), 0);
}

static int64_t rename_to(const char *from, uint64_t flags, const char *to)
{
    int64_t fd = file_open(from, flags);
    if (fd < 0)
        return fd;
    int64_t e = redox_frename(fd, to, strlen(to));
    redox_close(fd);
    return e;
}

static void names_move(void)
{
    char text[16];
    expect_is(make_file("/tmp/redox_paths/a", "aa"), 2);
    expect_is(make_file("/tmp/redox_paths/b", "b"), 1);
    expect_is(rename_to("/tmp/redox_paths/a", REDOX_O_STAT, "file:/tmp/redox_paths/b"), 0);
    expect_is(file_text("/tmp/redox_paths/b", text, sizeof(text)), 2);
    expect_is(file_open("/tmp/redox_paths/a", REDOX_O_RDONLY), -REDOX_ENOENT);
    expect_is(rename_to("/tmp/redox_paths/b", REDOX_O_RDONLY, "null:x"), -REDOX_EXDEV);
    expect_is(rename_to("/tmp/redox_paths/b", REDOX_O_RDONLY, "/dev/x"), -REDOX_EXDEV);
    expect_is(rename_to("/tmp/redox_paths/b", REDOX_O_RDONLY, "/tmp/no/such"), -REDOX_ENOENT);

    int64_t fd = file_open("/tmp/redox_paths/b", REDOX_O_RDONLY);
    expect_is(redox_flink(fd, "/tmp/redox_paths/c", 18), 0);
    expect(same_file("/tmp/redox_paths/b", "/tmp/redox_paths/c"));
    expect_is(redox_flink(fd, "/tmp/redox_paths/c", 18), -REDOX_EEXIST);
    expect_is(file_unlink("/tmp/redox_paths/b"), 0);
    expect_is(redox_frename(fd, "/tmp/redox_paths/d", 18), -REDOX_ENOENT);
    redox_close(fd);
    expect_is(redox_link("/tmp/redox_paths/c", "/tmp/redox_paths/d"), 0);
    expect_is(file_unlink("/tmp/redox_paths/c"), 0);
    expect_is(file_unlink("/tmp/redox_paths/d"), 0);
}

static bool path_is(const char *opened, const char *wanted)
{
    char text[128];
    int64_t fd = file_open(opened, REDOX_O_STAT);
    int64_t n = fd < 0 ? fd : redox_fpath(fd, text, sizeof(text));
    redox_close(fd);
    bool is = n == (int64_t)strlen(wanted) && !memcmp(text, wanted, (size_t)n);
    if (!is)
        print("# %s is %ld '%s'\n", opened, (long)n, n < 0 ? "" : text);
    return is;
}

static void full_names_have_a_scheme(void)
{
    char text[8];
    expect(path_is("/tmp/redox_paths", "file:/tmp/redox_paths"));
    expect(path_is("/", "file:/"));
    expect(path_is("/tmp/../tmp/redox_paths", "file:/tmp/redox_paths"));
    expect(path_is("/proc/1/status", "file:/proc/1/status"));
    expect(path_is("null:", "null:"));
    expect(path_is("/scheme/null", "null:"));
    expect(path_is("time:4", "time:4"));
    expect(path_is("/scheme/time/4", "time:4"));
    int64_t fd = file_open("/tmp/redox_paths", REDOX_O_STAT);
    expect_is(redox_fpath(fd, text, 5), 5); // cut off
    expect(!memcmp(text, "file:", 5));
    expect_is(redox_fpath(fd, (char *)0x1000, 5), -REDOX_EFAULT);
    redox_close(fd);
}

static void places_are_relative_to_directories(void)
{
    int64_t dir = file_open(root, REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    expect(dir >= 0);
    int64_t fd = redox_openat(dir, "at", 2, CREATE, REDOX_O_CLOEXEC);
    expect(fd >= 0);
    expect_is(redox_fcntl(fd, REDOX_F_GETFD, 0), REDOX_O_CLOEXEC);
    redox_close(fd);
    fd = redox_openat(dir, "sub", 3, MKDIR, 0);
    expect(fd >= 0);
    expect_is(redox_unlinkat(fd, "../at", 5, 0), 0);
    redox_close(fd);
    expect_is(redox_unlinkat(dir, "sub", 3, 0), -REDOX_EISDIR);
    expect_is(redox_unlinkat(dir, "sub", 3, REDOX_AT_REMOVEDIR), 0);
    expect_is(redox_unlinkat(dir, "sub", 3, 1), -REDOX_EINVAL);
    expect_is(redox_openat(dir, "", 0, REDOX_O_RDONLY, 0), -REDOX_ENOENT);
    fd = redox_openat(REDOX_FD_NONE, "/tmp", 4, REDOX_O_STAT, 0);
    expect(fd >= 0);
    redox_close(fd);
    fd = redox_openat_into(dir, ".", 1, REDOX_O_STAT, 0, 33);
    expect_is(fd, 33);
    expect_is(redox_openat_into(dir, ".", 1, REDOX_O_STAT, 0, 33), -REDOX_EEXIST);
    redox_close(33);
    redox_close(dir);
}

static void another_user_is_refused_what_it_may_not(void)
{
    const char *path = "/tmp/redox_paths/own";
    int64_t fd = file_open(path, REDOX_O_CREAT | REDOX_O_RDWR | 0600);
    expect(fd >= 0);
    redox_close(fd);
    expect_is(
        redox_openat_with_filter(REDOX_FD_NONE, path, strlen(path), REDOX_O_RDONLY, 1000, 1000),
        -REDOX_EACCES);
    expect_is(redox_unlinkat_with_filter(REDOX_FD_NONE, path, strlen(path), 0, 1000, 1000),
              -REDOX_EACCES);
    expect_is(redox_setreuid(0, 1000), 0);
    expect_is(file_open(path, REDOX_O_RDONLY), -REDOX_EACCES);
    fd = file_open(path, REDOX_O_STAT); // to look at it needs no right
    expect(fd >= 0);
    expect_is(redox_fchmod(fd, 0666), -REDOX_EPERM);
    redox_close(fd);
    expect_is(redox_openat_with_filter(REDOX_FD_NONE, path, strlen(path), REDOX_O_RDONLY, 0, 0),
              -REDOX_EPERM);
    expect_is(redox_setreuid(0, 0), 0);
    expect_is(file_unlink(path), 0);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(spellings_name_one_file),
        TEST(bad_paths_are_refused),
        TEST(open_makes_files),
        TEST(directories_are_made_and_removed),
        TEST(directories_are_read_as_text),
        TEST(links_are_made_by_writing_and_read),
        TEST(names_move),
        TEST(full_names_have_a_scheme),
        TEST(places_are_relative_to_directories),
        TEST(another_user_is_refused_what_it_may_not),
    };
    if (make_directory(root) < 0)
        return 2;
    int failed = run_tests(tests, array_len(tests));
    return failed ? failed : remove_directory(root) < 0;
}
