// SPDX-License-Identifier: GPL-3.0-or-later
// The token's way round the cores, and the balancing that its holder does. See ring.h.
#include "kernel/sched/ring_queue.h"

bool ring_set_put(struct ring_set *s, unsigned n, bool in)
{
    uint64_t bit = 1ull << n % 64;
    uint64_t *word = &s->word[n / 64];
    if (!!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit) == in)
        return false; // the common case writes nothing that others share
    if (in)
        __atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
    return true;
}

bool ring_set_empty(const struct ring_set *s)
{
    for (unsigned w = 0; w < RING_WORDS; w++)
        if (__atomic_load_n(&s->word[w], __ATOMIC_SEQ_CST))
            return false;
    return true;
}

unsigned ring_set_next(const struct ring_set *a, const struct ring_set *b, unsigned n)
{
    unsigned start = (n + 1) % (RING_WORDS * 64);
    for (unsigned step = 0; step <= RING_WORDS; step++) {
        unsigned w = (start / 64 + step) % RING_WORDS;
        uint64_t bits = __atomic_load_n(&a->word[w], __ATOMIC_RELAXED);
        if (b)
            bits &= b->word[w];
        if (step == 0)
            bits &= ~0ull << start % 64;
        else if (step == RING_WORDS)
            bits &= ~(~0ull << start % 64);
        if (bits)
            return w * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return RING_NONE;
}

static unsigned bits_in(uint64_t word)
{
    word -= word >> 1 & 0x5555555555555555;
    word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (unsigned)(word * 0x0101010101010101 >> 56);
}

static unsigned count(const struct ring_set *s)
{
    unsigned n = 0;
    for (unsigned w = 0; w < RING_WORDS; w++)
        n += bits_in(s->word[w]);
    return n;
}

// Who is on the lap: the crowded cores, and, when one of their threads may run anywhere, every core
// that runs something (it may be ahead of that thread). `none` when nobody has use for the token.
static bool lap_cores(const struct ring *r, struct ring_set *lap)
{
    bool crowded = false, free = false;
    for (unsigned w = 0; w < RING_WORDS; w++) {
        lap->word[w] = __atomic_load_n(&r->crowd.word[w], __ATOMIC_SEQ_CST);
        crowded |= lap->word[w] != 0;
        free |= __atomic_load_n(&r->crowd_free.word[w], __ATOMIC_RELAXED) != 0;
    }
    for (unsigned w = 0; free && w < RING_WORDS; w++)
        lap->word[w] |= r->online.word[w] & ~__atomic_load_n(&r->idle.word[w], __ATOMIC_RELAXED);
    return crowded;
}

// An idle core that something waiting here may go to. What came just now may be about to be handed
// the core: it stays.
static unsigned find_room(struct ring *r, struct ring_core *me, nanos_t now)
{
    if (ring_set_empty(&r->idle))
        return RING_NONE;
    unsigned found = RING_NONE;
    ring_port_lock(me);
    unsigned looks = 4;
    for (struct rb_node *n = rb_first(&me->fair); n && looks && found == RING_NONE; looks--) {
        struct ring_item *i = container_of(n, struct ring_item, node);
        if (now - i->queued_at >= RING_HOP_ROOM / 2)
            found = ring_set_next(&r->idle, &i->allowed, me->number);
        n = rb_next(n);
    }
    ring_port_unlock(me);
    return found;
}

bool token_arrive(struct ring *r, struct ring_core *me)
{
    if (me->has_token || __atomic_load_n(&r->token.holder, __ATOMIC_ACQUIRE) != me->number)
        return false;
    me->has_token = true;
    return true;
}

// Takes one waiting thread from another core, if its lock is free just now. Own queue locked.
bool ring_pull(struct ring *r, struct ring_core *me, struct ring_core *from, bool real_time,
               nanos_t now)
{
    if (from == me || !ring_port_try_lock(from))
        return false;
    struct ring_item *i = queue_give(from, me->number, real_time);
    if (i)
        queue_publish(r, from);
    ring_port_unlock(from);
    if (!i)
        return false;

    queue_attach(me, i, RING_MOVED, __atomic_load_n(&r->clock, __ATOMIC_RELAXED));
    nanos_t since = i->queued_at;
    queue_insert(me, i, false, now);
    i->queued_at = since;
    me->pulls++;
    return true;
}

// True when a thread that waits on `from` would be better off on `to`: it evens the loads out, or
// the thread is further behind than anything there and the loads merely change places.
static bool worth_moving(const struct ring *r, const struct ring_core *to,
                         const struct ring_core *from)
{
    enum { UNIT = 1024 };
    uint32_t load = __atomic_load_n(&from->load, __ATOMIC_RELAXED);
    uint32_t load_there = __atomic_load_n(&to->load, __ATOMIC_RELAXED);
    if (from == to || !ring_set_has(&r->crowd, from->number))
        return false;
    if (load > load_there + UNIT + UNIT / 2)
        return true;
    int64_t first = __atomic_load_n(&from->first_free, __ATOMIC_RELAXED);
    int64_t least = __atomic_load_n(&to->least, __ATOMIC_RELAXED);
    return first != INT64_MAX && least != INT64_MAX && first + RING_SLICE < least &&
           load > load_there;
}

// Work moves to where there is room. Each hop looks at two crowded cores, the next hop at the
// following two: so a lap looks at all of them, however many there are, and a hop costs the same.
void token_balance(struct ring *r, struct ring_core *me, nanos_t now)
{
    struct ring_core *best = NULL;
    for (unsigned looks = 0; looks < 2; looks++) {
        unsigned n = ring_set_next(&r->crowd_free, NULL, r->token.looked_at);
        if (n == RING_NONE)
            break;
        r->token.looked_at = (uint16_t)n;
        struct ring_core *from = r->core[n];
        if (worth_moving(r, me, from) && (!best || from->first_free < best->first_free))
            best = from;
    }
    if (best)
        ring_pull(r, me, best, false, now);
}

static struct ring_core *lightest(struct ring *r, struct ring_core *me)
{
    struct ring_core *best = me;
    unsigned n = (unsigned)me->turns % r->cores;
    for (unsigned looks = 0; looks < 8; looks++) {
        n = ring_set_next(&r->online, NULL, n);
        if (__atomic_load_n(&r->core[n]->load, __ATOMIC_RELAXED) <
            __atomic_load_n(&best->load, __ATOMIC_RELAXED))
            best = r->core[n];
    }
    return best;
}

// The token did not come in time to even things out: a core with much more to do than another gives
// it a thread. Returns who has to be told. Own queue locked.
struct ring_core *token_missed(struct ring *r, struct ring_core *me, nanos_t now)
{
    struct ring_core *to = lightest(r, me);
    if (!worth_moving(r, to, me) || !ring_port_try_lock(to))
        return NULL;
    struct ring_item *i = queue_give(me, to->number, false);
    if (i) {
        queue_attach(to, i, RING_MOVED, __atomic_load_n(&r->clock, __ATOMIC_RELAXED));
        nanos_t since = i->queued_at;
        queue_insert(to, i, false, now);
        i->queued_at = since;
        to->pulls++;
        queue_publish(r, to);
    }
    ring_port_unlock(to);
    return i ? to : NULL;
}

void ring_arm(struct ring_core *me)
{
    ring_port_arm(me, min_of(min_of(me->hop_at, me->guard_at), me->heir_at));
}

void token_hop(struct ring *r, struct ring_core *me, nanos_t now)
{
    struct ring_set lap;
    lap_cores(r, &lap);
    unsigned cores = max_of(count(&lap), 1u);
    nanos_t hop = max_of(RING_SLICE / (nanos_t)cores, RING_HOP_LEAST);
    if (me->waiting && !ring_set_empty(&r->idle))
        hop = min_of(hop, RING_HOP_ROOM);
    me->hop_at = now + hop;
}

bool token_claim(struct ring *r, struct ring_core *me, nanos_t now)
{
    uint32_t holder = __atomic_load_n(&r->token.holder, __ATOMIC_SEQ_CST);
    if (!(holder & RING_RESTS) ||
        !__atomic_compare_exchange_n(&r->token.holder, &holder, me->number, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_RELAXED))
        return false;
    me->has_token = true;
    r->token.resume = me->number;
    token_hop(r, me, now);
    ring_arm(me);
    return true;
}

// Lays the token down; takes it up again when somebody got use for it meanwhile.
static bool rest(struct ring *r, struct ring_core *me)
{
    me->has_token = false;
    me->hop_at = RING_NEVER;
    uint32_t resting = me->number | RING_RESTS;
    __atomic_store_n(&r->token.holder, resting, __ATOMIC_SEQ_CST);
    if (ring_set_empty(&r->crowd))
        return true;
    if (!__atomic_compare_exchange_n(&r->token.holder, &resting, me->number, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return true; // another core was faster
    me->has_token = true;
    return false;
}

void token_pass(struct ring *r, struct ring_core *me, nanos_t now)
{
    struct ring_set lap;
    while (!lap_cores(r, &lap)) {
        if (rest(r, me)) {
            ring_arm(me);
            return;
        }
    }

    unsigned to = find_room(r, me, now);
    if (to == RING_NONE) {
        unsigned last = r->token.resume;
        to = ring_set_next(&lap, NULL, last);
        if (to <= last)
            r->token.laps++;
        r->token.resume = (uint16_t)to;
    }
    me->has_token = false;
    me->hop_at = RING_NEVER;
    ring_arm(me);
    __atomic_store_n(&r->token.holder, to, __ATOMIC_SEQ_CST);
    if (to == me->number) {
        ring_port_turn_here(me);
        return;
    }
    me->passes++;
    if (!__atomic_exchange_n(&r->core[to]->sent, true, __ATOMIC_SEQ_CST))
        ring_port_send(r->core[to]);
}
