// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptors: reading and writing with and without an offset, dup in its two meanings, flags,
// status, and what each call answers to what it cannot do.
#include "tests/programs/redox_start.h"

#define CREATE (REDOX_O_CREAT | REDOX_O_TRUNC | REDOX_O_RDWR | 0644)

static const char path[] = "/tmp/redox_files";

static bool text_is(int64_t fd, int64_t from, const char *wanted)
{
    char text[64];
    int64_t n = redox_read2(fd, text, sizeof(text), (uint64_t)from, UINT64_MAX);
    return n == (int64_t)strlen(wanted) && !memcmp(text, wanted, (size_t)n);
}

static void offsets_move(void)
{
    char text[8];
    int64_t fd = file_open(path, CREATE);
    expect(fd >= 0);
    expect_is(redox_write(fd, "0123456789", 10), 10);
    expect_is(redox_lseek(fd, -4, REDOX_SEEK_END), 6);
    expect_is(redox_read(fd, text, 2), 2);
    expect(!memcmp(text, "67", 2));
    expect_is(redox_lseek(fd, 1, REDOX_SEEK_CUR), 9);
    expect_is(redox_lseek(fd, -1, REDOX_SEEK_SET), -REDOX_EINVAL);
    expect_is(redox_lseek(fd, -11, REDOX_SEEK_END), -REDOX_EINVAL);
    expect_is(redox_lseek(fd, INT64_MAX, REDOX_SEEK_CUR), -REDOX_EOVERFLOW);
    expect_is(redox_lseek(fd, 0, 3), -REDOX_EINVAL);
    expect_is(redox_lseek(fd, 0, UINT64_MAX), -REDOX_EINVAL);
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_CUR), 9);

    // An own position leaves the offset alone; all ones means the offset.
    expect_is(redox_write2(fd, "ab", 2, 2, 0), 2);
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_CUR), 9);
    expect(text_is(fd, 0, "01ab456789"));
    expect_is(redox_read2(fd, text, 8, UINT64_MAX, 0), 1);
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_CUR), 10);
    expect_is(redox_read2(fd, text, 8, 0, 4), -REDOX_EINVAL);
    expect_is(redox_write2(fd, "zz", 2, UINT64_MAX, REDOX_RW_APPEND), 2);
    expect_is(redox_fcntl(fd, REDOX_F_GETFL, 0) & REDOX_O_APPEND, 0);
    expect_is(redox_ftruncate(fd, 3), 0);
    expect(text_is(fd, 0, "01a"));
    expect_is(redox_ftruncate(fd, UINT64_MAX), -REDOX_EINVAL);
    redox_close(fd);
}

static void access_modes_hold(void)
{
    char text[4];
    int64_t fd = file_open(path, REDOX_O_RDONLY);
    expect_is(redox_write(fd, "x", 1), -REDOX_EBADF);
    expect_is(redox_ftruncate(fd, 0), -REDOX_EINVAL);
    redox_close(fd);
    fd = file_open(path, REDOX_O_WRONLY);
    expect_is(redox_read(fd, text, 1), -REDOX_EBADF);
    redox_close(fd);
    fd = file_open(path, REDOX_O_STAT);
    expect_is(redox_read(fd, text, 1), -REDOX_EBADF);
    expect_is(redox_write(fd, text, 1), -REDOX_EBADF);
    expect_is(redox_lseek(fd, 0, 0), -REDOX_EBADF);
    expect_is(redox_fcntl(fd, REDOX_F_GETFL, 0) & REDOX_O_STAT, REDOX_O_STAT);
    redox_close(fd);
    expect_is(redox_read(fd, text, 1), -REDOX_EBADF);
    expect_is(redox_close(fd), -REDOX_EBADF);
    expect_is(redox_close(REDOX_FD_NONE), -REDOX_EBADF);
}

static void numbers_are_the_lowest(void)
{
    int64_t a = file_open(path, REDOX_O_RDONLY), b = file_open(path, REDOX_O_RDONLY);
    expect_is(b, a + 1);
    expect_is(redox_close(a), 0);
    expect_is(redox_dup(b, NULL, 0), a);
    expect_is(redox_fcntl(b, REDOX_F_DUPFD, 20), 20);
    expect_is(redox_dup2(b, 21, NULL, 0), 21);
    expect_is(redox_dup2(b, b, NULL, 0), b);
    expect_is(redox_dup2(40, 40, NULL, 0), -REDOX_EBADF);
    expect_is(redox_dup2(b, 65536, NULL, 0), -REDOX_EMFILE);
    expect_is(redox_dup2(40, 41, NULL, 0), -REDOX_EBADF);
    expect_is(redox_dup_into(b, NULL, 0, 22), 22);
    expect_is(redox_dup_into(b, NULL, 0, 22), -REDOX_EEXIST);
    redox_close(a);
    redox_close(b);
    for (int64_t fd = 20; fd <= 22; fd++)
        expect_is(redox_close(fd), 0);
}

static void dup_shares_the_offset(void)
{
    int64_t fd = file_open(path, CREATE);
    redox_write(fd, "0123456789", 10);
    int64_t other = redox_dup(fd, NULL, 0);
    expect(other >= 0);
    expect_is(redox_lseek(fd, 4, REDOX_SEEK_SET), 4);
    expect_is(redox_lseek(other, 0, REDOX_SEEK_CUR), 4);
    expect_is(redox_fcntl(other, REDOX_F_SETFL, REDOX_O_APPEND | REDOX_O_NONBLOCK), 0);
    uint64_t flags = REDOX_O_RDWR | REDOX_O_APPEND | REDOX_O_NONBLOCK;
    expect_is(redox_fcntl(fd, REDOX_F_GETFL, 0) & flags, flags);
    redox_close(other);
    expect_is(file_dup(fd, "nothing-like-that"), -REDOX_EINVAL);
    expect_is(redox_dup(fd, (char *)0x1000, 4), -REDOX_EFAULT);
    redox_close(fd);
}

static void dup_with_a_name_makes_another(void)
{
    char text[4];
    int64_t reader = file_open("pipe:", REDOX_O_RDONLY);
    expect(reader >= 0);
    int64_t writer = file_dup(reader, "write");
    expect(writer >= 0);
    expect_is(redox_write(writer, "abc", 3), 3);
    expect_is(redox_read(reader, text, 4), 3);
    expect_is(redox_lseek(reader, 0, 0), -REDOX_ESPIPE);
    expect_is(redox_read2(reader, text, 1, 0, UINT64_MAX), -REDOX_ESPIPE);
    redox_close(reader);
    expect_is(redox_write(writer, "abc", 3), -REDOX_EPIPE); // and no signal
    redox_close(writer);
}

static void flags_of_descriptors(void)
{
    int64_t fd = file_open(path, REDOX_O_RDONLY | REDOX_O_CLOEXEC);
    expect_is(redox_fcntl(fd, REDOX_F_GETFD, 0), REDOX_O_CLOEXEC);
    int64_t other = redox_dup(fd, NULL, 0);
    expect_is(redox_fcntl(other, REDOX_F_GETFD, 0), 0);
    expect_is(redox_fcntl(fd, REDOX_F_SETFD, 0), 0);
    expect_is(redox_fcntl(fd, REDOX_F_GETFD, 0), 0);
    expect_is(redox_fcntl(other, REDOX_F_SETFD, REDOX_O_CLOEXEC), 0);
    expect_is(redox_fcntl(other, REDOX_F_GETFD, 0), REDOX_O_CLOEXEC);
    expect_is(redox_fcntl(fd, REDOX_F_GETFL, 0) & (REDOX_O_ACCMODE | REDOX_O_CLOEXEC),
              REDOX_O_RDONLY);
    expect_is(redox_fcntl(fd, 99, 0), -REDOX_EINVAL);
    expect_is(redox_fcntl(fd, REDOX_F_DUPFD, 1 << 30), -REDOX_EINVAL);
    expect_is(redox_fcntl(REDOX_FD_NONE, REDOX_F_GETFD, 0), -REDOX_EBADF);
    redox_close(fd);
    redox_close(other);
    for (int64_t n = 0; n < 3; n++)
        expect_is(redox_fcntl(n, REDOX_F_GETFD, 0), 0);
}

static void status_is_whole(void)
{
    struct redox_stat s, pipe;
    struct redox_statvfs totals;
    memset(&s, 0xff, sizeof(s));
    int64_t fd = file_open(path, CREATE);
    redox_write(fd, "12345", 5);
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_size, 5);
    expect_is(s.st_nlink, 1);
    expect_is(s.st_mode & REDOX_MODE_TYPE, REDOX_MODE_FILE);
    expect(s.st_blksize && s.st_ino && s.st_dev);
    static const size_t padding[] = { 18, 44, 68, 84, 100 };
    for (size_t i = 0; i < array_len(padding); i++)
        expect_is(((uint8_t *)&s)[padding[i]], 0);
    expect_is(redox_call3(REDOX_SYS_FSTAT, (uint64_t)fd, (uint64_t)&s, 103), -REDOX_EINVAL);
    expect_is(redox_call3(REDOX_SYS_FSTAT, (uint64_t)fd, 0x7ffffffff000 - 103, 104), -REDOX_EFAULT);
    expect_is(redox_fstatvfs(fd, &totals), 0);
    expect(totals.f_bsize && totals.f_blocks >= totals.f_bfree);
    int64_t other = file_open("pipe:", REDOX_O_RDONLY);
    expect_is(redox_fstat(other, &pipe), 0);
    expect_is(pipe.st_mode & REDOX_MODE_TYPE, REDOX_MODE_FIFO);
    expect(pipe.st_dev && pipe.st_dev != s.st_dev);
    redox_close(other);
    redox_close(fd);
}

static void status_changes(void)
{
    struct redox_stat s;
    struct redox_timespec times[2] = { { .tv_sec = 1000, .tv_nsec = 1 },
                                       { .tv_sec = 2000, .tv_nsec = 2 } };
    int64_t fd = file_open(path, REDOX_O_STAT);
    expect_is(redox_fchmod(fd, 04751), 0);
    expect_is(redox_fchown(fd, 7, UINT32_MAX), 0);
    expect_is(redox_futimens(fd, times), 0);
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_mode, REDOX_MODE_FILE | 0751); // the set-user-id bit goes with a new owner
    expect_is(s.st_uid, 7);
    expect_is(s.st_gid, 0);
    expect_is(s.atime, 1000);
    expect_is(s.mtime, 2000);
    expect_is(s.mtime_nsec, 2);
    times[0].tv_nsec = 1000000000;
    expect_is(redox_futimens(fd, times), -REDOX_EINVAL);
    times[0].tv_nsec = 0;
    expect_is(redox_call3(REDOX_SYS_FUTIMENS, (uint64_t)fd, (uint64_t)times, 16), 0);
    expect_is(redox_call3(REDOX_SYS_FUTIMENS, (uint64_t)fd, (uint64_t)times, 8), -REDOX_EINVAL);
    expect_is(redox_fchown(fd, 0, 0), 0);
    redox_close(fd);
    fd = file_open(path, REDOX_O_RDWR);
    expect_is(redox_fsync(fd), 0);
    redox_close(fd);
}

static void many_can_be_open(void)
{
    int64_t last = -1, fd;
    while ((fd = file_open("null:", REDOX_O_RDONLY)) >= 0)
        last = fd;
    expect_is(fd, -REDOX_EMFILE);
    expect_is(last, 4095); // the hard limit: no call of Redox raises the soft one
    expect_is(redox_dup(0, NULL, 0), -REDOX_EMFILE);
    for (; last > 2; last--)
        expect_is(redox_close(last), 0);
}

static void buffers_are_checked(void)
{
    int64_t fd = file_open(path, REDOX_O_RDWR);
    expect_is(redox_read(fd, (char *)0x1000, 4), -REDOX_EFAULT);
    expect_is(redox_write(fd, (char *)0x800000000000, 1), -REDOX_EFAULT);
    expect_is(redox_write(fd, (char *)0x7ffffffffff0, 0x10), -REDOX_EFAULT);
    expect_is(redox_read(fd, (char *)&fd, UINT64_MAX), -REDOX_EFAULT);
    expect_is(redox_read(fd, NULL, 0), 0);
    redox_close(fd);
}

static void requests_nobody_has(void)
{
    int64_t fd = file_open(path, REDOX_O_RDWR), other = redox_dup(fd, NULL, 0);
    expect_is(redox_sendfd(fd, other, 0, 0), -REDOX_EOPNOTSUPP);
    expect_is(redox_sendfd(fd, other, 1, 0), -REDOX_EBUSY); // two numbers have it
    expect_is(redox_sendfd(fd, other, 4, 0), -REDOX_EINVAL);
    expect_is(redox_sendfd(fd, 99, 0, 0), -REDOX_EBADF);
    expect_is(redox_call5(REDOX_SYS_CALL, (uint64_t)fd, 0, 0, 0, 0), -REDOX_EOPNOTSUPP);
    expect_is(redox_close(other), 0); // not sent, so still here
    redox_close(fd);
}

static int64_t std_fs(int64_t fd, uint8_t kind, void *payload, size_t size, uint64_t argument)
{
    struct redox_std_fs_call c = { .kind = kind, .argument = argument };
    return redox_call(fd, payload, size, REDOX_CALL_STD_FS | REDOX_CALL_READ | 3, (uint64_t *)&c);
}

// What 0.9 calls instead of fchmod and its like.
static void calls_of_later_versions(void)
{
    struct redox_stat st;
    struct redox_statvfs fs;
    struct redox_timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 6 } };
    static char entries[400];
    int64_t fd = file_open(path, REDOX_O_RDWR);
    expect_is(std_fs(fd, REDOX_STD_FS_FCHMOD, NULL, 0, 0604), 0);
    expect_is(std_fs(fd, REDOX_STD_FS_FCHOWN, NULL, 0, 7 | 8ull << 32), 0);
    expect_is(std_fs(fd, REDOX_STD_FS_FTRUNCATE, NULL, 0, 12), 0);
    expect_is(std_fs(fd, REDOX_STD_FS_FUTIMENS, times, sizeof(times), 0), 0);
    expect_is(std_fs(fd, REDOX_STD_FS_FSYNC, NULL, 0, 0), 0);
    expect_is(std_fs(fd, REDOX_STD_FS_FSTAT, &st, sizeof(st), 0), 0);
    expect_is(st.st_mode & REDOX_MODE_PERM, 0604);
    expect_is(st.st_uid * 100 + st.st_gid, 708);
    expect_is(st.st_size, 12);
    expect_is(st.mtime * 10 + st.atime, 65);
    expect_is(std_fs(fd, REDOX_STD_FS_FSTAT, &st, 50, 0), -REDOX_EINVAL);
    expect_is(std_fs(fd, REDOX_STD_FS_FSTATVFS, &fs, sizeof(fs), 0), 0);
    expect(fs.f_bsize > 0);
    expect_is(std_fs(fd, REDOX_STD_FS_GETDENTS, entries, sizeof(entries), 0), -REDOX_ENOTDIR);
    expect_is(std_fs(fd, 0, NULL, 0, 0), -REDOX_EOPNOTSUPP);
    expect_is(std_fs(fd, 200, NULL, 0, 0), -REDOX_EOPNOTSUPP);
    expect_is(redox_call(fd, NULL, 0, REDOX_CALL_STD_FS, NULL), -REDOX_EINVAL);
    expect_is(redox_call(fd, NULL, 0, REDOX_CALL_STD_FS | 3, NULL), -REDOX_EFAULT);
    expect_is(redox_close(fd), 0);
    fd = file_open("/", REDOX_O_RDONLY | REDOX_O_DIRECTORY);
    int64_t n = std_fs(fd, REDOX_STD_FS_GETDENTS, entries, sizeof(entries), 0);
    expect(n > (int64_t)sizeof(struct redox_dirent_header));
    for (int64_t at = 0; at < n;) {
        const struct redox_dirent_header *h = (const void *)(entries + at);
        bool root = strcmp(entries + at + sizeof(*h), "bin") == 0;
        expect(!root || h->kind == REDOX_DIRENT_LATER_DIRECTORY ||
               h->kind == REDOX_DIRENT_LATER_SYMLINK);
        expect(h->kind != REDOX_DIRENT_UNSPECIFIED);
        at += h->length;
    }
    expect_is(redox_close(fd), 0);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(offsets_move),
        TEST(access_modes_hold),
        TEST(numbers_are_the_lowest),
        TEST(dup_shares_the_offset),
        TEST(dup_with_a_name_makes_another),
        TEST(flags_of_descriptors),
        TEST(status_is_whole),
        TEST(status_changes),
        TEST(many_can_be_open),
        TEST(buffers_are_checked),
        TEST(requests_nobody_has),
        TEST(calls_of_later_versions),
    };
    int failed = run_tests(tests, array_len(tests));
    return failed ? failed : file_unlink(path) < 0;
}
