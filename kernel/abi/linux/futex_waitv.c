// SPDX-License-Identifier: GPL-3.0-or-later
// futex_waitv: waiting on several futexes at once.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/futex.h"

struct linux_futex_waitv {
    uint64_t value, address;
    uint32_t flags, reserved;
};
_Static_assert(sizeof(struct linux_futex_waitv) == 24, "struct futex_waitv");

static err_t wants_in(struct futex_want *wants, uaddr_t from, unsigned count)
{
    enum { WORD_32 = 2, PRIVATE = 128 };
    for (unsigned i = 0; i < count; i++) {
        struct linux_futex_waitv v;
        err_t e = user_copy_in(&v, from + i * sizeof(v), sizeof(v));
        if (e)
            return e;
        if ((v.flags & ~(uint32_t)(WORD_32 | PRIVATE)) || !(v.flags & WORD_32) || v.reserved)
            return -EINVAL;
        wants[i] = (struct futex_want){ v.address, (uint32_t)v.value, !(v.flags & PRIVATE) };
    }
    return 0;
}

static err_t deadline_in(uaddr_t from, int clock, nanos_t *deadline)
{
    enum { REALTIME, MONOTONIC };
    *deadline = WAIT_FOREVER;
    if (!from)
        return 0;
    if (clock != REALTIME && clock != MONOTONIC)
        return -EINVAL;
    err_t e = linux_time_in(from, deadline);
    if (!e && clock == REALTIME)
        *deadline -= clock_wall() - clock_now();
    return e;
}

LINUX_CALL(futex_waitv)
{
    nanos_t deadline;
    unsigned count = (unsigned)ARG(1), index = 0;
    if (ARG(2) || !count || count > FUTEX_WANTS_MAX || !ARG(0))
        return -EINVAL;
    err_t e = deadline_in(ARG(3), ARG_INT(4), &deadline);
    if (e)
        return e;
    struct futex_want *wants = heap_alloc_array(count, sizeof(*wants));
    e = wants ? wants_in(wants, ARG(0), count) : -ENOMEM;
    if (!e)
        e = futex_wait_many(wants, count, deadline, &index);
    heap_free(wants);
    return e ? e : (int64_t)index;
}
