// SPDX-License-Identifier: GPL-3.0-or-later
// eventfd, timerfd, signalfd and memfd: Linux's clothes on the kernel's counters, timers, signals
// and files without a name.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/abi/linux/signals.h"
#include "kernel/process/signal_file.h"
#include "kernel/scheme/seal.h"
#include "kernel/scheme/timer_file.h"
#include "kernel/scheme/tmp.h"
#include "kernel/scheme/watch.h"
#include "lib/string.h"

enum {
    CLOSE_ON_EXEC = 02000000, // EFD_, TFD_, SFD_
    NONBLOCK = 04000,
    SEMAPHORE = 1,
    MEMFD_CLOSE_ON_EXEC = 1,
    MEMFD_SEALING = 2,
    MEMFD_NAME_MAX = 249,
};

static int64_t eventfd_make(unsigned start, unsigned flags)
{
    struct file *counter;
    if (flags & ~(unsigned)(CLOSE_ON_EXEC | NONBLOCK | SEMAPHORE))
        return -EINVAL;
    err_t e =
        counter_make(start, flags & SEMAPHORE, flags & NONBLOCK ? OPEN_NONBLOCK : 0, &counter);
    return e ? e : linux_add_file(counter, flags & CLOSE_ON_EXEC, 0);
}

LINUX_CALL(eventfd)
{
    return eventfd_make((unsigned)ARG(0), 0);
}

LINUX_CALL(eventfd2)
{
    return eventfd_make((unsigned)ARG(0), (unsigned)ARG(1));
}

LINUX_CALL(timerfd_create)
{
    enum { REALTIME, MONOTONIC, BOOTTIME = 7, REALTIME_ALARM = 8, BOOTTIME_ALARM = 9 };
    uint32_t clock = (uint32_t)ARG(0);
    unsigned flags = (unsigned)ARG(1);
    bool alarm = clock == REALTIME_ALARM || clock == BOOTTIME_ALARM;
    if ((flags & ~(unsigned)(CLOSE_ON_EXEC | NONBLOCK)) ||
        (clock != REALTIME && clock != MONOTONIC && clock != BOOTTIME && !alarm))
        return -EINVAL;
    if (alarm && !process_has(CAPABILITY_WAKE_ALARM))
        return -EPERM;
    struct file *file;
    err_t e = timer_file_make(clock == REALTIME || clock == REALTIME_ALARM,
                              flags & NONBLOCK ? OPEN_NONBLOCK : 0, &file);
    return e ? e : linux_add_file(file, flags & CLOSE_ON_EXEC, 0);
}

static err_t timer_file(int number, struct file **file)
{
    err_t e = linux_file(number, file);
    if (e || timer_file_is(*file))
        return e;
    file_put(*file);
    return -EINVAL;
}

LINUX_CALL(timerfd_settime)
{
    enum { ABSTIME = 1, CANCEL_ON_SET = 2 };
    struct timer_setting fresh, old;
    unsigned flags = (unsigned)ARG(1);
    if (flags & ~(unsigned)(ABSTIME | CANCEL_ON_SET))
        return -EINVAL;
    err_t e = linux_setting_in(ARG(2), &fresh);
    if (e)
        return e;
    struct file *file;
    e = timer_file(ARG_INT(0), &file);
    if (e)
        return e;
    timer_file_set(file, &fresh,
                   (flags & ABSTIME ? TIMER_ABSOLUTE : 0u) |
                       (flags & CANCEL_ON_SET ? TIMER_CANCEL : 0u),
                   &old);
    file_put(file);
    return ARG(3) ? linux_setting_out(ARG(3), &old) : 0;
}

LINUX_CALL(timerfd_gettime)
{
    struct file *file;
    struct timer_setting left;
    err_t e = timer_file(ARG_INT(0), &file);
    if (e)
        return e;
    timer_file_get(file, &left);
    file_put(file);
    return linux_setting_out(ARG(1), &left);
}

static void encode_signal(const struct signal_info *info, void *record)
{
    struct linux_signalfd_siginfo s = {
        .number = (uint32_t)info->number,
        .error = info->error,
        .code = info->code,
        .sender = (uint32_t)info->sender,
        .user = info->sender_user,
        .timer = (uint32_t)info->timer,
        .overrun = (uint32_t)info->overrun,
        .status = info->status,
        .integer = (int32_t)info->value,
        .pointer = info->value,
        .time_user = (uint64_t)info->time_user / (NANOS_PER_SECOND / 100),
        .time_system = (uint64_t)info->time_system / (NANOS_PER_SECOND / 100),
        .address = info->address,
    };
    memcpy(record, &s, sizeof(s));
}

static int64_t signalfd_make(int number, uaddr_t mask, uint64_t size, unsigned flags)
{
    static const struct signal_layout layout = { sizeof(struct linux_signalfd_siginfo),
                                                 encode_signal };
    uint64_t set;
    struct file *file;
    if ((flags & ~(unsigned)(CLOSE_ON_EXEC | NONBLOCK)) || size != sizeof(set))
        return -EINVAL;
    err_t e = user_get_u64(mask, &set);
    if (e)
        return e;
    if (number == -1) {
        e = signal_file_make(set, &layout, flags & NONBLOCK ? OPEN_NONBLOCK : 0, &file);
        return e ? e : linux_add_file(file, flags & CLOSE_ON_EXEC, 0);
    }
    e = linux_file(number, &file);
    if (e)
        return e;
    if (signal_file_is(file))
        signal_file_set(file, set);
    else
        e = -EINVAL;
    file_put(file);
    return e ? e : number;
}

LINUX_CALL(signalfd)
{
    return signalfd_make(ARG_INT(0), ARG(1), ARG(2), 0);
}

LINUX_CALL(signalfd4)
{
    return signalfd_make(ARG_INT(0), ARG(1), ARG(2), (unsigned)ARG(3));
}

LINUX_CALL(memfd_create)
{
    char label[sizeof("memfd:") + MEMFD_NAME_MAX] = "memfd:";
    size_t length;
    if (ARG(1) & ~(uint64_t)(MEMFD_CLOSE_ON_EXEC | MEMFD_SEALING))
        return -EINVAL;
    err_t e = user_string_in(label + strlen(label), ARG(0), MEMFD_NAME_MAX + 1, &length);
    if (e)
        return e == -ENAMETOOLONG ? -EINVAL : e;
    struct file *file;
    e = memory_file_make(label, OPEN_READ | OPEN_WRITE, &file);
    if (e)
        return e;
    if (ARG(1) & MEMFD_SEALING)
        seals_allow(file);
    return linux_add_file(file, ARG(1) & MEMFD_CLOSE_ON_EXEC, 0);
}
