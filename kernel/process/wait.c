// SPDX-License-Identifier: GPL-3.0-or-later
// Waiting for children. Guards: process_tree_lock.
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"
#include "kernel/process/trace/tracer.h"
#include "kernel/process/wait.h"

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

static void report_zombie_locked(struct wait_look *l, struct process *child)
{
    int signal = child->exit_status & 0x7f;
    fill(l->result, child, signal ? CHILD_KILLED : CHILD_EXITED,
         signal ? signal : child->exit_status >> 8 & 0xff, child->exit_status);
    l->result->times = child->own;
    child_times_add(&l->result->times, &child->children_times);
    if (l->options & WAIT_LEAVE)
        return;
    child_times_add(&l->self->children_times, &l->result->times);
    l->gone = tracee_reaped_locked(child);
    process_remove_locked(child);
    l->reaped = child;
}

// Tells of one child what there is to tell. Stops of one that the caller traces are told as such.
static bool report_locked(struct wait_look *l, struct process *child)
{
    if (child->zombie && (l->options & WAIT_EXITED)) {
        if (tracee_hides_end_locked(child))
            return false;
        report_zombie_locked(l, child);
        return true;
    }
    if (tracee_is_own_locked(child, l->self))
        return false;
    if (child->stopped && child->report_stop && (l->options & WAIT_STOPPED)) {
        int signal = child->stop_signal;
        fill(l->result, child, CHILD_STOPPED, signal, signal << 8 | 0x7f);
        child->report_stop = l->options & WAIT_LEAVE;
        return true;
    }
    if (child->report_continue && (l->options & WAIT_CONTINUED)) {
        fill(l->result, child, CHILD_CONTINUED, SIGNAL_CONTINUE, 0xffff);
        child->report_continue = l->options & WAIT_LEAVE;
        return true;
    }
    return false;
}

static void look_at_children_locked(struct wait_look *l, struct process *parent)
{
    list_for_each (link, &parent->children) {
        struct process *child = list_entry(link, struct process, sibling);
        if (l->found == 1)
            return;
        if (!wanted(l->self, child, l->which))
            continue;
        l->found = report_locked(l, child);
    }
}

// One look at the children of the whole program, and at those it traces.
static int look(int32_t which, unsigned options, struct wait_result *r)
{
    struct wait_look l = { process_current(), which, options, r, -ECHILD, NULL, NULL };
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process *first = program_first_locked(l.self);
    look_at_children_locked(&l, first);
    spin_lock(&program_lock);
    list_for_each (link, &first->context.members)
        look_at_children_locked(&l, list_entry(link, struct process, context.link));
    spin_unlock(&program_lock);
    if (l.found != 1)
        l.found = tracees_look_locked(l.self, &l);
    spin_unlock_irq(&process_tree_lock, flags);
    tracee_put(l.gone);
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
