// SPDX-License-Identifier: GPL-3.0-or-later
// epoll: Linux's clothes on watch lists.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/scheme/watch.h"

enum {
    EPOLL_ADD = 1,
    EPOLL_REMOVE = 2,
    EPOLL_CHANGE = 3,
    EPOLL_READY = POLL_IN | POLL_PRIORITY | POLL_OUT | POLL_READ_NORMAL | POLL_WRITE_NORMAL |
                  POLL_READ_HANGUP,
    EPOLL_WAKE_UP = 1 << 29,
};
#define EPOLL_EXCLUSIVE 0x10000000u
#define EPOLL_ONCE      0x40000000u
#define EPOLL_EDGE      0x80000000u

struct linux_epoll_event {
    uint32_t events;
    uint64_t data;
} packed_struct;
_Static_assert(sizeof(struct linux_epoll_event) == 12, "Linux's struct epoll_event");

#define EVENTS_MAX (INT32_MAX / (int32_t)sizeof(struct linux_epoll_event))

static int64_t epoll_make(unsigned flags)
{
    struct file *list;
    if (flags & ~(unsigned)LINUX_O_CLOEXEC)
        return -EINVAL;
    err_t e = watch_list_make(0, &list);
    return e ? e : linux_add_file(list, flags & LINUX_O_CLOEXEC, 0);
}

LINUX_CALL(epoll_create)
{
    return ARG_INT(0) > 0 ? epoll_make(0) : -EINVAL;
}

LINUX_CALL(epoll_create1)
{
    return epoll_make((unsigned)ARG(0));
}

// EPOLLEXCLUSIVE goes with few other wishes, and only when adding (epoll_ctl(2)).
static bool exclusive_ok(int operation, uint32_t events)
{
    const uint32_t others = POLL_IN | POLL_OUT | POLL_READ_NORMAL | POLL_WRITE_NORMAL | POLL_ERROR |
                            POLL_HANGUP | EPOLL_WAKE_UP | EPOLL_EDGE;
    return !(events & EPOLL_EXCLUSIVE) ||
           (operation == EPOLL_ADD && !(events & ~(others | EPOLL_EXCLUSIVE)));
}

static err_t epoll_change(struct file *list, struct file *file, int operation, int number,
                          const struct linux_epoll_event *event)
{
    unsigned wanted = event->events & EPOLL_READY;
    unsigned mode = (event->events & EPOLL_EDGE ? WATCH_EDGE : 0u) |
                    (event->events & EPOLL_ONCE ? WATCH_ONCE : 0u) |
                    (event->events & EPOLL_EXCLUSIVE ? WATCH_EXCLUSIVE : 0u);
    if (!file->ops->poll)
        return -EPERM;
    if (!watch_list_is(list) || list == file || !exclusive_ok(operation, event->events))
        return -EINVAL;
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

// Events go straight to the caller; one that cannot be written down is told again.
struct user_sink {
    struct watch_sink sink;
    uaddr_t to;
};

static err_t user_take(struct watch_sink *sink, const struct watch_event *event)
{
    struct user_sink *s = container_of(sink, struct user_sink, sink);
    struct linux_epoll_event out = { event->ready, event->data };
    err_t e = user_copy_out(s->to, &out, sizeof(out));
    if (!e)
        s->to += sizeof(out);
    return e;
}

no_stack_guard static int64_t epoll_wait_until(struct trap_frame *f, nanos_t deadline)
{
    int32_t room = ARG_INT(2);
    if (room <= 0 || room > EVENTS_MAX)
        return -EINVAL;
    if (!user_range_ok(ARG(1), (uint64_t)room * sizeof(struct linux_epoll_event)))
        return -EFAULT;
    struct file *list = descriptor_get(process_current()->descriptors, (uint32_t)ARG(0));
    if (!list)
        return -EBADF;
    struct user_sink s = { { user_take }, ARG(1) };
    size_t count = 0;
    err_t e = watch_collect(list, &s.sink, (size_t)room, deadline, &count);
    file_put(list);
    return e ? e : (int64_t)count;
}

static nanos_t milliseconds_deadline(int32_t milliseconds)
{
    if (milliseconds < 0)
        return WAIT_FOREVER;
    return milliseconds ? linux_after(milliseconds * NANOS_PER_MILLI) : 0;
}

LINUX_CALL(epoll_wait)
{
    return epoll_wait_until(f, milliseconds_deadline(ARG_INT(3)));
}

static int64_t epoll_wait_masked(struct trap_frame *f, nanos_t deadline)
{
    if (!ARG(4)) // as epoll_wait() of today's C libraries
        return epoll_wait_until(f, deadline);
    err_t e = linux_mask_in(ARG(4), ARG(5));
    return linux_mask_out(e ? e : epoll_wait_until(f, deadline));
}

LINUX_CALL(epoll_pwait)
{
    return epoll_wait_masked(f, milliseconds_deadline(ARG_INT(3)));
}

LINUX_CALL(epoll_pwait2)
{
    nanos_t span, deadline = WAIT_FOREVER;
    if (ARG(3)) {
        err_t e = linux_time_in(ARG(3), &span);
        if (e)
            return e;
        deadline = span ? linux_after(span) : 0;
    }
    return epoll_wait_masked(f, deadline);
}
