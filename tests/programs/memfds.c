// SPDX-License-Identifier: GPL-3.0-or-later
// memfd_create and its seals as their manual pages say. Runs the same on Linux.
#include "tests/programs/check.h"
#include <sys/mman.h>

enum { PAGE = 4096 };

static int make(size_t size)
{
    int fd = MADE(memfd_create("test", MFD_ALLOW_SEALING));
    MADE(ftruncate(fd, size));
    return fd;
}

static void *map(int fd, int protection, int flags)
{
    void *p = mmap(NULL, PAGE, protection, flags, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void test_names(void)
{
    char name[300], target[400], path[64];
    memset(name, 'n', sizeof(name));
    name[249] = '\0';
    int fd = MADE(memfd_create(name, MFD_CLOEXEC));
    RETURNS(fcntl(fd, F_GETFD), FD_CLOEXEC);
    RETURNS(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof(target));
    CHECK(n == 7 + 249 + 10 && !memcmp(target, "/memfd:nnn", 10) &&
          !memcmp(target + n - 10, " (deleted)", 10));
    int again = MADE(open(path, O_RDWR)); // the same file
    RETURNS(write(again, "abc", 3), 3);
    RETURNS(read(fd, name, 8), 3);
    close(again);
    close(fd);
    name[249] = 'n';
    name[250] = '\0';
    FAILS(memfd_create(name, 0), EINVAL);
    FAILS(memfd_create("x", 0x100), EINVAL);
    FAILS(memfd_create((char *)8, 0), EFAULT);
}

static void test_sizes(void)
{
    char bytes[2 * PAGE] = { 0 };
    int fd = make(PAGE + 10);
    RETURNS(fcntl(fd, F_GET_SEALS), 0);
    RETURNS(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    FAILS(ftruncate(fd, PAGE), EPERM);
    RETURNS(ftruncate(fd, PAGE + 20), 0);
    RETURNS(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
    RETURNS(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK);
    FAILS(ftruncate(fd, PAGE + 21), EPERM);
    FAILS(fallocate(fd, 0, 0, 2 * PAGE), EPERM);
    RETURNS(fallocate(fd, 0, 0, PAGE), 0);
    RETURNS(pwrite(fd, bytes, 20, PAGE), 20);
    FAILS(pwrite(fd, bytes, 21, PAGE), EPERM);
    RETURNS(pwrite(fd, bytes, sizeof(bytes), 0), PAGE);
    FAILS(pwrite(fd, bytes, 1, PAGE + 20), EPERM);
    RETURNS(lseek(fd, 0, SEEK_END), PAGE + 20);
    close(fd);
}

static void test_writes(void)
{
    int fd = make(PAGE);
    char *shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    RETURNS(fcntl(fd, F_GET_SEALS), 0);
    munmap(shared, PAGE);
    shared = map(fd, PROT_READ, MAP_SHARED); // could become writable
    FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    munmap(shared, PAGE);
    char *own = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    RETURNS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    FAILS(write(fd, "x", 1), EPERM);
    FAILS(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM);
    RETURNS(ftruncate(fd, 2 * PAGE), 0);
    FAILS(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
    own[0] = 'p';
    RETURNS(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
    FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    FAILS(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL);
    munmap(own, PAGE);
    close(fd);

    fd = make(PAGE); // what is mapped already may be written
    shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    RETURNS(fcntl(fd, F_ADD_SEALS, 0x10), 0);
    shared[0] = 'y';
    FAILS(write(fd, "x", 1), EPERM);
    FAILS(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
    char *seen = map(fd, PROT_READ, MAP_SHARED);
    CHECK(seen && seen[0] == 'y');
    FAILS(mprotect(seen, PAGE, PROT_READ | PROT_WRITE), EACCES);
    close(fd);
}

static void test_others(void)
{
    int fd = make(PAGE), zero = MADE(open("/dev/zero", O_RDWR));
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int reader = MADE(open(path, O_RDONLY));
    FAILS(fcntl(reader, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    RETURNS(fcntl(reader, F_GET_SEALS), 0);
    FAILS(fcntl(zero, F_GET_SEALS), EINVAL);
    FAILS(fcntl(zero, F_ADD_SEALS, F_SEAL_GROW), EINVAL);
    close(reader);
    close(zero);
    close(fd);
}

int main(void)
{
    test_names();
    test_sizes();
    test_writes();
    test_others();
    return checks_end();
}
