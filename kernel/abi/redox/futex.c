// SPDX-License-Identifier: GPL-3.0-or-later
// Waiting on words of user memory. Nothing in the call says whether the memory is shared, so the
// key is always the one that is right for both (space_futex_key).
#include "kernel/sched/futex.h"
#include "kernel/abi/redox/redox.h"

// Counts come as numbers that mean "all", such as 0x7fffffff.
static unsigned count_of(uint64_t n)
{
    return (unsigned)min_of(n, (uint64_t)INT32_MAX);
}

static int64_t wait_for(uaddr_t at, uint64_t expected, uaddr_t timeout, bool wide)
{
    nanos_t deadline = WAIT_FOREVER;
    err_t e = timeout ? redox_time_in(timeout, &deadline) : 0;
    if (e)
        return e;
    return wide ? futex_wait_wide(at, true, expected, deadline)
                : futex_wait(at, true, (uint32_t)expected, UINT32_MAX, deadline);
}

REDOX_CALL(futex)
{
    uaddr_t at = ARG(0);
    unsigned count = 0;
    err_t e;
    switch (ARG(1)) {
    case REDOX_FUTEX_WAIT:
        return wait_for(at, ARG(2), ARG(3), false);
    case REDOX_FUTEX_WAIT64:
        return wait_for(at, ARG(2), ARG(3), true);
    case REDOX_FUTEX_WAKE:
        e = futex_wake(at, true, count_of(ARG(2)), UINT32_MAX, &count);
        break;
    case REDOX_FUTEX_REQUEUE:
        e = futex_requeue(at, ARG(4), true, count_of(ARG(2)), count_of(ARG(3)), false, 0, &count);
        break;
    default:
        return -EINVAL;
    }
    return e ? e : (int64_t)count;
}
