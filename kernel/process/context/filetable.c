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

enum { NUMBER_TEXT_MAX = 12, LEFT_OUT_MAX = 32 };

// A handle on a new context that was in a table when it was copied: made anew in the copy when a
// process starts to use it.
struct left_out_handle {
    int number;
    int32_t process;
    const struct operation *operation;
    unsigned flags; // enum open_flag
    bool close_on_exec;
};

struct left_out {
    uint32_t references;
    size_t count;
    struct left_out_handle list[LEFT_OUT_MAX];
};

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

void left_out_put(struct left_out *l)
{
    if (l && __atomic_sub_fetch(&l->references, 1, __ATOMIC_ACQ_REL) == 0)
        heap_free(l);
}

static struct left_out *left_out_get(struct left_out *l)
{
    if (l)
        __atomic_fetch_add(&l->references, 1, __ATOMIC_RELAXED);
    return l;
}

static bool note_handle(struct descriptors *d, int number, struct left_out_handle *to)
{
    struct file *file;
    if (descriptor_file(d, number, &file))
        return false;
    struct grip *g = grip_of(file);
    bool noted = g && !(g->operation->flags & OP_SWAPS) && context_is_new(g->process);
    if (noted)
        *to = (struct left_out_handle){
            .number = number,
            .process = g->process->number,
            .operation = g->operation,
            .flags = file->flags,
        };
    file_put(file);
    return noted && !descriptor_get_flag(d, number, &to->close_on_exec);
}

// Handles on new contexts among the table's, as far as there is room for them.
static err_t note_left_out(struct descriptors *d, struct left_out **left_out)
{
    struct left_out *l = heap_alloc(sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->references = 1;
    for (int n = descriptor_next(d, 0); n >= 0 && l->count < LEFT_OUT_MAX;
         n = descriptor_next(d, n + 1))
        l->count += note_handle(d, n, &l->list[l->count]);
    *left_out = l;
    return 0;
}

err_t derive_filetable(struct grip *g, const char *name, size_t length, struct grip *made)
{
    if (!name_is(name, length, "copy"))
        return -EINVAL;
    struct descriptors *d = table_of(g);
    if (!d)
        return -ESRCH;
    err_t e = note_left_out(d, &made->left_out);
    if (!e)
        e = descriptors_copy(d, &made->table);
    descriptors_release(d);
    if (!e)
        descriptors_idle(made->table);
    return e;
}

void close_filetable(struct grip *g)
{
    left_out_put(g->left_out);
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
    struct left_out *left_out = left_out_get(grip_of(file)->left_out), *old_left_out;
    file_put(file);
    if (!d)
        return -EBADF;
    mutex_lock(&g->lock);
    old = g->table;
    old_left_out = g->left_out;
    g->table = d;
    g->left_out = left_out;
    mutex_unlock(&g->lock);
    left_out_put(old_left_out);
    if (old)
        descriptors_release(old);
    return (len_t)io->done;
}

// A new context only holds its table: else both could keep each other.
static void swap_table(void *data)
{
    struct grip *g = data;
    struct process *p = g->process;
    bool held = context_is_new(p);
    if (held)
        descriptors_hold(g->table);
    else if (descriptors_use(g->table))
        return; // its last process has gone meanwhile
    g->old_table_held = p->context.table_held;
    p->context.table_held = held;
    if (held) {
        struct left_out *old = p->context.left_out;
        p->context.left_out = g->left_out;
        g->left_out = old;
    }
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
    left_out_put(g->left_out);
    if (!g->old_table)
        return;
    if (g->old_table_held)
        descriptors_release(g->old_table);
    else
        context_put_later(g->process, g->old_table);
}

void context_table_put(struct process *p, struct descriptors *d)
{
    if (p->context.table_held)
        descriptors_release(d);
    else
        descriptors_put(d);
    left_out_put(p->context.left_out);
    p->context.left_out = NULL;
}

static void put_back(struct process *p, const struct left_out_handle *h)
{
    struct process *target;
    struct file *file;
    if (process_find(h->process, &target))
        return;
    const char *name = h->operation->name;
    if (!grip_make(target, name, strlen(name), h->flags, &file) &&
        descriptor_set(p->descriptors, file, h->close_on_exec, h->number, DESCRIPTORS_MAX))
        file_put(file);
    process_put(target);
}

err_t context_take_table(struct process *p)
{
    if (!p->context.table_held)
        return 0;
    if (descriptors_use(p->descriptors))
        return -ESRCH;
    p->context.table_held = false;
    descriptors_release(p->descriptors);
    struct left_out *l = p->context.left_out;
    p->context.left_out = NULL;
    for (size_t i = 0; l && i < l->count; i++)
        put_back(p, &l->list[i]);
    left_out_put(l);
    return 0;
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
