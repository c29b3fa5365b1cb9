// SPDX-License-Identifier: GPL-3.0-or-later
// Clocks, sleeping, and the interval timers of setitimer.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/scheme/timer_file.h"
#include "kernel/sched/clock_jump.h"

enum clock {
    CLOCK_REALTIME,
    CLOCK_MONOTONIC,
    CLOCK_PROCESS_CPUTIME,
    CLOCK_THREAD_CPUTIME,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_BOOTTIME,
    CLOCK_TAI = 11,
};

// A clock of a process or thread (clock_getcpuclockid(3)): its number, inverted, above three bits.
enum { CPU_CLOCK_USER = 1, CPU_CLOCK_KINDS = 3, CPU_CLOCK_OF_THREAD = 4, CPU_CLOCK_SHIFT = 3 };

static err_t thread_clock_read(int32_t number, nanos_t *user, nanos_t *system)
{
    struct task *t = task_current();
    if (!number) {
        thread_times(&t->thread, user, system);
        return 0;
    }
    if (task_find(number, &t))
        return -EINVAL;
    err_t e = t->process == process_current() ? 0 : -EINVAL;
    if (!e)
        thread_times(&t->thread, user, system);
    task_put(t);
    return e;
}

static err_t process_clock_read(int32_t number, nanos_t *user, nanos_t *system)
{
    struct child_times times;
    struct process *p = process_current();
    if (number && process_find(number, &p))
        return -EINVAL;
    process_times(p, &times);
    if (number)
        process_put(p);
    *user = times.user;
    *system = times.system;
    return 0;
}

static err_t cpu_clock_read(int32_t clock, nanos_t *now)
{
    int32_t number = ~(clock >> CPU_CLOCK_SHIFT);
    unsigned kind = (unsigned)clock & CPU_CLOCK_KINDS;
    nanos_t user, system;
    if (kind == CPU_CLOCK_KINDS)
        return -EINVAL; // of a device
    err_t e = clock & CPU_CLOCK_OF_THREAD ? thread_clock_read(number, &user, &system)
                                          : process_clock_read(number, &user, &system);
    if (!e)
        *now = kind == CPU_CLOCK_USER ? user : user + system;
    return e;
}

err_t linux_cpu_clock(int32_t clock, struct cpu_clock *c)
{
    nanos_t now;
    int32_t number = ~(clock >> CPU_CLOCK_SHIFT);
    bool thread = clock & CPU_CLOCK_OF_THREAD;
    err_t e = cpu_clock_read(clock, &now);
    if (e || (!thread && number && number != process_current()->number))
        return -EINVAL;
    c->user_only = (clock & CPU_CLOCK_KINDS) == CPU_CLOCK_USER;
    c->task = thread && !number ? task_current()->number : thread ? number : 0;
    return 0;
}

static err_t clock_read(uint64_t clock, nanos_t *now)
{
    struct child_times times;
    nanos_t system;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        *now = clock_wall();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *now = clock_now();
        return 0;
    case CLOCK_PROCESS_CPUTIME:
        process_times(process_current(), &times);
        *now = times.user + times.system;
        return 0;
    case CLOCK_THREAD_CPUTIME:
        thread_times(thread_current(), now, &system);
        *now += system;
        return 0;
    default:
        return (int32_t)clock < 0 ? cpu_clock_read((int32_t)clock, now) : -EINVAL;
    }
}

LINUX_CALL(clock_gettime)
{
    nanos_t now;
    err_t e = clock_read((uint32_t)ARG(0), &now);
    return e ? e : linux_time_out(ARG(1), now);
}

LINUX_CALL(clock_getres)
{
    nanos_t now;
    err_t e = clock_read((uint32_t)ARG(0), &now);
    return e || !ARG(1) ? e : linux_time_out(ARG(1), 1);
}

LINUX_CALL(clock_settime)
{
    nanos_t now;
    err_t e = linux_time_in(ARG(1), &now);
    if (e)
        return e;
    if (ARG_INT(0) != CLOCK_REALTIME)
        return -EINVAL;
    if (!process_has(CAPABILITY_SYS_TIME))
        return -EPERM;
    clock_set_wall(now);
    return 0;
}

// struct timezone, which is only kept: minutes west of Greenwich, and a kind of summer time.
// Atomic.
static uint64_t time_zone;

LINUX_CALL(gettimeofday)
{
    struct linux_timeval t = linux_timeval_of(clock_wall());
    uint64_t zone = __atomic_load_n(&time_zone, __ATOMIC_RELAXED);
    err_t e = ARG(0) ? user_copy_out(ARG(0), &t, sizeof(t)) : 0;
    return !e && ARG(1) ? user_copy_out(ARG(1), &zone, sizeof(zone)) : e;
}

LINUX_CALL(settimeofday)
{
    const int32_t zone_most = 15 * 60; // minutes
    struct linux_timeval t = { 0 };
    int32_t zone[2] = { 0 };
    err_t e = ARG(0) ? user_copy_in(&t, ARG(0), sizeof(t)) : 0;
    if (!e && ARG(1))
        e = user_copy_in(zone, ARG(1), sizeof(zone));
    if (e)
        return e;
    if (t.seconds < 0 || t.micros < 0 || t.micros >= 1000000)
        return -EINVAL;
    if (!process_has(CAPABILITY_SYS_TIME))
        return -EPERM;
    if (zone[0] > zone_most || zone[0] < -zone_most)
        return -EINVAL;
    uint64_t both = (uint64_t)(uint32_t)zone[1] << 32 | (uint32_t)zone[0];
    if (ARG(1))
        __atomic_store_n(&time_zone, both, __ATOMIC_RELAXED);
    if (ARG(0))
        clock_set_wall(linux_nanos(t.seconds, t.micros * 1000));
    return 0;
}

LINUX_CALL(time)
{
    int64_t now = clock_wall() / NANOS_PER_SECOND;
    err_t e = ARG(0) ? user_put_u64(ARG(0), (uint64_t)now) : 0;
    return e ? e : now;
}

LINUX_CALL(times)
{
    const nanos_t tick = NANOS_PER_SECOND / 100;
    struct process *p = process_current();
    struct child_times own;
    process_times(p, &own);
    struct linux_tms t = { own.user / tick, own.system / tick, p->children_times.user / tick,
                           p->children_times.system / tick };
    err_t e = ARG(0) ? user_copy_out(ARG(0), &t, sizeof(t)) : 0;
    return e ? e : clock_now() / tick;
}

// Sleeps; when a signal cuts a relative sleep short, *left tells how much was left.
static int64_t sleep_until(nanos_t deadline, uaddr_t left)
{
    deadline = linux_deadline(deadline);
    err_t e = thread_sleep_until(deadline, true);
    if (e == -EINTR && left) {
        nanos_t rest = max_of(deadline - clock_now(), (nanos_t)0);
        err_t copied = linux_time_out(left, rest);
        if (copied)
            return copied;
    }
    return e;
}

LINUX_CALL(nanosleep)
{
    nanos_t span;
    err_t e = linux_time_in(ARG(0), &span);
    return e ? e : sleep_until(linux_after(span), ARG(1));
}

// Looks at the clock when it may have come so far at the soonest.
static int64_t cpu_sleep_until(uint32_t clock, nanos_t deadline, uaddr_t left)
{
    nanos_t now = 0;
    deadline = linux_deadline(deadline);
    err_t e = clock_read(clock, &now);
    while (!e && now < deadline) {
        nanos_t span = max_of((deadline - now) / cpu_count, (nanos_t)NANOS_PER_MILLI);
        e = thread_sleep_until(linux_after(span), true);
        if (!e)
            e = clock_read(clock, &now);
    }
    if (e != -EINTR || !left)
        return e;
    err_t copied = linux_time_out(left, max_of(deadline - now, (nanos_t)0));
    return copied ? copied : e;
}

// The clock of the calling thread stands still while that sleeps.
static err_t sleep_clock_check(uint32_t clock)
{
    int32_t number = ~((int32_t)clock >> CPU_CLOCK_SHIFT);
    if (clock == CLOCK_THREAD_CPUTIME || clock == CLOCK_MONOTONIC_RAW ||
        clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
        return -EOPNOTSUPP;
    if ((int32_t)clock < 0 && (clock & CPU_CLOCK_OF_THREAD) &&
        (!number || number == task_current()->number))
        return -EINVAL;
    return 0;
}

LINUX_CALL(clock_nanosleep)
{
    enum { TIMER_ABSTIME = 1 };
    nanos_t span, now, at;
    uint32_t clock = (uint32_t)ARG(0);
    bool absolute = ARG(1) & TIMER_ABSTIME;
    err_t e = clock_read(clock, &now);
    if (!e)
        e = sleep_clock_check(clock);
    if (!e)
        e = linux_time_in(ARG(2), &span);
    if (e)
        return e;
    uaddr_t left = absolute ? 0 : ARG(3);
    if (clock == CLOCK_PROCESS_CPUTIME || (int32_t)clock < 0) {
        bool never = !absolute && add_overflows(now, span, &at);
        return cpu_sleep_until(clock, absolute ? span : never ? INT64_MAX : at, left);
    }
    if (!absolute)
        return sleep_until(linux_after(span), left);
    if (clock == CLOCK_REALTIME || clock == CLOCK_TAI)
        return clock_sleep_until_wall(linux_deadline(span));
    return sleep_until(span, 0);
}

static struct interval_timer *timer_of(uint64_t which)
{
    struct process *p = process_current();
    struct interval_timer *all[] = { &p->alarm, &p->virtual_alarm, &p->profile };
    return which < array_len(all) ? all[which] : NULL;
}

static int64_t itimerval_out(uaddr_t to, const struct timer_setting *s)
{
    struct linux_itimerval v = { linux_timeval_of(s->interval), linux_timeval_of(s->value) };
    return user_copy_out(to, &v, sizeof(v));
}

LINUX_CALL(getitimer)
{
    struct interval_timer *i = timer_of(ARG(0));
    if (!i)
        return -EINVAL;
    struct timer_setting left;
    interval_timer_get(i, &left);
    return itimerval_out(ARG(1), &left);
}

static bool timeval_ok(const struct linux_timeval *t)
{
    return t->seconds >= 0 && t->seconds < INT64_MAX / NANOS_PER_SECOND - 1 && t->micros >= 0 &&
           t->micros < 1000000;
}

LINUX_CALL(setitimer)
{
    struct interval_timer *i = timer_of(ARG(0));
    struct linux_itimerval v = { 0 };
    if (!i)
        return -EINVAL;
    err_t e = ARG(1) ? user_copy_in(&v, ARG(1), sizeof(v)) : 0;
    if (e)
        return e;
    if (!timeval_ok(&v.value) || !timeval_ok(&v.interval))
        return -EINVAL;
    struct timer_setting old;
    struct timer_setting fresh = {
        .value = v.value.seconds * NANOS_PER_SECOND + v.value.micros * NANOS_PER_MICRO,
        .interval = v.interval.seconds * NANOS_PER_SECOND + v.interval.micros * NANOS_PER_MICRO,
    };
    interval_timer_set(i, &fresh, &old);
    return ARG(2) ? itimerval_out(ARG(2), &old) : 0;
}

LINUX_CALL(alarm)
{
    struct timer_setting old;
    struct timer_setting fresh = { .value = (nanos_t)(uint32_t)ARG(0) * NANOS_PER_SECOND };
    interval_timer_set(timer_of(0), &fresh, &old);
    return div_round_up(old.value, NANOS_PER_SECOND);
}
