// SPDX-License-Identifier: GPL-3.0-or-later
// Futexes with an owner: who waits lends its urgency. Owns struct futex_owned: there is one for a
// key while threads wait for its owner (or the one that has just inherited it from a dead owner has
// not written that into the word yet). It stands in the key's bucket, whose lock guards it; its
// claim is guarded by claims_lock besides.
//
// The word changes under the bucket's lock. An owner that lets go writes the next one's number into
// it before that one is woken; an owner that dies cannot (the word may not lie in its space), so
// the next one does it itself when it runs ("unsettled"). In between nobody else takes it, because
// whoever finds a struct futex_owned queues itself.
//
// An owner that ends: first the word of a robust futex is marked, then `owns_no_futex` is set, then
// the claims that it holds are passed on. Who finds the flag looks at the word again.
#include "kernel/sched/futex_inside.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/claim.h"

struct futex_owned {
    struct list link;
    struct futex_key key;
    struct claim claim;
    bool unsettled;
};

struct owned_waiter {
    struct futex_waiter base;
    struct claimant claimant;
    struct futex_owned *owned; // it is queued there, or has to settle it
    uaddr_t at;                // where its space has the word
    struct futex_key key;
};

// One look at a word: what it said, and who that owner is.
struct owned_word {
    uaddr_t at;
    struct futex_key key;
    struct futex_bucket *bucket;
    uint32_t value;
    struct thread *owner; // with a reference; NULL: none, or no such thread
};

// What a step under the bucket's lock came to, if it is no error.
enum step { STEP_DONE, STEP_QUEUED, STEP_AGAIN };

static struct futex_owned *owned_find(struct futex_bucket *b, const struct futex_key *key)
{
    list_for_each (link, &b->owned) {
        struct futex_owned *o = list_entry(link, struct futex_owned, link);
        if (futex_key_same(&o->key, key))
            return o;
    }
    return NULL;
}

bool futex_is_owned(struct futex_bucket *b, const struct futex_key *key)
{
    return owned_find(b, key) != NULL;
}

// NULL: no memory. The owner may have ended meanwhile: then it is not made (*ended).
static struct futex_owned *owned_make(struct futex_bucket *b, const struct futex_key *key,
                                      struct thread *owner, bool *ended)
{
    struct futex_owned *o = heap_alloc(sizeof(*o));
    *ended = false;
    if (!o)
        return NULL;
    *o = (struct futex_owned){ .key = *key };
    claim_init(&o->claim);
    o->claim.of_futex = true;
    spin_lock(&claims_lock);
    claim_hold(&o->claim, owner);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); // pairs with futex_owner_end(): it sees the claim
    *ended = __atomic_load_n(&owner->owns_no_futex, __ATOMIC_RELAXED);
    if (*ended)
        claim_hold(&o->claim, NULL);
    spin_unlock(&claims_lock);
    if (*ended) {
        heap_free(o);
        return NULL;
    }
    list_push_back(&b->owned, &o->link);
    return o;
}

// Drops it when nobody needs it any more.
static void owned_settle(struct futex_owned *o)
{
    if (o->unsettled || claim_first(&o->claim))
        return;
    spin_lock(&claims_lock);
    claim_hold(&o->claim, NULL);
    spin_unlock(&claims_lock);
    list_remove(&o->link);
    heap_free(o);
}

static err_t look(struct owned_word *w)
{
    err_t e = user_get_u32(w->at, &w->value);
    w->owner = NULL;
    if (!e && (w->value & FUTEX_OWNER) && futex_owner_find(w->value & FUTEX_OWNER, &w->owner))
        w->owner = NULL;
    return e;
}

static err_t word_begin(struct owned_word *w, uaddr_t at, bool shared)
{
    *w = (struct owned_word){ .at = at };
    err_t e = futex_key_find(at, 4, shared, &w->key);
    if (!e)
        w->bucket = futex_bucket_of(&w->key);
    return e;
}

// Ends a step that took the bucket's lock. STEP_AGAIN: the page is fetched for writing first.
static err_t word_end(struct owned_word *w, int step)
{
    uint32_t seen;
    if (w->owner)
        thread_put(w->owner);
    w->owner = NULL;
    return step == STEP_AGAIN ? user_exchange_u32(w->at, 0, 0, &seen) : 0;
}

static bool unchanged(const struct owned_word *w)
{
    uint32_t value;
    return !user_get_u32_nofault(w->at, &value) && value == w->value;
}

static bool word_set(struct owned_word *w, uint32_t value)
{
    uint32_t seen;
    if (user_exchange_u32_nofault(w->at, w->value, value, &seen) || seen != w->value)
        return false;
    w->value = value;
    return true;
}

// Makes the first who waits the owner and wakes it. Its number goes into the word, if that still
// says what it did (else false); without a word the owner died, and the next one has to write it.
static bool pass_on(struct futex_owned *o, struct owned_word *w)
{
    spin_lock(&claims_lock);
    struct claimant *first = claim_first(&o->claim);
    struct thread *before = o->claim.holder, *heir = first->thread;
    bool more = first->link.next != &o->claim.waiters;
    if (w && !word_set(w, heir->number | (more ? FUTEX_WAITERS : 0))) {
        spin_unlock(&claims_lock);
        return false;
    }
    claim_wait_end(first);
    claim_hold(&o->claim, heir);
    claim_lend_to(before);
    claim_lend_to(heir);
    spin_unlock(&claims_lock);
    struct owned_waiter *waiter = container_of(first, struct owned_waiter, claimant);
    waiter->owned = w ? NULL : o;
    o->unsettled = !w;
    futex_wake_waiter(&waiter->base);
    owned_settle(o);
    return true;
}

// Whether the word says what the kernel knows.
static bool agrees(const struct futex_owned *o, uint32_t value)
{
    uint32_t number = value & FUTEX_OWNER;
    return o->unsettled || number == o->claim.holder->number || (!number && (value & FUTEX_DIED));
}

// The futex's owner as the kernel keeps it, after marking the word: made if it is not there.
static int owned_get(struct owned_word *w, struct futex_owned **owned)
{
    struct futex_owned *o = *owned = owned_find(w->bucket, &w->key);
    bool ended;
    if (o && !agrees(o, w->value))
        return -EINVAL;
    if (!o && futex_first(w->bucket, &w->key))
        return -EINVAL;
    if (!o && !w->owner)
        return unchanged(w) ? -ESRCH : STEP_AGAIN;
    if (!(o && o->unsettled) && !(w->value & FUTEX_WAITERS) &&
        !word_set(w, w->value | FUTEX_WAITERS))
        return STEP_AGAIN;
    if (o)
        return STEP_DONE;
    *owned = owned_make(w->bucket, &w->key, w->owner, &ended);
    if (ended)
        return unchanged(w) ? -ESRCH : STEP_AGAIN;
    return *owned ? STEP_DONE : -ENOMEM;
}

// Queues a waiter. Its bucket and that of the futex are locked.
static int join(struct owned_word *w, struct futex_owned *o, struct owned_waiter *waiter)
{
    struct thread *t = waiter->base.thread;
    spin_lock(&claims_lock);
    bool loops = claim_would_deadlock(&o->claim, t);
    if (!loops) {
        claim_wait(&o->claim, &waiter->claimant, t);
        claim_lend_along(&o->claim);
    }
    spin_unlock(&claims_lock);
    if (loops) {
        owned_settle(o);
        return -EDEADLK;
    }
    waiter->owned = o;
    waiter->base.key = w->key;
    __atomic_store_n(&waiter->base.bucket, w->bucket, __ATOMIC_RELEASE);
    return STEP_QUEUED;
}

static bool is_free(struct owned_word *w)
{
    return !(w->value & FUTEX_OWNER) && !owned_find(w->bucket, &w->key) &&
           !futex_first(w->bucket, &w->key);
}

static int lock_step(struct owned_word *w, struct owned_waiter *waiter)
{
    struct futex_owned *o;
    uint32_t self = thread_current()->number;
    if (!unchanged(w))
        return STEP_AGAIN;
    if ((w->value & FUTEX_OWNER) == self)
        return -EDEADLK;
    if (is_free(w))
        return word_set(w, self | (w->value & FUTEX_DIED)) ? STEP_DONE : STEP_AGAIN;
    if (!waiter)
        return -EAGAIN;
    int step = owned_get(w, &o);
    return step ? step : join(w, o, waiter);
}

// Gives up, or learns that it was handed the futex at the last moment: then it is to settle.
static bool leave(struct owned_waiter *w)
{
    struct futex_bucket *b = futex_lock_waiter(&w->base);
    bool woken = w->base.woken;
    if (!woken && w->owned) {
        spin_lock(&claims_lock);
        claim_wait_end(&w->claimant);
        claim_lend_along(&w->owned->claim);
        spin_unlock(&claims_lock);
        owned_settle(w->owned);
    } else if (!woken) {
        list_remove(&w->base.link);
    }
    spin_unlock(&b->lock);
    return woken;
}

static bool settle_locked(struct owned_waiter *w)
{
    uint32_t value, seen;
    uint32_t wanted = w->base.thread->number | FUTEX_DIED;
    if (claim_first(&w->owned->claim))
        wanted |= FUTEX_WAITERS;
    if (user_get_u32_nofault(w->at, &value) ||
        user_exchange_u32_nofault(w->at, value, wanted, &seen) || seen != value)
        return false;
    w->owned->unsettled = false;
    owned_settle(w->owned);
    return true;
}

// The word cannot be written: somebody else may try.
static void disclaim_locked(struct futex_owned *o)
{
    if (claim_first(&o->claim)) {
        (void)pass_on(o, NULL);
        return;
    }
    o->unsettled = false;
    owned_settle(o);
}

// It was woken: writes its number into the word of an owner that died.
static err_t settle(struct owned_waiter *w)
{
    err_t e = 0;
    uint32_t seen;
    while (w->owned) {
        struct futex_bucket *b = w->base.bucket;
        spin_lock(&b->lock);
        bool settled = !e && settle_locked(w);
        if (e)
            disclaim_locked(w->owned);
        spin_unlock(&b->lock);
        if (settled || e)
            break;
        e = user_exchange_u32(w->at, 0, 0, &seen);
    }
    return e;
}

err_t futex_owned_lock(uaddr_t address, bool shared, nanos_t deadline)
{
    struct owned_waiter waiter = { .base.thread = thread_current(), .at = address };
    struct owned_word w;
    int step = STEP_AGAIN;
    err_t e = word_begin(&w, address, shared);
    while (!e && step == STEP_AGAIN) {
        e = look(&w);
        if (e)
            return e;
        spin_lock(&w.bucket->lock);
        step = lock_step(&w, &waiter);
        spin_unlock(&w.bucket->lock);
        e = word_end(&w, step);
    }
    if (e || step != STEP_QUEUED)
        return e ? e : step;
    e = futex_sleep(&waiter.base, 1, deadline);
    return leave(&waiter) ? settle(&waiter) : e;
}

err_t futex_owned_try(uaddr_t address, bool shared)
{
    struct owned_word w;
    int step = STEP_AGAIN;
    err_t e = word_begin(&w, address, shared);
    while (!e && step == STEP_AGAIN) {
        e = user_get_u32(w.at, &w.value);
        if (e)
            return e;
        spin_lock(&w.bucket->lock);
        step = lock_step(&w, NULL);
        spin_unlock(&w.bucket->lock);
        e = word_end(&w, step);
    }
    return e ? e : step;
}

static int unlock_step(struct owned_word *w)
{
    struct futex_owned *o = owned_find(w->bucket, &w->key);
    if (!o && futex_first(w->bucket, &w->key))
        return -EINVAL;
    if (!o)
        return word_set(w, 0) ? STEP_DONE : STEP_AGAIN;
    if (o->unsettled || o->claim.holder != thread_current())
        return -EINVAL;
    return pass_on(o, w) ? STEP_DONE : STEP_AGAIN;
}

err_t futex_owned_unlock(uaddr_t address, bool shared)
{
    struct owned_word w;
    int step = STEP_AGAIN;
    err_t e = word_begin(&w, address, shared);
    while (!e && step == STEP_AGAIN) {
        e = user_get_u32(w.at, &w.value);
        if (!e && (w.value & FUTEX_OWNER) != thread_current()->number)
            e = -EPERM;
        if (e)
            return e;
        spin_lock(&w.bucket->lock);
        step = unlock_step(&w);
        spin_unlock(&w.bucket->lock);
        e = word_end(&w, step);
    }
    return e ? e : step;
}

err_t futex_owned_wait(uaddr_t address, uaddr_t owned, bool shared, uint32_t expected,
                       uint32_t bits, nanos_t deadline)
{
    struct owned_waiter w = { .base = { .bits = bits, .for_owned = true }, .at = owned };
    struct futex_word word = { address, expected, 4 };
    struct futex_key key;
    err_t e = futex_key_find(address, 4, shared, &key);
    if (!e)
        e = futex_key_find(owned, 4, shared, &w.key);
    if (!e && (!bits || futex_key_same(&key, &w.key)))
        e = -EINVAL;
    if (!e)
        e = futex_queue(&w.base, &word, shared);
    if (e)
        return e;
    e = futex_sleep(&w.base, 1, deadline);
    if (leave(&w))
        return settle(&w);
    return w.owned && e == -EINTR ? -EAGAIN : e;
}

static bool fits(struct futex_waiter *waiter, const struct owned_word *w)
{
    return waiter->for_owned &&
           futex_key_same(&container_of(waiter, struct owned_waiter, base)->key, &w->key);
}

// Gives the free futex to a waiter.
static int give(struct owned_word *w, struct futex_waiter *waiter, bool more)
{
    if (!fits(waiter, w))
        return -EINVAL;
    uint32_t value = waiter->thread->number | (w->value & FUTEX_DIED);
    if (!word_set(w, value | (more ? FUTEX_WAITERS : 0)))
        return STEP_AGAIN;
    list_remove(&waiter->link);
    futex_wake_waiter(waiter);
    w->owner = waiter->thread; // it goes on once its bucket is unlocked
    thread_get(w->owner);
    return STEP_DONE;
}

// Both buckets are locked. Nothing was moved when it says STEP_AGAIN.
static int requeue_step(struct owned_word *w, struct futex_bucket *from,
                        const struct futex_key *key, uint64_t most, unsigned *count)
{
    struct futex_waiter *waiter = futex_first(from, key);
    struct futex_owned *o = NULL;
    int step = STEP_DONE;
    if (!waiter)
        return STEP_DONE;
    if (!unchanged(w))
        return STEP_AGAIN;
    if (is_free(w)) {
        step = give(w, waiter, most > 1);
        if (step)
            return step;
        ++*count;
    }
    while (*count < most && (waiter = futex_first(from, key))) {
        if (!fits(waiter, w))
            return -EINVAL;
        step = o ? STEP_DONE : owned_get(w, &o);
        if (!step)
            step = join(w, o, container_of(waiter, struct owned_waiter, base));
        if (step != STEP_QUEUED)
            return step;
        list_remove(&waiter->link);
        ++*count;
    }
    return STEP_DONE;
}

err_t futex_owned_requeue(uaddr_t address, uaddr_t owned, bool shared, unsigned move,
                          uint32_t expected, unsigned *count)
{
    struct owned_word w;
    struct futex_key key;
    struct futex_word word = { address, expected, 4 };
    int step = STEP_AGAIN;
    err_t e = word_begin(&w, owned, shared);
    if (!e)
        e = futex_key_find(address, 4, shared, &key);
    if (!e && futex_key_same(&key, &w.key))
        e = -EINVAL;
    while (!e && step == STEP_AGAIN) {
        struct futex_bucket *from = futex_bucket_of(&key);
        *count = 0;
        e = look(&w);
        if (!e) {
            e = futex_lock_compared(from, w.bucket, &word);
            step = e ? e : requeue_step(&w, from, &key, 1ull + move, count);
            if (!e)
                futex_unlock_both(from, w.bucket);
            err_t ended = word_end(&w, step);
            e = e ? e : ended;
        }
    }
    return e ? e : step;
}

static bool pass_on_one(struct thread *t)
{
    struct futex_owned *o = NULL;
    struct futex_key key;
    spin_lock(&claims_lock);
    list_for_each (link, &t->claims_held) {
        struct claim *c = list_entry(link, struct claim, held_link);
        if (c->of_futex)
            o = container_of(c, struct futex_owned, claim);
    }
    if (o)
        key = o->key;
    spin_unlock(&claims_lock);
    if (!o)
        return false;
    struct futex_bucket *b = futex_bucket_of(&key);
    spin_lock(&b->lock);
    o = owned_find(b, &key); // who waited may have gone
    if (o && o->claim.holder == t)
        (void)pass_on(o, NULL);
    spin_unlock(&b->lock);
    return true;
}

void futex_owner_end(bool for_good)
{
    struct thread *t = thread_current();
    // Pairs with owned_make(): either it sees the flag, or we see its claim.
    __atomic_store_n(&t->owns_no_futex, true, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    while (!list_empty(&t->claims_held) && pass_on_one(t))
        ;
    if (!for_good)
        __atomic_store_n(&t->owns_no_futex, false, __ATOMIC_RELEASE);
}
