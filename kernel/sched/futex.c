// SPDX-License-Identifier: GPL-3.0-or-later
// Futexes. Owns the buckets; a bucket's lock guards its list, and of each waiter in it `woken`,
// `bucket` and `key`.
//
// The word is read under the bucket's lock without sleeping; when its page is not there, the lock
// is dropped, the page fetched, and all tried again. So between the comparison and the queueing no
// waker can pass: who changed the word before is seen, who wakes after finds the waiter.
//
// A waiter lives on its thread's stack, or belongs to its call (futex_wait_many). Who takes it off
// the list wakes the thread while holding the bucket's lock; the waiter passes through that lock
// once before it returns, so it is still there.
#include "kernel/sched/futex.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/thread.h"

enum { BUCKETS = 256 };

struct futex_bucket {
    struct spinlock lock; // RANK_FUTEX
    struct list waiters;
} align_to(64);

struct futex_waiter {
    struct list link;
    struct futex_bucket *bucket; // atomic; changes under the old bucket's lock
    struct futex_key key;
    uint32_t bits;
    bool woken; // atomic
    struct thread *thread;
};

static struct futex_bucket buckets[BUCKETS];

static struct futex_bucket *bucket_of(const struct futex_key *k)
{
    uint64_t h = (k->object ^ k->offset * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
    return &buckets[h >> 56];
}

void futex_init(void)
{
    for (unsigned n = 0; n < BUCKETS; n++) {
        spin_init(&buckets[n].lock, RANK_FUTEX);
        list_init(&buckets[n].waiters);
    }
}

static bool same(const struct futex_key *a, const struct futex_key *b)
{
    return a->object == b->object && a->offset == b->offset;
}

// A word that is compared: its size is 4 or 8.
struct futex_word {
    uaddr_t address;
    uint64_t expected;
    unsigned size;
};

static err_t find_key(uaddr_t address, unsigned size, bool shared, struct futex_key *key)
{
    if (!is_aligned(address, size))
        return -EINVAL;
    if (!user_range_ok(address, size))
        return -EFAULT;
    return space_futex_key(thread_current()->space, address, shared, key);
}

// Two buckets, the same one only once.
static void lock_both(struct futex_bucket *a, struct futex_bucket *b)
{
    if (a == b) {
        spin_lock(&a->lock);
        return;
    }
    spin_lock(&min_of(a, b)->lock);
    spin_lock_nested(&max_of(a, b)->lock);
}

static void unlock_both(struct futex_bucket *a, struct futex_bucket *b)
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

// Locks both buckets with the word's value established to be the expected one; -EAGAIN when it
// differs.
static err_t lock_compared(struct futex_bucket *a, struct futex_bucket *b,
                           const struct futex_word *w)
{
    for (;;) {
        uint64_t value;
        lock_both(a, b);
        err_t e = word_read(w, false, &value);
        if (!e && value == w->expected)
            return 0;
        unlock_both(a, b);
        if (!e)
            return -EAGAIN;
        e = word_read(w, true, &value);
        if (e)
            return e;
    }
}

static struct futex_bucket *lock_waiter(struct futex_waiter *w)
{
    for (;;) {
        struct futex_bucket *b = __atomic_load_n(&w->bucket, __ATOMIC_ACQUIRE);
        spin_lock(&b->lock);
        if (b == __atomic_load_n(&w->bucket, __ATOMIC_RELAXED))
            return b;
        spin_unlock(&b->lock);
    }
}

static err_t sleep_until_woken(struct futex_waiter *w, nanos_t deadline)
{
    err_t e = 0;
    while (!e) {
        wait_prepare(NULL);
        if (__atomic_load_n(&w->woken, __ATOMIC_ACQUIRE))
            break;
        e = wait_sleep(NULL, deadline, true);
    }

    struct futex_bucket *b = lock_waiter(w);
    if (w->woken)
        e = 0;
    else
        list_remove(&w->link);
    spin_unlock(&b->lock);
    return e;
}

static err_t wait_on(const struct futex_word *word, bool shared, uint32_t bits, nanos_t deadline)
{
    struct futex_waiter w = { .bits = bits, .thread = thread_current() };
    err_t e = find_key(word->address, word->size, shared, &w.key);
    if (e)
        return e;
    struct futex_bucket *b = w.bucket = bucket_of(&w.key);
    e = lock_compared(b, b, word);
    if (e)
        return e;
    list_push_back(&b->waiters, &w.link);
    spin_unlock(&b->lock);
    return sleep_until_woken(&w, deadline);
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

static err_t queue_one(struct futex_waiter *w, const struct futex_want *want)
{
    struct futex_word word = { want->address, want->expected, 4 };
    *w = (struct futex_waiter){ .bits = UINT32_MAX, .thread = thread_current() };
    err_t e = find_key(want->address, 4, want->shared, &w->key);
    if (e)
        return e;
    struct futex_bucket *b = w->bucket = bucket_of(&w->key);
    e = lock_compared(b, b, &word);
    if (e)
        return e;
    list_push_back(&b->waiters, &w->link);
    spin_unlock(&b->lock);
    return 0;
}

// Takes all off their lists. False: none was woken.
static bool unqueue_all(struct futex_waiter *waiters, unsigned count, unsigned *index)
{
    bool found = false;
    for (unsigned i = 0; i < count; i++) {
        struct futex_waiter *w = &waiters[i];
        struct futex_bucket *b = lock_waiter(w);
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

static bool any_woken(const struct futex_waiter *waiters, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (__atomic_load_n(&waiters[i].woken, __ATOMIC_ACQUIRE))
            return true;
    return false;
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
        e = queue_one(&waiters[queued], &wants[queued]);
        queued += !e;
    }
    while (!e) {
        wait_prepare(NULL);
        if (any_woken(waiters, count))
            break;
        e = wait_sleep(NULL, deadline, true);
    }
    if (unqueue_all(waiters, queued, index))
        e = 0;
    heap_free(waiters);
    return e;
}

// Wakes up to `most` of the key's waiters; the bucket is locked.
static unsigned wake_locked(struct futex_bucket *b, const struct futex_key *key, unsigned most,
                            uint32_t bits)
{
    unsigned woken = 0;
    if (!most)
        return 0;
    list_for_each_safe (link, &b->waiters) {
        struct futex_waiter *w = list_entry(link, struct futex_waiter, link);
        if (!same(&w->key, key) || !(w->bits & bits))
            continue;
        list_remove(&w->link);
        __atomic_store_n(&w->woken, true, __ATOMIC_RELEASE);
        thread_wake(w->thread);
        if (++woken == most)
            break;
    }
    return woken;
}

err_t futex_wake(uaddr_t address, bool shared, unsigned most, uint32_t bits, unsigned *woken)
{
    if (!bits)
        return -EINVAL;
    struct futex_key key;
    err_t e = find_key(address, 4, shared, &key);
    if (e)
        return e;
    struct futex_bucket *b = bucket_of(&key);
    spin_lock(&b->lock);
    *woken = wake_locked(b, &key, most, bits);
    spin_unlock(&b->lock);
    return 0;
}

static unsigned move_locked(struct futex_bucket *from, const struct futex_key *key,
                            struct futex_bucket *to, const struct futex_key *to_key, unsigned most)
{
    unsigned moved = 0;
    if (!most || same(key, to_key))
        return 0;
    list_for_each_safe (link, &from->waiters) {
        struct futex_waiter *w = list_entry(link, struct futex_waiter, link);
        if (!same(&w->key, key))
            continue;
        list_remove(&w->link);
        list_push_back(&to->waiters, &w->link);
        w->key = *to_key;
        __atomic_store_n(&w->bucket, to, __ATOMIC_RELEASE);
        if (++moved == most)
            break;
    }
    return moved;
}

err_t futex_requeue(uaddr_t address, uaddr_t to, bool shared, unsigned wake, unsigned move,
                    bool compare, uint32_t expected, unsigned *count)
{
    struct futex_key key, to_key;
    err_t e = find_key(address, 4, shared, &key);
    if (!e)
        e = find_key(to, 4, shared, &to_key);
    if (e)
        return e;
    struct futex_bucket *a = bucket_of(&key), *b = bucket_of(&to_key);
    if (compare) {
        struct futex_word word = { address, expected, 4 };
        e = lock_compared(a, b, &word);
        if (e)
            return e;
    } else {
        lock_both(a, b);
    }
    *count = wake_locked(a, &key, wake, UINT32_MAX);
    *count += move_locked(a, &key, b, &to_key, move);
    unlock_both(a, b);
    return 0;
}

// FUTEX_WAKE_OP's operation, futex(2): the new value of the word, and whether the old one passes.
static err_t operate(uint32_t operation, uint32_t old, uint32_t *new)
{
    uint32_t argument = operation >> 12 & 0xfff;
    if (operation >> 31)
        argument = 1u << (argument & 31);
    else if (argument & 0x800)
        argument |= 0xfffff000;
    switch (operation >> 28 & 7) {
    case 0:
        *new = argument;
        return 0;
    case 1:
        *new = old + argument;
        return 0;
    case 2:
        *new = old | argument;
        return 0;
    case 3:
        *new = old & ~argument;
        return 0;
    case 4:
        *new = old ^ argument;
        return 0;
    default:
        return -ENOSYS;
    }
}

static err_t compare_old(uint32_t operation, uint32_t value, bool *passes)
{
    int32_t old = (int32_t)value;
    int32_t argument = (int32_t)(operation << 20) >> 20;
    switch (operation >> 24 & 15) {
    case 0:
        *passes = old == argument;
        return 0;
    case 1:
        *passes = old != argument;
        return 0;
    case 2:
        *passes = old < argument;
        return 0;
    case 3:
        *passes = old <= argument;
        return 0;
    case 4:
        *passes = old > argument;
        return 0;
    case 5:
        *passes = old >= argument;
        return 0;
    default:
        return -ENOSYS;
    }
}

static err_t change_word(uaddr_t at, uint32_t operation, bool *passes)
{
    uint32_t old;
    err_t e = user_get_u32(at, &old);
    while (!e) {
        uint32_t new = 0, seen = old;
        e = operate(operation, old, &new);
        if (!e)
            e = user_exchange_u32(at, old, new, &seen);
        if (!e && seen == old)
            return compare_old(operation, old, passes);
        old = seen;
    }
    return e;
}

err_t futex_wake_op(uaddr_t first, uaddr_t second, bool shared, unsigned wake, unsigned wake_second,
                    uint32_t operation, unsigned *count)
{
    struct futex_key key, second_key;
    bool passes = false;
    err_t e = compare_old(operation, 0, &passes); // an unknown comparison changes nothing
    if (!e)
        e = find_key(first, 4, shared, &key);
    if (!e)
        e = find_key(second, 4, shared, &second_key);
    if (!e)
        e = change_word(second, operation, &passes);
    if (e)
        return e;
    struct futex_bucket *a = bucket_of(&key), *b = bucket_of(&second_key);
    lock_both(a, b);
    *count = wake_locked(a, &key, wake, UINT32_MAX);
    if (passes)
        *count += wake_locked(b, &second_key, wake_second, UINT32_MAX);
    unlock_both(a, b);
    return 0;
}
