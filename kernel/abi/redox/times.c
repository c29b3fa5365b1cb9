// SPDX-License-Identifier: GPL-3.0-or-later
// Clocks and sleeping. A time given to programs has its padding zero: C libraries and Rust read the
// nanoseconds as 64 bits.
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"

struct redox_timespec redox_timespec_of(nanos_t t)
{
    return (struct redox_timespec){
        .tv_sec = t / NANOS_PER_SECOND,
        .tv_nsec = (int32_t)(t % NANOS_PER_SECOND),
    };
}

nanos_t redox_time(const struct redox_timespec *t)
{
    if (t->tv_sec < 0)
        return 0;
    if (t->tv_sec >= INT64_MAX / NANOS_PER_SECOND - 1)
        return WAIT_FOREVER;
    return t->tv_sec * NANOS_PER_SECOND + t->tv_nsec;
}

err_t redox_time_in(uaddr_t from, nanos_t *t)
{
    struct redox_timespec time;
    err_t e = user_copy_in(&time, from, sizeof(time));
    if (e)
        return e;
    if (time.tv_nsec < 0 || time.tv_nsec >= NANOS_PER_SECOND)
        return -EINVAL;
    *t = redox_time(&time);
    return 0;
}

static err_t time_out(uaddr_t to, nanos_t t)
{
    struct redox_timespec time = redox_timespec_of(t);
    return user_copy_out(to, &time, sizeof(time));
}

REDOX_CALL(clock_gettime)
{
    switch (ARG(0)) {
    case REDOX_CLOCK_REALTIME:
        return time_out(ARG(1), clock_wall());
    case REDOX_CLOCK_MONOTONIC:
        return time_out(ARG(1), clock_now());
    default:
        return -EINVAL;
    }
}

REDOX_CALL(nanosleep)
{
    nanos_t span, deadline;
    uaddr_t left = ARG(1);
    err_t e = redox_time_in(ARG(0), &span);
    if (e)
        return e;
    if (add_overflows(clock_now(), span, &deadline))
        deadline = WAIT_FOREVER;
    e = thread_sleep_until(deadline, true);
    if (!left)
        return e;
    nanos_t rest = e ? max_of(deadline - clock_now(), (nanos_t)0) : 0;
    err_t copied = time_out(left, rest);
    return copied ? copied : e;
}
