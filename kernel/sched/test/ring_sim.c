// SPDX-License-Identifier: GPL-3.0-or-later
// See ring_sim.h.
#include "kernel/sched/test/ring_sim.h"
#include "kernel/sched/ring_queue.h"
#include <stdio.h>
#include <stdlib.h>

#define IPI_TIME    NANOS_PER_MICRO
#define SWITCH_TIME NANOS_PER_MICRO
enum { EVENT_IPI, EVENT_TIMER, EVENT_RAN, EVENT_WAKE };

static struct sim *sim; // the machine that runs now: the ring's port has no argument for it

static void broken(const char *what, unsigned core)
{
    fprintf(stderr, "ring: at %lld ns, core %u of %u: %s\n", (long long)sim->now, core, sim->cores,
            what);
    abort();
}

// Events.
static bool sooner(const struct sim_event *a, const struct sim_event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void event_push(struct sim *s, struct sim_event e)
{
    if (s->event_count == s->event_room) {
        s->event_room = s->event_room ? 2 * s->event_room : 1024;
        s->events = realloc(s->events, s->event_room * sizeof(*s->events));
    }
    e.order = s->order++;
    unsigned n = s->event_count++;
    for (; n > 0 && sooner(&e, &s->events[(n - 1) / 2]); n = (n - 1) / 2)
        s->events[n] = s->events[(n - 1) / 2];
    s->events[n] = e;
}

static struct sim_event event_pop(struct sim *s)
{
    struct sim_event top = s->events[0], last = s->events[--s->event_count];
    unsigned n = 0;
    for (unsigned child = 1; child < s->event_count; child = 2 * n + 1) {
        if (child + 1 < s->event_count && sooner(&s->events[child + 1], &s->events[child]))
            child++;
        if (!sooner(&s->events[child], &last))
            break;
        s->events[n] = s->events[child];
        n = child;
    }
    s->events[n] = last;
    return top;
}

// The ring's port.
static struct sim_core *core_of(struct ring_core *c)
{
    return container_of(c, struct sim_core, core);
}

void ring_port_lock(struct ring_core *c)
{
    if (core_of(c)->locked)
        broken("queue locked twice", c->number);
    core_of(c)->locked = true;
}

void ring_port_unlock(struct ring_core *c)
{
    core_of(c)->locked = false;
}

bool ring_port_try_lock(struct ring_core *c)
{
    if (core_of(c)->locked)
        return false;
    core_of(c)->locked = true;
    return true;
}

void ring_port_send(struct ring_core *to)
{
    sim->sends++;
    event_push(sim, (struct sim_event){
                        .at = sim->now + IPI_TIME, .what = EVENT_IPI, .core = to->number });
}

void ring_port_turn_here(struct ring_core *me)
{
    core_of(me)->turn_wanted = true;
}

void ring_port_arm(struct ring_core *me, nanos_t at)
{
    struct sim_core *c = core_of(me);
    if (c->timer_at == at)
        return;
    c->timer_at = at;
    if (at != RING_NEVER)
        event_push(sim, (struct sim_event){ .at = max_of(at, sim->now),
                                            .what = EVENT_TIMER,
                                            .core = me->number,
                                            .generation = (uint64_t)at });
}

// Threads.
static uint64_t next_random(struct sim *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random;
}

static nanos_t draw(struct sim *s, const struct sim_thread *t, nanos_t mean)
{
    if (!t->kind.vary)
        return mean;
    return mean / 2 + (nanos_t)(next_random(s) % (uint64_t)(mean + 1));
}

static struct sim_thread *thread_of(struct ring_item *i)
{
    return container_of(i, struct sim_thread, item);
}

static void note_latency(struct sim *s, nanos_t waited)
{
    unsigned bucket = 0;
    while (bucket + 1 < array_len(s->latency) && (nanos_t)1 << bucket < waited)
        bucket++;
    s->latency[bucket]++;
}

static void wake(struct sim *s, struct sim_core *on, struct sim_thread *t, enum ring_wake how)
{
    uint64_t sends = s->sends;
    t->asleep = false;
    t->woken = true;
    t->ready_since = s->now;
    s->wakes++;
    ring_wake(&s->ring, &on->core, &t->item, how, s->now);
    if (s->sends > sends + 1)
        broken("a wake-up sent more than one IPI (invariant 2)", on->core.number);
}

static void leaves(struct sim *s, struct sim_core *c, struct sim_thread *t)
{
    t->left -= max_of(s->now - t->began, (nanos_t)0);
    t->generation++;
    t->ready_since = s->now;
    t->item.on_core = false;
    if (t->item.misplaced) {
        t->item.misplaced = false;
        ring_wake(&s->ring, &c->core, &t->item, RING_MOVED, s->now);
    }
}

static void comes(struct sim *s, struct sim_core *c, struct sim_thread *t)
{
    nanos_t waited = s->now - t->ready_since;
    t->waited_most = max_of(t->waited_most, waited);
    if (t->woken)
        note_latency(s, waited);
    t->woken = false;
    t->began = s->now + SWITCH_TIME;
    if (!ring_set_has(&t->item.allowed, c->core.number))
        broken("a thread runs where it may not", c->core.number);
    event_push(s, (struct sim_event){ .at = t->began + max_of(t->left, (nanos_t)0),
                                      .what = EVENT_RAN,
                                      .core = c->core.number,
                                      .thread = t->number,
                                      .generation = t->generation });
}

static void take_turn(struct sim *s, struct sim_core *c, bool blocks)
{
    c->turn_wanted = false;
    struct ring_item *prev = c->core.current;
    struct ring_item *next = ring_turn(&s->ring, &c->core, blocks, s->now);
    if (next == prev)
        return;
    s->switches++;
    if (prev)
        leaves(s, c, thread_of(prev));
    if (next)
        comes(s, c, thread_of(next));
}

// A thread's span is over: what it does then.
static void span_ends(struct sim *s, struct sim_core *c, struct sim_thread *t)
{
    t->rounds++;
    t->left = draw(s, t, t->kind.run);
    if (t->kind.pipe) {
        struct sim_thread *partner = s->threads[t->kind.partner];
        if (partner->asleep)
            wake(s, c, partner, RING_WOKEN);
        else
            partner->ball = true;
        if (t->ball) { // the partner was faster: go on at once
            t->ball = false;
            t->generation++;
            t->began = s->now;
            event_push(s, (struct sim_event){ .at = s->now + t->left,
                                              .what = EVENT_RAN,
                                              .core = c->core.number,
                                              .thread = t->number,
                                              .generation = t->generation });
            return;
        }
    } else {
        nanos_t until = s->now + draw(s, t, t->kind.pause);
        if (t->kind.together)
            until = (s->now / t->kind.pause + 1) * t->kind.pause;
        event_push(
            s, (struct sim_event){
                   .at = until, .what = EVENT_WAKE, .core = c->core.number, .thread = t->number });
    }
    nanos_t left = t->left;
    t->asleep = true;
    take_turn(s, c, true);
    t->left = left;
}

// Invariants.
static void check_token(struct sim *s)
{
    uint32_t holder = s->ring.token.holder;
    unsigned held = 0;
    for (unsigned n = 0; n < s->cores; n++)
        held += s->core[n].core.has_token;
    if (held > 1)
        broken("two cores hold the token (invariant 1)", holder);
    if (holder & RING_RESTS) {
        if (held)
            broken("a core holds the token that rests (invariant 1)", holder & ~RING_RESTS);
        return;
    }
    const struct sim_core *c = &s->core[holder];
    if (held ? !c->core.has_token : !c->core.sent && !c->turn_wanted)
        broken("the token is lost (invariant 1)", holder);
    if (held && c->core.hop_at == RING_NEVER)
        broken("the token stays: no timer is armed", holder);
}

static void check_work(struct sim *s)
{
    bool wrong = !ring_set_empty(&s->ring.idle) && !ring_set_empty(&s->ring.crowd) && !s->pinned;
    if (!wrong) {
        s->idle_since = -1;
        return;
    }
    if (s->idle_since < 0)
        s->idle_since = s->now;
    s->idle_most = max_of(s->idle_most, s->now - s->idle_since);
    if (s->idle_most > 2 * RING_SLICE)
        broken("a core idles while a thread waits (invariant 3)", 0);
}

static void check_rest(struct sim *s)
{
    if (!ring_set_empty(&s->ring.crowd))
        return;
    for (unsigned n = 0; n < s->cores; n++)
        if (s->core[n].core.guard_at != RING_NEVER && s->core[n].core.waiting == 0 &&
            !s->core[n].core.current)
            broken("an idle core has armed its timer (invariant 5)", n);
}

static void step(struct sim *s)
{
    struct sim_event e = event_pop(s);
    s->now = e.at;
    struct sim_core *c = &s->core[e.core];
    struct sim_thread *t = s->threads[e.thread];
    switch (e.what) {
    case EVENT_IPI:
        c->turn_wanted = true;
        break;
    case EVENT_TIMER:
        if (c->timer_at != (nanos_t)e.generation)
            return;
        c->timer_at = RING_NEVER;
        s->timers++;
        ring_timer(&s->ring, &c->core, s->now);
        break;
    case EVENT_RAN:
        if (t->generation != e.generation)
            return;
        span_ends(s, c, t);
        break;
    default:
        wake(s, c, t, RING_WOKEN);
    }
    while (c->turn_wanted)
        take_turn(s, c, false);
    check_work(s);
    if (s->cores <= 16 || s->steps++ % 64 == 0) {
        check_token(s);
        check_rest(s);
    }
}

struct sim *sim_make(unsigned cores, uint64_t seed)
{
    struct sim *s = calloc(1, sizeof(*s));
    s->cores = cores;
    s->core = calloc(cores, sizeof(*s->core));
    s->random = seed * 0x9e3779b97f4a7c15 + 1;
    s->idle_since = -1;
    ring_init(&s->ring);
    for (unsigned n = 0; n < cores; n++) {
        s->core[n].timer_at = RING_NEVER;
        ring_core_init(&s->ring, &s->core[n].core, n);
    }
    return s;
}

void sim_drop(struct sim *s)
{
    for (unsigned n = 0; n < s->count; n++)
        free(s->threads[n]);
    free(s->events);
    free(s->core);
    free(s);
}

unsigned sim_add(struct sim *s, const struct sim_kind *k, unsigned core)
{
    sim = s;
    struct sim_thread *t = calloc(1, sizeof(*t));
    ring_item_init(&t->item);
    t->number = s->count++;
    s->threads[t->number] = t;
    t->kind = *k;
    t->item.class = k->class ? (uint8_t)k->class : k->priority ? CLASS_FIFO : CLASS_FAIR;
    t->item.priority = (uint8_t)k->priority;
    t->item.nice = (int8_t)k->nice;
    item_work_out(&t->item);
    t->item.core = (uint16_t)core;
    if (k->pinned) {
        t->item.allowed = (struct ring_set){ 0 };
        ring_set_put(&t->item.allowed, core, true);
        s->pinned = true;
    }
    t->left = draw(s, t, k->run);
    struct sim_core *c = &s->core[core];
    wake(s, c, t, RING_NEW);
    while (c->turn_wanted)
        take_turn(s, c, false);
    return t->number;
}

void sim_change(struct sim *s, unsigned thread, void (*change)(struct ring_item *i, void *data),
                void *data)
{
    sim = s;
    struct ring_item *i = &s->threads[thread]->item;
    struct sim_core *c = &s->core[i->core];
    ring_item_changed(&s->ring, &c->core, i, change, data, s->now);
    while (c->turn_wanted)
        take_turn(s, c, false);
}

void sim_run(struct sim *s, nanos_t span)
{
    sim = s;
    nanos_t end = s->now + span;
    while (s->event_count && s->events[0].at <= end)
        step(s);
    s->now = end;
    for (unsigned n = 0; n < s->cores; n++)
        ring_charge(&s->core[n].core, end);
}

void sim_count_from_here(struct sim *s)
{
    s->since = s->now;
    s->sends = s->wakes = s->switches = s->timers = 0;
    s->idle_most = 0;
    for (unsigned n = 0; n < s->count; n++) {
        s->threads[n]->ran_before = s->threads[n]->item.ran;
        s->threads[n]->waited_most = 0;
    }
    for (unsigned n = 0; n < array_len(s->latency); n++)
        s->latency[n] = 0;
}

nanos_t sim_ran(const struct sim *s, unsigned thread)
{
    return s->threads[thread]->item.ran - s->threads[thread]->ran_before;
}

double sim_jain(const struct sim *s)
{
    double sum = 0, squares = 0;
    unsigned n = 0;
    for (unsigned t = 0; t < s->count; t++) {
        if (s->threads[t]->kind.run != SIM_ENDLESS)
            continue;
        double ran = (double)sim_ran(s, t);
        sum += ran;
        squares += ran * ran;
        n++;
    }
    return squares > 0 ? sum * sum / (n * squares) : 1;
}

double sim_busy(const struct sim *s)
{
    double ran = 0;
    for (unsigned t = 0; t < s->count; t++)
        ran += (double)sim_ran(s, t);
    return ran / ((double)(s->now - s->since) * s->cores);
}

nanos_t sim_waited_most(const struct sim *s)
{
    nanos_t most = 0;
    for (unsigned t = 0; t < s->count; t++)
        most = max_of(most, s->threads[t]->waited_most);
    return most;
}

nanos_t sim_latency(const struct sim *s, double part)
{
    uint64_t all = 0, seen = 0;
    for (unsigned n = 0; n < array_len(s->latency); n++)
        all += s->latency[n];
    for (unsigned n = 0; n < array_len(s->latency); n++) {
        seen += s->latency[n];
        if ((double)seen >= part * (double)all)
            return (nanos_t)1 << n;
    }
    return 0;
}

uint64_t sim_pulls(const struct sim *s)
{
    uint64_t sum = 0;
    for (unsigned n = 0; n < s->cores; n++)
        sum += s->core[n].core.pulls;
    return sum;
}
