// SPDX-License-Identifier: GPL-3.0-or-later
// What one thread holds while others wait for it: a mutex, a futex with an owner. The holder runs
// with at least the urgency of those who wait, and so does whoever it waits for in turn
// (kernel/sched/claim.h). Only what embeds one needs this file.
#pragma once
#include "lib/base.h"
#include "lib/list.h"

struct claim {
    struct thread *holder; // NULL: nobody, or nobody that inherits
    struct list waiters;   // struct claimant.link, most urgent first
    struct list held_link; // thread.claims_held of the holder
    bool of_futex;
};

// A thread that waits for it.
struct claimant {
    struct list link; // empty: it has got it, or has given up
    struct thread *thread;
    struct claim *claim;
};

#define CLAIM_INIT(name)                                                                \
    {                                                                                   \
        .waiters = LIST_INIT((name).waiters), .held_link = LIST_INIT((name).held_link), \
    }

static inline void claim_init(struct claim *c)
{
    *c = (struct claim){ 0 };
    list_init(&c->waiters);
    list_init(&c->held_link);
}
