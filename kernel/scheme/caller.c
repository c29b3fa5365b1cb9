// SPDX-License-Identifier: GPL-3.0-or-later
// See caller.h.
#include "kernel/scheme/caller.h"

static void (*look_hook)(struct caller *c);

void caller_look(struct caller *c)
{
    *c = (struct caller){ .override = true };
    if (look_hook)
        look_hook(c);
}

void caller_set_hook(void (*look)(struct caller *c))
{
    look_hook = look;
}
