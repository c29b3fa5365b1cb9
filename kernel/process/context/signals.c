// SPDX-License-Identifier: GPL-3.0-or-later
// sighandler, sigstack, sigprocmask, sigignmask: how a context takes its signals. What a task's
// upcall says is only ever addresses of the program's own, so others may write it under its feet.
// Guards: the process's signal lock.
#include "kernel/process/context/operations.h"
#include "kernel/process/trace/trace.h"
#include <redox/types.h>

#define NO_STACK UINT64_MAX

static err_t upcall_read(struct process *p, struct upcall *u)
{
    struct task *t;
    err_t e = context_task(p, &t);
    if (e)
        return e;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    *u = t->upcall;
    spin_unlock_irq(&p->signal_lock, flags);
    task_put(t);
    return 0;
}

static err_t upcall_write(struct process *p, const struct upcall *u)
{
    struct task *t;
    err_t e = context_task(p, &t);
    if (e)
        return e;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    t->upcall = *u;
    task_choose_call(t);
    spin_unlock_irq(&p->signal_lock, flags);
    task_put(t);
    return 0;
}

len_t read_sighandler(struct grip *g, struct io *io, uint64_t offset)
{
    struct upcall u;
    err_t e = upcall_read(g->process, &u);
    if (e)
        return e;
    if (u.model == UPCALL_PAGES) {
        struct redox_sighandler_pages pages = {
            .user_handler = u.entry,
            .exception_handler = u.exception_entry,
            .thread_control = u.thread_page,
            .process_control = u.process_page,
        };
        return grip_put_text(io, &pages, sizeof(pages), 0);
    }
    struct redox_sighandler one = { 0 };
    if (u.model == UPCALL_ENTRY)
        one = (struct redox_sighandler){ u.entry, u.stack, u.stack_size };
    return grip_put_text(io, &one, sizeof(one), 0);
}

// A word that the kernel writes lies within one page, and where it can be written at once.
static bool is_control_place(uaddr_t at, size_t size)
{
    return at >= USER_LOWEST && at % 8 == 0 && at < USER_END && at % PAGE_SIZE + size <= PAGE_SIZE;
}

static err_t take_entry(struct io *io, struct upcall *u)
{
    struct redox_sighandler one;
    err_t e = grip_take(io, &one, sizeof(one));
    if (e)
        return e;
    *u = (struct upcall){ 0 }; // entry 0: there is none
    if (one.entry)
        *u = (struct upcall){
            .model = UPCALL_ENTRY,
            .entry = one.entry,
            .stack = one.altstack_base,
            .stack_size = one.altstack_len,
        };
    uint64_t end;
    return add_overflows(one.altstack_base, one.altstack_len, &end) ? -EINVAL : 0;
}

static err_t take_pages(struct io *io, struct upcall *u)
{
    struct redox_sighandler_pages pages;
    enum { PROCESS_WORDS = 16 + 64 * 16 };
    err_t e = grip_take(io, &pages, sizeof(pages));
    if (e)
        return e;
    *u = (struct upcall){
        .model = UPCALL_PAGES,
        .entry = pages.user_handler,
        .exception_entry = pages.exception_handler,
        .thread_page = pages.thread_control,
        .process_page = pages.process_control,
    };
    bool fits = is_control_place(pages.thread_control, sizeof(struct redox_signal_control)) &&
                is_control_place(pages.process_control, PROCESS_WORDS);
    return fits ? 0 : -EINVAL;
}

len_t write_sighandler(struct grip *g, struct io *io)
{
    struct upcall u;
    err_t e =
        io->left == sizeof(struct redox_sighandler_pages) ? take_pages(io, &u) : take_entry(io, &u);
    if (!e)
        e = upcall_write(g->process, &u);
    return e ? e : (len_t)io->done;
}

// A program that asks for it is one of 0.3 or 0.4.
err_t open_sigstack(struct grip *g)
{
    struct upcall u;
    err_t e = upcall_read(g->process, &u);
    if (e || u.model == UPCALL_RESTORER)
        return e;
    u = (struct upcall){ .model = UPCALL_RESTORER, .stack = NO_STACK };
    return upcall_write(g->process, &u);
}

len_t read_sigstack(struct grip *g, struct io *io, uint64_t offset)
{
    struct upcall u;
    err_t e = upcall_read(g->process, &u);
    uint64_t top = u.model == UPCALL_RESTORER ? u.stack : NO_STACK;
    return e ? e : grip_put_text(io, &top, sizeof(top), 0);
}

len_t write_sigstack(struct grip *g, struct io *io)
{
    struct upcall u = { .model = UPCALL_RESTORER };
    err_t e = grip_take(io, &u.stack, sizeof(u.stack));
    if (!e)
        e = upcall_write(g->process, &u);
    return e ? e : (len_t)io->done;
}

len_t read_mask(struct grip *g, struct io *io, uint64_t offset)
{
    struct task *t;
    err_t e = context_task(g->process, &t);
    if (e)
        return e;
    uint64_t mask = t->mask;
    task_put(t);
    return grip_put_text(io, &mask, sizeof(mask), 0);
}

len_t write_mask(struct grip *g, struct io *io)
{
    uint64_t mask;
    struct task *t;
    err_t e = grip_take(io, &mask, sizeof(mask));
    if (!e)
        e = context_task(g->process, &t);
    if (e)
        return e;
    signal_set_mask_of(t, mask);
    task_put(t);
    return (len_t)io->done;
}

len_t read_ignored(struct grip *g, struct io *io, uint64_t offset)
{
    uint64_t set = 0;
    for (int n = 1; n <= SIGNAL_LAST; n++)
        if (signal_action_of(g->process, n).handler == ACTION_IGNORE)
            set |= SIGNAL_BIT(n);
    return grip_put_text(io, &set, sizeof(set), 0);
}

len_t write_ignored(struct grip *g, struct io *io)
{
    uint64_t set;
    err_t e = grip_take(io, &set, sizeof(set));
    if (e)
        return e;
    signal_ignore(g->process, set);
    return (len_t)io->done;
}
