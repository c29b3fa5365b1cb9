// SPDX-License-Identifier: GPL-3.0-or-later
// filetable and current-filetable, sigactions and current-sigactions.
//
// A handle on a process's table looks it up at each use; one that was made by dup `copy` holds the
// copy, which keeps its files until a process uses it and no longer than the last one does.
// `sigactions` are the same without files, so counting is enough.
#include "kernel/memory/heap.h"
#include "kernel/process/context/operations.h"
#include "lib/format.h"
#include "lib/string.h"

enum { NUMBER_TEXT_MAX = 12 };

static bool name_is(const char *name, size_t length, const char *other)
{
    return strlen(other) == length && memcmp(name, other, length) == 0;
}

// What the handle stands for, with a hold; NULL: the process has ended.
static struct descriptors *table_of(struct grip *g)
{
    uint64_t flags = spin_lock_irq(&g->process->lock);
    struct descriptors *d = g->table ? g->table : g->process->descriptors;
    if (d)
        descriptors_hold(d);
    spin_unlock_irq(&g->process->lock, flags);
    return d;
}

static err_t list_numbers(struct grip *g)
{
    struct descriptors *d = table_of(g);
    if (!d)
        return -ESRCH;
    size_t count = 0;
    for (int n = descriptor_next(d, 0); n >= 0; n = descriptor_next(d, n + 1))
        count++;
    struct text text = { .room = count * NUMBER_TEXT_MAX + 1 };
    text.to = heap_alloc(text.room);
    for (int n = descriptor_next(d, 0); text.to && n >= 0 && !text.cut;
         n = descriptor_next(d, n + 1))
        text_add(&text, "%d\n", n);
    descriptors_release(d);
    if (!text.to)
        return -ENOMEM;
    heap_free(g->text);
    g->text = text.to;
    g->text_length = text.length;
    return 0;
}

// The list is that of the first read, so that who closes numbers while reading misses none.
len_t read_filetable(struct grip *g, struct io *io, uint64_t offset)
{
    mutex_lock(&g->lock);
    err_t e = g->text ? 0 : list_numbers(g);
    len_t n = e ? e : grip_put_text(io, g->text, g->text_length, offset);
    mutex_unlock(&g->lock);
    return n;
}

err_t derive_filetable(struct grip *g, const char *name, size_t length, struct grip *made)
{
    if (!name_is(name, length, "copy"))
        return -EINVAL;
    struct descriptors *d = table_of(g);
    if (!d)
        return -ESRCH;
    err_t e = descriptors_copy(d, &made->table);
    descriptors_release(d);
    if (!e)
        descriptors_idle(made->table);
    return e;
}

void close_filetable(struct grip *g)
{
    if (g->table)
        descriptors_release(g->table);
}

len_t write_current_filetable(struct grip *g, struct io *io)
{
    uint64_t number;
    struct file *file;
    err_t e = grip_take(io, &number, sizeof(number));
    if (!e)
        e = grip_by_number(number, operation_find("filetable", 9), &file);
    if (e)
        return e;
    struct descriptors *d = table_of(grip_of(file)), *old;
    file_put(file);
    if (!d)
        return -EBADF;
    mutex_lock(&g->lock);
    old = g->table;
    g->table = d;
    mutex_unlock(&g->lock);
    if (old)
        descriptors_release(old);
    return (len_t)io->done;
}

static void swap_table(void *data)
{
    struct grip *g = data;
    struct process *p = g->process;
    if (descriptors_use(g->table))
        return; // its last process has gone meanwhile
    uint64_t flags = spin_lock_irq(&p->lock);
    g->old_table = p->descriptors;
    p->descriptors = g->table;
    spin_unlock_irq(&p->lock, flags);
}

void close_current_filetable(struct grip *g)
{
    if (!g->table)
        return;
    context_change(g->process, swap_table, g);
    descriptors_release(g->table);
    if (g->old_table)
        context_put_later(g->process, g->old_table);
}

// The actions the handle stands for, with a reference.
static struct signal_handlers *actions_of(struct grip *g)
{
    struct process *p = g->process;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct signal_handlers *h = g->actions ? g->actions : p->handlers;
    signal_handlers_get(h);
    spin_unlock_irq(&p->signal_lock, flags);
    return h;
}

err_t derive_actions(struct grip *g, const char *name, size_t length, struct grip *made)
{
    if (name_is(name, length, "empty")) {
        made->actions = signal_handlers_make();
    } else if (name_is(name, length, "copy")) {
        struct signal_handlers *from = actions_of(g);
        made->actions = signal_handlers_copy(from);
        signal_handlers_put(from);
    } else {
        return -EINVAL;
    }
    return made->actions ? 0 : -ENOMEM;
}

void close_actions(struct grip *g)
{
    signal_handlers_put(g->actions);
}

len_t write_current_actions(struct grip *g, struct io *io)
{
    uint64_t number;
    struct file *file;
    err_t e = grip_take(io, &number, sizeof(number));
    if (!e)
        e = grip_by_number(number, operation_find("sigactions", 10), &file);
    if (e)
        return e;
    struct signal_handlers *h = actions_of(grip_of(file));
    file_put(file);
    mutex_lock(&g->lock);
    struct signal_handlers *old = g->actions;
    g->actions = h;
    mutex_unlock(&g->lock);
    signal_handlers_put(old);
    return (len_t)io->done;
}

static void swap_actions(void *data)
{
    struct grip *g = data;
    struct process *p = g->process;
    signal_handlers_get(g->actions);
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    g->old_actions = p->handlers;
    p->handlers = g->actions;
    spin_unlock_irq(&p->signal_lock, flags);
}

void close_current_actions(struct grip *g)
{
    if (!g->actions)
        return;
    context_change(g->process, swap_actions, g);
    signal_handlers_put(g->actions);
    signal_handlers_put(g->old_actions);
}
