// SPDX-License-Identifier: GPL-3.0-or-later
// Who a process is and where it stands among processes: ids, groups, sessions, capabilities.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"

LINUX_CALL(getpid)
{
    return process_current()->number;
}

LINUX_CALL(gettid)
{
    return task_current()->number;
}

LINUX_CALL(getppid)
{
    return process_parent_number();
}

LINUX_CALL(getuid)
{
    return credentials_now().user;
}

LINUX_CALL(geteuid)
{
    return credentials_now().effective_user;
}

LINUX_CALL(getgid)
{
    return credentials_now().group;
}

LINUX_CALL(getegid)
{
    return credentials_now().effective_group;
}

static int64_t change(err_t (*edit)(struct credentials *c, const uint32_t *ids),
                      const uint32_t *ids)
{
    return process_edit_credentials(process_current(), edit, ids);
}

static err_t edit_user(struct credentials *c, const uint32_t *ids)
{
    return credentials_set_user(c, ids[0]);
}

static err_t edit_group(struct credentials *c, const uint32_t *ids)
{
    return credentials_set_group(c, ids[0]);
}

static err_t edit_users(struct credentials *c, const uint32_t *ids)
{
    return credentials_set_users(c, ids[0], ids[1], ids[2]);
}

static err_t edit_groups(struct credentials *c, const uint32_t *ids)
{
    return credentials_set_groups(c, ids[0], ids[1], ids[2]);
}

LINUX_CALL(setuid)
{
    uint32_t ids[] = { (uint32_t)ARG(0) };
    return change(edit_user, ids);
}

LINUX_CALL(setgid)
{
    uint32_t ids[] = { (uint32_t)ARG(0) };
    return change(edit_group, ids);
}

LINUX_CALL(setresuid)
{
    uint32_t ids[] = { (uint32_t)ARG(0), (uint32_t)ARG(1), (uint32_t)ARG(2) };
    return change(edit_users, ids);
}

LINUX_CALL(setresgid)
{
    uint32_t ids[] = { (uint32_t)ARG(0), (uint32_t)ARG(1), (uint32_t)ARG(2) };
    return change(edit_groups, ids);
}

// setreuid and setregid also change the saved id, when the real one is set or the effective one
// moves away from the real one (setreuid(2)).
static uint32_t saved_after(uint32_t real, uint32_t effective, uint32_t old_real,
                            uint32_t old_effective)
{
    bool changes = real != UINT32_MAX || (effective != UINT32_MAX && effective != old_real);
    if (!changes)
        return UINT32_MAX;
    return effective != UINT32_MAX ? effective : old_effective;
}

LINUX_CALL(setreuid)
{
    struct credentials c;
    credentials_look(process_current(), &c);
    uint32_t ids[] = { (uint32_t)ARG(0), (uint32_t)ARG(1), 0 };
    ids[2] = saved_after(ids[0], ids[1], c.user, c.effective_user);
    return change(edit_users, ids);
}

LINUX_CALL(setregid)
{
    struct credentials c;
    credentials_look(process_current(), &c);
    uint32_t ids[] = { (uint32_t)ARG(0), (uint32_t)ARG(1), 0 };
    ids[2] = saved_after(ids[0], ids[1], c.group, c.effective_group);
    return change(edit_groups, ids);
}

static err_t edit_file_user(struct credentials *c, const uint32_t *ids)
{
    return credentials_set_file_user(c, ids[0]);
}

static err_t edit_file_group(struct credentials *c, const uint32_t *ids)
{
    if (!credentials_have(c, CAPABILITY_SETGID) && ids[0] != c->group &&
        ids[0] != c->effective_group && ids[0] != c->saved_group && ids[0] != c->file_group)
        return -EPERM;
    c->file_group = ids[0];
    return 0;
}

// These two tell of no error: they answer with the id that was (setfsuid(2)).
LINUX_CALL(setfsuid)
{
    struct credentials c;
    credentials_look(process_current(), &c);
    uint32_t old = c.file_user, ids[] = { (uint32_t)ARG(0) };
    if (ids[0] != UINT32_MAX)
        (void)change(edit_file_user, ids);
    return old;
}

LINUX_CALL(setfsgid)
{
    struct credentials c;
    credentials_look(process_current(), &c);
    uint32_t old = c.file_group, ids[] = { (uint32_t)ARG(0) };
    if (ids[0] != UINT32_MAX)
        (void)change(edit_file_group, ids);
    return old;
}

static int64_t three_out(struct trap_frame *f, uint32_t a, uint32_t b, uint32_t c)
{
    err_t e = user_put_u32(ARG(0), a);
    if (!e)
        e = user_put_u32(ARG(1), b);
    return e ? e : user_put_u32(ARG(2), c);
}

LINUX_CALL(getresuid)
{
    struct credentials c;
    credentials_look(process_current(), &c);
    return three_out(f, c.user, c.effective_user, c.saved_user);
}

LINUX_CALL(getresgid)
{
    struct credentials c;
    credentials_look(process_current(), &c);
    return three_out(f, c.group, c.effective_group, c.saved_group);
}

LINUX_CALL(getgroups)
{
    struct credentials *c = credentials_of(process_current());
    int room = ARG_INT(0);
    int64_t result = c->group_count;
    if (room < 0 || (room && (unsigned)room < c->group_count))
        result = -EINVAL;
    else if (room && user_copy_out(ARG(1), c->groups, c->group_count * sizeof(c->groups[0])))
        result = -EFAULT;
    credentials_put(c);
    return result;
}

static void groups_sort(uint32_t *groups, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        for (unsigned j = i; j && groups[j - 1] > groups[j]; j--) {
            uint32_t t = groups[j];
            groups[j] = groups[j - 1];
            groups[j - 1] = t;
        }
    }
}

LINUX_CALL(setgroups)
{
    uint64_t count = ARG(0);
    if (!process_has(CAPABILITY_SETGID))
        return -EPERM;
    if (count > GROUPS_MAX)
        return -EINVAL;
    struct credentials *now = credentials_of(process_current());
    struct credentials *c = credentials_copy(now, (unsigned)count);
    credentials_put(now);
    if (!c)
        return -ENOMEM;
    err_t e = user_copy_in(c->groups, ARG(1), count * sizeof(c->groups[0]));
    if (e) {
        credentials_put(c);
        return e;
    }
    groups_sort(c->groups, (unsigned)count);
    process_publish_credentials(process_current(), c);
    return 0;
}

LINUX_CALL(setpgid)
{
    return process_set_group(ARG_INT(0), ARG_INT(1));
}

LINUX_CALL(setsid)
{
    int32_t session;
    err_t e = process_make_session(&session);
    return e ? e : session;
}

// A number of a process (0: the caller), by a function that reads one thing of it under the tree
// lock.
static int64_t ask(int32_t number, int32_t (*read)(struct process *p))
{
    struct process *p = process_current();
    if (number && process_find(number, &p))
        return -ESRCH;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    int32_t answer = p->group ? read(p) : -ESRCH;
    spin_unlock_irq(&process_tree_lock, flags);
    if (number)
        process_put(p);
    return answer;
}

static int32_t read_group(struct process *p)
{
    return p->group->number;
}

static int32_t read_session(struct process *p)
{
    return p->session;
}

LINUX_CALL(getpgid)
{
    return ask(ARG_INT(0), read_group);
}

LINUX_CALL(getpgrp)
{
    return ask(0, read_group);
}

LINUX_CALL(getsid)
{
    return ask(ARG_INT(0), read_session);
}
