// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptor tables: small integers to open files.
//
// A bit for each number says whether it is taken, a bit for each such word whether that is full, so
// the lowest free number is found in two or three word operations. d->lock (RANK_FD_TABLE) guards
// changes. Look-ups take no lock: slots are read atomically, a reference is tried (file_try_get),
// and the slot is compared again. Therefore arrays that were outgrown stay until the table goes
// (together less than the newest), and slots of an outgrown array are found out by comparing
// d->array again.
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/descriptors.h"
#include "lib/string.h"

enum { WORD = 64, FIRST_CAPACITY = 64 };

static struct slots *slots_make(uint32_t capacity)
{
    uint32_t words = capacity / WORD, full_words = div_round_up(words, WORD);
    struct slots *s = heap_alloc(sizeof(*s) + capacity * sizeof(struct file *) +
                                 (2 * words + full_words) * sizeof(uint64_t));
    if (!s)
        return NULL;
    s->capacity = capacity;
    s->taken = (uint64_t *)&s->files[capacity];
    s->exec_off = s->taken + words;
    s->full = s->exec_off + words;
    return s;
}

static bool bit_test(const uint64_t *bits, uint32_t n)
{
    return bits[n / WORD] >> (n % WORD) & 1;
}

static force_inline void bit_write(uint64_t *bits, uint32_t n, bool value)
{
    uint64_t mask = 1ull << (n % WORD);
    bits[n / WORD] = value ? bits[n / WORD] | mask : bits[n / WORD] & ~mask;
}

static force_inline void number_take(struct slots *s, uint32_t n)
{
    uint64_t taken = s->taken[n / WORD] |= 1ull << (n % WORD);
    if (unlikely(taken == UINT64_MAX))
        bit_write(s->full, n / WORD, true);
}

static force_inline void number_give(struct slots *s, uint32_t n)
{
    bit_write(s->taken, n, false);
    bit_write(s->full, n / WORD, false);
    bit_write(s->exec_off, n, false);
}

// The lowest word >= `word` with a free number; the number of words when there is none.
static uint32_t word_with_room(const struct slots *s, uint32_t word)
{
    uint32_t words = s->capacity / WORD;
    while (word < words) {
        uint64_t room = ~s->full[word / WORD] & (UINT64_MAX << (word % WORD));
        if (room)
            return min_of(words, word / WORD * WORD + (uint32_t)__builtin_ctzll(room));
        word = (word / WORD + 1) * WORD;
    }
    return words;
}

static no_inline uint32_t number_find_beyond(const struct slots *s, uint32_t word)
{
    word = word_with_room(s, word);
    if (word == s->capacity / WORD)
        return s->capacity;
    return word * WORD + (uint32_t)__builtin_ctzll(~s->taken[word]);
}

// The lowest free number >= `least`; s->capacity or more when there is none.
static force_inline uint32_t number_find_free(const struct slots *s, uint32_t least)
{
    if (unlikely(least >= s->capacity))
        return least;
    uint32_t word = least / WORD;
    uint64_t room = ~s->taken[word] & (UINT64_MAX << (least % WORD));
    if (unlikely(!room))
        return number_find_beyond(s, word + 1);
    return word * WORD + (uint32_t)__builtin_ctzll(room);
}

// Makes room for `number`. Called and returns with the lock held.
static err_t slots_grow(struct descriptors *d, uint32_t number)
{
    struct slots *old = d->slots;
    uint32_t capacity = old->capacity;
    while (capacity <= number)
        capacity *= 2;
    struct slots *s = slots_make(capacity);
    if (!s)
        return -ENOMEM;
    uint32_t words = old->capacity / WORD;
    memcpy(s->files, old->files, old->capacity * sizeof(old->files[0]));
    memcpy(s->taken, old->taken, words * sizeof(uint64_t));
    memcpy(s->exec_off, old->exec_off, words * sizeof(uint64_t));
    memcpy(s->full, old->full, div_round_up(words, WORD) * sizeof(uint64_t));
    s->older = old;
    __atomic_store_n(&d->slots, s, __ATOMIC_RELEASE); // pairs with descriptor_file()
    return 0;
}

static void slots_drop(struct slots *s)
{
    while (s) {
        struct slots *older = s->older;
        heap_free(s);
        s = older;
    }
}

static struct descriptors *table_make(uint32_t capacity)
{
    struct descriptors *d = heap_alloc(sizeof(*d));
    if (!d)
        return NULL;
    d->slots = slots_make(capacity);
    if (!d->slots) {
        heap_free(d);
        return NULL;
    }
    spin_init(&d->lock, RANK_FD_TABLE);
    d->references = d->users = 1;
    return d;
}

err_t descriptors_make(struct descriptors **table)
{
    *table = table_make(FIRST_CAPACITY);
    return *table ? 0 : -ENOMEM;
}

// The smallest capacity that holds all that is open.
static uint32_t capacity_needed(const struct slots *s)
{
    uint32_t needed = FIRST_CAPACITY;
    for (uint32_t word = 0; word < s->capacity / WORD; word++)
        while (s->taken[word] && needed < (word + 1) * WORD)
            needed *= 2;
    return needed;
}

static void slots_copy(struct slots *to, const struct slots *from)
{
    for (uint32_t word = 0; word < from->capacity / WORD; word++)
        for (uint64_t left = from->taken[word]; left; left &= left - 1) {
            uint32_t n = word * WORD + (uint32_t)__builtin_ctzll(left);
            struct file *f = from->files[n];
            if (!f || (f->ops->not_copied && f->ops->not_copied(f)))
                continue;
            file_get(from->files[n]);
            to->files[n] = from->files[n];
            number_take(to, n);
            bit_write(to->exec_off, n, bit_test(from->exec_off, n));
        }
}

err_t descriptors_copy(struct descriptors *from, struct descriptors **to)
{
    for (;;) {
        spin_lock(&from->lock);
        uint32_t capacity = capacity_needed(from->slots);
        spin_unlock(&from->lock);
        struct descriptors *d = table_make(capacity);
        if (!d)
            return -ENOMEM;

        spin_lock(&from->lock);
        bool fits = capacity_needed(from->slots) <= capacity;
        if (fits)
            slots_copy(d->slots, from->slots);
        spin_unlock(&from->lock);
        if (fits) {
            *to = d;
            return 0;
        }
        descriptors_put(d);
    }
}

void descriptors_hold(struct descriptors *d)
{
    __atomic_fetch_add(&d->references, 1, __ATOMIC_RELAXED);
}

err_t descriptors_use(struct descriptors *d)
{
    spin_lock(&d->lock);
    bool may = !d->spent;
    d->users += may;
    spin_unlock(&d->lock);
    if (may)
        descriptors_hold(d);
    return may ? 0 : -EBADF;
}

void descriptors_get(struct descriptors *d)
{
    spin_lock(&d->lock);
    d->users++;
    spin_unlock(&d->lock);
    descriptors_hold(d);
}

bool descriptors_shared(struct descriptors *d)
{
    return __atomic_load_n(&d->users, __ATOMIC_ACQUIRE) > 1;
}

void descriptors_idle(struct descriptors *d)
{
    d->users = 0;
}

void descriptors_put(struct descriptors *d)
{
    spin_lock(&d->lock);
    bool last = --d->users == 0;
    d->spent |= last;
    spin_unlock(&d->lock);
    if (last && __atomic_load_n(&d->references, __ATOMIC_ACQUIRE) > 1)
        descriptors_close_range(d, 0, UINT32_MAX, false);
    descriptors_release(d);
}

void descriptors_release(struct descriptors *d)
{
    if (__atomic_sub_fetch(&d->references, 1, __ATOMIC_ACQ_REL))
        return;
    for (uint32_t n = 0; n < d->slots->capacity; n++)
        if (d->slots->files[n])
            descriptor_file_put(d, d->slots->files[n]);
    slots_drop(d->slots);
    heap_free(d);
}

enum look {
    FOUND,
    NONE,
    MISSED,
    STALE
}; // MISSED: closed meanwhile; STALE: the same, and a
   // reference was taken on whatever it is now

static force_inline enum look look_up(struct descriptors *d, uint64_t number, struct file **file)
{
    struct slots *s = __atomic_load_n(&d->slots, __ATOMIC_ACQUIRE);
    if (unlikely(number >= s->capacity))
        return NONE;
    struct file **slot = &s->files[index_clamp(number, s->capacity)];
    struct file *f = *file = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (unlikely(!f))
        return NONE;
    uint32_t seen = __atomic_load_n(&f->references, __ATOMIC_RELAXED);
    if (unlikely(seen == 0 || !__atomic_compare_exchange_n(&f->references, &seen, seen + 1, false,
                                                           __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
        return MISSED;
    if (unlikely(__atomic_load_n(slot, __ATOMIC_ACQUIRE) != f ||
                 __atomic_load_n(&d->slots, __ATOMIC_ACQUIRE) != s))
        return STALE;
    return FOUND;
}

static no_inline struct file *get_again(struct descriptors *d, uint64_t number, struct file *stale)
{
    for (;;) {
        struct file *f;
        if (stale)
            file_put(stale);
        cpu_relax();
        enum look look = look_up(d, number, &f);
        if (look == FOUND || look == NONE)
            return look == FOUND ? f : NULL;
        stale = look == STALE ? f : NULL;
    }
}

// The unusual way out is a call at the end, so that the usual one saves no registers.
static struct file *(*lent_file)(void);

void descriptors_set_lent(struct file *(*lent)(void))
{
    lent_file = lent;
}

static no_inline struct file *get_lent(uint64_t number)
{
    return number == DESCRIPTOR_LENT && lent_file ? lent_file() : NULL;
}

struct file *descriptor_get(struct descriptors *d, uint64_t number)
{
    struct file *f;
    switch (look_up(d, number, &f)) {
    case FOUND:
        return f;
    case NONE:
        return get_lent(number);
    case MISSED:
        return get_again(d, number, NULL);
    default:
        return get_again(d, number, f);
    }
}

// Puts the file at the lowest free number >= `least` that is below `limit`: the number, or a
// negative errno. Called with the lock held.
static force_inline int add_locked(struct descriptors *d, struct file *f, bool close_on_exec,
                                   uint32_t least, uint32_t limit)
{
    struct slots *s = d->slots;
    uint32_t n = number_find_free(s, least);
    if (unlikely(n >= min_of(limit, (uint32_t)DESCRIPTORS_MAX)))
        return -EMFILE;
    if (unlikely(n >= s->capacity)) {
        err_t e = slots_grow(d, n);
        if (e)
            return e;
        s = d->slots;
    }
    number_take(s, n);
    if (unlikely(close_on_exec)) // else it is clear: number_give()
        bit_write(s->exec_off, n, true);
    __atomic_store_n(&s->files[n], f, __ATOMIC_RELEASE);
    return (int)n;
}

err_t descriptor_add(struct descriptors *d, struct file *f, bool close_on_exec, int least,
                     int limit, int *number)
{
    if (least < 0)
        return -EINVAL;
    spin_lock(&d->lock);
    int n = add_locked(d, f, close_on_exec, (uint32_t)least, (uint32_t)max_of(limit, 0));
    spin_unlock(&d->lock);
    if (n < 0)
        return n;
    *number = n;
    return 0;
}

int descriptor_duplicate(struct descriptors *d, uint64_t number, bool close_on_exec, uint32_t least,
                         uint32_t limit)
{
    int n = -EBADF;
    spin_lock(&d->lock);
    struct slots *s = d->slots;
    struct file *f =
        likely(number < s->capacity) ? s->files[index_clamp(number, s->capacity)] : NULL;
    if (likely(f)) {
        n = add_locked(d, f, close_on_exec, least, limit);
        if (likely(n >= 0))
            file_get(f); // alive: a number means it as long as the lock is held
    }
    spin_unlock(&d->lock);
    return n;
}

err_t descriptor_set(struct descriptors *d, struct file *f, bool close_on_exec, int number,
                     int limit)
{
    if (number < 0 || number >= min_of(limit, (int)DESCRIPTORS_MAX))
        return -EBADF;
    uint32_t n = (uint32_t)number;
    err_t e = 0;
    struct file *old = NULL;
    spin_lock(&d->lock);
    if (n >= d->slots->capacity)
        e = slots_grow(d, n);
    if (!e) {
        old = d->slots->files[n];
        number_take(d->slots, n);
        bit_write(d->slots->exec_off, n, close_on_exec);
        __atomic_store_n(&d->slots->files[n], f, __ATOMIC_RELEASE);
    }
    spin_unlock(&d->lock);
    if (old)
        descriptor_file_put(d, old);
    return e;
}

// Takes the file out of its slot; NULL when there is none. Under the lock.
static force_inline struct file *slot_clear(struct slots *s, uint32_t n)
{
    struct file *f = n < s->capacity ? s->files[n] : NULL;
    if (f) {
        __atomic_store_n(&s->files[n], NULL, __ATOMIC_RELEASE);
        number_give(s, n);
    }
    return f;
}

err_t descriptor_close(struct descriptors *d, int number)
{
    if (number < 0)
        return -EBADF;
    spin_lock(&d->lock);
    struct file *f = slot_clear(d->slots, (uint32_t)number);
    spin_unlock(&d->lock);
    if (!f)
        return -EBADF;
    descriptor_file_put(d, f);
    return 0;
}

// The first number in [first, last] that is open (and, if so asked, marked); false: none.
static bool number_next(const struct slots *s, uint32_t *first, uint32_t last, bool marked)
{
    for (uint32_t n = *first; n <= last && n < s->capacity;) {
        uint64_t bits = s->taken[n / WORD] & (UINT64_MAX << (n % WORD));
        if (marked)
            bits &= s->exec_off[n / WORD];
        if (!bits) {
            n = (n / WORD + 1) * WORD;
            continue;
        }
        *first = n / WORD * WORD + (uint32_t)__builtin_ctzll(bits);
        return *first <= last;
    }
    return false;
}

static void close_each(struct descriptors *d, uint32_t first, uint32_t last, bool marked)
{
    for (uint32_t n = first;;) {
        struct file *f = NULL;
        spin_lock(&d->lock);
        bool found = number_next(d->slots, &n, last, marked);
        if (found)
            f = slot_clear(d->slots, n);
        spin_unlock(&d->lock);
        if (f)
            descriptor_file_put(d, f);
        if (!found || n == last)
            return;
        n++;
    }
}

void descriptors_close_range(struct descriptors *d, unsigned first, unsigned last, bool only_mark)
{
    if (!only_mark) {
        close_each(d, first, last, false);
        return;
    }
    spin_lock(&d->lock);
    for (uint32_t n = first; number_next(d->slots, &n, last, false); n++) {
        bit_write(d->slots->exec_off, n, true);
        if (n == last)
            break;
    }
    spin_unlock(&d->lock);
}

void descriptors_exec(struct descriptors *d)
{
    close_each(d, 0, DESCRIPTORS_MAX, true);
}

err_t descriptor_get_flag(struct descriptors *d, int number, bool *close_on_exec)
{
    err_t e = -EBADF;
    spin_lock(&d->lock);
    if (number >= 0 && (uint32_t)number < d->slots->capacity && d->slots->files[number]) {
        *close_on_exec = bit_test(d->slots->exec_off, (uint32_t)number);
        e = 0;
    }
    spin_unlock(&d->lock);
    return e;
}

err_t descriptor_set_flag(struct descriptors *d, int number, bool close_on_exec)
{
    err_t e = -EBADF;
    spin_lock(&d->lock);
    if (number >= 0 && (uint32_t)number < d->slots->capacity && d->slots->files[number]) {
        bit_write(d->slots->exec_off, (uint32_t)number, close_on_exec);
        e = 0;
    }
    spin_unlock(&d->lock);
    return e;
}

int descriptor_next(struct descriptors *d, int first)
{
    uint32_t n = first < 0 ? 0 : (uint32_t)first;
    spin_lock(&d->lock);
    bool found = number_next(d->slots, &n, DESCRIPTORS_MAX, false);
    spin_unlock(&d->lock);
    return found ? (int)n : -1;
}
