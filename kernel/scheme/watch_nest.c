// SPDX-License-Identifier: GPL-3.0-or-later
// Watch lists that watch watch lists. Owns who watches whom: each list's `parents`.
//
// Wake-ups go up the tree under one spin lock (nest_lock, RANK_WATCH_UP), which only lists
// that are watched ever take; each list above is told once for each of them. Making a tie is
// serialized by nest_mutex (RANK_WATCH_NEST), so that two threads cannot close a circle together.
#include "kernel/scheme/watch_internal.h"

enum { DEPTH_MAX = 5, PARENTS_MAX = 500 };

static struct mutex nest_mutex = MUTEX_INIT(nest_mutex, RANK_WATCH_NEST);
static struct spinlock nest_lock = SPINLOCK_INIT(RANK_WATCH_UP);
static uint64_t last_stamp; // of the walk that goes on; under nest_lock

static struct watch_list *parent_of(struct list *link)
{
    return list_entry(link, struct item, nest_link)->list;
}

// How many lists stand above `l`; *found: `wanted` is one of them. A list is walked once.
static unsigned walk_up(struct watch_list *l, const struct watch_list *wanted, bool *found)
{
    if (l == wanted)
        *found = true;
    if (l->stamp == last_stamp)
        return l->above;
    l->stamp = last_stamp;
    l->above = 0;
    list_for_each (link, &l->parents)
        l->above = max_of(l->above, 1 + walk_up(parent_of(link), wanted, found));
    return l->above;
}

// `below` never shrinks: a list stays as deep as it once was.
static void deepen(struct watch_list *l, unsigned below)
{
    if (l->below >= below)
        return;
    l->below = below;
    list_for_each (link, &l->parents)
        deepen(parent_of(link), below + 1);
}

err_t nest_begin(struct watch_list *outer, struct watch_list *inner)
{
    mutex_lock(&nest_mutex);
    bool circle = false;
    err_t e = 0;
    uint64_t flags = spin_lock_irq(&nest_lock);
    last_stamp++;
    unsigned above = walk_up(outer, inner, &circle);
    if (circle || above + 1 + inner->below > DEPTH_MAX)
        e = -ELOOP;
    else if (inner->parent_count >= PARENTS_MAX)
        e = -EINVAL;
    else
        deepen(outer, inner->below + 1);
    spin_unlock_irq(&nest_lock, flags);
    if (e)
        mutex_unlock(&nest_mutex);
    return e;
}

void nest_end(void)
{
    mutex_unlock(&nest_mutex);
}

void nest_tie(struct item *i, struct watch_list *inner)
{
    uint64_t flags = spin_lock_irq(&nest_lock);
    list_push_back(&inner->parents, &i->nest_link);
    inner->parent_count++;
    spin_unlock_irq(&nest_lock, flags);
}

void nest_untie(struct item *i)
{
    uint64_t flags = spin_lock_irq(&nest_lock);
    if (!list_empty(&i->nest_link)) {
        struct watch_list *inner = i->file->data;
        list_remove(&i->nest_link);
        inner->parent_count--;
    }
    spin_unlock_irq(&nest_lock, flags);
}

static void wake_above(struct watch_list *inner)
{
    if (inner->stamp == last_stamp)
        return;
    inner->stamp = last_stamp;
    list_for_each (link, &inner->parents) {
        struct item *i = list_entry(link, struct item, nest_link);
        unsigned wanted = __atomic_load_n(&i->wanted, __ATOMIC_RELAXED);
        if (wanted & poll_expand(POLL_IN) && item_queue_here(i))
            wake_above(i->list);
    }
}

void nest_wake(struct watch_list *inner)
{
    uint64_t flags = spin_lock_irq(&nest_lock);
    last_stamp++;
    wake_above(inner);
    spin_unlock_irq(&nest_lock, flags);
}
