// SPDX-License-Identifier: GPL-3.0-or-later
// Calls that send, block, catch and wait for signals.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/abi/linux/signals.h"

enum { MASK_SIZE = 8 };

void linux_siginfo_fill(struct linux_siginfo *s, const struct signal_info *info)
{
    s->number = info->number;
    s->error = info->error;
    s->code = info->code;
    bool from_kernel = info->code > 0;
    if (info->number == SIGNAL_CHILD && from_kernel) {
        s->child.number = info->sender;
        s->child.user = info->sender_user;
        s->child.status = info->status;
        s->child.time_user = info->time_user / (NANOS_PER_SECOND / 100);
        s->child.time_system = info->time_system / (NANOS_PER_SECOND / 100);
    } else if (info->number == SIGNAL_SYSTEM && from_kernel) {
        s->call.address = info->address;
        s->call.number = info->status;
        s->call.architecture = (uint32_t)info->value;
    } else if (from_kernel && info->address) {
        s->fault.address = info->address;
    } else if (info->code == SIGNAL_FROM_TIMER) {
        s->timer.timer = info->timer;
        s->timer.overrun = info->overrun;
        s->timer.value = info->value;
    } else if (!from_kernel) {
        s->sent.sender = info->sender;
        s->sent.user = info->sender_user;
        s->sent.value = info->value;
    }
}

struct signal_info linux_info_of(const struct linux_siginfo *s)
{
    struct signal_info info = { .number = s->number, .error = s->error, .code = s->code };
    bool from_kernel = s->code > 0;
    if (s->number == SIGNAL_CHILD && from_kernel) {
        info.sender = s->child.number;
        info.sender_user = s->child.user;
        info.status = s->child.status;
        info.time_user = s->child.time_user * (NANOS_PER_SECOND / 100);
        info.time_system = s->child.time_system * (NANOS_PER_SECOND / 100);
    } else if (s->number == SIGNAL_SYSTEM && from_kernel) {
        info.address = s->call.address;
        info.status = s->call.number;
        info.value = s->call.architecture;
    } else if (from_kernel) {
        info.address = s->fault.address;
    } else if (s->code == SIGNAL_FROM_TIMER) {
        info.timer = s->timer.timer;
        info.overrun = s->timer.overrun;
        info.value = s->timer.value;
    } else {
        info.sender = s->sent.sender;
        info.sender_user = s->sent.user;
        info.value = s->sent.value;
    }
    return info;
}

static bool number_ok(int number)
{
    return number >= 0 && number <= SIGNAL_LAST;
}

LINUX_CALL(kill)
{
    int number = ARG_INT(1);
    if (!number_ok(number))
        return -EINVAL;
    struct signal_info info = signal_from_caller(number, SIGNAL_FROM_USER);
    return signal_kill(ARG_INT(0), &info);
}

static int64_t send_to_task(int32_t process, int32_t task, const struct signal_info *info)
{
    struct task *t;
    err_t e = task_find(task, &t);
    if (e)
        return e;
    if (process && t->process->number != process)
        e = -ESRCH;
    else
        e = signal_allowed(t->process, info->number);
    if (!e && info->number)
        e = signal_send_task(t, info);
    task_put(t);
    return e;
}

static int64_t thread_kill(int32_t process, int32_t task, int number)
{
    if (!number_ok(number) || task <= 0)
        return -EINVAL;
    struct signal_info info = signal_from_caller(number, SIGNAL_FROM_THREAD);
    return send_to_task(process, task, &info);
}

LINUX_CALL(tkill)
{
    return thread_kill(0, ARG_INT(0), ARG_INT(1));
}

LINUX_CALL(tgkill)
{
    return ARG_INT(0) <= 0 ? -EINVAL : thread_kill(ARG_INT(0), ARG_INT(1), ARG_INT(2));
}

// What sigqueue() sends along. Nobody may pretend to be the kernel or kill(), but to himself.
static err_t queued_in(uaddr_t from, int32_t process, int number, struct signal_info *info)
{
    struct linux_siginfo s;
    err_t e = user_copy_in(&s, from, sizeof(s));
    if (e)
        return e;
    if (!number_ok(number))
        return -EINVAL;
    if ((s.code >= 0 || s.code == SIGNAL_FROM_THREAD) && process != process_current()->number)
        return -EPERM;
    *info = signal_from_caller(number, s.code);
    info->value = s.sent.value;
    return 0;
}

LINUX_CALL(rt_sigqueueinfo)
{
    struct process *p;
    struct signal_info info;
    err_t e = queued_in(ARG(2), ARG_INT(0), ARG_INT(1), &info);
    if (!e)
        e = process_find(ARG_INT(0), &p);
    if (e)
        return e;
    e = signal_send_allowed(p, &info);
    process_put(p);
    return e;
}

LINUX_CALL(rt_tgsigqueueinfo)
{
    struct signal_info info;
    if (ARG_INT(0) <= 0 || ARG_INT(1) <= 0)
        return -EINVAL;
    err_t e = queued_in(ARG(3), ARG_INT(0), ARG_INT(2), &info);
    return e ? e : send_to_task(ARG_INT(0), ARG_INT(1), &info);
}

// Calls that go on do so by themselves (docs/linux.md); a program that calls this was told to.
LINUX_CALL(restart_syscall)
{
    f->vector = 0; // nor does this one
    trap_set_result(f, -EINTR);
    return -EINTR;
}

LINUX_CALL(rt_sigaction)
{
    struct linux_sigaction s;
    struct signal_action action, old;
    if (ARG(3) != MASK_SIZE)
        return -EINVAL;
    if (ARG(1)) {
        err_t e = user_copy_in(&s, ARG(1), sizeof(s));
        if (e)
            return e;
        action = (struct signal_action){ s.handler, s.restorer, s.flags, s.mask };
    }
    err_t e = signal_set_action(ARG_INT(0), ARG(1) ? &action : NULL, &old);
    if (e || !ARG(2))
        return e;
    s = (struct linux_sigaction){ old.handler, old.flags, old.restorer, old.mask };
    return user_copy_out(ARG(2), &s, sizeof(s));
}

LINUX_CALL(rt_sigprocmask)
{
    enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
    uint64_t set, old = task_current()->mask;
    if (ARG(3) != MASK_SIZE)
        return -EINVAL;
    if (ARG(1)) {
        err_t e = user_get_u64(ARG(1), &set);
        if (e)
            return e;
        switch (ARG_INT(0)) {
        case SIG_BLOCK:
            signal_set_mask(old | set);
            break;
        case SIG_UNBLOCK:
            signal_set_mask(old & ~set);
            break;
        case SIG_SETMASK:
            signal_set_mask(set);
            break;
        default:
            return -EINVAL;
        }
    }
    return ARG(2) ? user_put_u64(ARG(2), old) : 0;
}

LINUX_CALL(rt_sigpending)
{
    struct task *t = task_current();
    if (ARG(1) > MASK_SIZE)
        return -EINVAL;
    uint64_t pending = (t->pending.pending | t->process->pending.pending) & t->mask;
    return user_copy_out(ARG(0), &pending, ARG(1));
}

LINUX_CALL(rt_sigsuspend)
{
    uint64_t mask;
    if (ARG(1) != MASK_SIZE)
        return -EINVAL;
    err_t e = user_get_u64(ARG(0), &mask);
    if (e)
        return e;
    signal_set_mask_for_call(mask);
    e = thread_sleep_until(WAIT_FOREVER, true);
    return e ? e : -EINTR;
}

LINUX_CALL(pause)
{
    err_t e = thread_sleep_until(WAIT_FOREVER, true);
    return e ? e : -EINTR;
}

LINUX_CALL(rt_sigtimedwait)
{
    uint64_t set;
    nanos_t deadline = WAIT_FOREVER;
    struct signal_info info;
    if (ARG(3) != MASK_SIZE)
        return -EINVAL;
    err_t e = user_get_u64(ARG(0), &set);
    if (!e && ARG(2))
        e = linux_time_in(ARG(2), &deadline);
    if (e)
        return e;
    if (ARG(2) && add_overflows(deadline, clock_now(), &deadline))
        deadline = WAIT_FOREVER;
    e = signal_wait(set, deadline, &info);
    if (e)
        return e;
    struct linux_siginfo s = { 0 };
    linux_siginfo_fill(&s, &info);
    e = ARG(1) ? user_copy_out(ARG(1), &s, sizeof(s)) : 0;
    return e ? e : info.number;
}

LINUX_CALL(sigaltstack)
{
    enum { ON_STACK = 1, DISABLE = 2, LEAST = 2048 };
    const int32_t automatic = INT32_MIN; // SS_AUTODISARM
    struct task *t = task_current();
    uint64_t stack_pointer = trap_stack_pointer(f);
    bool on_it = linux_on_alternate_stack(t, stack_pointer);
    struct linux_stack s = {
        .address = t->alternate_stack,
        .size = t->alternate_size,
        .flags = (int32_t)t->alternate_flags | (!t->alternate_size ? DISABLE
                                                : on_it            ? ON_STACK
                                                                   : 0),
    };
    if (ARG(0)) {
        struct linux_stack fresh;
        err_t e = user_copy_in(&fresh, ARG(0), sizeof(fresh));
        if (e)
            return e;
        int32_t mode = fresh.flags & ~automatic;
        if (on_it)
            return -EPERM;
        if (mode != 0 && mode != DISABLE && mode != ON_STACK)
            return -EINVAL;
        if (mode != DISABLE && fresh.size < LEAST)
            return -ENOMEM;
        t->alternate_stack = mode == DISABLE ? 0 : fresh.address;
        t->alternate_size = mode == DISABLE ? 0 : fresh.size;
        t->alternate_flags = (unsigned)(fresh.flags & automatic);
    }
    return ARG(1) ? user_copy_out(ARG(1), &s, sizeof(s)) : 0;
}
