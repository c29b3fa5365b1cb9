// SPDX-License-Identifier: GPL-3.0-or-later
// timer_create and its kin: timers that signal (process/timers.h) in Linux's clothes.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/process/timers.h"

// A thread of the caller's own process may be told.
static err_t task_check(int32_t number)
{
    struct task *t;
    if (task_find(number, &t))
        return -EINVAL;
    err_t e = t->process == process_current() ? 0 : -EINVAL;
    task_put(t);
    return e;
}

static err_t wish_in(uaddr_t from, struct timer_wish *wish)
{
    enum { SIGNAL = 0, NONE = 1, THREAD = 2, TASK = 4 };
    struct linux_sigevent s;
    if (!from) {
        wish->signal = SIGNAL_ALARM;
        wish->own_number = true;
        return 0;
    }
    err_t e = user_copy_in(&s, from, sizeof(s));
    if (e)
        return e;
    wish->value = s.value;
    if (s.notify == NONE)
        return 0;
    if ((s.notify != SIGNAL && s.notify != THREAD && s.notify != TASK) || s.signal < 1 ||
        s.signal > SIGNAL_LAST)
        return -EINVAL;
    wish->signal = s.signal;
    wish->task = s.notify == TASK ? s.task : 0;
    return s.notify == TASK ? task_check(s.task) : 0;
}

LINUX_CALL(timer_create)
{
    enum {
        REALTIME,
        MONOTONIC,
        PROCESS_TIME,
        THREAD_TIME,
        BOOTTIME = 7,
        REALTIME_ALARM = 8,
        BOOTTIME_ALARM = 9,
        TAI = 11
    };
    uint32_t clock = (uint32_t)ARG(0);
    bool alarm = clock == REALTIME_ALARM || clock == BOOTTIME_ALARM;
    struct timer_wish wish = { .wall =
                                   clock == REALTIME || clock == REALTIME_ALARM || clock == TAI };
    wish.by_cpu = clock == PROCESS_TIME || clock == THREAD_TIME || (int32_t)clock < 0;
    if (clock == THREAD_TIME)
        wish.clock.task = task_current()->number;
    if ((int32_t)clock < 0 && linux_cpu_clock((int32_t)clock, &wish.clock))
        return -EINVAL;
    if (!wish.by_cpu && !wish.wall && clock != MONOTONIC && clock != BOOTTIME &&
        clock != BOOTTIME_ALARM)
        return -EINVAL;
    if (alarm && !process_has(CAPABILITY_WAKE_ALARM))
        return -EPERM;
    int32_t number;
    err_t e = wish_in(ARG(1), &wish);
    if (!e)
        e = process_timer_make(&wish, &number);
    if (e)
        return e;
    e = user_put_u32(ARG(2), (uint32_t)number);
    if (e)
        (void)!process_timer_drop(number);
    return e;
}

LINUX_CALL(timer_settime)
{
    enum { ABSTIME = 1 };
    struct timer_setting fresh, old;
    err_t e = linux_setting_in(ARG(2), &fresh);
    if (!e)
        e = process_timer_set(ARG_INT(0), &fresh, ARG(1) & ABSTIME ? TIMER_ABSOLUTE : 0u, &old);
    return e || !ARG(3) ? e : linux_setting_out(ARG(3), &old);
}

LINUX_CALL(timer_gettime)
{
    struct timer_setting left;
    err_t e = process_timer_get(ARG_INT(0), &left);
    return e ? e : linux_setting_out(ARG(1), &left);
}

LINUX_CALL(timer_getoverrun)
{
    int count;
    err_t e = process_timer_overrun(ARG_INT(0), &count);
    return e ? e : count;
}

LINUX_CALL(timer_delete)
{
    return process_timer_drop(ARG_INT(0));
}
