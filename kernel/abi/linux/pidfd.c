// SPDX-License-Identifier: GPL-3.0-or-later
// pidfds: process files (process_file.h) in Linux's clothes.
#include "kernel/abi/linux/flags.h"
#include "kernel/abi/linux/signals.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/process/proc/proc.h"
#include "kernel/process/process_file.h"

// The process behind a descriptor, with the file, which the caller puts. -EBADF.
static err_t process_of(int number, struct file **file, struct process **p)
{
    err_t e = linux_file(number, file);
    if (e)
        return e;
    *p = process_of_file(*file);
    if (*p)
        return 0;
    file_put(*file);
    return -EBADF;
}

LINUX_CALL(pidfd_open)
{
    int32_t number = ARG_INT(0);
    unsigned flags = (unsigned)ARG(1);
    struct process *p;
    struct task *t;
    if ((flags & ~(unsigned)LINUX_O_NONBLOCK) || number <= 0)
        return -EINVAL;
    if (process_find(number, &p)) {
        if (task_find(number, &t))
            return -ESRCH;
        task_put(t);
        return -EINVAL; // a thread, but not the first of its process
    }
    struct file *file;
    err_t e = process_file_make(p, flags & LINUX_O_NONBLOCK ? OPEN_NONBLOCK : 0, &file);
    process_put(p);
    return e ? e : linux_add_file(file, true, 0);
}

static err_t info_in(uaddr_t from, struct process *p, struct signal_info *info)
{
    struct linux_siginfo s;
    err_t e = user_copy_in(&s, from, sizeof(s));
    if (e)
        return e;
    if (s.number != info->number)
        return -EINVAL;
    // Nobody may pretend to be the kernel or kill(), but to himself.
    if ((s.code >= 0 || s.code == SIGNAL_FROM_THREAD) && p != process_current())
        return -EPERM;
    info->code = s.code;
    info->value = s.sent.value;
    return 0;
}

// A directory /proc/PID serves as well. With a reference.
static err_t process_to_signal(int number, struct process **p)
{
    struct file *file;
    err_t e = linux_file(number, &file);
    if (e)
        return e;
    *p = process_of_file(file);
    if (*p)
        process_get(*p);
    else
        e = proc_process_of(file, p);
    file_put(file);
    return e;
}

LINUX_CALL(pidfd_send_signal)
{
    int number = ARG_INT(1);
    struct process *p;
    if (ARG(3))
        return -EINVAL;
    err_t e = process_to_signal(ARG_INT(0), &p);
    if (e)
        return e;
    struct signal_info info = signal_from_caller(number, SIGNAL_FROM_USER);
    if (number < 0 || number > SIGNAL_LAST)
        e = -EINVAL;
    else if (ARG(2))
        e = info_in(ARG(2), p, &info);
    if (!e)
        e = process_is_there(p) ? signal_send_allowed(p, &info) : -ESRCH;
    process_put(p);
    return e;
}

LINUX_CALL(pidfd_getfd)
{
    struct file *file, *wanted;
    struct process *p;
    if (ARG(2))
        return -EINVAL;
    err_t e = process_of(ARG_INT(0), &file, &p);
    if (e)
        return e;
    e = process_take_file(p, ARG_INT(1), &wanted);
    file_put(file);
    return e ? e : linux_add_file(wanted, true, 0);
}

// A process that ends gives its memory back by itself, and nobody can do it faster.
LINUX_CALL(process_mrelease)
{
    struct file *file;
    struct process *p;
    if (ARG(1))
        return -EINVAL;
    err_t e = process_of(ARG_INT(0), &file, &p);
    if (e)
        return e;
    uint64_t kill = SIGNAL_BIT(SIGNAL_KILL);
    bool ends = __atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE) ||
                __atomic_load_n(&p->pending.pending, __ATOMIC_ACQUIRE) & kill;
    if (__atomic_load_n(&p->zombie, __ATOMIC_ACQUIRE))
        e = -ESRCH;
    else if (!ends)
        e = -EINVAL;
    file_put(file);
    return e;
}

err_t linux_wait_pidfd(int number, struct process **p, bool *waits)
{
    struct file *file;
    err_t e = process_of(number, &file, p);
    if (e)
        return e;
    if (process_is_there(*p))
        process_get(*p);
    else
        e = -ECHILD;
    *waits = !(__atomic_load_n(&file->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK);
    file_put(file);
    return e;
}

// A number is found for the child's file, and written down, before the child runs.
static err_t prepare(struct process *child, void *data)
{
    struct linux_child *c = data;
    struct file *file;
    err_t e = process_file_make(child, 0, &file);
    int64_t number = e ? e : linux_add_file(file, true, 0);
    if (number < 0)
        return (err_t)number;
    c->number = (int)number;
    e = user_put_u32(c->at, (uint32_t)number);
    if (e)
        (void)!descriptor_close(process_current()->descriptors, c->number);
    return e;
}

void linux_clone_pidfd(struct clone_request *r, struct linux_child *c, uaddr_t at)
{
    *c = (struct linux_child){ .at = at, .number = -1 };
    r->prepare = prepare;
    r->prepare_data = c;
}
