// SPDX-License-Identifier: GPL-3.0-or-later
// Process groups and sessions: what job control stands on. Guards: process_tree_lock.
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"
#include "kernel/memory/heap.h"

static bool signal_hook(struct thread *thread)
{
    return thread->owner && signal_pending(thread->owner);
}

static bool doom_hook(struct thread *thread)
{
    return thread->owner && signal_is_doom(thread->owner);
}

void job_control_init(void)
{
    thread_set_signal_hook(signal_hook, doom_hook);
}

err_t signal_send_group(int32_t number, const struct signal_info *info)
{
    err_t e = -ESRCH;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process_group *g = group_find_locked(number);
    if (g) {
        list_for_each (link, &g->members) {
            struct process *p = list_entry(link, struct process, group_link);
            if (!p->zombie && program_first_locked(p) == p)
                (void)signal_send_process(p, info);
            e = 0;
        }
    }
    spin_unlock_irq(&process_tree_lock, flags);
    return e;
}

bool process_group_exists(int32_t group, int32_t session)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process_group *g = group_find_locked(group);
    bool exists = g && g->session == session;
    spin_unlock_irq(&process_tree_lock, flags);
    return exists;
}

// A group is orphaned when no member has a living parent in another group of the same session:
// nobody is there who could continue it (POSIX, 3.264).
static bool orphaned_locked(const struct process_group *g)
{
    list_for_each (link, &g->members) {
        struct process *p = list_entry(link, struct process, group_link);
        struct process *parent = p->parent;
        if (!p->zombie && parent && !parent->is_init && parent->group && parent->group != g &&
            parent->session == g->session)
            return false;
    }
    return true;
}

bool process_group_orphaned(int32_t group)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process_group *g = group_find_locked(group);
    bool orphaned = !g || orphaned_locked(g);
    spin_unlock_irq(&process_tree_lock, flags);
    return orphaned;
}

void group_check_orphaned(int32_t group)
{
    bool hang_up = false;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process_group *g = group_find_locked(group);
    if (g && orphaned_locked(g)) {
        list_for_each (link, &g->members)
            hang_up |= list_entry(link, struct process, group_link)->stopped;
    }
    spin_unlock_irq(&process_tree_lock, flags);
    if (!hang_up)
        return;
    struct signal_info info = { .number = SIGNAL_HANGUP, .code = SIGNAL_FROM_KERNEL };
    (void)signal_send_group(group, &info);
    info.number = SIGNAL_CONTINUE;
    (void)signal_send_group(group, &info);
}

// Finds whom setpgid means: oneself or a child that has not called exec (POSIX, setpgid()).
static err_t group_candidate_locked(struct process *self, int32_t number, struct process **process)
{
    if (number == 0 || number == self->number) {
        *process = self;
        return self->session_leader ? -EPERM : 0;
    }
    list_for_each (link, &self->children) {
        struct process *p = list_entry(link, struct process, sibling);
        if (p->number != number || p->zombie)
            continue;
        *process = p;
        if (p->has_execed)
            return -EACCES;
        return p->session != self->session || p->session_leader ? -EPERM : 0;
    }
    return -ESRCH;
}

err_t process_set_group(int32_t number, int32_t group)
{
    struct process *self = process_current();
    if (group < 0 || number < 0)
        return -EINVAL;
    struct process_group *fresh = group_make(0, self->session);
    if (!fresh)
        return -ENOMEM;

    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process *p = NULL;
    err_t e = group_candidate_locked(self, number, &p);
    if (e)
        goto unlock;
    if (group == 0)
        group = p->number;
    struct process_group *g = group_find_locked(group);
    if (g ? g->session != p->session : group != p->number) {
        e = -EPERM;
        goto unlock;
    }
    if (!g) {
        g = fresh;
        fresh = NULL;
        g->number = group;
        group_add_locked(g);
    }
    if (p->group != g)
        group_move_locked(p, g);
unlock:
    spin_unlock_irq(&process_tree_lock, flags);
    heap_free(fresh);
    return e;
}

err_t process_make_session_of(struct process *self)
{
    struct process_group *g = group_make(self->number, self->number);
    if (!g)
        return -ENOMEM;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    bool taken = self->zombie || group_find_locked(self->number);
    if (!taken) {
        group_add_locked(g);
        group_move_locked(self, g);
        self->session = self->number;
        self->session_leader = true;
        self->terminal = NULL;
    }
    spin_unlock_irq(&process_tree_lock, flags);
    if (taken) {
        heap_free(g);
        return -EPERM;
    }
    return 0;
}

err_t process_make_session(int32_t *session)
{
    struct process *self = process_current();
    err_t e = process_make_session_of(self);
    *session = e ? 0 : self->number;
    return e;
}
