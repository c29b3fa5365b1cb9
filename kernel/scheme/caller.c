// SPDX-License-Identifier: GPL-3.0-or-later
// See caller.h.
#include "kernel/scheme/caller.h"
#include "kernel/sched/thread.h"

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

struct caller_ids caller_ids(void)
{
    return identity_ids(thread_current()->identity);
}
