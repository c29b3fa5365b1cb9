// SPDX-License-Identifier: GPL-3.0-or-later
// See namespace.h.
#include "kernel/scheme/namespace.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/node.h"
#include "lib/string.h"

err_t namespace_find(struct namespace *n, const char *name, size_t length, struct scheme **scheme)
{
    return scheme_find(name, length, scheme);
}

uint64_t namespace_number(const struct namespace *n)
{
    return NAMESPACE_ROOT;
}

// Names of the registry, copied under its lock: each ends with NUL.
struct name_copies {
    char *text;
    size_t room, used; // `used` counts also what did not fit
};

static void name_copy(struct scheme *s, void *data)
{
    struct name_copies *c = data;
    size_t size = strlen(s->name) + 1;
    if (c->used + size <= c->room)
        memcpy(c->text + c->used, s->name, size);
    c->used += size;
}

void namespace_visit(struct namespace *n,
                     bool (*visit)(const char *name, size_t length, void *data), void *data)
{
    struct name_copies c = { .room = 1024 };
    for (;;) {
        c.text = heap_alloc(c.room);
        c.used = 0;
        if (!c.text)
            return;
        scheme_visit(name_copy, &c);
        if (c.used <= c.room)
            break;
        c.room = c.used;
        heap_free(c.text);
    }
    for (size_t at = 0; at < c.used; at += strlen(c.text + at) + 1)
        if (!visit(c.text + at, strlen(c.text + at), data))
            break;
    heap_free(c.text);
}
