// SPDX-License-Identifier: GPL-3.0-or-later
// Waiting for children. Guards: process_tree_lock.
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"

static bool wanted(const struct process *self, const struct process *child, int32_t which)
{
    if (program_hides_locked(child))
        return false;
    if (which > 0)
        return child->number == which;
    if (which == -1)
        return true;
    int32_t group = which == 0 ? self->group->number : -which;
    return child->group && child->group->number == group;
}

static void fill(struct wait_result *r, const struct process *child, int code, int status, int raw)
{
    struct credentials c;
    credentials_look((struct process *)child, &c);
    *r = (struct wait_result){
        .number = child->number,
        .user = c.user,
        .code = code,
        .status = status,
        .raw = raw,
    };
}

// Tells of one child what there is to tell; *reaped is set when it must be put by the caller.
static bool report_locked(struct process *self, struct process *child, unsigned options,
                          struct wait_result *r, struct process **reaped)
{
    if (child->zombie && (options & WAIT_EXITED)) {
        int signal = child->exit_status & 0x7f;
        fill(r, child, signal ? CHILD_KILLED : CHILD_EXITED,
             signal ? signal : child->exit_status >> 8 & 0xff, child->exit_status);
        r->times = child->own;
        child_times_add(&r->times, &child->children_times);
        if (!(options & WAIT_LEAVE)) {
            child_times_add(&self->children_times, &r->times);
            process_remove_locked(child);
            *reaped = child;
        }
        return true;
    }
    if (child->stopped && child->report_stop && (options & WAIT_STOPPED)) {
        fill(r, child, CHILD_STOPPED, child->stop_signal, child->stop_signal << 8 | 0x7f);
        child->report_stop = options & WAIT_LEAVE;
        return true;
    }
    if (child->report_continue && (options & WAIT_CONTINUED)) {
        fill(r, child, CHILD_CONTINUED, SIGNAL_CONTINUE, 0xffff);
        child->report_continue = options & WAIT_LEAVE;
        return true;
    }
    return false;
}

struct look {
    struct process *self;
    int32_t which;
    unsigned options;
    struct wait_result *result;
    struct process *reaped;
    int found; // 1 something was told, 0 nothing yet, -ECHILD nobody to wait for
};

static void look_at_children_locked(struct look *l, struct process *parent)
{
    list_for_each (link, &parent->children) {
        struct process *child = list_entry(link, struct process, sibling);
        if (l->found == 1)
            return;
        if (!wanted(l->self, child, l->which))
            continue;
        l->found = report_locked(l->self, child, l->options, l->result, &l->reaped);
    }
}

// One look at the children of the whole program.
static int look(int32_t which, unsigned options, struct wait_result *r)
{
    struct look l = { process_current(), which, options, r, NULL, -ECHILD };
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process *first = program_first_locked(l.self);
    look_at_children_locked(&l, first);
    spin_lock(&program_lock);
    list_for_each (link, &first->context.members)
        look_at_children_locked(&l, list_entry(link, struct process, context.link));
    spin_unlock(&program_lock);
    spin_unlock_irq(&process_tree_lock, flags);
    process_put(l.reaped);
    return l.found;
}

err_t process_wait(int32_t which, unsigned options, struct wait_result *result)
{
    struct wait_queue *queue = &program_first_locked(process_current())->child_wait;
    int found;
    *result = (struct wait_result){ 0 };
    if (options & WAIT_NO_HANG) {
        found = look(which, options, result);
        return found < 0 ? found : 0;
    }
    err_t e = wait_until(queue, (found = look(which, options, result)) != 0, WAIT_FOREVER);
    return e ? e : found < 0 ? found : 0;
}
