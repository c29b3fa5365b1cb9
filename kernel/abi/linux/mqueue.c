// SPDX-License-Identifier: GPL-3.0-or-later
// POSIX message queues (mq_overview(7)).
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/process/post_queue.h"
#include "kernel/sched/timer.h"

struct linux_mq_attr {
    int64_t flags, most, size, count, reserved[4];
};
_Static_assert(sizeof(struct linux_mq_attr) == 64, "struct mq_attr");

static err_t name_in(uaddr_t from, char **name)
{
    size_t length;
    *name = heap_alloc(PATH_LENGTH_MAX);
    if (!*name)
        return -ENOMEM;
    err_t e = user_string_in(*name, from, PATH_LENGTH_MAX, &length);
    if (e)
        heap_free(*name);
    return e;
}

LINUX_CALL(mq_open)
{
    unsigned flags = (unsigned)ARG(1);
    struct post_open how = { .flags = linux_open_flags(flags),
                             .mode = (unsigned)ARG(2) & MODE_PERMISSIONS,
                             .most = POST_COUNT_MAX,
                             .size = POST_SIZE_MAX };
    struct linux_mq_attr attr;
    struct file *file;
    char *name;
    err_t e = ARG(3) ? user_copy_in(&attr, ARG(3), sizeof(attr)) : 0;
    if (!e)
        e = name_in(ARG(0), &name);
    if (e)
        return e;
    if (ARG(3)) {
        how.most = (uint64_t)attr.most;
        how.size = (uint64_t)attr.size;
    }
    e = (flags & LINUX_O_ACCESS) == LINUX_O_ACCESS ? -EINVAL : post_open(name, &how, &file);
    heap_free(name);
    return e ? e : linux_add_file(file, true, 0);
}

LINUX_CALL(mq_unlink)
{
    char *name;
    err_t e = name_in(ARG(0), &name);
    if (e)
        return e;
    e = post_unlink(name);
    heap_free(name);
    return e;
}

// With a reference; -EBADF: it is no queue.
static err_t queue_file(int number, struct file **file)
{
    err_t e = linux_file(number, file);
    if (e || post_is(*file))
        return e;
    file_put(*file);
    return -EBADF;
}

// A time of the wall clock; address 0: for ever.
static err_t deadline_in(uaddr_t from, nanos_t *deadline)
{
    nanos_t time;
    *deadline = WAIT_FOREVER;
    err_t e = from ? linux_time_in(from, &time) : 0;
    if (!e && from && sub_overflows(time, clock_wall() - clock_now(), deadline))
        *deadline = WAIT_FOREVER;
    return e;
}

LINUX_CALL(mq_timedsend)
{
    nanos_t deadline;
    struct post_status status;
    struct file *file;
    err_t e = deadline_in(ARG(4), &deadline);
    if (!e && (uint32_t)ARG(3) >= POST_URGENCY_MAX)
        e = -EINVAL;
    if (!e)
        e = queue_file(ARG_INT(0), &file);
    if (e)
        return e;
    post_status(file, &status);
    struct post *m = NULL;
    if (!(file->flags & OPEN_WRITE))
        e = -EBADF;
    else if (ARG(2) > status.size)
        e = -EMSGSIZE;
    else if (!(m = post_make(ARG(2))))
        e = -ENOMEM;
    if (!e)
        e = user_copy_in(m->bytes, ARG(1), ARG(2));
    if (!e) {
        m->urgency = (uint32_t)ARG(3);
        e = post_send(file, m, deadline);
    }
    if (e)
        heap_free(m);
    file_put(file);
    return e;
}

LINUX_CALL(mq_timedreceive)
{
    nanos_t deadline;
    struct file *file;
    struct post *m;
    err_t e = deadline_in(ARG(4), &deadline);
    if (!e)
        e = queue_file(ARG_INT(0), &file);
    if (e)
        return e;
    e = post_receive(file, ARG(2), deadline, &m);
    file_put(file);
    if (e)
        return e;
    if (ARG(3))
        e = user_put_u32(ARG(3), m->urgency);
    if (!e)
        e = user_copy_out(ARG(1), m->bytes, m->size);
    int64_t size = (int64_t)m->size;
    heap_free(m);
    return e ? e : size;
}

LINUX_CALL(mq_notify)
{
    enum { SIGNAL = 0, NONE = 1 };
    struct linux_sigevent event = { 0 };
    struct file *file;
    err_t e = ARG(1) ? user_copy_in(&event, ARG(1), sizeof(event)) : 0;
    if (e)
        return e;
    bool signals = event.notify == SIGNAL && ARG(1);
    if ((event.notify != SIGNAL && event.notify != NONE) ||
        (signals && (event.signal < 0 || event.signal > SIGNAL_LAST)))
        return -EINVAL;
    e = queue_file(ARG_INT(0), &file);
    if (e)
        return e;
    struct post_notify how = { .signal = signals ? event.signal : 0, .value = event.value };
    e = post_notify(file, ARG(1) ? &how : NULL);
    file_put(file);
    return e;
}

LINUX_CALL(mq_getsetattr)
{
    struct linux_mq_attr fresh = { 0 };
    struct post_status status;
    struct file *file;
    err_t e = ARG(1) ? user_copy_in(&fresh, ARG(1), sizeof(fresh)) : 0;
    if (!e && (fresh.flags & ~(int64_t)LINUX_O_NONBLOCK))
        e = -EINVAL;
    if (!e)
        e = queue_file(ARG_INT(0), &file);
    if (e)
        return e;
    unsigned flags = __atomic_load_n(&file->flags, __ATOMIC_RELAXED);
    post_status(file, &status);
    struct linux_mq_attr old = { .flags = flags & OPEN_NONBLOCK ? LINUX_O_NONBLOCK : 0,
                                 .most = (int64_t)status.most,
                                 .size = (int64_t)status.size,
                                 .count = (int64_t)status.count };
    if (ARG(1))
        e = file_change_flags(file, fresh.flags ? OPEN_NONBLOCK : 0);
    file_put(file);
    return e || !ARG(2) ? e : user_copy_out(ARG(2), &old, sizeof(old));
}
