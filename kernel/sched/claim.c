// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/sched/claim.h"
#include "kernel/console/panic.h"
#include "kernel/sched/turn.h"

enum { LENDING_MOST = 16, CHAIN_MOST = 1024 };

struct spinlock claims_lock = SPINLOCK_INIT(RANK_MUTEX);

struct claimant *claim_first(const struct claim *c)
{
    return list_empty(&c->waiters) ? NULL : list_first(&c->waiters, struct claimant, link);
}

static void insert(struct claimant *w)
{
    struct list *at = w->claim->waiters.prev;
    while (at != &w->claim->waiters &&
           list_entry(at, struct claimant, link)->thread->ring.urgency < w->thread->ring.urgency)
        at = at->prev;
    list_insert_between(&w->link, at, at->next);
}

void claim_wait(struct claim *c, struct claimant *w, struct thread *t)
{
    *w = (struct claimant){ .thread = t, .claim = c };
    insert(w);
    t->waits = w;
}

void claim_wait_end(struct claimant *w)
{
    list_remove(&w->link);
    w->thread->waits = NULL;
}

void claim_hold(struct claim *c, struct thread *holder)
{
    if (c->holder)
        list_remove(&c->held_link);
    c->holder = holder;
    if (holder)
        list_push_back(&holder->claims_held, &c->held_link);
}

void claim_lend_to(struct thread *t)
{
    uint8_t urgency = 0;
    list_for_each (link, &t->claims_held) {
        struct claimant *w = claim_first(list_entry(link, struct claim, held_link));
        if (w)
            urgency = max_of(urgency, w->thread->ring.urgency);
    }
    if (t->ring.inherited != urgency)
        thread_lend(t, urgency);
}

// To its place among those who wait with it, unless it was handed what it waits for already.
static void place_again(struct claimant *w)
{
    if (list_empty(&w->link))
        return;
    list_remove(&w->link);
    insert(w);
}

void claim_lend_along(struct claim *c)
{
    for (unsigned n = 0; c && n < LENDING_MOST; n++) {
        struct thread *t = c->holder;
        if (!t)
            return;
        uint8_t before = t->ring.urgency;
        claim_lend_to(t);
        struct claimant *w = t->waits;
        if (!w || t->ring.urgency == before)
            return;
        place_again(w);
        c = w->claim;
    }
}

// If it is just about to wait, it will queue itself by what it is now: the lock orders the two.
void claim_waiter_changed(struct thread *t)
{
    spin_lock(&claims_lock);
    if (t->waits) {
        place_again(t->waits);
        claim_lend_along(t->waits->claim);
    }
    spin_unlock(&claims_lock);
}

bool claim_would_deadlock(const struct claim *c, const struct thread *t)
{
    for (unsigned n = 0; n < CHAIN_MOST; n++) {
        const struct thread *holder = c->holder;
        if (holder == t)
            return true;
        if (!holder || !holder->waits)
            return false;
        c = holder->waits->claim;
    }
    return true;
}

void claim_check_none(struct thread *t)
{
    if (list_empty(&t->claims_held))
        return;
    spin_lock(&claims_lock);
    list_for_each (link, &t->claims_held)
        assert(list_entry(link, struct claim, held_link)->of_futex);
    spin_unlock(&claims_lock);
}
