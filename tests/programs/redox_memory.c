// SPDX-License-Identifier: GPL-3.0-or-later
// Address spaces by the Redox ABI: fmap, funmap, mprotect, mremap, and the scheme memory.
#include "tests/programs/redox_start.h"

enum { PAGE = REDOX_PAGE_SIZE, READ_WRITE = REDOX_PROT_READ | REDOX_PROT_WRITE };
#define PRIVATE (READ_WRITE | REDOX_MAP_PRIVATE)
#define PLACE   0x10000000000ull // nothing is near it

static int64_t map(int64_t fd, uint64_t offset, uint64_t size, uint64_t flags, uint64_t address)
{
    struct redox_map m = { .offset = offset, .size = size, .flags = flags, .address = address };
    return redox_fmap(fd, &m);
}

static int64_t fresh(uint64_t size, uint64_t flags, uint64_t address)
{
    return map(-1, 0, size, flags, address);
}

static void anonymous_arguments(void)
{
    static const struct {
        uint64_t size, flags, address;
        int64_t result;
    } table[] = {
        { 0, PRIVATE, 0, -REDOX_EINVAL },
        { 1, PRIVATE, 0, -REDOX_EINVAL },
        { PAGE + 1, PRIVATE, 0, -REDOX_EINVAL },
        { PAGE, PRIVATE, PLACE + 1, -REDOX_EINVAL },
        { PAGE, PRIVATE, REDOX_USER_END, -REDOX_EINVAL },
        { PAGE, PRIVATE | REDOX_MAP_FIXED, REDOX_USER_END, -REDOX_EINVAL },
        { PAGE, PRIVATE, UINT64_MAX - PAGE + 1, -REDOX_EINVAL },
        { UINT64_MAX - PAGE + 1, PRIVATE, 0, -REDOX_EINVAL },
        { 1ull << 47, PRIVATE, 0, -REDOX_EINVAL },
        { PAGE, PRIVATE | REDOX_MAP_FIXED, REDOX_USER_END - PAGE, REDOX_USER_END - PAGE },
        // A call at the very end of user space could not return.
        { PAGE, PRIVATE | REDOX_PROT_EXEC | REDOX_MAP_FIXED, REDOX_USER_END - PAGE, -REDOX_ENOMEM },
        { PAGE, PRIVATE | REDOX_MAP_FIXED, PLACE, PLACE },
        { PAGE, PRIVATE | REDOX_MAP_FIXED, PLACE, PLACE }, // replaces
        { PAGE, PRIVATE | REDOX_MAP_FIXED_NOREPLACE, PLACE, -REDOX_EEXIST },
        { 2 * PAGE, PRIVATE | REDOX_MAP_FIXED_NOREPLACE, PLACE - PAGE, -REDOX_EEXIST },
        { PAGE, PRIVATE | REDOX_MAP_FIXED_NOREPLACE, PLACE + PAGE, PLACE + PAGE },
        { PAGE, READ_WRITE, PLACE + 2 * PAGE, PLACE + 2 * PAGE }, // a hint that is free
        { PAGE, READ_WRITE | REDOX_MAP_SHARED, PLACE + 3 * PAGE, PLACE + 3 * PAGE },
        { PAGE, PRIVATE | REDOX_MAP_LAZY, PLACE + 4 * PAGE, PLACE + 4 * PAGE },
        { PAGE, REDOX_PROT_NONE, PLACE + 5 * PAGE, PLACE + 5 * PAGE },
    };
    for (size_t i = 0; i < array_len(table); i++) {
        int64_t got = fresh(table[i].size, table[i].flags, table[i].address);
        if (got != table[i].result)
            test_failed(__FILE_NAME__, __LINE__, "row %zu: %llx, not %llx", i, (long long)got,
                        (long long)table[i].result);
    }
    expect_is(redox_funmap(PLACE, 6 * PAGE), 0);
}

static void map_structure(void)
{
    struct redox_map m = { .size = PAGE, .flags = PRIVATE };
    uint64_t at = REDOX_WORD(&m);
    expect_is(redox_call3(REDOX_SYS_FMAP, REDOX_FD_NONE, at, sizeof(m) - 1), -REDOX_EINVAL);
    expect_is(redox_call3(REDOX_SYS_FMAP, REDOX_FD_NONE, at, 0), -REDOX_EINVAL);
    expect_is(redox_call3(REDOX_SYS_FMAP, REDOX_FD_NONE, 8, sizeof(m)), -REDOX_EFAULT);
    expect_is(redox_fmap(77, &m), -REDOX_EBADF);
    int64_t longer = redox_call3(REDOX_SYS_FMAP, REDOX_FD_NONE, at, sizeof(m) + 8);
    expect(longer > 0);
    expect_is(redox_funmap((uint64_t)longer, PAGE), 0);
    expect_is(redox_call3(REDOX_SYS_FMAP_OLD, REDOX_FD_NONE, at, 24), -REDOX_ENOSYS);
    expect_is(redox_call1(REDOX_SYS_FUNMAP_OLD, longer), -REDOX_ENOSYS);
}

static void a_taken_hint_goes_elsewhere(void)
{
    expect_is(fresh(PAGE, PRIVATE, PLACE), PLACE);
    memset((void *)PLACE, 7, PAGE);
    int64_t other = fresh(PAGE, PRIVATE, PLACE);
    expect(other > 0 && other != (int64_t)PLACE);
    expect_is(*(char *)PLACE, 7);
    expect_is(*(char *)other, 0);
    expect_is(redox_funmap(PLACE, PAGE), 0);
    expect_is(redox_funmap((uint64_t)other, PAGE), 0);
}

static void pages_are_zero_and_split(void)
{
    int64_t at = fresh(8 * PAGE, PRIVATE, 0);
    expect(at > 0 && at % PAGE == 0);
    char *p = (char *)at;
    for (int i = 0; i < 8 * PAGE; i++)
        expect_is(p[i], 0);
    memset(p, 1, 8 * PAGE);
    expect_is(redox_funmap((uint64_t)at + 2 * PAGE, 3 * PAGE - 1), 0); // the size is rounded up
    expect_is(p[2 * PAGE - 1] + p[5 * PAGE], 2);
    expect_is(redox_write(REDOX_FD_NONE, p, 1), -REDOX_EBADF);
    expect_is(fresh(3 * PAGE, PRIVATE | REDOX_MAP_FIXED_NOREPLACE, (uint64_t)at + 2 * PAGE),
              at + 2 * PAGE);
    expect_is(p[2 * PAGE], 0);
    expect_is(redox_funmap((uint64_t)at, 8 * PAGE), 0);
}

static void funmap_arguments(void)
{
    expect_is(redox_funmap(PLACE, 0), -REDOX_EINVAL);
    expect_is(redox_funmap(PLACE + 1, PAGE), -REDOX_EINVAL);
    expect_is(redox_funmap(REDOX_USER_END, PAGE), -REDOX_EINVAL);
    expect_is(redox_funmap(PLACE, UINT64_MAX), -REDOX_EINVAL);
    expect_is(redox_funmap(PLACE, 16 * PAGE), 0); // nothing there is fine
}

// Whether the kernel could read or write there for us.
static bool reads(uint64_t at)
{
    return redox_futex((void *)at, REDOX_FUTEX_WAIT, 0xdeadbeef, NULL, NULL) == -REDOX_EAGAIN;
}

static bool writes(uint64_t at)
{
    return redox_clock_gettime(REDOX_CLOCK_MONOTONIC, (struct redox_timespec *)at) == 0;
}

static void mprotect_changes_rights(void)
{
    expect_is(fresh(4 * PAGE, PRIVATE, PLACE), PLACE);
    memset((void *)PLACE, 0, 4 * PAGE);
    expect_is(redox_mprotect(PLACE, PAGE, REDOX_PROT_READ), 0);
    expect(reads(PLACE) && !writes(PLACE) && writes(PLACE + PAGE));
    expect_is(redox_mprotect(PLACE, PAGE, REDOX_PROT_NONE), 0);
    expect(!reads(PLACE) && !writes(PLACE));
    expect_is(redox_funmap(PLACE + PAGE, PAGE), 0);
    expect_is(redox_mprotect(PLACE, 4 * PAGE, READ_WRITE), 0); // passes over the hole
    expect(writes(PLACE) && !reads(PLACE + PAGE) && writes(PLACE + 3 * PAGE));
    expect_is(redox_mprotect(PLACE, 0, READ_WRITE), -REDOX_EINVAL);
    expect_is(redox_mprotect(PLACE, PAGE + 1, READ_WRITE), -REDOX_EINVAL);
    expect_is(redox_mprotect(PLACE + 1, PAGE, READ_WRITE), -REDOX_EINVAL);
    expect_is(redox_mprotect(REDOX_USER_END, PAGE, READ_WRITE), -REDOX_EINVAL);
    expect_is(redox_funmap(PLACE, 4 * PAGE), 0);
}

static void mremap_moves(void)
{
    uint64_t to = PLACE + 64 * PAGE;
    expect_is(fresh(2 * PAGE, PRIVATE, PLACE), PLACE);
    expect_is(fresh(PAGE, PRIVATE, to + PAGE), to + PAGE);
    memset((void *)PLACE, 9, 2 * PAGE);
    expect_is(redox_mremap(PLACE, 2 * PAGE, to, 2 * PAGE, REDOX_MREMAP_FIXED | READ_WRITE),
              -REDOX_EEXIST);
    expect_is(*(char *)PLACE, 9);
    expect_is(redox_mremap(PLACE, 2 * PAGE, to, 4 * PAGE, REDOX_MREMAP_FIXED_REPLACE | READ_WRITE),
              to);
    expect_is(((char *)to)[2 * PAGE - 1], 9);
    expect_is(((char *)to)[3 * PAGE], 0);
    expect(!reads(PLACE));
    expect_is(redox_mremap(to, 4 * PAGE, 0, PAGE, REDOX_PROT_READ), to);
    expect(reads(to) && !writes(to) && !reads(to + PAGE));
    expect_is(redox_mremap(to, PAGE, PLACE, PAGE, REDOX_MREMAP_FIXED | READ_WRITE), PLACE);
    expect_is(*(char *)PLACE, 9);
    expect_is(redox_mremap(PLACE, 0, to, PAGE, READ_WRITE), -REDOX_EINVAL);
    expect_is(redox_mremap(PLACE, PAGE, to, 0, READ_WRITE), -REDOX_EINVAL);
    expect_is(redox_mremap(PLACE + 1, PAGE, to, PAGE, READ_WRITE), -REDOX_EINVAL);
    expect_is(redox_mremap(PLACE, PAGE, to + 1, PAGE, REDOX_MREMAP_FIXED), -REDOX_EINVAL);
    expect_is(redox_mremap(to, PAGE, 0, PAGE, READ_WRITE), -REDOX_EFAULT); // nothing there
    expect_is(redox_funmap(PLACE, PAGE), 0);
}

static void memory_scheme(void)
{
    static const char *const same[] = { "memory:", "memory:zeroed", "/scheme/memory/zeroed",
                                        "/scheme/memory", "memory:zeroed@wb" };
    for (size_t i = 0; i < array_len(same); i++) {
        int64_t fd = file_open(same[i], REDOX_O_CLOEXEC);
        expect(fd >= 0);
        int64_t at = map(fd, 0, 2 * PAGE, PRIVATE, 0);
        int64_t shared = map(fd, 5 * PAGE, PAGE, READ_WRITE | REDOX_MAP_SHARED, 0);
        expect(at > 0 && shared > 0);
        expect_is(*(char *)at + *(char *)shared, 0);
        *(char *)at = *(char *)shared = 1;
        expect_is(redox_close((uint64_t)fd), 0);
        *(char *)at = *(char *)shared = 2; // the mappings stay
        expect_is(redox_funmap((uint64_t)at, 2 * PAGE), 0);
        expect_is(redox_funmap((uint64_t)shared, PAGE), 0);
    }
    expect_is(file_open("memory:nothing", 0), -REDOX_ENOENT);
    expect_is(file_open("memory:zeroed@wb?phys_contiguous and much more that is not a name", 0),
              -REDOX_ENOENT);
}

static void memory_totals(void)
{
    struct redox_statvfs totals = { 0 };
    int64_t fd = file_open("memory:", 0);
    expect(fd >= 0);
    expect_is(redox_fstatvfs(fd, &totals), 0);
    expect_is(totals.f_bsize, PAGE);
    expect(totals.f_blocks > 1000 && totals.f_bfree > 100 && totals.f_bfree < totals.f_blocks);
    expect_is(redox_close((uint64_t)fd), 0);
}

static void files_are_mapped(void)
{
    static const char path[] = "file:/tmp/redox_memory";
    char text[16] = { 0 };
    int64_t fd = file_open(path, REDOX_O_CREAT | REDOX_O_RDWR | REDOX_O_TRUNC | 0600);
    expect(fd >= 0);
    expect_is(redox_write((uint64_t)fd, "0123456789", 10), 10);
    int64_t shared = map(fd, 0, 10, READ_WRITE | REDOX_MAP_SHARED, 0); // any size
    int64_t own = map(fd, 0, 10, PRIVATE, 0);
    expect(shared > 0 && own > 0);
    memcpy((char *)shared + 2, "AB", 2);
    memcpy((char *)own + 4, "xy", 2);
    expect(!memcmp((char *)own, "01ABxy6789", 10));
    expect_is(redox_lseek((uint64_t)fd, 0, REDOX_SEEK_SET), 0);
    expect_is(redox_read((uint64_t)fd, text, sizeof(text)), 10);
    expect(!memcmp(text, "01AB456789", 10));
    expect_is(map(fd, 1, PAGE, PRIVATE, 0), -REDOX_EINVAL);
    expect_is(map(fd, 0, 0, PRIVATE, 0), -REDOX_EINVAL);
    expect_is(map(fd, UINT64_MAX - PAGE + 1, 2 * PAGE, PRIVATE, 0), -REDOX_EINVAL);
    expect_is(redox_close((uint64_t)fd), 0);
    fd = file_open(path, REDOX_O_RDONLY);
    expect_is(map(fd, 0, PAGE, READ_WRITE | REDOX_MAP_SHARED, 0), -REDOX_EACCES);
    int64_t read_only = map(fd, 0, PAGE, REDOX_PROT_READ | REDOX_MAP_SHARED, PLACE);
    expect_is(read_only, PLACE);
    expect_is(redox_mprotect(PLACE, PAGE, READ_WRITE), -REDOX_EACCES);
    expect_is(redox_funmap(PLACE, PAGE), 0);
    expect_is(redox_close((uint64_t)fd), 0);
    expect_is(redox_funmap((uint64_t)shared, PAGE), 0);
    expect_is(redox_funmap((uint64_t)own, PAGE), 0);
    int64_t null = file_open("null:", REDOX_O_RDWR);
    expect_is(map(null, 0, PAGE, PRIVATE, 0), -REDOX_EOPNOTSUPP);
    expect_is(redox_close((uint64_t)null), 0);
    expect_is(file_unlink(path), 0);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(anonymous_arguments),
        TEST(map_structure),
        TEST(a_taken_hint_goes_elsewhere),
        TEST(pages_are_zero_and_split),
        TEST(funmap_arguments),
        TEST(mprotect_changes_rights),
        TEST(mremap_moves),
        TEST(memory_scheme),
        TEST(memory_totals),
        TEST(files_are_mapped),
    };
    return run_tests(tests, array_len(tests));
}
