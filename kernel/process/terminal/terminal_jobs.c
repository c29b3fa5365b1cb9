// SPDX-License-Identifier: GPL-3.0-or-later
// Job control: whose terminal it is, which group is in the foreground, and what happens to the
// others. The session, the group and process.terminal are guarded by process_tree_lock.
#include "kernel/process/terminal/terminal_inside.h"

static struct signal_info from_kernel(int signal)
{
    return (struct signal_info){ .number = signal, .code = SIGNAL_FROM_KERNEL };
}

// The foreground group, and whether the calling process stands behind it.
static bool in_background(struct terminal *t, int32_t *own_group)
{
    struct process *p = process_current();
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    *own_group = p->group->number;
    bool background = p->terminal == t && t->foreground != 0 && t->foreground != *own_group;
    spin_unlock_irq(&process_tree_lock, flags);
    return background;
}

// True when the calling task would not notice the signal.
static bool turned_off(int signal)
{
    struct task *task = task_current();
    struct signal_handlers *h = task->process->handlers;
    uint64_t flags = spin_lock_irq(&h->lock);
    bool off = (task->mask & SIGNAL_BIT(signal)) || h->actions[signal].handler == ACTION_IGNORE;
    spin_unlock_irq(&h->lock, flags);
    return off;
}

err_t terminal_check_foreground(struct terminal *t, int signal)
{
    int32_t group;
    if (!task_current() || !in_background(t, &group))
        return 0;
    if (turned_off(signal))
        return signal == SIGNAL_TERMINAL_IN ? -EIO : 0;
    if (process_group_orphaned(group))
        return -EIO;
    struct signal_info info = from_kernel(signal);
    (void)signal_send_group(group, &info);
    return -ERESTARTSYS;
}

void terminal_signal(struct terminal *t, int signal)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    int32_t group = t->foreground;
    spin_unlock_irq(&process_tree_lock, flags);
    struct signal_info info = from_kernel(signal);
    if (group)
        (void)signal_send_group(group, &info);
}

// Makes it the caller's session's; the tree lock is held.
static void take_locked(struct terminal *t, struct process *p)
{
    p->terminal = t;
    t->session = p->session;
    t->foreground = p->group->number;
}

void terminal_open_controls(struct terminal *t, unsigned flags)
{
    struct task *task = task_current();
    if (!task || t->never_controls || (flags & OPEN_NO_TERMINAL))
        return;
    struct process *p = task->process;
    uint64_t irq = spin_lock_irq(&process_tree_lock);
    if (p->session_leader && !p->terminal && !t->session)
        take_locked(t, p);
    spin_unlock_irq(&process_tree_lock, irq);
}

static bool forget(struct process *p, void *terminal)
{
    if (p->terminal == terminal)
        p->terminal = NULL;
    return true;
}

err_t terminal_take(struct terminal *t, bool steal)
{
    struct process *p = process_current();
    bool may_steal = steal && process_has(CAPABILITY_SYS_ADMIN);
    err_t e = 0;
    bool robbed = false;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    if (p->terminal == t && p->session_leader)
        goto unlock; // has it already
    if (!p->session_leader || p->terminal || (t->session && !may_steal)) {
        e = -EPERM;
        goto unlock;
    }
    robbed = t->session != 0;
    t->session = 0;
unlock:
    spin_unlock_irq(&process_tree_lock, flags);
    if (e || p->terminal == t)
        return e;
    if (robbed)
        process_visit(0, forget, t);

    flags = spin_lock_irq(&process_tree_lock);
    if (t->session)
        e = -EPERM; // another leader was faster
    else
        take_locked(t, p);
    spin_unlock_irq(&process_tree_lock, flags);
    return e;
}

// Takes the terminal from its session; the old leader and foreground group are to be told.
static void detach(struct terminal *t, int32_t *session, int32_t *foreground)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    *session = t->session;
    *foreground = t->foreground;
    t->session = t->foreground = 0;
    spin_unlock_irq(&process_tree_lock, flags);
    if (*session)
        process_visit(0, forget, t);
}

static void tell_hangup(int32_t session, int32_t foreground)
{
    static const int signals[] = { SIGNAL_HANGUP, SIGNAL_CONTINUE };
    for (size_t i = 0; i < array_len(signals); i++) {
        struct signal_info info = from_kernel(signals[i]);
        struct process *leader;
        if (session && !process_find(session, &leader)) {
            if (leader->session == session)
                (void)signal_send_process(leader, &info);
            process_put(leader);
        }
        if (foreground && foreground != session)
            (void)signal_send_group(foreground, &info);
    }
}

err_t terminal_leave(struct terminal *t)
{
    struct process *p = process_current();
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    bool ours = p->terminal == t, leader = p->session_leader;
    if (ours && !leader)
        p->terminal = NULL;
    spin_unlock_irq(&process_tree_lock, flags);
    if (!ours)
        return -ENOTTY;
    if (leader) {
        int32_t session, foreground;
        detach(t, &session, &foreground);
        tell_hangup(0, foreground);
    }
    return 0;
}

void terminal_hangup(struct terminal *t)
{
    mutex_lock(&t->lock);
    __atomic_fetch_add(&t->generation, 1, __ATOMIC_RELEASE);
    line_flush_input(&t->line);
    line_flush_output(&t->line);
    line_start(&t->line);
    mutex_unlock(&t->lock);

    int32_t session, foreground;
    detach(t, &session, &foreground);
    tell_hangup(session, foreground);
    wait_wake_all(&t->input_wait);
    wait_wake_all(&t->output_wait);
}

void terminal_leader_exit(struct process *leader)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct terminal *t = leader->terminal;
    if (t)
        terminal_get(t);
    spin_unlock_irq(&process_tree_lock, flags);
    if (!t)
        return;
    terminal_hangup(t);
    terminal_put(t);
}

// Only its own session may ask about a terminal.
static err_t check_own_locked(struct terminal *t)
{
    return process_current()->terminal == t ? 0 : -ENOTTY;
}

err_t terminal_get_group(struct terminal *t, int32_t *group)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    err_t e = check_own_locked(t);
    *group = t->foreground;
    spin_unlock_irq(&process_tree_lock, flags);
    return e;
}

err_t terminal_get_session(struct terminal *t, int32_t *session)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    err_t e = check_own_locked(t);
    *session = t->session;
    spin_unlock_irq(&process_tree_lock, flags);
    return e;
}

err_t terminal_set_group(struct terminal *t, int32_t group)
{
    if (group < 0)
        return -EINVAL;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    err_t e = check_own_locked(t);
    int32_t session = t->session;
    spin_unlock_irq(&process_tree_lock, flags);
    if (e)
        return e;
    e = terminal_check_foreground(t, SIGNAL_TERMINAL_OUT);
    if (e)
        return e;
    if (!process_group_exists(group, session))
        return -EPERM;

    flags = spin_lock_irq(&process_tree_lock);
    e = check_own_locked(t);
    if (!e)
        t->foreground = group;
    spin_unlock_irq(&process_tree_lock, flags);
    return e;
}

void terminal_of_process(struct process *p, uint64_t *device, int32_t *foreground)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    *device = p->terminal ? p->terminal->number : 0;
    *foreground = p->terminal ? p->terminal->foreground : -1;
    spin_unlock_irq(&process_tree_lock, flags);
}
