// SPDX-License-Identifier: GPL-3.0-or-later
// Futexes. Owns the buckets.
//
// The word is read under the bucket's lock without sleeping; when its page is not there, the lock
// is dropped, the page fetched, and all tried again. So between the comparison and the queueing no
// waker can pass: who changed the word before is seen, who wakes after finds the waiter.
#include "kernel/sched/futex_inside.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"

enum { BUCKETS = 256 };

static struct futex_bucket buckets[BUCKETS];

struct futex_bucket *futex_bucket_of(const struct futex_key *k)
{
    uint64_t h = (k->object ^ k->offset * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
    return &buckets[h >> 56];
}

void futex_init(void)
{
    for (unsigned n = 0; n < BUCKETS; n++) {
        spin_init(&buckets[n].lock, RANK_FUTEX);
        list_init(&buckets[n].waiters);
        list_init(&buckets[n].owned);
    }
}

err_t futex_key_find(uaddr_t address, unsigned size, bool shared, struct futex_key *key)
{
    if (!is_aligned(address, size))
        return -EINVAL;
    if (!user_range_ok(address, size))
        return -EFAULT;
    return space_futex_key(thread_current()->space, address, shared, key);
}

void futex_lock_both(struct futex_bucket *a, struct futex_bucket *b)
{
    if (a == b) {
        spin_lock(&a->lock);
        return;
    }
    spin_lock(&min_of(a, b)->lock);
    spin_lock_nested(&max_of(a, b)->lock);
}

void futex_unlock_both(struct futex_bucket *a, struct futex_bucket *b)
{
    if (a != b)
        spin_unlock(&b->lock);
    spin_unlock(&a->lock);
}

static err_t word_read(const struct futex_word *w, bool may_fault, uint64_t *value)
{
    uint32_t narrow = 0;
    if (w->size == 8)
        return may_fault ? user_get_u64(w->address, value)
                         : user_get_u64_nofault(w->address, value);
    err_t e =
        may_fault ? user_get_u32(w->address, &narrow) : user_get_u32_nofault(w->address, &narrow);
    *value = narrow;
    return e;
}

err_t futex_lock_compared(struct futex_bucket *a, struct futex_bucket *b,
                          const struct futex_word *w)
{
    for (;;) {
        uint64_t value;
        futex_lock_both(a, b);
        err_t e = word_read(w, false, &value);
        if (!e && value == w->expected)
            return 0;
        futex_unlock_both(a, b);
        if (!e)
            return -EAGAIN;
        e = word_read(w, true, &value);
        if (e)
            return e;
    }
}

struct futex_bucket *futex_lock_waiter(struct futex_waiter *w)
{
    for (;;) {
        struct futex_bucket *b = __atomic_load_n(&w->bucket, __ATOMIC_ACQUIRE);
        spin_lock(&b->lock);
        if (b == __atomic_load_n(&w->bucket, __ATOMIC_RELAXED))
            return b;
        spin_unlock(&b->lock);
    }
}

err_t futex_queue(struct futex_waiter *w, const struct futex_word *word, bool shared)
{
    w->thread = thread_current();
    err_t e = futex_key_find(word->address, word->size, shared, &w->key);
    if (e)
        return e;
    struct futex_bucket *b = w->bucket = futex_bucket_of(&w->key);
    e = futex_lock_compared(b, b, word);
    if (e)
        return e;
    list_push_back(&b->waiters, &w->link);
    spin_unlock(&b->lock);
    return 0;
}

static bool any_woken(const struct futex_waiter *waiters, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (__atomic_load_n(&waiters[i].woken, __ATOMIC_ACQUIRE))
            return true;
    return false;
}

err_t futex_sleep(const struct futex_waiter *waiters, unsigned count, nanos_t deadline)
{
    err_t e = 0;
    while (!e) {
        wait_prepare(NULL);
        if (any_woken(waiters, count))
            break;
        e = wait_sleep(NULL, deadline, true);
    }
    return e;
}

// Takes all off their lists. False: none was woken.
static bool unqueue_all(struct futex_waiter *waiters, unsigned count, unsigned *index)
{
    bool found = false;
    for (unsigned i = 0; i < count; i++) {
        struct futex_waiter *w = &waiters[i];
        struct futex_bucket *b = futex_lock_waiter(w);
        if (w->woken) {
            found = true;
            *index = i;
        } else {
            list_remove(&w->link);
        }
        spin_unlock(&b->lock);
    }
    return found;
}

// Sleeps, and takes them off.
static err_t sleep_queued(struct futex_waiter *waiters, unsigned count, nanos_t deadline,
                          unsigned *index)
{
    err_t e = futex_sleep(waiters, count, deadline);
    return unqueue_all(waiters, count, index) ? 0 : e;
}

static err_t wait_on(const struct futex_word *word, bool shared, uint32_t bits, nanos_t deadline)
{
    struct futex_waiter w = { .bits = bits };
    unsigned index;
    err_t e = futex_queue(&w, word, shared);
    return e ? e : sleep_queued(&w, 1, deadline, &index);
}

err_t futex_wait(uaddr_t address, bool shared, uint32_t expected, uint32_t bits, nanos_t deadline)
{
    struct futex_word word = { address, expected, 4 };
    return bits ? wait_on(&word, shared, bits, deadline) : -EINVAL;
}

err_t futex_wait_wide(uaddr_t address, bool shared, uint64_t expected, nanos_t deadline)
{
    struct futex_word word = { address, expected, 8 };
    return wait_on(&word, shared, UINT32_MAX, deadline);
}

err_t futex_wait_many(const struct futex_want *wants, unsigned count, nanos_t deadline,
                      unsigned *index)
{
    if (count == 0 || count > FUTEX_WANTS_MAX)
        return -EINVAL;
    struct futex_waiter *waiters = heap_alloc_array(count, sizeof(*waiters));
    if (!waiters)
        return -ENOMEM;
    unsigned queued = 0;
    err_t e = 0;
    while (!e && queued < count) {
        const struct futex_want *want = &wants[queued];
        struct futex_word word = { want->address, want->expected, 4 };
        waiters[queued] = (struct futex_waiter){ .bits = UINT32_MAX };
        e = futex_queue(&waiters[queued], &word, want->shared);
        queued += !e;
    }
    if (!e)
        e = sleep_queued(waiters, queued, deadline, index);
    else if (unqueue_all(waiters, queued, index))
        e = 0;
    heap_free(waiters);
    return e;
}

void futex_wake_waiter(struct futex_waiter *w)
{
    __atomic_store_n(&w->woken, true, __ATOMIC_RELEASE);
    thread_wake(w->thread);
}

struct futex_waiter *futex_first(struct futex_bucket *b, const struct futex_key *key)
{
    list_for_each (link, &b->waiters) {
        struct futex_waiter *w = list_entry(link, struct futex_waiter, link);
        if (futex_key_same(&w->key, key))
            return w;
    }
    return NULL;
}

err_t futex_serve(struct futex_bucket *b, const struct futex_order *order, unsigned *count)
{
    unsigned wake = order->wake, move = order->too ? order->move : 0;
    if (unlikely(!list_empty(&b->owned)) && futex_is_owned(b, &order->key))
        return -EINVAL;
    list_for_each_safe (link, &b->waiters) {
        struct futex_waiter *w = list_entry(link, struct futex_waiter, link);
        if (!wake && !move)
            break;
        if (!futex_key_same(&w->key, &order->key) || (wake && !(w->bits & order->bits)))
            continue;
        if (unlikely(w->for_owned))
            return -EINVAL;
        list_remove(&w->link);
        ++*count;
        if (wake) {
            wake--;
            futex_wake_waiter(w);
            continue;
        }
        move--;
        list_push_back(&order->too->waiters, &w->link);
        w->key = order->to;
        __atomic_store_n(&w->bucket, order->too, __ATOMIC_RELEASE);
    }
    return 0;
}

err_t futex_wake(uaddr_t address, bool shared, unsigned most, uint32_t bits, unsigned *woken)
{
    if (!bits)
        return -EINVAL;
    struct futex_order order = { .wake = most, .bits = bits };
    err_t e = futex_key_find(address, 4, shared, &order.key);
    if (e)
        return e;
    *woken = 0;
    struct futex_bucket *b = futex_bucket_of(&order.key);
    spin_lock(&b->lock);
    e = futex_serve(b, &order, woken);
    spin_unlock(&b->lock);
    return e;
}

err_t futex_requeue(uaddr_t address, uaddr_t to, bool shared, unsigned wake, unsigned move,
                    bool compare, uint32_t expected, unsigned *count)
{
    struct futex_order order = { .wake = wake, .bits = UINT32_MAX, .move = move };
    struct futex_word word = { address, expected, 4 };
    err_t e = futex_key_find(address, 4, shared, &order.key);
    if (!e)
        e = futex_key_find(to, 4, shared, &order.to);
    if (e)
        return e;
    struct futex_bucket *a = futex_bucket_of(&order.key), *b = futex_bucket_of(&order.to);
    if (!futex_key_same(&order.key, &order.to))
        order.too = b;
    if (compare)
        e = futex_lock_compared(a, b, &word);
    else
        futex_lock_both(a, b);
    if (e)
        return e;
    *count = 0;
    e = futex_serve(a, &order, count);
    futex_unlock_both(a, b);
    return e;
}
