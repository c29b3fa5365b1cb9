// SPDX-License-Identifier: GPL-3.0-or-later
// eventfd, timerfd, signalfd and memfd: Linux's clothes on the kernel's counters, timers, signals
// and files without a name.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/tmp.h"
#include "kernel/scheme/watch.h"
#include "lib/string.h"

enum {
    CLOSE_ON_EXEC = 02000000, // EPOLL_, EFD_
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

// Seals are accepted as a wish and cannot be set yet (fcntl answers -EINVAL).
LINUX_CALL(memfd_create)
{
    char label[sizeof("memfd:") + MEMFD_NAME_MAX] = "memfd:";
    size_t length;
    if (ARG(1) & ~(uint64_t)(MEMFD_CLOSE_ON_EXEC | MEMFD_SEALING))
        return -EINVAL;
    err_t e = user_string_in(label + strlen(label), ARG(0), MEMFD_NAME_MAX, &length);
    if (e)
        return e == -ENAMETOOLONG ? -EINVAL : e;
    struct file *file;
    e = memory_file_make(label, OPEN_READ | OPEN_WRITE, &file);
    return e ? e : linux_add_file(file, ARG(1) & MEMFD_CLOSE_ON_EXEC, 0);
}
