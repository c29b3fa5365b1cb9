// SPDX-License-Identifier: GPL-3.0-or-later
// The turn and the wake-up. See ring.h.
#include "kernel/sched/ring_queue.h"

#define HAND_OVER_SOON (100 * NANOS_PER_MICRO)

void ring_init(struct ring *r)
{
    *r = (struct ring){ 0 };
    r->token.holder = RING_RESTS;
}

void ring_core_init(struct ring *r, struct ring_core *c, unsigned number)
{
    *c = (struct ring_core){ .number = (uint16_t)number, .online = true };
    for (unsigned level = 0; level < array_len(c->real_time); level++)
        list_init(&c->real_time[level]);
    c->hop_at = c->guard_at = c->heir_at = RING_NEVER;
    c->base = __atomic_load_n(&r->clock, __ATOMIC_RELAXED);
    c->least = c->first_free = INT64_MAX;
    __atomic_store_n(&r->core[number], c, __ATOMIC_RELEASE);
    if (number >= __atomic_load_n(&r->cores, __ATOMIC_RELAXED))
        __atomic_store_n(&r->cores, number + 1, __ATOMIC_RELEASE);
    ring_set_put(&r->calm, number, true);
    ring_set_put(&r->idle, number, true);
    ring_set_put(&r->online, number, true);
}

void ring_item_init(struct ring_item *i)
{
    *i = (struct ring_item){ .class = CLASS_FAIR, .slice_left = RING_SLICE };
    list_init(&i->link);
    for (unsigned w = 0; w < RING_WORDS; w++)
        i->allowed.word[w] = ~0ull;
    item_work_out(i);
}

// Tells a core that it should take a turn. `me` is the caller's own.
static void kick(struct ring_core *me, struct ring_core *to)
{
    if (to == me) {
        ring_port_turn_here(me);
        return;
    }
    if (__atomic_exchange_n(&to->sent, true, __ATOMIC_SEQ_CST))
        return;
    me->wake_ipis++;
    ring_port_send(to);
}

static unsigned choose_real_time(struct ring *r, struct ring_item *i)
{
    unsigned last = i->core;
    if (ring_set_has(&r->calm, last) && ring_set_has(&i->allowed, last) &&
        ring_set_has(&r->idle, last))
        return last;
    unsigned to = ring_set_next(&r->idle, &i->allowed, last);
    if (to != RING_NONE)
        return to;
    if (ring_set_has(&r->calm, last) && ring_set_has(&i->allowed, last))
        return last;
    to = ring_set_next(&r->calm, &i->allowed, last);
    if (to != RING_NONE)
        return to;
    return ring_set_has(&i->allowed, last) ? last : ring_set_next(&r->online, &i->allowed, last);
}

static bool room_here(struct ring_core *me, struct ring_item *i)
{
    struct ring_item *runs = me->current;
    return runs && runs->hand_over >= HAND_OVER_SURE && me->waiting == 0 && !item_real_time(runs) &&
           ring_set_has(&i->allowed, me->number);
}

static void lighter(struct ring *r, struct ring_item *i, unsigned candidate, unsigned *best)
{
    if (!ring_set_has(&r->online, candidate) || !ring_set_has(&i->allowed, candidate))
        return;
    if (*best == RING_NONE || __atomic_load_n(&r->core[candidate]->load, __ATOMIC_RELAXED) <
                                  __atomic_load_n(&r->core[*best]->load, __ATOMIC_RELAXED))
        *best = candidate;
}

// The core for a thread that became runnable: where it is soonest served at least cost.
static unsigned choose(struct ring *r, struct ring_core *me, struct ring_item *i,
                       enum ring_wake how)
{
    if (item_real_time(i))
        return choose_real_time(r, i);
    if (how == RING_WOKEN && room_here(me, i))
        return me->number; // what runs here is about to block: hand over, send nothing

    unsigned last = how == RING_NEW ? me->number : i->core;
    if (ring_set_has(&r->idle, last) && ring_set_has(&i->allowed, last))
        return last;
    unsigned best = ring_set_next(&r->idle, &i->allowed, last);
    if (best != RING_NONE)
        return best;

    lighter(r, i, last, &best);
    lighter(r, i, me->number, &best);
    lighter(r, i, (unsigned)(me->wake_ipis + me->turns) * 7 % r->cores, &best);
    if (best == RING_NONE)
        best = ring_set_next(&r->online, &i->allowed, last);
    return best == RING_NONE ? me->number : best;
}

static void learn_waking(struct ring_core *me, nanos_t now)
{
    if (me->current)
        me->current->woke_at = now;
}

void ring_wake(struct ring *r, struct ring_core *me, struct ring_item *i, enum ring_wake how,
               nanos_t now)
{
    bool on_core = __atomic_load_n(&i->on_core, __ATOMIC_ACQUIRE);
    struct ring_core *to = r->core[on_core ? i->core : choose(r, me, i, how)];

    ring_port_lock(to);
    if (i == to->current) { // on its way to sleep: its turn will find it awake
        i->rewoken = true;
        ring_port_unlock(to);
        return;
    }
    queue_attach(to, i, how, __atomic_load_n(&r->clock, __ATOMIC_RELAXED));
    queue_insert(to, i, false, now);
    bool preempts = queue_preempts(to, i, now);
    queue_publish(r, to);
    bool crowd = ring_set_has(&r->crowd, to->number);
    ring_port_unlock(to);

    if (how == RING_WOKEN)
        learn_waking(me, now);
    if (preempts)
        kick(me, to);
    if (crowd)
        token_claim(r, me, now);
}

static void learn_going_on(struct ring_item *i)
{
    i->hand_over = (uint8_t)max_of(i->hand_over - 2, 0);
}

static void learn_blocking(struct ring_item *i, nanos_t now)
{
    if (!i->woke_at)
        return;
    if (now - i->woke_at < HAND_OVER_SOON)
        i->hand_over = (uint8_t)min_of(i->hand_over + 1, (int)HAND_OVER_MOST);
    else
        learn_going_on(i);
    i->woke_at = 0;
}

// What ran goes back to the queue, to sleep, or (no longer allowed here) to be placed elsewhere.
static void put_back(struct ring_core *me, struct ring_item *i, bool blocks, nanos_t now)
{
    me->current = NULL;
    if (blocks && !i->rewoken) {
        learn_blocking(i, now);
        queue_detach(me, i);
        return;
    }
    i->rewoken = false;
    if (!ring_set_has(&i->allowed, me->number)) {
        i->misplaced = true;
        queue_detach(me, i);
        return;
    }

    bool used_up = i->class <= CLASS_ROUND && i->slice_left <= 0; // CLASS_FIFO: it yields
    if (used_up)
        i->slice_left = RING_SLICE;
    queue_insert(me, i, !used_up, now);
}

// Work for a core that would idle or is calm while real time waits elsewhere.
static void look_around(struct ring *r, struct ring_core *me, nanos_t now)
{
    struct ring_item *first = queue_first(me);
    if ((!first || !item_real_time(first)) && !ring_set_empty(&r->urgent)) {
        unsigned from = ring_set_next(&r->urgent, NULL, me->number);
        if (from != RING_NONE && ring_pull(r, me, r->core[from], true, now))
            return;
    }
    if (first)
        return;

    unsigned from = me->number;
    for (unsigned tries = 0; tries < 3; tries++) {
        from = ring_set_next(&r->crowd, NULL, from);
        if (from == RING_NONE || ring_pull(r, me, r->core[from], false, now))
            return;
    }
}

static struct ring_item *take_first(struct ring_core *me, struct ring_item *prev, nanos_t now)
{
    struct ring_item *next = queue_first(me);
    if (!next)
        return NULL;
    queue_remove(me, next);
    next->since = now;
    me->chosen_at = now;
    __atomic_store_n(&next->on_core, true, __ATOMIC_RELAXED);
    if (next != prev)
        me->switches++;
    return next;
}

// A crowded core takes its turn without the token when that is more than a lap late (a core on its
// way kept interrupts off for long, or the machine is a guest whose host does not run all its
// cores).
static nanos_t guard(const struct ring *r)
{
    return 2 * max_of(RING_SLICE, RING_HOP_LEAST * (nanos_t)r->cores);
}

// After the choice: who takes the token, and what the timer is armed for.
static void turn_end(struct ring *r, struct ring_core *me, bool arrived, nanos_t now)
{
    me->guard_at = me->waiting ? now + guard(r) : RING_NEVER;
    if (arrived)
        token_hop(r, me, now);
    else if (!me->has_token && me->waiting)
        token_claim(r, me, now);
    if (me->has_token && !me->current) // nothing to do here: the token goes on at once
        token_pass(r, me, now);
    ring_arm(me);
}

struct ring_item *ring_turn(struct ring *r, struct ring_core *me, bool blocks, nanos_t now)
{
    me->turns++;
    if (__atomic_load_n(&me->sent, __ATOMIC_RELAXED))
        (void)__atomic_exchange_n(&me->sent, false, __ATOMIC_SEQ_CST); // before the token is read
    bool arrived = token_arrive(r, me);

    ring_port_lock(me);
    struct ring_item *prev = me->current;
    ring_charge(me, now);
    if (me->heir && prev && !blocks)
        learn_going_on(prev);
    queue_heir(r, me, now);
    if (prev)
        put_back(me, prev, blocks, now);
    struct ring_core *tell = NULL;
    if (arrived || me->late)
        queue_publish(r, me);
    if (arrived)
        token_balance(r, me, now);
    else if (me->late)
        tell = token_missed(r, me, now);
    me->late = false;
    look_around(r, me, now);
    struct ring_item *next = take_first(me, prev, now);
    me->current = next;
    queue_publish(r, me);
    ring_port_unlock(me);

    if (tell)
        kick(me, tell);
    turn_end(r, me, arrived, now);
    return next;
}

void ring_timer(struct ring *r, struct ring_core *me, nanos_t now)
{
    if (me->guard_at <= now) {
        me->guard_at = RING_NEVER;
        me->late = true;
        ring_port_turn_here(me);
    }
    ring_heir_timer(me, now);
    if (me->hop_at <= now) {
        me->hop_at = RING_NEVER;
        if (me->has_token)
            token_pass(r, me, now);
    }
    ring_arm(me);
}

void ring_adopt(struct ring *r, struct ring_core *me, struct ring_item *i, nanos_t now)
{
    ring_port_lock(me);
    queue_attach(me, i, RING_NEW, __atomic_load_n(&r->clock, __ATOMIC_RELAXED));
    i->since = now;
    i->on_core = true;
    me->current = i;
    queue_publish(r, me);
    ring_port_unlock(me);
}

void ring_yield(struct ring_core *me, nanos_t now)
{
    struct ring_item *i = me->current;
    ring_charge(me, now);
    if (item_real_time(i)) {
        i->slice_left = 0;
        return;
    }
    struct rb_node *first = rb_first(i->urgency ? &me->fair : &me->idle);
    if (first)
        i->virtual_time =
            max_of(i->virtual_time, container_of(first, struct ring_item, node)->virtual_time);
}

// Locks the queue that the item belongs to.
static struct ring_core *lock_core_of(struct ring *r, struct ring_item *i)
{
    for (;;) {
        struct ring_core *c = r->core[i->core];
        ring_port_lock(c);
        if (c == r->core[i->core])
            return c;
        ring_port_unlock(c); // it moved meanwhile
    }
}

nanos_t ring_ran(struct ring *r, struct ring_item *i, nanos_t now)
{
    struct ring_core *c = lock_core_of(r, i);
    if (i == c->current)
        ring_charge(c, now);
    nanos_t ran = i->ran;
    ring_port_unlock(c);
    return ran;
}

void ring_item_changed(struct ring *r, struct ring_core *me, struct ring_item *i,
                       void (*change)(struct ring_item *i, void *data), void *data, nanos_t now)
{
    struct ring_core *c = lock_core_of(r, i);
    if (i == c->heir)
        queue_heir(r, c, now);
    bool queued = i->queued, attached = i->attached;
    ring_charge(c, now);
    if (queued)
        queue_remove(c, i);
    if (attached)
        queue_detach(c, i);
    change(i, data);
    item_work_out(i);
    if (attached)
        queue_attach(c, i, RING_MOVED, __atomic_load_n(&r->clock, __ATOMIC_RELAXED));

    bool leaves = attached && !ring_set_has(&i->allowed, c->number);
    bool moves = queued && leaves && !__atomic_load_n(&i->on_core, __ATOMIC_ACQUIRE);
    if (moves)
        queue_detach(c, i);
    else if (queued)
        queue_insert(c, i, false, now);
    struct ring_item *first = queue_first(c);
    bool turn = (leaves && !queued) || (first && queue_preempts(c, first, now));
    queue_publish(r, c);
    ring_port_unlock(c);

    if (moves)
        ring_wake(r, me, i, RING_MOVED, now);
    if (turn)
        kick(me, c);
}
