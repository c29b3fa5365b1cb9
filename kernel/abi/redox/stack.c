// SPDX-License-Identifier: GPL-3.0-or-later
// See stack.h.
#include "kernel/abi/redox/stack.h"
#include "kernel/abi/linux/linux.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"

enum { AUX_COUNT = 11, SPARE_PAIRS = 5 }; // the first spare one is Linux's

static uint64_t ignored_signals(struct process *p)
{
    uint64_t set = 0;
    struct signal_handlers *h = p->handlers;
    uint64_t flags = spin_lock_irq(&h->lock);
    for (int n = 1; n <= SIGNAL_LAST; n++)
        if (h->actions[n].handler == ACTION_IGNORE)
            set |= SIGNAL_BIT(n);
    spin_unlock_irq(&h->lock, flags);
    return set;
}

// Puts the working directory's path on the stack. A directory without a path, as one that was
// removed, is none: *length 0.
static err_t push_directory(struct program *p, uaddr_t *below, size_t *length)
{
    *length = 0;
    char *path = heap_alloc(PATH_LENGTH_MAX);
    if (!path)
        return -ENOMEM;
    struct view v;
    struct credentials *hold;
    view_begin(&v, &hold);
    err_t e = name_path(&v, v.here, false, path, PATH_LENGTH_MAX, length);
    view_end(&v, hold);
    if (e)
        *length = 0;
    e = *length ? stack_push(p, below, path, *length + 1) : 0;
    heap_free(path);
    return e;
}

// What both builders begin with; the directory's path is at at->below.
static err_t put_strings(struct program *p, struct stack_strings *at, size_t *length)
{
    err_t e = stack_put_strings(p, at);
    return e ? e : push_directory(p, &at->below, length);
}

err_t redox_stack_build(struct program *p, uaddr_t *stack_pointer)
{
    struct stack_strings at;
    size_t length;
    err_t e = put_strings(p, &at, &length);
    if (e)
        return e;
    const uint64_t vector[AUX_COUNT][2] = {
        { AUX_HEADERS, p->image.headers_address ? p->image.headers_address + p->load_bias : 0 },
        { AUX_HEADER_SIZE, p->image.header_size },
        { AUX_HEADER_COUNT, p->image.header_count },
        { AUX_PAGE_SIZE, PAGE_SIZE },
        { AUX_ENTRY, p->image.entry + p->load_bias },
        { AUX_BASE, p->has_interpreter ? p->interpreter.lowest + p->interpreter_bias : 0 },
        { AUX_IGNORED_SIGNALS, ignored_signals(process_current()) },
        { AUX_BLOCKED_SIGNALS, task_current()->mask },
        { length ? AUX_DIRECTORY : AUX_IGNORE, at.below },
        { length ? AUX_DIRECTORY_LENGTH : AUX_IGNORE, length },
        { AUX_NULL, 0 },
    };
    return stack_put_table(p, &at, vector, AUX_COUNT, stack_pointer, NULL);
}

// The spare pairs' values hold what is only known now: where the directory's path is.
err_t undecided_stack_build(struct program *p, uaddr_t *stack_pointer)
{
    struct stack_strings at;
    size_t length;
    err_t e = put_strings(p, &at, &length);
    if (e)
        return e;
    uaddr_t vdso = linux_vdso_map(p->space);
    const uint64_t spare[SPARE_PAIRS][2] = {
        { vdso ? AUX_VDSO : AUX_IGNORE, vdso },
        { AUX_IGNORE, length ? at.below : 0 },
        { AUX_IGNORE, length },
        { AUX_IGNORE, 0 },
        { AUX_IGNORE, 0 },
    };
    uaddr_t vector;
    e = linux_stack_put(p, &at, spare, SPARE_PAIRS, stack_pointer, &vector);
    p->spare_auxiliary = vector;
    return e;
}

void redox_stack_adopt(struct process *p)
{
    uaddr_t at = p->spare_auxiliary;
    uint64_t pairs[SPARE_PAIRS][2];
    p->spare_auxiliary = 0;
    if (!at || user_copy_in(pairs, at, sizeof(pairs)))
        return;
    for (unsigned i = 1; i < SPARE_PAIRS; i++)
        if (pairs[i][0] != AUX_IGNORE)
            return;
    pairs[0][0] = AUX_IGNORE; // the number of Linux's vDSO is Redox's AUX_DIRECTORY_LENGTH
    if (pairs[2][1]) {
        pairs[1][0] = AUX_DIRECTORY;
        pairs[2][0] = AUX_DIRECTORY_LENGTH;
    }
    pairs[3][0] = AUX_IGNORED_SIGNALS;
    pairs[3][1] = ignored_signals(p);
    pairs[4][0] = AUX_BLOCKED_SIGNALS;
    pairs[4][1] = task_current()->mask;
    if (user_copy_out(at, pairs, sizeof(pairs)))
        log_debug("redox: %s[%d] has made its first stack read-only", p->name, p->number);
}
