// SPDX-License-Identifier: GPL-3.0-or-later
// openat2, preadv2 and pwritev2, splice, tee, vmsplice, sendfile and copy_file_range as their
// manual pages say. Runs the same on Linux.
#include "tests/programs/check.h"
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

struct open_how { // linux/openat2.h, which the C library does not bring
    uint64_t flags, mode, resolve;
};
enum { NO_XDEV = 1, NO_MAGICLINKS = 2, NO_SYMLINKS = 4, BENEATH = 8, IN_ROOT = 16 };

static int directory;

static int open2(const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = { flags, mode, resolve };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

// Opens and closes; 0 or -1.
static int try2(const char *path, uint64_t resolve)
{
    int fd = open2(path, O_RDONLY, 0, resolve);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : -1;
}

static void test_openat2(void)
{
    struct open_how how = { .flags = O_RDONLY };
    char longer[48] = { 0 };
    FAILS(open2("in", O_RDONLY, 0644, 0), EINVAL);
    FAILS(open2("new", O_CREAT | O_WRONLY, 0x10000, 0), EINVAL);
    FAILS(open2("in", 1ull << 40, 0, 0), EINVAL);
    FAILS(open2("in", O_PATH | O_RDWR, 0, 0), EINVAL);
    FAILS(open2("in", O_RDONLY, 0, 0x1000), EINVAL);
    FAILS(open2("in", O_RDONLY, 0, BENEATH | IN_ROOT), EINVAL);
    FAILS(syscall(SYS_openat2, directory, "in", &how, 23), EINVAL);
    FAILS(syscall(SYS_openat2, directory, "in", 8, sizeof(how)), EFAULT);
    FAILS(syscall(SYS_openat2, directory, 8, &how, sizeof(how)), EFAULT);
    RETURNS(close(MADE(syscall(SYS_openat2, directory, "in", longer, sizeof(longer)))), 0);
    longer[40] = 1;
    FAILS(syscall(SYS_openat2, directory, "in", longer, sizeof(longer)), E2BIG);
    int fd = MADE(open2("new", O_CREAT | O_WRONLY | O_CLOEXEC, 0640, 0));
    RETURNS(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);

    RETURNS(try2("in", BENEATH), 0);
    RETURNS(try2("sub/../in", BENEATH), 0);
    RETURNS(try2("sub/link", BENEATH), 0); // to ../in
    FAILS(try2("../in", BENEATH), EXDEV);
    FAILS(try2("sub/../../transfers/in", BENEATH), EXDEV);
    FAILS(try2("/etc", BENEATH), EXDEV);
    FAILS(try2("absolute", BENEATH), EXDEV);
    FAILS(try2("out", BENEATH), EXDEV);
    RETURNS(try2("out", 0), 0);
    RETURNS(try2("/in", IN_ROOT), 0);
    RETURNS(try2("../../in", IN_ROOT), 0);
    RETURNS(try2("absolute", IN_ROOT), 0); // to /in
    FAILS(try2("out", IN_ROOT), ENOENT);
    FAILS(try2("sub/link", NO_SYMLINKS), ELOOP);
    RETURNS(try2("in", NO_SYMLINKS), 0);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", directory);
    RETURNS(try2(path, 0), 0);
    FAILS(try2(path, NO_MAGICLINKS), ELOOP);
    FAILS(try2("/proc/version", NO_XDEV), EXDEV);
    RETURNS(try2("in", NO_XDEV), 0);
}

static void test_vectors(void)
{
    char a[4] = { 0 }, b[8] = { 0 };
    struct iovec v[2] = { { a, 2 }, { b, 8 } };
    int fd = MADE(open2("in", O_RDWR, 0, 0));
    RETURNS(syscall(SYS_preadv2, fd, v, 2, 1, 0, 0), 5);
    CHECK(!memcmp(a, "bc", 2) && !memcmp(b, "def", 3));
    RETURNS(syscall(SYS_preadv2, fd, v, 1, -1l, -1l, 0), 2);
    RETURNS(lseek(fd, 0, SEEK_CUR), 2);
    FAILS(syscall(SYS_preadv2, fd, v, 1, 0, 0, 0x1000), EOPNOTSUPP);
    FAILS(syscall(SYS_preadv2, fd, v, 1, -2l, -1l, 0), EINVAL);
    v[0].iov_base = "XY";
    RETURNS(syscall(SYS_pwritev2, fd, v, 1, 4, 0, 2), 2); // RWF_DSYNC
    RETURNS(pread(fd, b, 8, 0), 6);
    CHECK(!memcmp(b, "abcdXY", 6));
    RETURNS(pwrite(fd, "ef", 2, 4), 2);
    int p[2];
    MADE(pipe(p));
    v[0].iov_base = a;
    FAILS(syscall(SYS_preadv2, p[0], v, 1, 0, 0, 0), ESPIPE);
    RETURNS(write(p[1], "pq", 2), 2);
    RETURNS(syscall(SYS_preadv2, p[0], v, 1, -1l, -1l, 0), 2);
    close(p[0]);
    close(p[1]);
    close(fd);
}

static void *drain(void *data)
{
    char bytes[65536];
    long all = 0, n;
    while ((n = read((int)(long)data, bytes, sizeof(bytes))) > 0)
        all += n;
    return (void *)all;
}

// Between two empty pipes; closes the first.
static void tee_and_vmsplice(const int *p, const int *q, int fd)
{
    char bytes[16] = { 0 };
    RETURNS(write(p[1], "teetime", 7), 7); // tee leaves what it copies
    RETURNS(tee(p[0], q[1], 3, 0), 3);
    RETURNS(read(q[0], bytes, 16), 3);
    CHECK(!memcmp(bytes, "tee", 3));
    RETURNS(tee(p[0], q[1], 100, 0), 7);
    RETURNS(read(p[0], bytes, 16), 7);
    RETURNS(read(q[0], bytes, 16), 7);
    CHECK(!memcmp(bytes, "teetime", 7));
    FAILS(tee(p[0], q[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
    FAILS(tee(p[0], p[1], 1, 0), EINVAL);
    FAILS(tee(fd, p[1], 1, 0), EINVAL);

    struct iovec v[2] = { { "vm", 2 }, { "splice", 6 } };
    RETURNS(vmsplice(p[1], v, 2, 0), 8);
    v[0] = (struct iovec){ bytes, 16 };
    RETURNS(vmsplice(p[0], v, 1, 0), 8);
    CHECK(!memcmp(bytes, "vmsplice", 8));
    FAILS(vmsplice(fd, v, 1, 0), EBADF);
    close(p[1]);
    RETURNS(splice(p[0], NULL, q[1], NULL, 1, 0), 0); // nobody writes any more
    RETURNS(tee(p[0], q[1], 1, 0), 0);
    close(p[0]);
}

// More than a pipe holds, with somebody at its other end; closes the end that is written to.
static void splice_much(const int *q, int to)
{
    struct helper h;
    RETURNS(ftruncate(to, 300000), 0);
    helper_begin(&h, drain, (void *)(long)q[0]);
    long all = 0, n;
    loff_t from = 0;
    while ((n = splice(to, &from, q[1], NULL, 300000, 0)) > 0)
        all += n;
    RETURNS(all, 300000);
    close(q[1]);
    RETURNS(helper_end(&h), 300000);
}

static void test_splice(void)
{
    char bytes[16] = { 0 };
    int p[2], q[2], fd = MADE(open2("in", O_RDWR, 0, 0));
    int to = MADE(open2("copy", O_RDWR | O_CREAT | O_TRUNC, 0600, 0));
    loff_t at = 1, there = 3;
    MADE(pipe(p));
    MADE(pipe(q));
    RETURNS(splice(fd, &at, p[1], NULL, 3, 0), 3);
    RETURNS(at, 4);
    RETURNS(lseek(fd, 0, SEEK_CUR), 0);
    RETURNS(splice(p[0], NULL, to, &there, 10, 0), 3);
    RETURNS(there, 6);
    RETURNS(pread(to, bytes, 16, 0), 6);
    CHECK(!memcmp(bytes, "\0\0\0bcd", 6));
    RETURNS(splice(fd, NULL, p[1], NULL, 100, 0), 6);
    RETURNS(lseek(fd, 0, SEEK_CUR), 6);
    RETURNS(splice(p[0], NULL, q[1], NULL, 4, 0), 4);
    RETURNS(read(q[0], bytes, 16), 4);
    RETURNS(read(p[0], bytes, 16), 2);
    RETURNS(splice(fd, NULL, p[1], NULL, 100, 0), 0); // the file's end
    FAILS(splice(p[0], NULL, q[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    FAILS(splice(fd, NULL, to, NULL, 1, 0), EINVAL);
    FAILS(splice(p[0], &at, q[1], NULL, 1, 0), ESPIPE);
    FAILS(splice(p[0], NULL, p[1], NULL, 1, 0), EINVAL);
    FAILS(splice(p[1], NULL, q[1], NULL, 1, 0), EBADF);
    FAILS(splice(fd, NULL, p[1], NULL, 1, 0x100), EINVAL);
    RETURNS(splice(fd, NULL, p[1], NULL, 0, 0), 0);
    tee_and_vmsplice(p, q, fd);
    splice_much(q, to);
    close(q[0]);
    close(to);
    close(fd);
}

static void test_copies(void)
{
    char bytes[16] = { 0 };
    int p[2], fd = MADE(open2("in", O_RDWR, 0, 0));
    int to = MADE(open2("copy", O_RDWR | O_CREAT | O_TRUNC, 0600, 0));
    loff_t at = 2, there = 1;
    RETURNS(syscall(SYS_copy_file_range, fd, &at, to, &there, 3, 0), 3);
    CHECK(at == 5 && there == 4);
    RETURNS(pread(to, bytes, 16, 0), 4);
    CHECK(!memcmp(bytes, "\0cde", 4));
    RETURNS(syscall(SYS_copy_file_range, fd, NULL, to, NULL, 100, 0), 6);
    RETURNS(syscall(SYS_copy_file_range, fd, NULL, to, NULL, 100, 0), 0);
    FAILS(syscall(SYS_copy_file_range, fd, NULL, to, NULL, 1, 1), EINVAL);
    MADE(pipe(p));
    FAILS(syscall(SYS_copy_file_range, p[0], NULL, to, NULL, 1, 0), EINVAL);
    FAILS(syscall(SYS_copy_file_range, directory, NULL, to, NULL, 1, 0), EISDIR);
    at = 0, there = 1;
    FAILS(syscall(SYS_copy_file_range, fd, &at, fd, &there, 3, 0), EINVAL);
    off_t from = 1;
    RETURNS(sendfile(p[1], fd, &from, 3), 3);
    RETURNS(from, 4);
    RETURNS(read(p[0], bytes, 16), 3);
    CHECK(!memcmp(bytes, "bcd", 3));
    lseek(fd, 0, SEEK_SET);
    RETURNS(sendfile(to, fd, NULL, 100), 6);
    FAILS(sendfile(fd, p[1], NULL, 1), EBADF);
    FAILS(sendfile(p[0], fd, NULL, 1), EBADF);
    close(p[0]);
    close(p[1]);
    RETURNS(readahead(fd, 0, 100), 0);
    RETURNS(sync_file_range(fd, 0, 100, 7), 0);
    FAILS(sync_file_range(fd, 0, 100, 8), EINVAL);
    close(to);
    close(fd);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    mkdir("/tmp/transfers", 0700);
    directory = MADE(open("/tmp/transfers", O_RDONLY | O_DIRECTORY));
    int fd = MADE(openat(directory, "in", O_RDWR | O_CREAT | O_TRUNC, 0600));
    CHECK(write(fd, "abcdef", 6) == 6);
    close(fd);
    mkdirat(directory, "sub", 0700);
    (void)!symlinkat("../in", directory, "sub/link");
    (void)!symlinkat("/in", directory, "absolute");
    (void)!symlinkat("../../proc/version", directory, "out");
    test_openat2();
    test_vectors();
    test_splice();
    test_copies();
    return checks_end();
}
