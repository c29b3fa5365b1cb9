// SPDX-License-Identifier: GPL-3.0-or-later
// Calls on processes. Each Redox context is a process of one task: its number is the process's.
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"

bool redox_is_root(void)
{
    return credentials_now().effective_user == 0;
}

REDOX_CALL(exit)
{
    process_exit((ARG_INT(0) & 0xff) << 8);
}

// 0 and -1 are any child, less is a group, more is one: in the terms of process_wait().
static int32_t waited_for(int32_t which)
{
    return which == 0 ? -1 : which;
}

REDOX_CALL(waitpid)
{
    uint64_t flags = ARG(2);
    uaddr_t status = ARG(1);
    int32_t which = ARG_INT(0);
    struct wait_result r;
    if (status && !user_range_ok(status, sizeof(uint64_t)))
        return -EFAULT; // before a child is reaped in vain
    if (which == INT32_MIN)
        return -ECHILD;
    unsigned options = WAIT_EXITED | (flags & REDOX_WNOHANG ? WAIT_NO_HANG : 0) |
                       (flags & REDOX_WUNTRACED ? WAIT_STOPPED : 0) |
                       (flags & REDOX_WCONTINUED ? WAIT_CONTINUED : 0);
    err_t e = process_wait(waited_for(which), options, &r);
    if (e || r.number == 0)
        return e;
    if (status)
        e = user_put_u64(status, (uint32_t)r.raw);
    return e ? e : r.number;
}

// Ignores its arguments and never fails: programs ask it whether they are on Redox.
REDOX_CALL(getpid)
{
    return process_current()->number;
}

REDOX_CALL(getppid)
{
    return process_parent_number();
}

REDOX_CALL(getpgid)
{
    struct process *p;
    if (ARG_INT(0) == 0)
        return process_group_of(process_current());
    err_t e = process_find(ARG_INT(0), &p);
    if (e)
        return e;
    int32_t group = process_group_of(p);
    process_put(p);
    return group ? group : -ESRCH;
}

REDOX_CALL(setpgid)
{
    return process_set_group(ARG_INT(0), ARG_INT(1));
}

REDOX_CALL(umask)
{
    struct place *place = process_current()->place;
    return __atomic_exchange_n(&place->umask, (uint16_t)(ARG(0) & 0777), __ATOMIC_RELAXED);
}

REDOX_CALL(getuid)
{
    return credentials_now().user;
}

REDOX_CALL(geteuid)
{
    return credentials_now().effective_user;
}

REDOX_CALL(getgid)
{
    return credentials_now().group;
}

REDOX_CALL(getegid)
{
    return credentials_now().effective_group;
}

// Redox has no saved ids: the kernel's is kept equal to the effective one, so that who gave root up
// has given it up.
static err_t edit_users(struct credentials *c, const uint32_t *ids)
{
    uint32_t effective = ids[1] == UINT32_MAX ? c->effective_user : ids[1];
    return credentials_set_users(c, ids[0], ids[1], effective);
}

static err_t edit_groups(struct credentials *c, const uint32_t *ids)
{
    uint32_t effective = ids[1] == UINT32_MAX ? c->effective_group : ids[1];
    return credentials_set_groups(c, ids[0], ids[1], effective);
}

REDOX_CALL(setreuid)
{
    uint32_t ids[] = { (uint32_t)ARG(0), (uint32_t)ARG(1) };
    return process_edit_credentials(process_current(), edit_users, ids);
}

REDOX_CALL(setregid)
{
    uint32_t ids[] = { (uint32_t)ARG(0), (uint32_t)ARG(1) };
    return process_edit_credentials(process_current(), edit_groups, ids);
}

REDOX_CALL(kill)
{
    enum { NUMBER_LAST = 63 };
    if (ARG(1) > NUMBER_LAST)
        return -EINVAL;
    struct signal_info info = signal_from_caller(ARG_INT(1), SIGNAL_FROM_USER);
    return signal_kill(ARG_INT(0), &info);
}

REDOX_CALL(yield)
{
    thread_yield();
    return 0;
}
