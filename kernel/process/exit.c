// SPDX-License-Identifier: GPL-3.0-or-later
// The end of tasks and processes. The last task to leave takes the process apart, in its own
// context.
#include "kernel/console/panic.h"
#include "kernel/process/context/context.h"
#include "kernel/process/helper.h"
#include "kernel/process/internal.h"
#include "kernel/process/semaphores.h"
#include "kernel/process/timers.h"
#include "kernel/process/trace/tracer.h"

static void (*session_end)(struct process *leader);

void process_set_session_hook(void (*end)(struct process *leader))
{
    session_end = end;
}

struct process *process_init_process(void)
{
    static struct process *init;
    struct process *p;
    if (!init && !process_find(1, &p))
        init = p; // the reference is kept for ever
    return init;
}

void process_release_vfork(struct process *p)
{
    if (!p->vfork_borrowed)
        return;
    __atomic_store_n(&p->vfork_borrowed, false, __ATOMIC_RELEASE);
    wait_wake_all(&p->exit_wait);
}

// Leaves the address space; from here on the thread is a kernel thread.
static void leave_space(struct task *t)
{
    struct space *s = t->thread.space;
    if (!s)
        return;
    preempt_off();
    t->thread.space = NULL;
    space_load(NULL);
    preempt_on();
    space_put(s);
}

void child_times_add(struct child_times *to, const struct child_times *times)
{
    to->user += times->user;
    to->system += times->system;
    to->faults_minor += times->faults_minor;
    to->faults_major += times->faults_major;
    to->switches_voluntary += times->switches_voluntary;
    to->switches_forced += times->switches_forced;
    to->resident_peak = max_of(to->resident_peak, times->resident_peak);
}

static struct child_times task_times(struct task *t)
{
    struct child_times times = {
        .faults_minor = t->thread.faults_minor,
        .faults_major = t->thread.faults_major,
        .switches_voluntary = t->thread.switches_voluntary,
        .switches_forced = t->thread.switches_forced,
    };
    thread_times(&t->thread, &times.user, &times.system);
    return times;
}

void process_times_locked(struct process *p, struct child_times *times)
{
    *times = p->own;
    list_for_each (link, &p->tasks) {
        struct child_times one = task_times(list_entry(link, struct task, process_link));
        child_times_add(times, &one);
    }
}

void process_times(struct process *p, struct child_times *times)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    process_times_locked(p, times);
    spin_unlock_irq(&p->signal_lock, flags);
}

// Children go to the nearest ancestor that asked for them, or to init; those of a thread to the
// first context of its program.
static struct process *heir_of_locked(struct process *p)
{
    if (program_first_locked(p) != p)
        return program_first_locked(p);
    for (struct process *a = p->parent; a; a = a->parent) {
        if (a->child_subreaper && !a->exiting)
            return a;
    }
    return process_init_process();
}

static bool parent_wants_no_zombie_locked(struct process *p)
{
    if (!p->parent)
        return true;
    struct signal_action a = signal_action_of(p->parent, SIGNAL_CHILD);
    return a.handler == ACTION_IGNORE || (a.flags & ACTION_NO_CHILD_WAIT);
}

bool process_report_end_locked(struct process *p)
{
    int signal = p->exit_status & 0x7f;
    if (tracee_hides_end_locked(p)) {
        tracee_tell_end_locked(p);
        return false;
    }
    bool unwanted =
        program_hides_locked(p) || (!p->leader_trace && parent_wants_no_zombie_locked(p));
    notify_parent_locked(p, signal ? CHILD_KILLED : CHILD_EXITED,
                         signal ? signal : p->exit_status >> 8 & 0xff);
    if (unwanted)
        process_remove_locked(p);
    return unwanted;
}

// Returns whether the child is to be put, as above.
static bool hand_over_locked(struct process *child, struct process *heir)
{
    list_remove(&child->sibling);
    child->parent = heir;
    list_push_back(&heir->children, &child->sibling);
    if (child->death_signal) {
        struct signal_info info = { .number = child->death_signal };
        (void)signal_send_process(child, &info);
    }
    child->exit_signal = SIGNAL_CHILD;
    return child->zombie && process_report_end_locked(child);
}

// True when the parent could continue our group, so that our end may orphan it.
static bool links_own_group(struct process *p)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    struct process *parent = p->parent;
    bool links =
        parent && parent->group && parent->group != p->group && parent->session == p->session;
    spin_unlock_irq(&process_tree_lock, flags);
    return links;
}

// One by one, since each may leave a stopped group behind that nobody could continue any more.
// Groups that were orphaned before are left alone.
static void give_children_away(struct process *p)
{
    (void)process_init_process(); // found before the lock is taken
    int32_t own = process_group_of(p);
    for (;;) {
        int32_t group = 0;
        struct process *unwanted = NULL;
        uint64_t flags = spin_lock_irq(&process_tree_lock);
        bool none = list_empty(&p->children);
        if (!none) {
            struct process *child = list_first(&p->children, struct process, sibling);
            if (hand_over_locked(child, heir_of_locked(p)))
                unwanted = child;
            else if (child->stopped && child->group && child->session == p->session)
                group = child->group->number;
        }
        spin_unlock_irq(&process_tree_lock, flags);
        process_put(unwanted);
        if (none)
            break;
        if (group && group != own)
            group_check_orphaned(group);
    }
    if (links_own_group(p))
        group_check_orphaned(own);
}

static void drop_parts(struct process *p)
{
    interval_timers_drop(p);
    process_timers_drop(p);
    semaphores_exit(p);
    if (p->abi->process_exit)
        p->abi->process_exit(p);

    struct descriptors *d = p->descriptors;
    struct space *s = p->space;
    struct place *place = p->place;
    struct name *program = p->program;
    if (s)
        p->own.resident_peak = s->resident_peak;
    uint64_t flags = spin_lock_irq(&p->lock);
    p->descriptors = NULL;
    p->space = NULL;
    p->place = NULL;
    p->program = NULL;
    spin_unlock_irq(&p->lock, flags);
    // Memory first: who wakes when files close may need it.
    if (s)
        space_put(s);
    if (d)
        context_table_put(p, d);
    place_put(place);
    names_drop(p);
    if (program)
        name_put(program);
}

static void become_zombie(struct process *p)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    p->zombie = true;
    p->stopped = false;
    bool unwanted = process_report_end_locked(p);
    spin_unlock_irq(&process_tree_lock, flags);
    wait_wake_all(&p->exit_wait);
    program_leave(p);
    if (unwanted)
        process_put(p);
}

static void process_end(struct process *p)
{
    if (p->is_init)
        panic("init ended with status %d: nothing is left to run", p->exit_status);
    process_release_vfork(p);
    program_end(p);
    context_requests_fail(p);
    if (p->session_leader && session_end)
        session_end(p);
    drop_parts(p);
    give_children_away(p);
    become_zombie(p);
}

// Takes the task out of its process. Returns whether it was the last.
static bool leave_process(struct task *t, int status)
{
    struct process *p = t->process;
    struct child_times times = task_times(t);
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    t->ended = true;
    list_remove(&t->process_link);
    child_times_add(&p->own, &times);
    bool last = --p->task_count == 0;
    p->helper_count -= t->helper ? 1 : 0;
    bool over = p->task_count == p->helper_count; // nothing is left that runs the program
    if (over && !p->exiting)
        p->exit_status = status;
    if (over)
        __atomic_store_n(&p->exiting, true, __ATOMIC_RELEASE);
    if (over)
        list_for_each (link, &p->tasks)
            task_notify(list_entry(link, struct task, process_link));
    else
        signal_retarget_locked(p);
    int stop = p->task_count && p->tasks_stopped == p->task_count ? p->stop_signal : 0;
    spin_unlock_irq(&p->signal_lock, flags);
    if (stop)
        process_stopped(p, stop);
    wait_wake_all(&p->stop_wait); // exec waits here for the others to go
    return last;
}

void task_exit(int status)
{
    struct task *t = task_current();
    struct process *p = t->process;
    if (t->helper)
        t->helper->ended(t->helper_data);
    trace_exit(p->exiting ? p->exit_status : status);
    tracer_end(t);
    if (p->abi->task_exit)
        p->abi->task_exit(t);
    bool last = leave_process(t, status);
    task_remove(t);
    leave_space(t);
    trace_gone(t, p->exiting ? p->exit_status : status);
    if (last)
        process_end(p);
    thread_exit();
}

void process_kill_all_tasks(struct process *p, int status)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    if (!p->exiting) {
        p->exit_status = status;
        __atomic_store_n(&p->exiting, true, __ATOMIC_RELEASE);
    }
    list_for_each (link, &p->tasks)
        task_notify(list_entry(link, struct task, process_link));
    wait_wake_all(&p->stop_wait);
    spin_unlock_irq(&p->signal_lock, flags);
}

void process_exit(int status)
{
    process_kill_all_tasks(process_current(), status);
    task_exit(status);
}

err_t process_end_other_tasks(void)
{
    struct task *t = task_current();
    struct process *p = t->process;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    if (p->exiting || p->exec_task) { // another was faster: we end on our way to user mode
        spin_unlock_irq(&p->signal_lock, flags);
        thread_set_work(&t->thread, WORK_SIGNAL);
        return -EINTR;
    }
    __atomic_store_n(&p->exec_task, t, __ATOMIC_RELEASE);
    wait_wake_all(&p->stop_wait);
    list_for_each (link, &p->tasks) {
        struct task *other = list_entry(link, struct task, process_link);
        if (other != t)
            task_notify(other);
    }
    spin_unlock_irq(&p->signal_lock, flags);
    (void)wait_until_uninterrupted(
        &p->stop_wait, __atomic_load_n(&p->task_count, __ATOMIC_ACQUIRE) == 1, WAIT_FOREVER);
    if (t->number != p->number)
        task_take_number(t, p->number);
    flags = spin_lock_irq(&p->signal_lock);
    __atomic_store_n(&p->exec_task, NULL, __ATOMIC_RELEASE);
    spin_unlock_irq(&p->signal_lock, flags);
    return 0;
}
