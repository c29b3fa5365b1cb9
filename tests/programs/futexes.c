// SPDX-License-Identifier: GPL-3.0-or-later
// Futexes as futex(2) says: wait, wake, bit sets, requeue, wake_op, several at once, robust lists.
// Runs the same on Linux.
#include "tests/programs/check.h"
#include <sys/mman.h>

enum { WAIT, WAKE, REQUEUE = 3, CMP_REQUEUE, WAKE_OP, WAIT_BITSET = 9, WAKE_BITSET, PRIVATE = 128 };

static uint32_t words[4];

static long futex(uint32_t *word, int operation, uint32_t value, void *timeout, uint32_t *second,
                  uint32_t third)
{
    return syscall(SYS_futex, word, operation, value, timeout, second, third);
}

struct wait {
    struct helper helper;
    uint32_t *word;
    int operation;
    uint32_t bits;
};

static void *wait_on(void *data)
{
    struct wait *w = data;
    return (void *)futex(w->word, w->operation, 0, NULL, NULL, w->bits);
}

static void begin(struct wait *w, uint32_t *word, uint32_t bits)
{
    w->word = word;
    w->operation = (bits == ~0u ? WAIT : WAIT_BITSET) | PRIVATE;
    w->bits = bits;
    helper_begin(&w->helper, wait_on, w);
    asleep(w->helper.number);
}

static void test_wait_and_wake(void)
{
    struct wait w[2];
    struct timespec short_time = { 0, 1000000 }, bad = { 0, -1 };
    FAILS(futex(words, WAIT, 1, NULL, NULL, 0), EAGAIN);
    int64_t before = now();
    FAILS(futex(words, WAIT, 0, &short_time, NULL, 0), ETIMEDOUT);
    CHECK(now() - before >= 1000000);
    FAILS(futex(words, WAIT, 0, &bad, NULL, 0), EINVAL);
    FAILS(futex((uint32_t *)((char *)words + 1), WAIT, 0, NULL, NULL, 0), EINVAL);
    FAILS(futex((uint32_t *)8, WAIT, 0, NULL, NULL, 0), EFAULT);
    FAILS(futex(words, WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
    FAILS(futex(words, WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
    FAILS(futex(words, 77, 0, NULL, NULL, 0), ENOSYS);
    RETURNS(futex(words, WAKE, 1, NULL, NULL, 0), 0);
    for (int i = 0; i < 2; i++)
        begin(&w[i], words, i ? 6 : 1);
    RETURNS(futex(words, WAKE_BITSET | PRIVATE, 9, NULL, NULL, 8), 0);
    RETURNS(futex(words, WAKE_BITSET | PRIVATE, 9, NULL, NULL, 2), 1);
    RETURNS(helper_end(&w[1].helper), 0);
    RETURNS(futex(words, WAKE | PRIVATE, 9, NULL, NULL, 0), 1);
    RETURNS(helper_end(&w[0].helper), 0);
}

static void test_requeue(void)
{
    struct wait w[3];
    for (int i = 0; i < 3; i++)
        begin(&w[i], words, ~0u);
    FAILS(futex(words, CMP_REQUEUE | PRIVATE, 1, (void *)9l, words + 1, 5), EAGAIN);
    RETURNS(futex(words, CMP_REQUEUE | PRIVATE, 1, (void *)1l, words + 1, 0), 2);
    RETURNS(futex(words + 1, WAKE | PRIVATE, 9, NULL, NULL, 0), 1);
    RETURNS(futex(words, REQUEUE | PRIVATE, 0, (void *)9l, words + 1, 0), 1);
    RETURNS(futex(words, WAKE | PRIVATE, 9, NULL, NULL, 0), 0);
    RETURNS(futex(words + 1, WAKE | PRIVATE, 9, NULL, NULL, 0), 1);
    for (int i = 0; i < 3; i++)
        RETURNS(helper_end(&w[i].helper), 0);

    begin(&w[0], words, ~0u);
    begin(&w[1], words + 1, ~0u);
    words[1] = 5; // add 2; wakes the second only if it was 4: it was not
    RETURNS(futex(words, WAKE_OP | PRIVATE, 1, (void *)1l, words + 1, 1 << 28 | 2 << 12 | 4), 1);
    RETURNS(words[1], 7);
    RETURNS(helper_end(&w[0].helper), 0); // set 0 when it was more than 6
    RETURNS(futex(words, WAKE_OP | PRIVATE, 1, (void *)1l, words + 1, 4 << 24 | 6), 1);
    RETURNS(words[1], 0);
    RETURNS(helper_end(&w[1].helper), 0);
}

struct waitv {
    uint64_t value, address;
    uint32_t flags, reserved;
};

static long wait_many(struct waitv *v, unsigned count, struct timespec *timeout)
{
    return syscall(SYS_futex_waitv, v, count, 0, timeout, CLOCK_MONOTONIC);
}

static void *wait_for_any(void *data)
{
    return (void *)wait_many(data, 3, NULL);
}

static void test_many(void)
{
    struct helper h;
    struct waitv v[3];
    struct timespec past = { 0, 1 };
    for (int i = 0; i < 3; i++)
        v[i] = (struct waitv){ 0, (uint64_t)&words[i], 2 | PRIVATE, 0 };
    helper_begin(&h, wait_for_any, v);
    asleep(h.number);
    RETURNS(futex(words + 1, WAKE | PRIVATE, 9, NULL, NULL, 0), 1);
    RETURNS(helper_end(&h), 1);
    RETURNS(futex(words, WAKE | PRIVATE, 9, NULL, NULL, 0), 0); // nothing is left behind
    FAILS(wait_many(v, 3, &past), ETIMEDOUT);
    v[2].value = 1;
    FAILS(wait_many(v, 3, NULL), EAGAIN);
    RETURNS(futex(words, WAKE | PRIVATE, 9, NULL, NULL, 0), 0);
    v[2].flags = 1;
    FAILS(wait_many(v, 3, NULL), EINVAL);
    v[2].flags = 2;
    v[2].reserved = 1;
    FAILS(wait_many(v, 3, NULL), EINVAL);
    FAILS(wait_many(v, 0, NULL), EINVAL);
    FAILS(wait_many(v, 129, NULL), EINVAL);
    FAILS(wait_many((struct waitv *)8, 1, NULL), EFAULT);
    v[2] = (struct waitv){ 0, 8, 2 | PRIVATE, 0 };
    FAILS(wait_many(v, 3, NULL), EFAULT);
    FAILS(syscall(SYS_futex_waitv, v, 1, 1, NULL, 0), EINVAL);
}

struct robust {
    uint64_t next;
    uint32_t word;
};
static struct {
    uint64_t first;
    int64_t offset;
    uint64_t pending;
} head;
static struct robust *held; // in shared memory

static int die_holding(void *data)
{
    held->word = (uint32_t)syscall(SYS_gettid) | 0x80000000u;
    held->next = (uint64_t)&head;
    head.first = (uint64_t)held;
    head.offset = (int64_t)((char *)&held->word - (char *)held);
    if (syscall(SYS_set_robust_list, &head, sizeof(head)))
        return 1;
    return 0;
}

static void test_robust(void)
{
    void *list;
    size_t size;
    held = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    RETURNS(child_end(child_begin(die_holding, NULL)), 0);
    CHECK(held->word == 0xc0000000u); // FUTEX_OWNER_DIED, and somebody waits
    FAILS(syscall(SYS_set_robust_list, &head, 23), EINVAL);
    RETURNS(syscall(SYS_get_robust_list, 0, &list, &size), 0);
    CHECK(size == 24);
    RETURNS(syscall(SYS_get_robust_list, 1, &list, &size), 0); // root may
    FAILS(syscall(SYS_get_robust_list, 4000000, &list, &size), ESRCH);
}

int main(void)
{
    test_wait_and_wake();
    test_requeue();
    test_many();
    test_robust();
    return checks_end();
}
