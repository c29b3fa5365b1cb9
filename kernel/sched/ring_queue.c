// SPDX-License-Identifier: GPL-3.0-or-later
// The run queue of one core. See ring_queue.h and ring.h.
#include "kernel/sched/ring_queue.h"

// Shares: one step of nice is a factor of 1.25; nice 0 is 1024.
static const uint32_t nice_weight[40] = {
    88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921, 9537, 7629, 6104, 4883,
    3906,  3125,  2500,  2000,  1600,  1280,  1024,  819,   655,   524,   419,  336,  268,  215,
    172,   137,   110,   88,    70,    56,    45,    36,    29,    23,    18,   15,
};

enum { WEIGHT_IDLE = 3, WEIGHT_REAL_TIME = 16384 };

void item_work_out(struct ring_item *i)
{
    unsigned own = 0;
    if (i->class <= CLASS_ROUND)
        own = 100u + i->priority;
    else if (i->class != CLASS_IDLE)
        own = (unsigned)(20 - i->nice);
    i->urgency = (uint8_t)max_of(own, (unsigned)i->inherited);

    if (i->urgency == 0)
        i->weight = WEIGHT_IDLE;
    else if (item_real_time(i))
        i->weight = WEIGHT_REAL_TIME;
    else
        i->weight = nice_weight[40 - i->urgency];
}

void ring_charge(struct ring_core *c, nanos_t now)
{
    if (c->current)
        item_charge(c->current, now);
}

static int64_t place(const struct ring_core *c, const struct ring_item *i, enum ring_wake how)
{
    if (how == RING_NEW)
        return c->floor + weigh(RING_GRANULE, i->weight);
    if (how == RING_MOVED)
        return item_place(c, i, weigh(RING_LAG, min_of(i->weight, (uint32_t)WEIGHT_ONE)));
    return item_place(c, i, weigh(RING_SLICE / 2, i->weight));
}

void queue_attach(struct ring_core *c, struct ring_item *i, enum ring_wake how, int64_t clock)
{
    // A core that had nothing to do owes nobody: it goes on at the machine's virtual time.
    if (!c->current && c->waiting == 0 && c->base + c->floor < clock)
        c->base = clock - c->floor;
    i->virtual_time = place(c, i, how);
    i->attached = true;
    i->core = c->number;
    __atomic_store_n(&c->load, c->load + i->weight, __ATOMIC_RELAXED);
}

static bool before(const struct rb_node *a, const struct rb_node *b)
{
    return container_of(a, struct ring_item, node)->virtual_time <
           container_of(b, struct ring_item, node)->virtual_time;
}

void queue_insert(struct ring_core *c, struct ring_item *i, bool front, nanos_t now)
{
    i->queued = true;
    i->queued_at = now;
    c->waiting++;
    if (!item_real_time(i)) {
        rb_insert(i->urgency ? &c->fair : &c->idle, &i->node, before);
        return;
    }

    unsigned level = i->urgency - 100u;
    if (front)
        list_push_front(&c->real_time[level], &i->link);
    else
        list_push_back(&c->real_time[level], &i->link);
    c->real_time_bits[level / 64] |= 1ull << level % 64;
}

void queue_remove(struct ring_core *c, struct ring_item *i)
{
    i->queued = false;
    c->waiting--;
    if (!item_real_time(i)) {
        rb_remove(i->urgency ? &c->fair : &c->idle, &i->node);
        return;
    }

    unsigned level = i->urgency - 100u;
    list_remove(&i->link);
    if (list_empty(&c->real_time[level]))
        c->real_time_bits[level / 64] &= ~(1ull << level % 64);
}

static struct ring_item *first_in(const struct rb_tree *t)
{
    struct rb_node *n = rb_first(t);
    return n ? container_of(n, struct ring_item, node) : NULL;
}

static struct ring_item *first_real_time(struct ring_core *c)
{
    for (int word = 1; word >= 0; word--) {
        if (!c->real_time_bits[word])
            continue;
        unsigned level =
            (unsigned)word * 64 + 63 - (unsigned)__builtin_clzll(c->real_time_bits[word]);
        return list_first(&c->real_time[level], struct ring_item, link);
    }
    return NULL;
}

struct ring_item *queue_first(struct ring_core *c)
{
    struct ring_item *i = first_real_time(c);
    if (!i)
        i = first_in(&c->fair);
    return i ? i : first_in(&c->idle);
}

static bool may_go(const struct ring_item *i, unsigned to)
{
    return ring_set_has(&i->allowed, to) && !__atomic_load_n(&i->on_core, __ATOMIC_ACQUIRE);
}

// The first few are looked at, no more: the cost stays bounded.
static struct ring_item *find_in(struct rb_tree *t, unsigned to)
{
    unsigned looks = 8;
    for (struct rb_node *n = rb_first(t); n && looks; n = rb_next(n), looks--) {
        struct ring_item *i = container_of(n, struct ring_item, node);
        if (may_go(i, to))
            return i;
    }
    return NULL;
}

struct ring_item *queue_give(struct ring_core *c, unsigned to, bool real_time)
{
    struct ring_item *i = first_real_time(c);
    if (i && !may_go(i, to))
        i = NULL;
    if (!i && !real_time)
        i = find_in(&c->fair, to);
    if (!i && !real_time)
        i = find_in(&c->idle, to);
    if (i) {
        queue_remove(c, i);
        queue_detach(c, i);
        i->core = (uint16_t)to; // from here on its new core's lock guards it
    }
    return i;
}

bool queue_preempts(struct ring_core *c, struct ring_item *i, nanos_t now)
{
    struct ring_item *running = c->current;
    if (!running)
        return true;
    if (item_real_time(i) || item_real_time(running) || !i->urgency || !running->urgency)
        return i->urgency > running->urgency;
    if (i->class == CLASS_BATCH)
        return false;
    ring_charge(c, now);
    return i->virtual_time + weigh(RING_GRANULE, i->weight) < running->virtual_time;
}

static void publish_floor(struct ring *r, struct ring_core *c)
{
    struct ring_item *waits = c->waiting ? first_in(&c->fair) : NULL;
    struct ring_item *runs = c->current;
    if (runs && (item_real_time(runs) || !runs->urgency))
        runs = NULL;

    int64_t least = INT64_MAX;
    if (waits)
        least = waits->virtual_time;
    if (runs)
        least = min_of(least, runs->virtual_time);
    if (least != INT64_MAX) {
        c->floor = max_of(c->floor, least);
        int64_t clock = __atomic_load_n(&r->clock, __ATOMIC_RELAXED);
        if (c->base + c->floor < clock - RING_LAG)
            c->base = clock - RING_LAG - c->floor;
        else if (c->base + c->floor > clock + RING_GRANULE)
            __atomic_store_n(&r->clock, c->base + c->floor, __ATOMIC_RELAXED);
        least += c->base;
    }
    __atomic_store_n(&c->least, least, __ATOMIC_RELAXED);
}

static bool allowed_anywhere(const struct ring *r, const struct ring_item *i)
{
    for (unsigned w = 0; w < RING_WORDS; w++)
        if (r->online.word[w] & ~i->allowed.word[w])
            return false;
    return true;
}

enum {
    SHOWN = 1, // so that the first time differs
    IN_IDLE = 2,
    IN_CALM = 4,
    IN_URGENT = 8,
    IN_CROWD = 16,
    IN_CROWD_FREE = 32,
};

static no_inline void show_in_sets(struct ring *r, struct ring_core *c, unsigned in)
{
    ring_set_put(&r->idle, c->number, in & IN_IDLE);
    ring_set_put(&r->calm, c->number, in & IN_CALM);
    ring_set_put(&r->urgent, c->number, in & IN_URGENT);
    ring_set_put(&r->crowd_free, c->number, in & IN_CROWD_FREE);
    ring_set_put(&r->crowd, c->number, in & IN_CROWD);
    c->shown = (uint8_t)in;
}

void queue_publish(struct ring *r, struct ring_core *c)
{
    publish_floor(r, c);

    struct ring_item *waits = c->waiting ? first_in(&c->fair) : NULL;
    bool free = waits && allowed_anywhere(r, waits);
    __atomic_store_n(&c->first_free, free ? waits->virtual_time + c->base : INT64_MAX,
                     __ATOMIC_RELAXED);

    bool crowd = c->waiting > (c->current ? 0 : 1);
    bool real_time = c->real_time_bits[0] | c->real_time_bits[1];
    bool calm = !c->current || !item_real_time(c->current);
    __atomic_store_n(&c->urgency, c->current ? c->current->urgency : 0, __ATOMIC_RELAXED);
    unsigned in = SHOWN | (!c->current && c->waiting == 0 ? IN_IDLE : 0) |
                  (calm && !real_time ? IN_CALM : 0) | (real_time && !calm ? IN_URGENT : 0) |
                  (crowd ? IN_CROWD | (free ? IN_CROWD_FREE : 0) : 0);
    if (in != c->shown)
        show_in_sets(r, c, in);
}
