// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptors and the open files behind them, as programs of the Redox ABI rely on them.
#include "tests/programs/redox_start.h"

#define FILE "/tmp/redox_descriptors"
static const uint64_t create = REDOX_O_CREAT | REDOX_O_TRUNC | REDOX_O_RDWR | 0644;

// The test's file, open, with these contents and the offset 0; tests end by leave().
static int64_t file_with(const char *text)
{
    int64_t fd = file_open(FILE, create);
    if (fd < 0 || redox_write(fd, text, strlen(text)) != (int64_t)strlen(text) ||
        redox_lseek(fd, 0, REDOX_SEEK_SET))
        test_failed(__FILE_NAME__, __LINE__, "the file cannot be made: %lld", (long long)fd);
    return fd;
}

static void lowest_free_number(void)
{
    int64_t a = file_with(""), b = file_open(FILE, REDOX_O_RDONLY),
            c = file_open(FILE, REDOX_O_RDONLY);
    expect_is(a, 3);
    expect_is(b, 4);
    expect_is(c, 5);
    expect_is(redox_close(b), 0);
    expect_is(redox_dup(c, NULL, 0), 4);
    expect_is(redox_close(4), 0);
    expect_is(redox_close(3), 0);
    expect_is(file_open("pipe:", REDOX_O_RDONLY), 3);
    expect_is(file_dup(3, "write"), 4);
    expect_is(redox_close(0), 0);
    expect_is(file_open(FILE, REDOX_O_RDONLY), 0);
    for (int64_t i = 3; i <= 5; i++)
        expect_is(redox_close(i), 0);
}

static void dup_shares_the_offset(void)
{
    char text[4] = "";
    int64_t a = file_with("abcdef"), b = redox_dup(a, NULL, 0);
    expect(b > a);
    expect_is(redox_read(a, text, 2), 2);
    expect_is(redox_read(b, text, 2), 2);
    expect(!memcmp(text, "cd", 2));
    expect_is(redox_lseek(b, 0, REDOX_SEEK_SET), 0);
    expect_is(redox_lseek(a, 0, REDOX_SEEK_CUR), 0);
    int64_t other = file_open(FILE, REDOX_O_RDONLY);
    expect_is(redox_read(a, text, 3), 3);
    expect_is(redox_lseek(other, 0, REDOX_SEEK_CUR), 0);
    expect_is(redox_close(a), 0);
    expect_is(redox_read(b, text, 3), 3);
    expect(!memcmp(text, "def", 3));
    expect_is(redox_close(b), 0);
    expect_is(redox_close(other), 0);
}

static void dup_with_a_name_asks_the_scheme(void)
{
    int64_t file = file_with("abc"), end = file_open("pipe:", REDOX_O_RDONLY);
    expect_is(file_dup(file, "no such name"), -REDOX_EINVAL);
    expect_is(file_dup(end, "no such name"), -REDOX_EINVAL);
    int64_t writer = file_dup(end, "write");
    expect(writer >= 0);
    expect_is(file_dup(end, "write"), -REDOX_EBADF);
    char byte = 0;
    expect_is(redox_write(writer, "x", 1), 1);
    expect_is(redox_read(end, &byte, 1), 1);
    expect_is(byte, 'x');
    expect_is(redox_read(writer, &byte, 1), -REDOX_EBADF);
    expect_is(redox_write(end, "x", 1), -REDOX_EBADF);
    expect_is(redox_close(writer), 0);
    expect_is(redox_read(end, &byte, 1), 0);
    expect_is(redox_close(end), 0);
    expect_is(redox_close(file), 0);
}

static void dup2_replaces(void)
{
    int64_t fd = file_with("abc");
    expect_is(redox_dup2(fd, fd, NULL, 0), fd);
    expect_is(redox_dup2(99, 99, NULL, 0), -REDOX_EBADF);
    expect_is(redox_dup2(fd, 20, NULL, 0), 20);
    expect_is(redox_lseek(20, 2, REDOX_SEEK_SET), 2);
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_CUR), 2);
    int64_t other = file_open("pipe:", REDOX_O_RDONLY);
    expect_is(redox_dup2(other, 20, NULL, 0), 20);
    expect_is(redox_lseek(20, 0, REDOX_SEEK_CUR), -REDOX_ESPIPE);
    expect_is(redox_dup2(other, fd, "write", 5), fd);
    expect_is(redox_write(fd, "x", 1), 1);
    int64_t beyond = redox_dup2(fd, 65536, NULL, 0);
    expect(beyond == -REDOX_EMFILE || beyond == -REDOX_EBADF);
    expect_is(redox_close(20), 0);
    expect_is(redox_close(other), 0);
    expect_is(redox_close(fd), 0);
}

static void fcntl_knows_flags(void)
{
    int64_t fd = file_open(FILE, create | REDOX_O_CLOEXEC);
    expect_is(redox_fcntl(0, REDOX_F_GETFD, 0), 0);
    expect_is(redox_fcntl(1, REDOX_F_GETFD, 0), 0);
    expect_is(redox_fcntl(2, REDOX_F_GETFD, 0), 0);
    expect_is(redox_fcntl(fd, REDOX_F_GETFD, 0), REDOX_O_CLOEXEC);
    int64_t copy = redox_dup(fd, NULL, 0);
    expect_is(redox_fcntl(copy, REDOX_F_GETFD, 0), 0);
    expect_is(redox_fcntl(fd, REDOX_F_SETFD, 0), 0);
    expect_is(redox_fcntl(fd, REDOX_F_GETFD, 0), 0);
    expect_is(redox_fcntl(fd, REDOX_F_SETFD, REDOX_O_CLOEXEC), 0);
    expect_is(redox_fcntl(fd, REDOX_F_GETFD, 0), REDOX_O_CLOEXEC);
    expect_is(redox_fcntl(fd, REDOX_F_GETFL, 0) & REDOX_O_ACCMODE, REDOX_O_RDWR);
    expect_is(redox_fcntl(fd, REDOX_F_GETFL, 0) & REDOX_O_CLOEXEC, 0);
    expect_is(redox_fcntl(fd, REDOX_F_SETFL, REDOX_O_APPEND | REDOX_O_RDONLY), 0);
    expect_is(redox_fcntl(fd, REDOX_F_GETFL, 0) & (REDOX_O_ACCMODE | REDOX_O_APPEND),
              REDOX_O_RDWR | REDOX_O_APPEND);
    expect_is(redox_fcntl(copy, REDOX_F_GETFL, 0) & REDOX_O_APPEND, REDOX_O_APPEND);
    expect_is(redox_fcntl(fd, REDOX_F_DUPFD, 30), 30);
    expect_is(redox_fcntl(fd, REDOX_F_DUPFD, 30), 31);
    expect_is(redox_fcntl(30, REDOX_F_GETFD, 0), 0);
    expect_is(redox_fcntl(fd, 12345, 0), -REDOX_EINVAL);
    expect_is(redox_close(30), 0);
    expect_is(redox_close(31), 0);
    expect_is(redox_close(copy), 0);
    expect_is(redox_close(fd), 0);
}

static void access_modes_hold(void)
{
    char byte;
    int64_t fd = file_with("abc");
    int64_t reader = file_open(FILE, REDOX_O_RDONLY), writer = file_open(FILE, REDOX_O_WRONLY),
            status = file_open(FILE, REDOX_O_STAT);
    expect_is(redox_write(reader, "x", 1), -REDOX_EBADF);
    expect_is(redox_read(writer, &byte, 1), -REDOX_EBADF);
    expect_is(redox_read(status, &byte, 1), -REDOX_EBADF);
    expect_is(redox_write(status, "x", 1), -REDOX_EBADF);
    int64_t e = redox_ftruncate(reader, 1);
    expect(e == -REDOX_EINVAL || e == -REDOX_EBADF);
    struct redox_stat s;
    expect_is(redox_fstat(status, &s), 0);
    expect_is(s.st_size, 3);
    for (int64_t i = fd; i <= status; i++)
        expect_is(redox_close(i), 0);
}

static void seeking(void)
{
    int64_t fd = file_with("abcdef");
    expect_is(redox_lseek(fd, -2, REDOX_SEEK_END), 4);
    expect_is(redox_lseek(fd, 1, REDOX_SEEK_CUR), 5);
    expect_is(redox_lseek(fd, -1, REDOX_SEEK_SET), -REDOX_EINVAL);
    expect_is(redox_lseek(fd, -6, REDOX_SEEK_CUR), -REDOX_EINVAL);
    expect_is(redox_lseek(fd, 0, 3), -REDOX_EINVAL);
    expect_is(redox_lseek(fd, INT64_MAX, REDOX_SEEK_END), -REDOX_EOVERFLOW);
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_CUR), 5);
    expect_is(redox_lseek(fd, 100, REDOX_SEEK_SET), 100);
    expect_is(redox_write(fd, "x", 1), 1);
    struct redox_stat s;
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_size, 101);
    expect_is(redox_close(fd), 0);
}

static void positioned_transfers(void)
{
    char text[8] = "";
    int64_t fd = file_with("abcdef");
    expect_is(redox_read2(fd, text, 2, 3, 0), 2);
    expect(!memcmp(text, "de", 2));
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_CUR), 0);
    expect_is(redox_write2(fd, "XY", 2, 1, 0), 2);
    expect_is(redox_read2(fd, text, 2, REDOX_OFFSET_NONE, 0), 2);
    expect(!memcmp(text, "aX", 2));
    expect_is(redox_lseek(fd, 0, REDOX_SEEK_CUR), 2);
    expect_is(redox_read2(fd, text, 1, 0, UINT64_MAX), 1);
    expect_is(redox_read2(fd, text, 1, 0, 0x40), -REDOX_EINVAL);
    int64_t end = file_open("pipe:", REDOX_O_RDONLY | REDOX_O_NONBLOCK);
    expect_is(redox_read2(end, text, 1, 0, 0), -REDOX_ESPIPE);
    int64_t writer = file_dup(end, "write");
    expect_is(redox_read2(end, text, 1, REDOX_OFFSET_NONE, REDOX_RW_NONBLOCK), -REDOX_EAGAIN);
    expect_is(redox_close(writer), 0);
    expect_is(redox_close(end), 0);
    expect_is(redox_close(fd), 0);
}

static void appending(void)
{
    int64_t fd = file_with("ab");
    int64_t a = file_open(FILE, REDOX_O_WRONLY | REDOX_O_APPEND);
    expect_is(redox_write(a, "c", 1), 1);
    expect_is(redox_write(fd, "X", 1), 1);
    expect_is(redox_write(a, "d", 1), 1);
    expect_is(redox_lseek(a, 0, REDOX_SEEK_CUR), 4);
    char text[8] = "";
    expect_is(redox_read2(fd, text, 8, 0, 0), 4);
    expect(!memcmp(text, "Xbcd", 4));
    expect_is(redox_close(a), 0);
    expect_is(redox_close(fd), 0);
}

// Fills a structure with ones, has it filled, and tells whether the gaps are zero.
static bool zero(const void *structure, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (((const char *)structure)[i])
            return false;
    return true;
}

static void padding_is_zero(void)
{
    struct redox_timespec now;
    memset(&now, 0xff, sizeof(now));
    expect_is(redox_clock_gettime(REDOX_CLOCK_REALTIME, &now), 0);
    expect(zero(&now, 12, 16));
    int64_t time = file_open("time:4", REDOX_O_RDWR), fd = file_with("abc");
    memset(&now, 0xff, sizeof(now));
    expect_is(redox_read(time, &now, sizeof(now)), 16);
    expect(zero(&now, 12, 16));
    struct redox_stat s;
    memset(&s, 0xff, sizeof(s));
    expect_is(redox_fstat(fd, &s), 0);
    expect(zero(&s, 18, 20) && zero(&s, 44, 48) && zero(&s, 68, 72) && zero(&s, 84, 88) &&
           zero(&s, 100, 104));
    struct redox_statvfs v;
    memset(&v, 0xff, sizeof(v));
    expect_is(redox_fstatvfs(fd, &v), 0);
    expect(zero(&v, 4, 8) && v.f_bsize >= 512);
    expect_is(redox_close(time), 0);
    expect_is(redox_close(fd), 0);
}

static void status_has_a_size(void)
{
    char bytes[112];
    int64_t fd = file_with("abc");
    expect_is(redox_call3(REDOX_SYS_FSTAT, (uint64_t)fd, (uint64_t)bytes, 103), -REDOX_EINVAL);
    expect_is(redox_call3(REDOX_SYS_FSTAT, (uint64_t)fd, (uint64_t)bytes, 0), -REDOX_EINVAL);
    expect_is(redox_call3(REDOX_SYS_FSTAT, (uint64_t)fd, (uint64_t)&bytes[1], 104), 0);
    expect_is(redox_call3(REDOX_SYS_FSTATVFS, (uint64_t)fd, (uint64_t)bytes, 31), -REDOX_EINVAL);
    expect_is(redox_close(fd), 0);
}

static void status_can_be_set(void)
{
    int64_t fd = file_with("abc");
    struct redox_timespec times[2] = { { .tv_sec = 1000, .tv_nsec = 1 },
                                       { .tv_sec = 2000, .tv_nsec = 2 } };
    expect_is(redox_futimens(fd, times), 0);
    expect_is(redox_fchmod(fd, 0640), 0);
    expect_is(redox_fchown(fd, 7, 8), 0);
    expect_is(redox_fchown(fd, UINT32_MAX, 9), 0);
    expect_is(redox_ftruncate(fd, 10), 0);
    expect_is(redox_fsync(fd), 0);
    expect_is(redox_futimens(fd, times), 0);
    struct redox_stat s;
    expect_is(redox_fstat(fd, &s), 0);
    expect_is(s.st_mode, REDOX_MODE_FILE | 0640);
    expect_is(s.st_uid, 7);
    expect_is(s.st_gid, 9);
    expect_is(s.st_size, 10);
    expect_is(s.st_nlink, 1);
    expect_is(s.atime, 1000);
    expect_is(s.atime_nsec, 1);
    expect_is(s.mtime, 2000);
    expect_is(s.mtime_nsec, 2);
    expect_is(redox_call3(REDOX_SYS_FUTIMENS, (uint64_t)fd, (uint64_t)times, 17), -REDOX_EINVAL);
    expect_is(redox_close(fd), 0);
}

static void the_table_has_an_end(void)
{
    int64_t first = file_with("abc"), last = first;
    for (int64_t fd = first; fd >= 0 && last < 70000; fd = redox_dup(first, NULL, 0))
        last = fd;
    expect_is(redox_dup(first, NULL, 0), -REDOX_EMFILE);
    expect_is(file_open(FILE, REDOX_O_RDONLY), -REDOX_EMFILE);
    expect_is(redox_close(first + 1), 0);
    expect_is(file_open(FILE, REDOX_O_RDONLY), first + 1);
    for (int64_t fd = first; fd <= last; fd++)
        expect_is(redox_close(fd), 0);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(lowest_free_number),
        TEST(dup_shares_the_offset),
        TEST(dup_with_a_name_asks_the_scheme),
        TEST(dup2_replaces),
        TEST(fcntl_knows_flags),
        TEST(access_modes_hold),
        TEST(seeking),
        TEST(positioned_transfers),
        TEST(appending),
        TEST(padding_is_zero),
        TEST(status_has_a_size),
        TEST(status_can_be_set),
        TEST(the_table_has_an_end),
    };
    return run_tests(tests, array_len(tests));
}
