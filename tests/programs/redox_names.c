// SPDX-License-Identifier: GPL-3.0-or-later
// Paths of the Redox ABI: both spellings of a scheme's name, files and directories, links, what
// fpath says, and the flags of open that make things.
#include "tests/programs/redox_start.h"

#define DIR "/tmp/redox_names"
static char text[8192];

// Opens, and leaves what fpath says in `text`; the descriptor is closed. The length or the error.
static int64_t path_of(const char *path, uint64_t flags)
{
    int64_t fd = file_open(path, flags);
    if (fd < 0)
        return fd;
    memset(text, 0, 256);
    int64_t n = redox_fpath(fd, text, 256);
    redox_close(fd);
    return n;
}

static struct redox_stat status_of(const char *path)
{
    struct redox_stat s;
    memset(&s, 0xff, sizeof(s));
    int64_t fd = file_open(path, REDOX_O_STAT | REDOX_O_CLOEXEC);
    redox_fstat(fd, &s);
    redox_close(fd);
    return s;
}

static int64_t make_file(const char *path, const char *contents)
{
    int64_t fd = file_open(path, REDOX_O_CREAT | REDOX_O_TRUNC | REDOX_O_WRONLY | 0644);
    int64_t n = fd < 0 ? fd : redox_write(fd, contents, strlen(contents));
    redox_close(fd);
    return n;
}

static int64_t make_directory(const char *path)
{
    int64_t fd = file_open(path, REDOX_O_CREAT | REDOX_O_DIRECTORY | REDOX_O_EXCL | 0755);
    return fd < 0 ? fd : redox_close(fd);
}

static int64_t make_link(const char *path, const char *target)
{
    int64_t fd = file_open(path, REDOX_O_CREAT | REDOX_O_WRONLY | REDOX_O_SYMLINK | 0777);
    int64_t n = fd < 0 ? fd : redox_write(fd, target, strlen(target));
    redox_close(fd);
    return n;
}

static int64_t open_and_close(const char *path, uint64_t flags)
{
    int64_t fd = file_open(path, flags);
    return fd < 0 ? fd : redox_close(fd);
}

static void both_spellings_are_one(void)
{
    static const char *const pairs[][2] = {
        { "sys:uname", "/scheme/sys/uname" },
        { "sys:", "/scheme/sys" },
        { "sys:", "/scheme/sys/" },
        { "rand:", "/scheme/rand" },
        { "null:", "/scheme/null" },
        { "zero:", "/scheme/zero" },
        { "file:/tmp", "/tmp" },
        { "file:tmp", "/scheme/file/tmp" },
        { "file:" DIR "/f", "/scheme/file" DIR "/f" },
        { "memory:", "/scheme/memory" },
    };
    expect_is(make_file(DIR "/f", "one"), 3);
    for (size_t i = 0; i < array_len(pairs); i++) {
        struct redox_stat a = status_of(pairs[i][0]), b = status_of(pairs[i][1]);
        expect(a.st_dev != UINT64_MAX && b.st_dev != UINT64_MAX);
        expect_is(a.st_dev, b.st_dev);
        if (strstr(pairs[i][1], "tmp"))
            expect_is(a.st_ino, b.st_ino);
        expect_is(a.st_mode, b.st_mode);
    }
    char other[256];
    int64_t n = file_text("/scheme/sys/uname", other, sizeof(other));
    expect(n > 0);
    expect_is(file_text("sys:uname", text, sizeof(text)), n);
    expect(!memcmp(text, other, (size_t)n));
}

static void unified_paths_are_tidied(void)
{
    expect_is(open_and_close("/scheme/sys/./uname", REDOX_O_RDONLY), 0);
    expect_is(open_and_close("/scheme//sys//uname", REDOX_O_RDONLY), 0);
    expect_is(open_and_close("/scheme/sys/x/../uname", REDOX_O_RDONLY), 0);
    expect_is(open_and_close("/scheme/sys/../../../uname", REDOX_O_RDONLY), 0);
    expect_is(open_and_close("sys:./uname", REDOX_O_RDONLY), -REDOX_ENOENT);
    expect_is(open_and_close("sys:nothing", REDOX_O_RDONLY), -REDOX_ENOENT);
    expect_is(open_and_close("/scheme/nothing/x", REDOX_O_RDONLY), -REDOX_ENODEV);
}

static void malformed_paths_are_refused(void)
{
    expect_is(open_and_close("", REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(open_and_close("uname", REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(open_and_close("a/b:c", REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(open_and_close("nothing:", REDOX_O_RDONLY), -REDOX_ENODEV);
    expect_is(file_unlink("nothing:x"), -REDOX_ENODEV);
    expect_is(file_unlink("uname"), -REDOX_EINVAL);
}

static bool has_line(const char *lines, const char *line)
{
    size_t length = strlen(line);
    for (const char *at = strstr(lines, line); at; at = strstr(at + 1, line))
        if ((at == lines || at[-1] == '\n') && at[length] == '\n')
            return true;
    return false;
}

static void the_root_scheme_lists_schemes(void)
{
    static const char *const names[] = { "event", "memory", "pipe", "sys", "time", "rand" };
    expect(file_text(":", text, sizeof(text)) > 0);
    for (size_t i = 0; i < array_len(names); i++)
        if (!has_line(text, names[i]))
            test_failed(__FILE_NAME__, __LINE__, "no line %s in %s", names[i], text);
    expect(file_text("/scheme", text, sizeof(text)) > 0);
    expect(strstr(text, "memory\n"));
}

static void fpath_says_legacy_names(void)
{
    expect(path_of("/scheme/sys/uname", REDOX_O_RDONLY) > 0);
    expect(!strcmp(text, "sys:uname"));
    expect(path_of("sys:", REDOX_O_RDONLY) > 0);
    expect(!strcmp(text, "sys:"));
    expect(path_of("/tmp/../" DIR "//f", REDOX_O_RDONLY) > 0);
    expect(!strcmp(text, "file:" DIR "/f"));
    expect(path_of("pipe:", REDOX_O_RDONLY) > 0);
    expect(!strncmp(text, "pipe:", 5));
    int64_t fd = file_open("sys:uname", REDOX_O_RDONLY);
    memset(text, 0, 8);
    expect_is(redox_fpath(fd, text, 4), 4);
    expect(!strcmp(text, "sys:"));
    expect_is(redox_close(fd), 0);
}

static void open_makes_things(void)
{
    expect_is(open_and_close(DIR "/new", REDOX_O_RDWR), -REDOX_ENOENT);
    expect_is(open_and_close(DIR "/new", REDOX_O_RDWR | REDOX_O_CREAT | 0600), 0);
    expect_is(status_of(DIR "/new").st_mode, REDOX_MODE_FILE | 0600);
    expect_is(open_and_close(DIR "/new", REDOX_O_RDWR | REDOX_O_CREAT | REDOX_O_EXCL | 0600),
              -REDOX_EEXIST);
    expect_is(open_and_close(DIR "/new", REDOX_O_RDONLY | REDOX_O_DIRECTORY), -REDOX_ENOTDIR);
    expect_is(make_file(DIR "/new", "text"), 4);
    expect_is(open_and_close(DIR "/new", REDOX_O_WRONLY | REDOX_O_TRUNC), 0);
    expect_is(status_of(DIR "/new").st_size, 0);
    expect_is(make_directory(DIR "/d"), 0);
    expect_is(make_directory(DIR "/d"), -REDOX_EEXIST);
    expect_is(status_of(DIR "/d").st_mode, REDOX_MODE_DIR | 0755);
    expect_is(open_and_close(DIR "/d", REDOX_O_RDWR), -REDOX_EISDIR);
    expect_is(open_and_close(DIR "/new/x", REDOX_O_RDONLY), -REDOX_ENOTDIR);
}

static void the_mask_is_applied(void)
{
    expect_is(redox_umask(0177), 022);
    expect_is(open_and_close(DIR "/masked", REDOX_O_RDWR | REDOX_O_CREAT | 0777), 0);
    expect_is(redox_umask(022), 0177);
    expect_is(redox_umask(0xfffff000 | 022), 022);
    expect_is(redox_umask(022), 022);
    expect_is(status_of(DIR "/masked").st_mode, REDOX_MODE_FILE | 0600);
    expect_is(file_unlink(DIR "/masked"), 0);
}

static void links_are_followed_or_not(void)
{
    expect_is(make_file(DIR "/f", "contents"), 8);
    expect_is(make_link(DIR "/link", DIR "/f"), (int64_t)strlen(DIR "/f"));
    expect_is(status_of(DIR "/link").st_size, 8);
    expect_is(file_text(DIR "/link", text, sizeof(text)), 8);
    int64_t fd = file_open(DIR "/link", REDOX_O_RDONLY | REDOX_O_SYMLINK);
    expect(fd >= 0);
    memset(text, 0, 64);
    expect_is(redox_read(fd, text, 64), (int64_t)strlen(DIR "/f"));
    expect(!strcmp(text, DIR "/f"));
    struct redox_stat s;
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_mode & REDOX_MODE_TYPE, REDOX_MODE_SYMLINK);
    expect_is(redox_close(fd), 0);
    fd = file_open(DIR "/link", REDOX_O_STAT | REDOX_O_NOFOLLOW);
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_mode & REDOX_MODE_TYPE, REDOX_MODE_SYMLINK);
    expect_is(redox_close(fd), 0);
    expect_is(make_link(DIR "/loop", DIR "/loop"), (int64_t)strlen(DIR "/loop"));
    expect_is(open_and_close(DIR "/loop", REDOX_O_RDONLY), -REDOX_ELOOP);
    expect_is(file_unlink(DIR "/loop"), 0);
    expect_is(file_unlink(DIR "/link"), 0);
    expect_is(status_of(DIR "/f").st_size, 8);
}

static void rename_moves(void)
{
    expect_is(make_file(DIR "/f", "one"), 3);
    expect_is(make_file(DIR "/g", "other"), 5);
    int64_t fd = file_open(DIR "/f", REDOX_O_STAT);
    expect_is(redox_frename(fd, DIR "/g", strlen(DIR "/g")), 0);
    expect_is(redox_frename(fd, "sys:x", 5), -REDOX_EXDEV);
    expect_is(redox_frename(fd, "h", 1), -REDOX_EINVAL);
    expect_is(redox_close(fd), 0);
    expect_is(status_of(DIR "/g").st_size, 3);
    expect_is(open_and_close(DIR "/f", REDOX_O_RDONLY), -REDOX_ENOENT);
    fd = file_open(DIR "/g", REDOX_O_STAT);
    expect_is(redox_flink(fd, DIR "/f", strlen(DIR "/f")), 0);
    expect_is(redox_flink(fd, DIR "/f", strlen(DIR "/f")), -REDOX_EEXIST);
    expect_is(redox_close(fd), 0);
    expect_is(status_of(DIR "/f").st_nlink, 2);
    expect_is(status_of(DIR "/f").st_ino, status_of(DIR "/g").st_ino);
}

static void listings_have_both_forms(void)
{
    int64_t fd = file_open(DIR, REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    expect(fd >= 0);
    memset(text, 0, sizeof(text));
    int64_t n = redox_read(fd, text, sizeof(text) - 1);
    expect(n > 0);
    expect(strstr(text, "f\n") && strstr(text, "new\n") && strstr(text, "d\n"));
    expect(text[0] != '.' && !strstr(text, "\n."));
    expect_is(redox_read(fd, text, 1), 0);
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_SET), 0);
    memset(text, 0, sizeof(text));
    expect_is(redox_read(fd, text, sizeof(text)), n);
    // The same by getdents, with room for one or two entries at a time. The kind is unsaid:
    // nothing tells which version's numbers this program wants.
    static char entry[48];
    uint64_t next = 0;
    size_t names = 0, lines = 0;
    for (char *line = strchr(text, '\n'); line; line = strchr(line + 1, '\n'))
        lines++;
    while ((n = redox_getdents(fd, entry, sizeof(entry), next)) > 0)
        for (int64_t at = 0; at < n; names++) {
            const struct redox_dirent_header *h = (const void *)(entry + at);
            const char *name = entry + at + sizeof(*h);
            expect(h->length == sizeof(*h) + strlen(name) + 1 && at + h->length <= n);
            char *found = strstr(text, name);
            expect(found && found[strlen(name)] == '\n');
            expect_is(h->kind, REDOX_DIRENT_UNSPECIFIED);
            next = h->next_opaque;
            at += h->length;
        }
    expect_is(n, 0);
    expect_is(names, lines);
    expect_is(redox_getdents(fd, text, 10, 0), -REDOX_EINVAL);
    expect_is(redox_call5(REDOX_SYS_GETDENTS, (uint64_t)fd, (uint64_t)text, 400, 18, 0),
              -REDOX_EINVAL);
    expect_is(redox_close(fd), 0);
}

static void removing(void)
{
    expect_is(file_unlink(DIR "/d"), -REDOX_EISDIR);
    expect_is(redox_rmdir(DIR "/f", strlen(DIR "/f")), -REDOX_ENOTDIR);
    expect_is(redox_rmdir(DIR, strlen(DIR)), -REDOX_ENOTEMPTY);
    expect_is(file_unlink(DIR "/nothing"), -REDOX_ENOENT);
    expect_is(redox_rmdir(DIR "/d", strlen(DIR "/d")), 0);
    expect_is(file_unlink("file:" DIR "/f"), 0);
    expect_is(file_unlink("/scheme/file" DIR "/g"), 0);
    expect_is(file_unlink(DIR "/new"), 0);
    expect_is(redox_rmdir(DIR, strlen(DIR)), 0);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(both_spellings_are_one),
        TEST(unified_paths_are_tidied),
        TEST(malformed_paths_are_refused),
        TEST(the_root_scheme_lists_schemes),
        TEST(fpath_says_legacy_names),
        TEST(open_makes_things),
        TEST(the_mask_is_applied),
        TEST(links_are_followed_or_not),
        TEST(rename_moves),
        TEST(listings_have_both_forms),
        TEST(removing),
    };
    redox_umask(022);
    make_directory(DIR);
    return run_tests(tests, array_len(tests));
}
