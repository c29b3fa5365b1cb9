// SPDX-License-Identifier: GPL-3.0-or-later
// New contexts: made by opening thisproc:new, started by a write, or gone with their last handle.
// Guards: program_lock for the step from new to started or discarded, which is taken once.
#include "kernel/memory/heap.h"
#include "kernel/process/context/inside.h"
#include "kernel/process/context/registers.h"
#include "kernel/process/context/trace.h"
#include "kernel/process/filter/filter.h"
#include "lib/string.h"

#define ALL_BLOCKED (~SIGNALS_UNBLOCKABLE)

void context_state_init(struct process *p)
{
    list_init(&p->context.members);
    list_init(&p->context.link);
    list_init(&p->context.requests);
    mutex_init(&p->context.starting, RANK_CONTEXT);
    p->context.first = p;
}

void context_state_drop(struct process *p)
{
    registers_drop_owed(p);
    heap_free(p->context.long_name);
    if (p->context.first != p)
        process_put(p->context.first);
}

static void (*program_begins)(struct trap_frame *f);

void context_set_program_hook(void (*begins)(struct trap_frame *f))
{
    program_begins = begins;
}

// Who loads a program sets its name to the file's path: what /proc/PID/exe shows.
static void note_file(struct process *p)
{
    char path[CONTEXT_NAME_MAX + 1];
    struct name *where = NULL;
    struct view v;
    struct credentials *hold;
    path[context_name(p, path)] = '\0';
    view_begin(&v, &hold);
    if (path[0] == '/' && name_find(&v, NULL, path, 0, &where))
        where = NULL;
    view_end(&v, hold);
    uint64_t flags = spin_lock_irq(&p->lock);
    struct name *old = p->program;
    p->program = where;
    spin_unlock_irq(&p->lock, flags);
    if (old)
        name_put(old);
}

void context_program_begins(struct trap_frame *f)
{
    note_file(process_current());
    if (program_begins)
        program_begins(f);
}

static void begin(void *data)
{
    struct task *t = task_current();
    if (t->process->context.loaded && !t->process->exiting)
        context_program_begins(trap_user_frame(t->thread.stack_top));
    trap_enter_user();
}

static void inherit_plain(struct process *p, struct process *from)
{
    p->abi = from->abi;
    process_set_credentials(p, credentials_of(from));
    memcpy(p->limits, from->limits, sizeof(p->limits));
    p->no_new_privileges = from->no_new_privileges;
    p->dumpable = from->dumpable;
    p->personality = from->personality;
    names_inherit(p, from);
    uint64_t flags = spin_lock_irq(&from->lock);
    memcpy(p->name, from->name, sizeof(p->name));
    if (from->program)
        name_get(from->program);
    p->program = from->program;
    spin_unlock_irq(&from->lock, flags);
}

// What a new context has: ids, limits, place in the tree of names, name spaces; and empty pieces.
static err_t parts_make(struct process *p, struct process *from)
{
    inherit_plain(p, from);
    p->handlers = signal_handlers_make();
    p->place = place_copy(from->place);
    if (!p->handlers || !p->place)
        return -ENOMEM;
    return descriptors_make(&p->descriptors);
}

static err_t task_of(struct process *p, struct task **task)
{
    struct task *t, *self = task_current();
    err_t e = task_make(p, begin, &t);
    if (e)
        return e;
    trap_start_program(trap_user_frame(t->thread.stack_top), 0, 0);
    thread_inherit(&t->thread, &self->thread);
    t->mask = ALL_BLOCKED;
    filter_inherit(t);
    t->number = number_make();
    *task = t;
    return 0;
}

err_t context_make(struct process **process)
{
    struct process *self = process_current(), *p;
    err_t e = process_check_limits(self);
    if (!e)
        e = process_make(&p);
    if (e)
        return e;
    struct task *t;
    e = parts_make(p, self);
    if (!e)
        e = task_of(p, &t);
    if (e) {
        process_parts_drop(p);
        process_put(p);
        return e;
    }
    process_set_number(p, t->number);
    p->context.life = CONTEXT_NEW;
    p->context.handles = 1;
    process_get(p);
    process_add(p, self, false);
    task_add(t);
    handle_trace_made(p);
    *process = p;
    return 0;
}

bool context_is_new(struct process *p)
{
    uint64_t flags = spin_lock_irq(&program_lock);
    bool is_new = p->context.life == CONTEXT_NEW;
    spin_unlock_irq(&program_lock, flags);
    return is_new;
}

err_t context_get(struct process *p)
{
    uint64_t flags = spin_lock_irq(&program_lock);
    bool gone = p->context.life == CONTEXT_DISCARDED;
    if (!gone)
        p->context.handles++;
    spin_unlock_irq(&program_lock, flags);
    return gone ? -ESRCH : 0;
}

static void run(struct process *p)
{
    struct task *t;
    if (!context_task(p, &t)) {
        thread_start(&t->thread);
        task_put(t);
    }
}

// It takes itself apart as every process does that was told to end before it came to user mode.
static void discard(struct process *p)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    __atomic_store_n(&p->exiting, true, __ATOMIC_RELEASE);
    list_for_each (link, &p->tasks)
        thread_set_work(&list_entry(link, struct task, process_link)->thread, WORK_SIGNAL);
    spin_unlock_irq(&p->signal_lock, flags);
    run(p);
}

void context_put(struct process *p)
{
    uint64_t flags = spin_lock_irq(&program_lock);
    bool last = --p->context.handles == 0 && p->context.life == CONTEXT_NEW;
    if (last)
        p->context.life = CONTEXT_DISCARDED;
    spin_unlock_irq(&program_lock, flags);
    if (last)
        discard(p);
}

static void give_space(struct process *p)
{
    struct task *t;
    if (context_task(p, &t))
        return;
    t->thread.space = context_space(p);
    memcpy(t->thread.name, p->name, sizeof(p->name));
    task_put(t);
}

err_t context_start(struct process *p)
{
    mutex_lock(&p->context.starting);
    uint64_t flags = spin_lock_irq(&program_lock);
    bool may = p->context.life == CONTEXT_NEW && p->space;
    if (may)
        p->context.life = CONTEXT_STARTED;
    spin_unlock_irq(&program_lock, flags);
    mutex_unlock(&p->context.starting);
    if (!may)
        return -EINVAL;
    // From here on nobody changes its pieces but itself.
    if (!p->context.shares_space)
        space_reclaim(p->space);
    give_space(p);
    err_t e = context_take_table(p);
    if (!e)
        e = program_join(p);
    if (e) { // its program, or its table's users, have ended: so does this one
        discard(p);
        return e;
    }
    run(p);
    return 0;
}

struct space *context_space(struct process *p)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    struct space *s = p->space;
    if (s)
        space_get(s);
    spin_unlock_irq(&p->lock, flags);
    return s;
}
