// SPDX-License-Identifier: GPL-3.0-or-later
// See caller.h.
#include "kernel/scheme/caller.h"

static void (*look_hook)(struct caller *c);
static struct caller_ids (*ids_hook)(void);

void caller_look(struct caller *c)
{
    *c = (struct caller){ .override = true };
    if (look_hook)
        look_hook(c);
}

struct caller_ids caller_ids(void)
{
    return ids_hook ? ids_hook() : (struct caller_ids){ 0 };
}

void caller_set_hooks(void (*look)(struct caller *c), struct caller_ids (*ids)(void))
{
    look_hook = look;
    ids_hook = ids;
}
