// SPDX-License-Identifier: GPL-3.0-or-later
// Giving a context another space (current-addrspace), and how all three pieces are changed: by the
// caller in a new context, by the context itself once it is started. For the caller itself the
// change is in force when the call returns: this is exec, and what closes the handle does not
// return to where it was called from.
#include "kernel/process/context/operations.h"
#include "kernel/process/context/trace.h"

static bool is_caller(const struct process *p)
{
    struct task *t = task_current(); // the kernel's own threads have none
    return t && t->process == p;
}

void context_change(struct process *p, void (*change)(void *data), void *data)
{
    if (__atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE))
        return;
    if (is_caller(p)) {
        change(data);
        return;
    }
    // Not started and not while we change it, or started for good.
    mutex_lock(&p->context.starting);
    bool is_new = context_is_new(p);
    if (is_new)
        change(data);
    mutex_unlock(&p->context.starting);
    if (!is_new)
        (void)!context_ask(p, change, data); // it ended, or we do: nobody is left to tell
}

// The calling task may be in a system call that borrowed its table: that one goes later.
void context_put_later(struct process *p, struct descriptors *d)
{
    if (!is_caller(p)) {
        descriptors_put(d);
        return;
    }
    struct descriptors *older = p->context.old_table;
    p->context.old_table = d;
    if (older)
        descriptors_put(older);
    thread_set_work(&task_current()->thread, WORK_NOTIFY);
}

void context_drop_old_table(struct process *p)
{
    struct descriptors *d = p->context.old_table;
    p->context.old_table = NULL;
    if (d)
        descriptors_put(d);
}

static struct space *replace_space(struct process *p, struct space *s)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    struct space *old = p->space;
    p->space = s;
    process_mark_space(p);
    spin_unlock_irq(&p->lock, flags);
    return old;
}

// In a new context: its task gets the space when it starts.
static void give_new(struct grip *g)
{
    struct process *p = g->process;
    struct task *t;
    if (context_task(p, &t))
        return;
    struct trap_frame *f = trap_user_frame(t->thread.stack_top);
    f->rip = g->entry;
    f->rsp = g->stack;
    task_put(t);
    space_get(g->space);
    g->old_space = replace_space(p, g->space);
    p->context.shares_space = g->space_in_use;
    p->context.loaded = g->space_filled;
}

// The calling process leaves its program for one that runs in another space.
static void change_program(struct process *p, struct space *s, bool in_use)
{
    struct task *t = task_current();
    program_end(p);
    program_leave(p);
    if (p->abi->task_exec)
        p->abi->task_exec(t);
    t->upcall = (struct upcall){ 0 };
    t->alternate_stack = t->alternate_size = 0;
    space_get(s);
    process_swap_space(p, s);
    process_release_vfork(p);
    p->has_execed = true;
    p->context.shares_space = in_use;
    if (program_join(p))
        process_kill_all_tasks(p, SIGNAL_KILL); // its new program is ending
}

static void swap_space_and_go(void *data)
{
    struct grip *g = data;
    struct process *p = g->process;
    if (context_is_new(p)) {
        give_new(g);
        return;
    }
    if (!g->space_in_use)
        space_reclaim(g->space);
    if (p->space != g->space)
        change_program(p, g->space, g->space_in_use);
    struct trap_frame *f = trap_user_frame(task_current()->thread.stack_top);
    trap_start_program(f, g->entry, g->stack);
    if (g->space_filled)
        context_program_begins(f);
    trace_note(TRACE_SPACE, 0);
}

len_t write_current_space(struct grip *g, struct io *io)
{
    uint64_t words[3]; // descriptor, stack pointer, instruction pointer
    struct file *file;
    err_t e = grip_take(io, words, sizeof(words));
    if (!e)
        e = grip_by_number(words[0], operation_find("addrspace", 9), &file);
    if (e)
        return e;
    struct grip *from = grip_of(file);
    space_get(from->space);
    mutex_lock(&g->lock);
    struct space *old = g->space;
    g->space = from->space;
    g->stack = words[1];
    g->entry = words[2];
    g->space_in_use = __atomic_exchange_n(&from->space_in_use, true, __ATOMIC_RELAXED);
    g->space_filled = from->space_filled && !g->space_in_use;
    mutex_unlock(&g->lock);
    file_put(file);
    if (old)
        space_put(old);
    return (len_t)io->done;
}

void close_current_space(struct grip *g)
{
    if (!g->space)
        return;
    context_change(g->process, swap_space_and_go, g);
    space_put(g->space);
    if (g->old_space)
        space_put(g->old_space);
}
