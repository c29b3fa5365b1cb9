// SPDX-License-Identifier: GPL-3.0-or-later
// Sending signals on behalf of a program: one process, a group, or all; each asked whether it may.
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"

struct signal_info signal_from_caller(int number, int code)
{
    struct process *p = process_current();
    return (struct signal_info){
        .number = number, .code = code, .sender = p->number, .sender_user = process_user(p)
    };
}

err_t signal_send_allowed(struct process *p, const struct signal_info *info)
{
    err_t e = signal_allowed(p, info->number);
    if (e || info->number == 0)
        return e;
    return signal_send_process(p, info);
}

enum { EVERYBODY = 0 }; // no group has that number

// Of a program of several contexts only the first is meant. Everybody: but init and the caller's
// own program.
static bool is_meant(struct process *p, int32_t group)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    bool alive = !p->zombie && program_first_locked(p) == p;
    bool meant = group == EVERYBODY ? !p->is_init && p != program_first_locked(process_current())
                                    : p->group && p->group->number == group;
    spin_unlock_irq(&process_tree_lock, flags);
    return alive && meant;
}

// Success when there was one that could be told.
static err_t send_many(int32_t group, const struct signal_info *info)
{
    err_t result = -ESRCH;
    struct process *p;
    for (int32_t next = 1; (p = process_next(next)); next = p->number + 1, process_put(p)) {
        err_t e = is_meant(p, group) ? signal_send_allowed(p, info) : -ESRCH;
        if (!e || result == -ESRCH)
            result = e;
    }
    return result;
}

err_t signal_kill(int32_t which, const struct signal_info *info)
{
    if (which == -1)
        return send_many(EVERYBODY, info);
    if (which == 0)
        return send_many(process_group_of(process_current()), info);
    if (which < 0)
        return which == INT32_MIN ? -ESRCH : send_many(-which, info);
    struct process *p = process_current();
    if (which == p->number)
        return signal_send_allowed(p, info);
    err_t e = process_find(which, &p);
    if (e)
        return e;
    e = signal_send_allowed(p, info);
    process_put(p);
    return e;
}
