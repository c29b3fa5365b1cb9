// SPDX-License-Identifier: GPL-3.0-or-later
// Memory that stays resident: made at once or on its first use, counted, bounded, not discarded and
// not inherited. Passes under Linux, too.
#include "tests/programs/check.h"
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096, PAGES = 16, SIZE = PAGES * PAGE };

// glibc's and musl's headers do not agree on these.
enum { ON_FAULT = 1, ALL_NOW = 1, ALL_LATER = 2, ALL_ON_FAULT = 4 };

static long locked_kb(void)
{
    char line[128];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "VmLck: %ld", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

static int resident(void *at)
{
    unsigned char pages[PAGES];
    int count = 0;
    RETURNS(mincore(at, SIZE, pages), 0);
    for (int i = 0; i < PAGES; i++)
        count += pages[i] & 1;
    return count;
}

static char *room(void)
{
    return mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int in_child(void *data)
{
    CHECK(locked_kb() == 0);
    RETURNS(madvise(data, SIZE, MADV_DONTNEED), 0);
    return 0;
}

static void one_range(void)
{
    char *a = room();
    RETURNS(mlock(a + 100, SIZE - 200), 0);
    CHECK(resident(a) == PAGES && locked_kb() == SIZE / 1024);
    FAILS(madvise(a, SIZE, MADV_DONTNEED), EINVAL);
    FAILS(msync(a, SIZE, MS_INVALIDATE), EBUSY);
    RETURNS(child_end(child_begin(in_child, a)), 0);
    RETURNS(mlock(a, SIZE), 0); // once more counts once
    CHECK(locked_kb() == SIZE / 1024);
    RETURNS(munlock(a + PAGE, 1), 0);
    CHECK(locked_kb() == (SIZE - PAGE) / 1024);
    RETURNS(munmap(a + 2 * PAGE, PAGE), 0);
    CHECK(locked_kb() == (SIZE - 2 * PAGE) / 1024);
    FAILS(mlock(a, SIZE), ENOMEM); // a hole
    FAILS(munlock(a, SIZE), ENOMEM);
    RETURNS(mlock(a, 0), 0);
    FAILS(mlock(a, -2ul * PAGE), EINVAL);
    RETURNS(munmap(a, SIZE), 0);
    CHECK(locked_kb() == 0);
    a = room();
    RETURNS(syscall(SYS_mlock2, a, SIZE, ON_FAULT), 0);
    CHECK(resident(a) == 0 && locked_kb() == SIZE / 1024);
    a[0] = 1;
    CHECK(resident(a) >= 1);
    FAILS(syscall(SYS_mlock2, a, SIZE, 2), EINVAL);
    RETURNS(munmap(a, SIZE), 0);
}

static void everything(void)
{
    char *before = room();
    FAILS(mlockall(0), EINVAL);
    FAILS(mlockall(ALL_ON_FAULT), EINVAL);
    FAILS(mlockall(8), EINVAL);
    RETURNS(mlockall(ALL_NOW), 0);
    CHECK(resident(before) == PAGES && locked_kb() >= SIZE / 1024);
    char *after = room();
    CHECK(resident(after) == 0);
    munmap(after, SIZE);
    RETURNS(munlockall(), 0);
    CHECK(locked_kb() == 0);
    RETURNS(mlockall(ALL_LATER), 0);
    after = room();
    CHECK(resident(after) == PAGES && locked_kb() >= SIZE / 1024);
    RETURNS(munlockall(), 0);
    munmap(after, SIZE);
    munmap(before, SIZE);
}

static int with_limit(void *data)
{
    struct rlimit limit = { SIZE / 2, SIZE / 2 };
    char *a = room();
    if (setrlimit(RLIMIT_MEMLOCK, &limit) || setgid(12345) || setuid(12345))
        return 1;
    FAILS(mlock(a, SIZE), ENOMEM);
    RETURNS(mlock(a, SIZE / 2), 0);
    RETURNS(mlock(a, SIZE / 2), 0);
    FAILS(mlock(a + SIZE / 2, 1), ENOMEM);
    RETURNS(munlock(a, PAGE), 0);
    RETURNS(mlock(a + SIZE / 2, 1), 0);
    FAILS(mlockall(ALL_NOW), ENOMEM);
    limit = (struct rlimit){ 0, 0 };
    RETURNS(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    FAILS(mlock(a, PAGE), EPERM);
    FAILS(mlockall(ALL_NOW), EPERM);
    RETURNS(munlock(a, SIZE), 0);
    return 0;
}

int main(void)
{
    one_range();
    everything();
    RETURNS(child_end(child_begin(with_limit, NULL)), 0);
    return checks_end();
}
