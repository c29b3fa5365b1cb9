// SPDX-License-Identifier: GPL-3.0-or-later
// Programs: contexts that share a space (context.h has the rules). `first` changes under the tree
// lock and program_lock, so either is enough to read it; the list of members under program_lock.
#include "kernel/process/context/inside.h"

struct spinlock program_lock = SPINLOCK_INIT(RANK_PROGRAM);

struct process *program_first_locked(struct process *p)
{
    return p->context.first;
}

bool program_hides_locked(const struct process *p)
{
    if (p->context.life != CONTEXT_STARTED)
        return true;
    return p->context.first != p && p->parent && p->parent->context.first == p->context.first;
}

void program_visit(struct process *p, void (*act)(struct process *p, int number), int number)
{
    uint64_t flags = spin_lock_irq(&program_lock);
    struct process *first = p->context.first;
    act(first, number);
    list_for_each (link, &first->context.members)
        act(list_entry(link, struct process, context.link), number);
    spin_unlock_irq(&program_lock, flags);
}

static void end_one(struct process *p, int status)
{
    process_kill_all_tasks(p, status);
}

void program_die(int status)
{
    program_visit(process_current(), end_one, status);
    process_exit(status);
}

static bool has_members(struct process *p)
{
    uint64_t flags = spin_lock_irq(&program_lock);
    bool has = !list_empty(&p->context.members);
    spin_unlock_irq(&program_lock, flags);
    return has;
}

static void end_members(struct process *p)
{
    uint64_t flags = spin_lock_irq(&program_lock);
    list_for_each (link, &p->context.members)
        end_one(list_entry(link, struct process, context.link), p->exit_status);
    spin_unlock_irq(&program_lock, flags);
}

// New ones cannot join meanwhile: program_join() looks at `closing` under the lock.
void program_end(struct process *p)
{
    uint64_t flags = spin_lock_irq(&program_lock);
    p->context.closing = true;
    spin_unlock_irq(&program_lock, flags);
    if (!has_members(p))
        return;
    end_members(p);
    (void)wait_until_uninterrupted(&p->exit_wait, !has_members(p), WAIT_FOREVER);
}

void program_leave(struct process *p)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    spin_lock(&program_lock);
    struct process *first = p->context.first;
    list_remove(&p->context.link);
    p->context.first = p;
    p->context.closing = false;
    spin_unlock(&program_lock);
    spin_unlock_irq(&process_tree_lock, flags);
    if (first == p)
        return;
    wait_wake_all(&first->exit_wait);
    wait_wake_all(&first->child_wait); // it may have become one that is waited for
    process_put(first);
}

struct program_search {
    struct process *self, *found;
};

static bool shares_space(struct process *p, void *data)
{
    struct program_search *s = data;
    if (p != s->self && p->space == s->self->space && p->context.life == CONTEXT_STARTED)
        process_get(s->found = p->context.first);
    return !s->found;
}

// Whose program the space is, with a reference; NULL: nobody's. The caller's own comes first, since
// that is nearly always right and needs no search.
static struct process *owner_of_space(struct process *p)
{
    struct program_search s = { .self = p };
    struct process *self = process_current();
    if (self != p && self->space == p->space) {
        uint64_t flags = spin_lock_irq(&program_lock);
        process_get(s.found = self->context.first);
        spin_unlock_irq(&program_lock, flags);
        return s.found;
    }
    if (!p->context.shares_space)
        return NULL;
    process_visit(0, shares_space, &s);
    return s.found;
}

err_t program_join(struct process *p)
{
    struct process *first = owner_of_space(p);
    if (!first)
        return 0;
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    spin_lock(&program_lock);
    bool open = !first->context.closing && first->context.first == first;
    if (open) {
        p->context.first = first;
        list_push_back(&first->context.members, &p->context.link);
    }
    spin_unlock(&program_lock);
    spin_unlock_irq(&process_tree_lock, flags);
    if (!open)
        process_put(first);
    return open ? 0 : -ESRCH;
}
