// SPDX-License-Identifier: GPL-3.0-or-later
// epoll, eventfd and memfd: Linux's clothes on watch lists, counters and files without a name.
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
    EPOLL_ADD = 1,
    EPOLL_REMOVE = 2,
    EPOLL_CHANGE = 3,
    EPOLL_READ_NORMAL = 0x40,
    EPOLL_WRITE_NORMAL = 0x100,
    EPOLL_EVENTS = POLL_IN | POLL_PRIORITY | POLL_OUT | POLL_READ_HANGUP,
    MEMFD_CLOSE_ON_EXEC = 1,
    MEMFD_SEALING = 2,
    MEMFD_NAME_MAX = 249,
    WAIT_PIECE = 64, // events copied out at a time
};
#define EPOLL_ONCE 0x40000000u
#define EPOLL_EDGE 0x80000000u

struct linux_epoll_event {
    uint32_t events;
    uint64_t data;
} packed_struct;
_Static_assert(sizeof(struct linux_epoll_event) == 12, "Linux's struct epoll_event");

static int64_t epoll_make(unsigned flags)
{
    struct file *list;
    if (flags & ~(unsigned)CLOSE_ON_EXEC)
        return -EINVAL;
    err_t e = watch_list_make(0, &list);
    return e ? e : linux_add_file(list, flags & CLOSE_ON_EXEC, 0);
}

LINUX_CALL(epoll_create)
{
    return ARG_INT(0) > 0 ? epoll_make(0) : -EINVAL;
}

LINUX_CALL(epoll_create1)
{
    return epoll_make((unsigned)ARG(0));
}

static err_t epoll_change(struct file *list, struct file *file, int operation, int number,
                          const struct linux_epoll_event *event)
{
    unsigned wanted = event->events & EPOLL_EVENTS;
    unsigned mode = (event->events & EPOLL_EDGE ? WATCH_EDGE : 0u) |
                    (event->events & EPOLL_ONCE ? WATCH_ONCE : 0u);
    if (event->events & EPOLL_READ_NORMAL)
        wanted |= POLL_IN;
    if (event->events & EPOLL_WRITE_NORMAL)
        wanted |= POLL_OUT;
    switch (operation) {
    case EPOLL_ADD:
        return watch_add(list, file, number, wanted, mode, event->data);
    case EPOLL_CHANGE:
        return watch_change(list, file, number, wanted, mode, event->data);
    case EPOLL_REMOVE:
        return watch_remove(list, file, number);
    default:
        return -EINVAL;
    }
}

LINUX_CALL(epoll_ctl)
{
    struct file *list, *file;
    struct linux_epoll_event event = { 0 };
    if (ARG_INT(1) != EPOLL_REMOVE && user_copy_in(&event, ARG(3), sizeof(event)))
        return -EFAULT;
    err_t e = linux_file(ARG_INT(0), &list);
    if (e)
        return e;
    e = linux_file(ARG_INT(2), &file);
    if (!e) {
        e = epoll_change(list, file, ARG_INT(1), ARG_INT(2), &event);
        file_put(file);
    }
    file_put(list);
    return e;
}

static int64_t epoll_wait_until(int number, uaddr_t to, int32_t room, nanos_t deadline)
{
    struct watch_event events[WAIT_PIECE];
    struct file *list;
    if (room <= 0)
        return -EINVAL;
    err_t e = linux_file(number, &list);
    if (e)
        return e;
    size_t count = 0;
    e = watch_wait(list, events, min_of((size_t)room, array_len(events)), deadline, &count);
    file_put(list);
    for (size_t i = 0; !e && i < count; i++) {
        struct linux_epoll_event out = { events[i].ready, events[i].data };
        e = user_copy_out(to + i * sizeof(out), &out, sizeof(out));
    }
    return e ? e : (int64_t)count;
}

static nanos_t milliseconds_deadline(int32_t milliseconds)
{
    if (milliseconds < 0)
        return WAIT_FOREVER;
    return milliseconds ? clock_now() + milliseconds * NANOS_PER_MILLI : 0;
}

LINUX_CALL(epoll_wait)
{
    return epoll_wait_until(ARG_INT(0), ARG(1), ARG_INT(2), milliseconds_deadline(ARG_INT(3)));
}

LINUX_CALL(epoll_pwait)
{
    err_t e = linux_mask_in(ARG(4), ARG(5));
    return e ? e : linux_epoll_wait(f);
}

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
