// SPDX-License-Identifier: GPL-3.0-or-later
// The border itself: every number is answered, no other one is; bad descriptors, pointers and sizes
// give the errors they have to, whatever the call.
#include "tests/programs/redox_start.h"

struct number {
    uint32_t number;
    const char *name;
};

// What the kernel says it has.
#define CALL(value, called, kinds) { .number = value, .name = #called },
static const struct number there[] = {
#include "kernel/abi/redox/calls.h"
};
#undef CALL

// Ends the program, or needs a frame on the stack.
static bool cannot_be_tried(uint64_t number)
{
    return number == REDOX_SYS_EXIT || number == REDOX_SYS_SIGRETURN;
}

// Redox answers these as if they did not exist.
static bool answers_enosys(uint64_t number)
{
    return number == REDOX_SYS_LINK || number == REDOX_SYS_FMAP_OLD ||
           number == REDOX_SYS_FUNMAP_OLD;
}

static int64_t call_with_ones(uint64_t number)
{
    return redox_call6(number, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                       UINT64_MAX);
}

static void every_call_is_there(void)
{
    uint64_t mask = (uint64_t)redox_umask(022);
    for (size_t i = 0; i < array_len(there); i++)
        if (!cannot_be_tried(there[i].number) && !answers_enosys(there[i].number) &&
            call_with_ones(there[i].number) == -REDOX_ENOSYS)
            test_failed(__FILE_NAME__, __LINE__, "%s (%x) is not there", there[i].name,
                        there[i].number);
    redox_umask(mask);
}

static bool is_there(uint64_t number)
{
    for (size_t i = 0; i < array_len(there); i++)
        if (there[i].number == number)
            return true;
    return false;
}

static void expect_no_call(uint64_t number)
{
    if (!is_there(number) && call_with_ones(number) != -REDOX_ENOSYS)
        test_failed(__FILE_NAME__, __LINE__, "there is a call %llx", (long long)number);
}

// Numbers that differ from a real one in one bit, or have bits above the 32 that count.
static void neighbours_of_calls_are_not_there(void)
{
    for (size_t i = 0; i < array_len(there); i++)
        for (unsigned bit = 0; bit < 64; bit++)
            expect_no_call(there[i].number ^ 1ull << bit);
}

static void other_numbers_are_not_there(void)
{
    for (uint64_t number = 0; number < 1100; number++) {
        expect_no_call(number);
        expect_no_call(REDOX_CLASS_PATH | number);
        expect_no_call(REDOX_CLASS_FILE | number);
        expect_no_call(0x30000000 | number);
    }
    expect_no_call(UINT32_MAX);
    expect_no_call(UINT64_MAX);
    expect_no_call(1ull << 63);
}

static const int64_t bad_descriptors[] = {
    -1,        -2,        3,         65535,     65536,
    INT32_MAX, INT32_MIN, 1ll << 31, 1ll << 32, (1ll << 32) + 1,
    1ll << 47, 1ll << 62, INT64_MAX, INT64_MIN,
};

static void bad_descriptors_are_refused(void)
{
    char byte;
    struct redox_stat status;
    for (size_t i = 0; i < array_len(bad_descriptors); i++) {
        int64_t fd = bad_descriptors[i];
        expect_is(redox_close(fd), -REDOX_EBADF);
        expect_is(redox_read(fd, &byte, 1), -REDOX_EBADF);
        expect_is(redox_read(fd, &byte, 0), -REDOX_EBADF);
        expect_is(redox_write(fd, "x", 1), -REDOX_EBADF);
        expect_is(redox_dup(fd, NULL, 0), -REDOX_EBADF);
        expect_is(redox_dup2(fd, 9, NULL, 0), -REDOX_EBADF);
        expect_is(redox_lseek(fd, 0, REDOX_SEEK_CUR), -REDOX_EBADF);
        expect_is(redox_fcntl(fd, REDOX_F_GETFD, 0), -REDOX_EBADF);
        expect_is(redox_fstat(fd, &status), -REDOX_EBADF);
        expect_is(redox_fpath(fd, &byte, 1), -REDOX_EBADF);
        expect_is(redox_fsync(fd), -REDOX_EBADF);
        expect_is(redox_ftruncate(fd, 0), -REDOX_EBADF);
        expect_is(redox_fchmod(fd, 0), -REDOX_EBADF);
    }
}

// Where no user memory is: around 2^47, beyond it, in the kernel's half, between the halves, at 0.
static const struct range {
    uint64_t address, size;
} bad_ranges[] = {
    { 0, 1 },
    { 0, 4096 },
    { 0x800000000000, 1 },
    { 0x7fffffffffff, 1 },
    { 0x7fffffffffff, 2 },
    { 0x7ffffffff000, 4096 },
    { 0x7ffffffff000, 4097 },
    { 0x800000000000, UINT64_MAX },
    { 0x1000, UINT64_MAX },
    { 0x1000, UINT64_MAX - 0x1000 },
    { 0xffff800000000000, 8 },
    { 0xffffffff80000000, 4096 },
    { 0xfffffffffffffff8, 8 },
    { 0xffffffffffffffff, 1 },
    { 0x8000000000000000, 16 },
    { 0x4141414141414141, 16 },
};

static void bad_pointers_are_refused(void)
{
    int64_t zero = file_open("sys:uname", REDOX_O_RDONLY);
    expect(zero >= 0);
    for (size_t i = 0; i < array_len(bad_ranges); i++) {
        void *address = (void *)bad_ranges[i].address;
        size_t size = bad_ranges[i].size;
        expect_is(redox_read(zero, address, size), -REDOX_EFAULT);
        expect_is(redox_write(1, address, size), -REDOX_EFAULT);
        expect_is(redox_fstat(zero, address), -REDOX_EFAULT);
        expect_is(redox_fpath(zero, address, size), -REDOX_EFAULT);
        expect_is(redox_clock_gettime(REDOX_CLOCK_MONOTONIC, address), -REDOX_EFAULT);
        expect_is(redox_nanosleep(address, NULL), -REDOX_EFAULT);
        expect_is(redox_open(address, size < 100 ? size : 100, 0), -REDOX_EFAULT);
        expect_is(redox_unlink(address, size < 100 ? size : 100), -REDOX_EFAULT);
    }
    expect_is(redox_close(zero), 0);
}

static void paths_have_bounds(void)
{
    static char path[5000];
    memset(path, 'a', sizeof(path));
    expect_is(redox_open(path, 4097, 0), -REDOX_ENAMETOOLONG);
    expect_is(redox_open(path, UINT64_MAX, 0), -REDOX_ENAMETOOLONG);
    expect_is(redox_open("/tmp/\xff", 6, REDOX_O_CREAT | REDOX_O_RDWR), -REDOX_EINVAL);
    expect_is(redox_open("/tmp/\xc0\x80", 7, REDOX_O_CREAT | REDOX_O_RDWR), -REDOX_EINVAL);
    expect_is(redox_open("/tmp\0x", 6, REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(file_open("noscheme:", REDOX_O_RDONLY), -REDOX_ENODEV);
    expect_is(file_open("no/scheme:", REDOX_O_RDONLY), -REDOX_EINVAL);
    expect_is(file_open("relative", REDOX_O_RDONLY), -REDOX_EINVAL);
}

static void arguments_of_getpid_are_ignored(void)
{
    int64_t number = redox_getpid();
    expect(number > 0);
    expect_is(call_with_ones(REDOX_SYS_GETPID), number);
}

static void errors_fill_all_64_bits(void)
{
    expect_is((uint64_t)redox_close(-1) >> 32, UINT32_MAX);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(arguments_of_getpid_are_ignored),
        TEST(errors_fill_all_64_bits),
        TEST(every_call_is_there),
        TEST(neighbours_of_calls_are_not_there),
        TEST(other_numbers_are_not_there),
        TEST(bad_descriptors_are_refused),
        TEST(bad_pointers_are_refused),
        TEST(paths_have_bounds),
    };
    return run_tests(tests, array_len(tests));
}
