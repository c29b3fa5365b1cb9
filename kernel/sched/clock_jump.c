// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/sched/clock_jump.h"

static struct list watchers = LIST_INIT(watchers);
static struct spinlock lock = SPINLOCK_INIT(RANK_CLOCK); // of the list

void clock_jump_tell(void)
{
    spin_lock(&lock);
    list_for_each (link, &watchers) {
        struct clock_jump *j = list_entry(link, struct clock_jump, link);
        j->jumped(j);
    }
    spin_unlock(&lock);
}

void clock_jump_begin(struct clock_jump *j, void (*jumped)(struct clock_jump *j))
{
    j->jumped = jumped;
    spin_lock(&lock);
    list_push_back(&watchers, &j->link);
    spin_unlock(&lock);
}

void clock_jump_end(struct clock_jump *j)
{
    spin_lock(&lock);
    list_remove(&j->link);
    spin_unlock(&lock);
}
