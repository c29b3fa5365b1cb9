// SPDX-License-Identifier: GPL-3.0-or-later
// futex and futex_waitv.
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

// A timeout of user memory as a time since boot; address 0: none. `wall`: of the wall clock.
static err_t deadline_in(uaddr_t from, bool wall, nanos_t *deadline)
{
    *deadline = WAIT_FOREVER;
    if (!from)
        return 0;
    err_t e = linux_time_in(from, deadline);
    if (!e && wall)
        *deadline -= clock_wall() - clock_now();
    return e;
}

LINUX_CALL(futex_waitv)
{
    enum { REALTIME, MONOTONIC };
    nanos_t deadline;
    unsigned count = (unsigned)ARG(1), index = 0;
    if (ARG(3) && ARG_INT(4) != REALTIME && ARG_INT(4) != MONOTONIC)
        return -EINVAL;
    if (ARG(2) || !count || count > FUTEX_WANTS_MAX || !ARG(0))
        return -EINVAL;
    err_t e = deadline_in(ARG(3), ARG_INT(4) == REALTIME, &deadline);
    if (e)
        return e;
    struct futex_want *wants = heap_alloc_array(count, sizeof(*wants));
    e = wants ? wants_in(wants, ARG(0), count) : -ENOMEM;
    if (!e)
        e = futex_wait_many(wants, count, deadline, &index);
    heap_free(wants);
    return e ? e : (int64_t)index;
}

enum futex_operation {
    WAIT = 0,
    WAKE = 1,
    REQUEUE = 3,
    CMP_REQUEUE = 4,
    WAKE_OP = 5,
    LOCK_PI = 6,
    UNLOCK_PI = 7,
    TRYLOCK_PI = 8,
    WAIT_BITSET = 9,
    WAKE_BITSET = 10,
    WAIT_REQUEUE_PI = 11,
    CMP_REQUEUE_PI = 12,
    LOCK_PI2 = 13,
    OPERATIONS,
    PRIVATE = 128,
    REALTIME_CLOCK = 256,
};

// Those that sleep. LOCK_PI and WAIT_REQUEUE_PI go on sleeping after a signal; their timeouts are
// times, not spans, so making the call again is enough.
static int64_t futex_sleeping(struct trap_frame *f, unsigned operation, bool shared, bool wall)
{
    nanos_t deadline;
    bool span = operation == WAIT;
    err_t e = deadline_in(ARG(3), wall || operation == LOCK_PI, &deadline);
    if (e)
        return e;
    if (span && add_overflows(deadline, ARG(3) ? clock_now() : 0, &deadline))
        deadline = WAIT_FOREVER;
    switch (operation) {
    case WAIT:
        return futex_wait(ARG(0), shared, (uint32_t)ARG(2), UINT32_MAX, linux_deadline(deadline));
    case WAIT_BITSET:
        return futex_wait(ARG(0), shared, (uint32_t)ARG(2), (uint32_t)ARG(5),
                          linux_deadline(deadline));
    case WAIT_REQUEUE_PI:
        e = futex_owned_wait(ARG(0), ARG(4), shared, (uint32_t)ARG(2), UINT32_MAX, deadline);
        break;
    default:
        e = futex_owned_lock(ARG(0), shared, deadline);
    }
    return e == -EINTR ? -ERESTARTNOINTR : e;
}

// Those that wake or move others. *count: how many.
static err_t futex_serving(struct trap_frame *f, unsigned operation, bool shared, unsigned *count)
{
    uaddr_t at = ARG(0);
    unsigned first = (unsigned)ARG(2), second = (unsigned)ARG(3);
    bool moves = operation == REQUEUE || operation == CMP_REQUEUE || operation == CMP_REQUEUE_PI;
    if (moves && ((int)first < 0 || (int)second < 0))
        return -EINVAL;
    switch (operation) {
    case WAKE:
        return futex_wake(at, shared, first, UINT32_MAX, count);
    case WAKE_BITSET:
        return futex_wake(at, shared, first, (uint32_t)ARG(5), count);
    case WAKE_OP:
        return futex_wake_op(at, ARG(4), shared, first, second, (uint32_t)ARG(5), count);
    case CMP_REQUEUE_PI:
        if (first != 1)
            return -EINVAL;
        return futex_owned_requeue(at, ARG(4), shared, second, (uint32_t)ARG(5), count);
    default:
        return futex_requeue(at, ARG(4), shared, first, second, operation == CMP_REQUEUE,
                             (uint32_t)ARG(5), count);
    }
}

LINUX_CALL(futex)
{
    enum {
        SLEEPING =
            1 << WAIT | 1 << WAIT_BITSET | 1 << WAIT_REQUEUE_PI | 1 << LOCK_PI | 1 << LOCK_PI2,
        WITH_CLOCK = 1 << WAIT_BITSET | 1 << WAIT_REQUEUE_PI | 1 << LOCK_PI2,
        UNKNOWN = 1 << 2, // FUTEX_FD is gone
    };
    unsigned number = (unsigned)ARG(1), count = 0;
    unsigned operation = number & ~(unsigned)(PRIVATE | REALTIME_CLOCK);
    bool shared = !(number & PRIVATE), wall = number & REALTIME_CLOCK;
    unsigned bit = operation < OPERATIONS ? 1u << operation : UNKNOWN;
    if ((bit & UNKNOWN) || (wall && !(bit & WITH_CLOCK)))
        return -ENOSYS;
    if (bit & SLEEPING)
        return futex_sleeping(f, operation, shared, wall);
    if (operation == UNLOCK_PI)
        return futex_owned_unlock(ARG(0), shared);
    if (operation == TRYLOCK_PI)
        return futex_owned_try(ARG(0), shared);
    err_t e = futex_serving(f, operation, shared, &count);
    return e ? e : (int64_t)count;
}
