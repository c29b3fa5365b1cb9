// SPDX-License-Identifier: GPL-3.0-or-later
// fork, vfork, clone: a new task, in a new process or in the caller's.
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/process/filter/filter.h"
#include "kernel/process/internal.h"
#include "kernel/process/trace/trace.h"
#include "lib/string.h"

enum { PROCESSES_MAX = 32768, TASKS_MAX = 65536 };

// Takes over or copies what a process is made of; on failure what was taken goes with the process.
static err_t parts_inherit(struct process *p, struct process *from, const struct clone_request *r)
{
    p->abi = from->abi;
    process_set_credentials(p, credentials_of(from));
    memcpy(p->limits, from->limits, sizeof(p->limits));
    memcpy(p->name, from->name, sizeof(p->name));
    p->no_new_privileges = from->no_new_privileges;
    p->dumpable = from->dumpable;
    p->barriers = from->barriers;
    p->personality = from->personality;
    p->spare_auxiliary = from->spare_auxiliary;
    names_inherit(p, from);
    p->exit_signal = r->share & SHARE_PARENT ? from->exit_signal : r->exit_signal;
    if (from->program) {
        name_get(from->program);
        p->program = from->program;
    }

    if (r->share & SHARE_HANDLERS) {
        signal_handlers_get(from->handlers);
        p->handlers = from->handlers;
    } else {
        p->handlers = signal_handlers_copy(from->handlers);
        if (!p->handlers)
            return -ENOMEM;
        if (r->share & CLONE_CLEAR_HANDLERS)
            signal_handlers_exec(p->handlers);
    }

    if (r->share & SHARE_PLACE) {
        __atomic_fetch_add(&from->place->references, 1, __ATOMIC_RELAXED);
        p->place = from->place;
    } else {
        p->place = place_copy(from->place);
        if (!p->place)
            return -ENOMEM;
    }

    if (r->share & SHARE_DESCRIPTORS) {
        descriptors_get(from->descriptors);
        p->descriptors = from->descriptors;
    } else {
        err_t e = descriptors_copy(from->descriptors, &p->descriptors);
        if (e)
            return e;
    }

    if (r->share & SHARE_SPACE) {
        space_get(from->space);
        p->space = from->space;
        return 0;
    }
    err_t e = space_fork(from->space, &p->space);
    if (!e)
        process_mark_space(p);
    return e;
}

void process_parts_drop(struct process *p)
{
    if (p->space)
        space_put(p->space);
    if (p->descriptors)
        descriptors_put(p->descriptors);
    place_put(p->place);
    if (p->program)
        name_put(p->program);
    names_drop(p);
    p->space = NULL;
    p->descriptors = NULL;
    p->place = NULL;
    p->program = NULL;
}

// A bad address is the caller's own loss, not a reason to fail: the child exists (clone(2)).
static void store_number(uaddr_t at, int32_t number)
{
    if (at && user_put_u32(at, (uint32_t)number))
        log_debug("process: %d asked for its child's number at a bad address",
                  process_current()->number);
}

static void child_start(void *data)
{
    struct task *t = data;
    store_number(t->child_number_at, t->number);
    trap_enter_user();
}

// For the child of one that keeps its urgency to itself: sched(7), "Resetting scheduling policy".
static void reset_urgency(struct thread *t)
{
    if (t->ring.class == CLASS_FIFO || t->ring.class == CLASS_ROUND)
        (void)!thread_set_class(t, CLASS_FAIR, 0);
    if (t->ring.nice < 0)
        thread_set_nice(t, 0);
}

// The child's registers: the parent's, but for the result, the stack and the thread pointer.
static void child_registers(struct task *t, const struct task *parent,
                            const struct clone_request *r)
{
    struct trap_frame *f = trap_user_frame(t->thread.stack_top);
    *f = *r->frame;
    trap_set_result(f, 0);
    f->vector = 0; // the call is over for the child: nothing to restart
    if (parent->stepping)
        f->rflags &= ~(uint64_t)RFLAGS_TF;
    if (r->stack)
        f->rsp = r->stack;

    preempt_off();
    fpu_save_current(t->thread.fpu);
    arch_user_save(&t->thread.user);
    preempt_on();
    if (r->set_thread_pointer)
        t->thread.user.fs_base = r->thread_pointer;
    thread_inherit(&t->thread, &parent->thread);
    if (parent->reset_on_fork)
        reset_urgency(&t->thread);
    t->mask = parent->mask;
    if (!(r->share & SHARE_SPACE) || (r->share & CLONE_WAIT)) {
        t->alternate_stack = parent->alternate_stack;
        t->alternate_size = parent->alternate_size;
        t->alternate_flags = parent->alternate_flags;
    }
    if (!(r->share & SHARE_SPACE)) {
        t->restartable_area = parent->restartable_area;
        t->restartable_signature = parent->restartable_signature;
        t->thread.extras = parent->thread.extras & EXTRA_TRACKED;
    }
    t->clear_child_number = r->clear_child_number;
    t->child_number_at = r->child_number;
}

static err_t new_task(struct process *p, const struct clone_request *r, struct task **task)
{
    struct task *t;
    err_t e = task_make(p, child_start, &t);
    if (e)
        return e;
    child_registers(t, task_current(), r);
    space_get(p->space);
    t->thread.space = p->space;
    t->number = number_make();
    *task = t;
    return 0;
}

static void new_task_drop(struct task *t)
{
    space_put(t->thread.space);
    t->thread.space = NULL;
    task_unmake(t);
}

static err_t clone_thread(const struct clone_request *r, int32_t *number)
{
    struct task *t;
    err_t e = new_task(process_current(), r, &t);
    if (e)
        return e;
    memcpy(t->thread.name, task_current()->thread.name, sizeof(t->thread.name));
    *number = t->number;
    store_number(r->parent_number, t->number);
    uint32_t cause = trace_child_begin(t, r->share, r->exit_signal);
    task_add(t);
    thread_start(&t->thread);
    if (cause)
        trace_note(cause, (uint64_t)*number);
    return 0;
}

static err_t clone_process(const struct clone_request *r, int32_t *number)
{
    struct process *self = process_current(), *p;
    if ((r->share & SHARE_PARENT) && self->is_init)
        return -EINVAL; // nobody would wait for it
    err_t e = process_make(&p);
    if (e)
        return e;
    struct task *t = NULL;
    e = parts_inherit(p, self, r);
    if (!e)
        e = new_task(p, r, &t);
    if (!e)
        filter_inherit(t);
    if (!e) {
        process_set_number(p, t->number);
        e = r->prepare ? r->prepare(p, r->prepare_data) : 0;
    }
    if (e) {
        if (t)
            new_task_drop(t);
        process_parts_drop(p);
        process_put(p);
        return e;
    }
    p->vfork_borrowed = r->share & CLONE_WAIT;
    p->maker = task_current()->number;
    *number = t->number;
    store_number(r->parent_number, t->number);

    process_get(p); // ours, until the vfork wait is over
    if (p->limits[LIMIT_CPU].soft != LIMIT_NONE)
        cpu_limit_changed(p);
    process_add(p, self, r->share & SHARE_PARENT);
    uint32_t cause = trace_child_begin(t, r->share, r->exit_signal);
    task_add(t);
    thread_start(&t->thread);
    if (cause)
        trace_note(cause, (uint64_t)*number);
    if (r->share & CLONE_WAIT) {
        (void)wait_until_uninterrupted(
            &p->exit_wait, !__atomic_load_n(&p->vfork_borrowed, __ATOMIC_ACQUIRE), WAIT_FOREVER);
        trace_note(TRACE_VFORK_DONE, (uint64_t)*number);
    }
    process_put(p);
    return 0;
}

struct task_count {
    uint32_t user;
    uint64_t tasks;
};

static bool count_tasks(struct process *p, void *data)
{
    struct task_count *count = data;
    struct credentials c;
    credentials_look(p, &c);
    if (c.user == count->user)
        count->tasks += p->zombie ? 1 : p->task_count;
    return true;
}

// RLIMIT_NPROC: how many tasks the user has together. Counted only when it could matter, so that
// nobody else pays for it.
static err_t check_user_limit(struct process *self)
{
    struct credentials c;
    uint64_t limit = self->limits[LIMIT_PROCESSES].soft;
    if (limit >= TASKS_MAX)
        return 0;
    credentials_look(self, &c);
    if (!c.user || credentials_have(&c, CAPABILITY_SYS_RESOURCE) ||
        credentials_have(&c, CAPABILITY_SYS_ADMIN) || task_total() < limit)
        return 0;
    struct task_count count = { .user = c.user };
    process_visit(0, count_tasks, &count);
    return count.tasks < limit ? 0 : -EAGAIN;
}

err_t process_check_limits(struct process *self)
{
    if (process_count() >= PROCESSES_MAX || task_total() >= TASKS_MAX)
        return -EAGAIN;
    return check_user_limit(self);
}

err_t process_clone(const struct clone_request *r, int32_t *number)
{
    err_t e = process_check_limits(process_current());
    if (e)
        return e;
    return r->share & SHARE_PROCESS ? clone_thread(r, number) : clone_process(r, number);
}
