// SPDX-License-Identifier: GPL-3.0-or-later
// Clocks, sleeping, and futexes as far as one context can see them (two: redox_contexts).
#include "tests/programs/redox_start.h"

enum { MILLI = 1000000 };

static struct redox_timespec after(int64_t nanoseconds)
{
    uint64_t at = monotonic() + (uint64_t)nanoseconds;
    return (struct redox_timespec){ .tv_sec = (int64_t)(at / 1000000000),
                                    .tv_nsec = (int32_t)(at % 1000000000) };
}

static void clocks(void)
{
    struct redox_timespec t;
    memset(&t, 0xff, sizeof(t));
    expect_is(redox_clock_gettime(REDOX_CLOCK_REALTIME, &t), 0);
    expect(t.tv_sec > 1700000000 && t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    expect_is(t.padding, 0);
    memset(&t, 0xff, sizeof(t));
    expect_is(redox_clock_gettime(REDOX_CLOCK_MONOTONIC, &t), 0);
    expect(t.tv_sec < 100000 && t.tv_sec >= 0);
    expect_is(t.padding, 0);
    static const uint64_t unknown[] = { 0, 2, 3, 5, UINT32_MAX, 1ull << 32 | 1 };
    for (size_t i = 0; i < array_len(unknown); i++)
        expect_is(redox_clock_gettime(unknown[i], &t), -REDOX_EINVAL);
    expect_is(redox_clock_gettime(REDOX_CLOCK_MONOTONIC, NULL), -REDOX_EFAULT);
    expect_is(redox_clock_gettime(REDOX_CLOCK_MONOTONIC, (void *)(REDOX_USER_END - 8)),
              -REDOX_EFAULT);
}

static void sleeping(void)
{
    struct redox_timespec left, span = { .tv_nsec = 20 * MILLI };
    memset(&left, 0xff, sizeof(left));
    uint64_t start = monotonic();
    expect_is(redox_nanosleep(&span, &left), 0);
    uint64_t slept = monotonic() - start;
    expect(slept >= 20 * MILLI && slept < 15000ull * MILLI);
    expect(left.tv_sec == 0 && left.tv_nsec == 0 && left.padding == 0);
    span.padding = 77; // nobody looks at it
    expect_is(redox_nanosleep(&span, NULL), 0);
    expect_is(redox_nanosleep(&(struct redox_timespec){ 0 }, NULL), 0);
    expect_is(redox_nanosleep(&(struct redox_timespec){ .tv_sec = -5 }, NULL), 0);
    expect_is(redox_nanosleep(&(struct redox_timespec){ .tv_nsec = 1000000000 }, NULL),
              -REDOX_EINVAL);
    expect_is(redox_nanosleep(&(struct redox_timespec){ .tv_nsec = -1 }, NULL), -REDOX_EINVAL);
    expect_is(redox_nanosleep(NULL, NULL), -REDOX_EFAULT);
    expect_is(redox_nanosleep(&(struct redox_timespec){ .tv_nsec = 1 }, (void *)8), -REDOX_EFAULT);
}

static void futex_arguments(void)
{
    static struct {
        uint64_t a, b, c;
    } words = { 5ull << 32 | 7, 0, 0 };
    struct redox_timespec past = { 0 }, bad = { .tv_nsec = 1000000000 };
    char *at = (char *)&words;
    static const struct {
        int offset;
        uint64_t operation, value;
        int64_t result;
    } table[] = {
        { 0, REDOX_FUTEX_WAIT, 8, -REDOX_EAGAIN },
        { 0, REDOX_FUTEX_WAIT, 7, -REDOX_ETIMEDOUT },
        { 0, REDOX_FUTEX_WAIT, 9ull << 32 | 7, -REDOX_ETIMEDOUT }, // 32 bits count
        { 4, REDOX_FUTEX_WAIT, 5, -REDOX_ETIMEDOUT },
        { 2, REDOX_FUTEX_WAIT, 5, -REDOX_EINVAL },
        { 0, REDOX_FUTEX_WAIT64, 7, -REDOX_EAGAIN },
        { 0, REDOX_FUTEX_WAIT64, 5ull << 32 | 7, -REDOX_ETIMEDOUT },
        { 4, REDOX_FUTEX_WAIT64, 5, -REDOX_EINVAL },
        { 0, REDOX_FUTEX_WAKE, 1, 0 },
        { 0, REDOX_FUTEX_WAKE, 0x7fffffff, 0 },
        { 0, REDOX_FUTEX_WAKE, UINT64_MAX, 0 },
        { 3, REDOX_FUTEX_WAKE, 1, -REDOX_EINVAL },
        { 0, 4, 1, -REDOX_EINVAL },
        { 0, UINT64_MAX, 1, -REDOX_EINVAL },
    };
    for (size_t i = 0; i < array_len(table); i++) {
        int64_t got =
            redox_futex(at + table[i].offset, table[i].operation, table[i].value, &past, NULL);
        if (got != table[i].result)
            test_failed(__FILE_NAME__, __LINE__, "row %zu: %lld", i, (long long)got);
    }
    expect_is(redox_futex(at, REDOX_FUTEX_WAIT, 7, &bad, NULL), -REDOX_EINVAL);
    expect_is(redox_futex(at, REDOX_FUTEX_WAIT, 7, (void *)8, NULL), -REDOX_EFAULT);
    expect_is(redox_futex(NULL, REDOX_FUTEX_WAIT, 7, &past, NULL), -REDOX_EFAULT);
    expect_is(redox_futex((void *)REDOX_USER_END, REDOX_FUTEX_WAIT, 7, &past, NULL), -REDOX_EFAULT);
    expect_is(redox_futex((void *)0x10000000000, REDOX_FUTEX_WAKE, 1, NULL, NULL), -REDOX_EFAULT);
    expect_is(redox_futex(at, REDOX_FUTEX_REQUEUE, 1, (void *)1, at + 8), 0);
}

// The time is a point of the monotonic clock, not a span.
static void futex_deadline(void)
{
    uint32_t word = 1;
    struct redox_timespec until = after(30 * MILLI);
    uint64_t start = monotonic();
    expect_is(redox_futex(&word, REDOX_FUTEX_WAIT, 1, &until, NULL), -REDOX_ETIMEDOUT);
    uint64_t waited = monotonic() - start;
    expect(waited >= 29 * MILLI && waited < 15000ull * MILLI);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(clocks),
        TEST(sleeping),
        TEST(futex_arguments),
        TEST(futex_deadline),
    };
    return run_tests(tests, array_len(tests));
}
