// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/scheme/timer_file.h"
#include "lib/string.h"

static const struct {
    unsigned theirs, open;
} open_flags[] = {
    { LINUX_O_CREAT, OPEN_CREATE },       { LINUX_O_EXCL, OPEN_EXCLUSIVE },
    { LINUX_O_NOCTTY, OPEN_NO_TERMINAL }, { LINUX_O_TRUNC, OPEN_TRUNCATE },
    { LINUX_O_APPEND, OPEN_APPEND },      { LINUX_O_NONBLOCK, OPEN_NONBLOCK },
    { LINUX_O_DSYNC, OPEN_SYNC },         { LINUX_O_ASYNC, OPEN_ASYNC },
    { LINUX_O_DIRECT, OPEN_DIRECT },      { LINUX_O_DIRECTORY, OPEN_DIRECTORY },
    { LINUX_O_NOFOLLOW, OPEN_NO_FOLLOW }, { LINUX_O_NOATIME, OPEN_NO_ACCESS_TIME },
    { LINUX_O_PATH, OPEN_PATH },
};

unsigned linux_open_flags(unsigned flags)
{
    static const unsigned access[] = { OPEN_READ, OPEN_WRITE, OPEN_READ | OPEN_WRITE, 0 };
    unsigned result = access[flags & LINUX_O_ACCESS];
    if ((flags & LINUX_O_TMPFILE) == LINUX_O_TMPFILE) {
        result |= OPEN_TEMPORARY;
        flags &= ~(unsigned)LINUX_O_TMPFILE;
    }
    for (size_t i = 0; i < array_len(open_flags); i++) {
        if (flags & open_flags[i].theirs)
            result |= open_flags[i].open;
    }
    // A mere place in the tree is neither read nor written.
    return result & OPEN_PATH ? result & (OPEN_PATH | OPEN_DIRECTORY | OPEN_NO_FOLLOW) : result;
}

int64_t linux_flags_of(unsigned open)
{
    // Flags that only matter while opening are not reported.
    const unsigned while_opening = OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_NO_TERMINAL | OPEN_TRUNCATE;
    bool reads = open & OPEN_READ, writes = open & OPEN_WRITE;
    unsigned result = writes ? (reads ? 2 : 1) : 0;
    for (size_t i = 0; i < array_len(open_flags); i++) {
        if (open & open_flags[i].open & ~while_opening)
            result |= open_flags[i].theirs;
    }
    if (open & OPEN_TEMPORARY)
        result |= LINUX_O_TMPFILE;
    return result | LINUX_O_LARGEFILE;
}

uint32_t linux_mode(enum node_kind kind, uint32_t mode)
{
    return (uint32_t)kind << 12 | mode;
}

uint64_t linux_device(uint64_t device)
{
    uint64_t major = device >> 8, minor = device & 0xff;
    return (major & 0xfff) << 8 | minor;
}

static bool timespec_ok(const struct linux_timespec *t)
{
    return t->seconds >= 0 && t->nanos >= 0 && t->nanos < NANOS_PER_SECOND;
}

err_t linux_time_in(uaddr_t from, nanos_t *time)
{
    struct linux_timespec t;
    err_t e = user_copy_in(&t, from, sizeof(t));
    if (e)
        return e;
    if (!timespec_ok(&t))
        return -EINVAL;
    *time = linux_nanos(t.seconds, t.nanos);
    return 0;
}

// 292 years either way are as good as for ever.
nanos_t linux_nanos(int64_t seconds, int64_t nanos)
{
    nanos_t time;
    if (mul_overflows(seconds, NANOS_PER_SECOND, &time) || add_overflows(time, nanos, &time))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return time;
}

err_t linux_setting_in(uaddr_t from, struct timer_setting *s)
{
    struct linux_itimerspec t;
    err_t e = user_copy_in(&t, from, sizeof(t));
    if (e)
        return e;
    if (!timespec_ok(&t.value) || !timespec_ok(&t.interval))
        return -EINVAL;
    *s = (struct timer_setting){ linux_nanos(t.value.seconds, t.value.nanos),
                                 linux_nanos(t.interval.seconds, t.interval.nanos) };
    return 0;
}

err_t linux_setting_out(uaddr_t to, const struct timer_setting *s)
{
    struct linux_itimerspec t = { linux_timespec_of(s->interval), linux_timespec_of(s->value) };
    return user_copy_out(to, &t, sizeof(t));
}

nanos_t linux_after(nanos_t span)
{
    nanos_t deadline;
    return add_overflows(clock_now(), span, &deadline) ? WAIT_FOREVER : deadline;
}

struct linux_timespec linux_timespec_of(nanos_t time)
{
    return (struct linux_timespec){ time / NANOS_PER_SECOND, time % NANOS_PER_SECOND };
}

struct linux_timeval linux_timeval_of(nanos_t time)
{
    return (struct linux_timeval){ time / NANOS_PER_SECOND,
                                   time % NANOS_PER_SECOND / NANOS_PER_MICRO };
}

err_t linux_struct_in(void *to, size_t size, uaddr_t from, uint64_t from_size)
{
    uint8_t more[64];
    memset(to, 0, size);
    err_t e = user_copy_in(to, from, min_of(size, from_size));
    for (uint64_t at = size; !e && at < from_size;) {
        size_t part = min_of(from_size - at, (uint64_t)sizeof(more));
        e = user_copy_in(more, from + at, part);
        for (size_t i = 0; !e && i < part; i++)
            e = more[i] ? -E2BIG : 0;
        at += part;
    }
    return e;
}

err_t linux_time_out(uaddr_t to, nanos_t time)
{
    struct linux_timespec t = linux_timespec_of(time);
    return user_put_pair(to, (uint64_t)t.seconds, (uint64_t)t.nanos);
}
