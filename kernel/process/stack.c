// SPDX-License-Identifier: GPL-3.0-or-later
// See stack.h.
#include "kernel/process/stack.h"
#include "kernel/memory/heap.h"
#include "kernel/process/load.h"
#include "lib/string.h"

err_t stack_push(struct program *p, uaddr_t *below, const void *bytes, size_t size)
{
    *below -= size;
    return space_write(p->space, *below, bytes, size);
}

err_t stack_put_strings(struct program *p, struct stack_strings *at)
{
    struct space *s = p->space;
    at->below = p->stack_top - sizeof(uint64_t);
    err_t e = stack_push(p, &at->below, p->file_name, strlen(p->file_name) + 1);
    at->file_name = at->below;
    if (!e)
        e = stack_push(p, &at->below, p->environment.bytes, p->environment.size);
    at->environment = at->below;
    if (!e)
        e = stack_push(p, &at->below, p->arguments.bytes, p->arguments.size);
    at->arguments = at->below;
    s->arguments_start = at->arguments;
    s->arguments_end = s->environment_start = at->environment;
    s->environment_end = at->file_name;
    return e;
}

// Pointers to each string of a list that was put at `at`.
static uint64_t *pointers_fill(uint64_t *to, const struct string_list *l, uaddr_t at)
{
    const char *text = l->bytes;
    for (size_t i = 0; i < l->count; i++) {
        size_t size = strlen(text) + 1;
        *to++ = at;
        at += size;
        text += size;
    }
    *to++ = 0;
    return to;
}

err_t stack_put_table(struct program *p, const struct stack_strings *at,
                      const uint64_t (*vector)[2], size_t pairs, uaddr_t *stack_pointer,
                      uaddr_t *vector_at)
{
    size_t words = 1 + p->arguments.count + 1 + p->environment.count + 1 + 2 * pairs;
    uint64_t *table = heap_alloc_array(words, sizeof(*table));
    if (!table)
        return -ENOMEM;
    table[0] = p->arguments.count;
    uint64_t *next = pointers_fill(table + 1, &p->arguments, at->arguments);
    next = pointers_fill(next, &p->environment, at->environment);
    memcpy(next, vector, pairs * sizeof(*vector));
    uaddr_t where = round_down(at->below - words * sizeof(*table), 16);
    err_t e = space_write(p->space, where, table, words * sizeof(*table));
    p->space->auxiliary_start = where + (size_t)(next - table) * sizeof(*table);
    p->space->auxiliary_end = p->space->auxiliary_start + pairs * sizeof(*vector);
    if (vector_at)
        *vector_at = p->space->auxiliary_start;
    heap_free(table);
    *stack_pointer = where;
    return e;
}
