// SPDX-License-Identifier: GPL-3.0-or-later
// Ending the tie between a watch and its file is the delicate part. Two may do it at once: whoever
// closes the file, and whoever removes the watch or closes the list. Both call item_untie(), which
// works under the item's lock: waiters leave the file's queues first, then the item leaves
// file->watchers. The closer goes on only when that list is empty, so the queues live until nobody
// touches them; and since memory of files is only reused for files, f->watch_lock is always a lock.
//
// What is ready is on the list's queue; a look takes it off, and puts it back when it is still
// ready and level-triggered. No lock is held over a look, so that lists may watch lists.
#include "kernel/scheme/watch_internal.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"

enum { FIRST_BUCKETS = 16 };

static const struct file_ops watch_files;
static struct slab_cache *items;

void watch_init(void)
{
    items = slab_cache_make("watch", sizeof(struct item), 8);
}

static void item_put(struct item *i)
{
    if (__atomic_sub_fetch(&i->references, 1, __ATOMIC_ACQ_REL) == 0)
        slab_free(items, i);
}

// Puts the item on the queue, at its front where a look found it, and wakes one who waits if that
// is asked for. False: it was there already, or is no longer watched.
static force_inline bool queue_put(struct item *i, bool front, bool wake)
{
    struct watch_list *l = i->list;
    uint64_t flags = spin_lock_irq(&l->waiting.lock);
    bool fresh = !i->queued && !i->removed;
    if (fresh) {
        i->queued = true;
        if (front)
            list_push_front(&l->ready, &i->ready_link);
        else
            list_push_back(&l->ready, &i->ready_link);
        __atomic_store_n(&l->ready_count, l->ready_count + 1, __ATOMIC_RELEASE);
        if (wake && !list_empty(&l->waiting.waiters))
            wait_wake_locked(&l->waiting, 0, 1);
    }
    spin_unlock_irq(&l->waiting.lock, flags);
    return fresh;
}

bool item_queue_here(struct item *i)
{
    struct watch_list *l = i->list;
    if (queue_put(i, false, true))
        wait_wake_key(&l->polled, POLL_IN, UINT_MAX);
    return !list_empty(&l->parents);
}

void item_queue(struct item *i)
{
    if (unlikely(item_queue_here(i)))
        nest_wake(i->list);
}

static bool item_wake(struct waiter *w, uint64_t key)
{
    struct item *i = container_of(w, struct item_waiter, waiter)->item;
    unsigned wanted = __atomic_load_n(&i->wanted, __ATOMIC_RELAXED);
    if (!wanted || (key && !(poll_expand((unsigned)key) & wanted)))
        return false;
    // Of lists that share a file, one where nobody waits does not keep the others from being told.
    bool taken = !(i->mode & WATCH_EXCLUSIVE) || !list_empty(&i->list->waiting.waiters);
    item_queue(i);
    return taken;
}

struct item_table {
    struct poll_table table;
    struct item *item;
    bool full;
};

static void item_watch(struct poll_table *t, struct wait_queue *q)
{
    struct item_table *table = container_of(t, struct item_table, table);
    struct item *i = table->item;
    if (i->queue_count == ITEM_QUEUES) {
        table->full = true;
        return;
    }
    struct item_waiter *w = &i->waiters[i->queue_count++];
    w->item = i;
    w->waiter.wake = item_wake;
    w->waiter.exclusive = i->mode & WATCH_EXCLUSIVE;
    waiter_add(&w->waiter, q);
}

static void item_untie(struct item *i)
{
    spin_lock(&i->lock);
    struct file *f = i->file;
    if (f) {
        for (unsigned n = 0; n < i->queue_count; n++)
            waiter_end(&i->waiters[n].waiter);
        if (watch_list_is(f))
            nest_untie(i);
        // First: once the link is gone the closer may go on, and the file become another one, on
        // which item_file() takes a reference.
        __atomic_store_n(&i->file, NULL, __ATOMIC_RELEASE);
        spin_lock(&f->watch_lock);
        list_remove(&i->file_link);
        spin_unlock(&f->watch_lock);
    }
    spin_unlock(&i->lock);
}

void watch_file_closing(struct file *f)
{
    while (!list_empty(&f->watchers)) {
        struct item *i = NULL;
        spin_lock(&f->watch_lock);
        if (!list_empty(&f->watchers)) {
            i = list_first(&f->watchers, struct item, file_link);
            __atomic_fetch_add(&i->references, 1, __ATOMIC_RELAXED);
        }
        spin_unlock(&f->watch_lock);
        if (!i)
            break;
        item_untie(i);
        item_put(i);
    }
}

static uint64_t key_hash(const struct file *f, int number)
{
    return hash_word((uint64_t)number, (uintptr_t)f);
}

static uint64_t item_hash(const struct hash_link *link)
{
    const struct item *i = container_of(link, struct item, by_key);
    return key_hash(i->key_file, i->number);
}

// Under the list's lock; the caller holds a reference on f, so what is tied to it stays tied.
static struct item *item_find(struct watch_list *l, const struct file *f, int number)
{
    hash_for_each (link, &l->items, key_hash(f, number)) {
        struct item *i = container_of(link, struct item, by_key);
        if (i->number == number && __atomic_load_n(&i->file, __ATOMIC_RELAXED) == f)
            return i;
    }
    return NULL;
}

// Takes an item out of the set and of the queue, with the set's reference. Under the list's lock.
static void item_remove(struct watch_list *l, struct item *i)
{
    item_untie(i);
    uint64_t flags = spin_lock_irq(&l->waiting.lock);
    i->removed = true;
    if (i->queued) {
        list_remove(&i->ready_link);
        i->queued = false;
        l->ready_count--;
    }
    spin_unlock_irq(&l->waiting.lock, flags);
    hash_remove(&i->by_key);
    l->count--;
    item_put(i);
}

// Drops items whose files were closed (or all of them).
static void items_sweep(struct watch_list *l, bool all)
{
    for (uint64_t b = 0; b <= l->items.mask; b++) {
        struct hash_link *next;
        for (struct hash_link *link = l->items.buckets[b]; link; link = next) {
            next = link->next;
            struct item *i = container_of(link, struct item, by_key);
            if (all || !__atomic_load_n(&i->file, __ATOMIC_RELAXED))
                item_remove(l, i);
        }
    }
}

// Before one more: first without the dead, then with twice the buckets.
static void items_grow(struct watch_list *l)
{
    uint64_t buckets = l->items.mask + 1;
    if (l->count < buckets)
        return;
    items_sweep(l, false);
    if (l->count < buckets / 2)
        return;
    struct hash_link **heads = heap_alloc_array(2 * buckets, sizeof(*heads));
    if (!heads)
        return; // it just gets slower
    struct hash_table bigger;
    hash_table_init(&bigger, heads, 2 * buckets);
    hash_table_move(&l->items, &bigger, item_hash);
    heap_free(l->items.buckets);
    l->items = bigger;
}

static struct item *item_make(struct watch_list *l, struct file *f, int number)
{
    struct item *i = slab_alloc(items);
    if (!i)
        return NULL;
    i->references = 1;
    i->list = l;
    i->key_file = f;
    i->number = number;
    spin_init(&i->lock, RANK_WATCH_ITEM);
    list_init(&i->ready_link);
    list_init(&i->file_link);
    list_init(&i->nest_link);
    return i;
}

// Ties the item to its file and tells whether it is ready. The caller holds a reference on f.
static unsigned item_tie(struct item *i, struct file *f, bool *full)
{
    spin_lock(&i->lock);
    i->file = f;
    spin_lock(&f->watch_lock);
    list_push_back(&f->watchers, &i->file_link);
    spin_unlock(&f->watch_lock);
    spin_unlock(&i->lock);
    struct item_table t = { .table = { item_watch, true }, .item = i };
    unsigned ready = poll_expand(file_poll(f, &t.table));
    *full = t.full;
    return ready;
}

static void item_set(struct item *i, unsigned wanted, unsigned mode, uint64_t data)
{
    i->data = data;
    i->mode = mode;
    __atomic_store_n(&i->wanted, wanted | POLL_ERROR | POLL_HANGUP, __ATOMIC_RELEASE);
}

bool watch_list_is(const struct file *f)
{
    return f->ops == &watch_files;
}

// Makes the watch. Under the list's lock.
static err_t add_locked(struct watch_list *l, struct file *f, int number, unsigned wanted,
                        unsigned mode, uint64_t data)
{
    if (item_find(l, f, number))
        return -EEXIST;
    struct item *i = item_make(l, f, number);
    if (!i)
        return -ENOMEM;
    items_grow(l);
    hash_insert(&l->items, key_hash(f, number), &i->by_key);
    l->count++;
    item_set(i, wanted, mode, data);
    bool full;
    unsigned ready = item_tie(i, f, &full);
    if (full) { // more queues than an item has room for
        item_remove(l, i);
        return -ENOSPC;
    }
    if (ready & i->wanted)
        item_queue(i);
    return 0;
}

static struct file *watched(struct file *f)
{
    return f->ops->watched ? f->ops->watched(f) : f;
}

err_t watch_add(struct file *list, struct file *f, int number, unsigned wanted, unsigned mode,
                uint64_t data)
{
    f = watched(f);
    bool nested = watch_list_is(f);
    if (!watch_list_is(list) || f == list || (nested && mode & WATCH_EXCLUSIVE))
        return -EINVAL;
    if (f->flags & OPEN_PATH || (!f->ops->poll && !(mode & WATCH_ANY)))
        return f->flags & OPEN_PATH ? -EBADF : -EPERM;
    struct watch_list *l = list->data;
    err_t e = nested ? nest_begin(l, f->data) : 0;
    if (e)
        return e;
    mutex_lock(&l->lock);
    e = add_locked(l, f, number, wanted, mode, data);
    mutex_unlock(&l->lock);
    if (nested)
        nest_end();
    return e;
}

err_t watch_change(struct file *list, struct file *f, int number, unsigned wanted, unsigned mode,
                   uint64_t data)
{
    if (!watch_list_is(list))
        return -EINVAL;
    struct watch_list *l = list->data;
    mutex_lock(&l->lock);
    f = watched(f);
    struct item *i = item_find(l, f, number);
    err_t e = !i ? -ENOENT : i->mode & WATCH_EXCLUSIVE ? -EINVAL : 0;
    if (!e) {
        item_set(i, wanted, mode, data);
        if (poll_expand(file_poll(f, NULL)) & i->wanted)
            item_queue(i);
    }
    mutex_unlock(&l->lock);
    return e;
}

err_t watch_remove(struct file *list, struct file *f, int number)
{
    if (!watch_list_is(list))
        return -EINVAL;
    struct watch_list *l = list->data;
    mutex_lock(&l->lock);
    struct item *i = item_find(l, watched(f), number);
    if (i)
        item_remove(l, i);
    mutex_unlock(&l->lock);
    return i ? 0 : -ENOENT;
}

// The first of the queue, with a reference; NULL: none.
static force_inline struct item *ready_pop(struct watch_list *l)
{
    struct item *i = NULL;
    uint64_t flags = spin_lock_irq(&l->waiting.lock);
    if (!list_empty(&l->ready)) {
        i = list_first(&l->ready, struct item, ready_link);
        list_remove(&i->ready_link);
        i->queued = false;
        __atomic_store_n(&l->ready_count, l->ready_count - 1, __ATOMIC_RELEASE);
        __atomic_fetch_add(&i->references, 1, __ATOMIC_RELAXED);
    }
    spin_unlock_irq(&l->waiting.lock, flags);
    return i;
}

// The watched file with a reference; NULL: it is closed or being closed. Without a lock, as
// descriptor_get(): files' memory becomes nothing else, and what a closed one has become is noticed
// by looking at the tie again, which was ended before.
static force_inline struct file *item_file(struct item *i)
{
    struct file *f = __atomic_load_n(&i->file, __ATOMIC_ACQUIRE);
    if (unlikely(!f || !file_try_get(f)))
        return NULL;
    if (likely(__atomic_load_n(&i->file, __ATOMIC_ACQUIRE) == f))
        return f;
    file_put(f);
    return NULL;
}

// What the item tells now; 0: nothing. One that tells once is silent from here on.
static force_inline unsigned item_ready(struct item *i, struct file *f, unsigned *wanted)
{
    *wanted = __atomic_load_n(&i->wanted, __ATOMIC_ACQUIRE);
    unsigned ready = poll_expand(file_poll(f, NULL)) & *wanted;
    if (!ready || !(i->mode & WATCH_ONCE))
        return ready;
    bool ours = __atomic_compare_exchange_n(&i->wanted, wanted, 0, false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_RELAXED);
    return ours ? ready : 0;
}

// Hands the item's event to the sink if there is one: 1, 0 or the sink's error, after which the
// event is told again.
static int item_collect(struct item *i, struct watch_sink *sink)
{
    struct file *f = item_file(i);
    if (!f)
        return 0;
    unsigned wanted, ready = item_ready(i, f, &wanted);
    err_t e = 0;
    if (ready) {
        struct watch_event event = { ready, wanted, i->number, i->data };
        e = sink->take(sink, &event);
        unsigned silent = 0;
        if (e && i->mode & WATCH_ONCE)
            __atomic_compare_exchange_n(&i->wanted, &silent, wanted, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED);
        if (e || !(i->mode & (WATCH_ONCE | WATCH_EDGE)))
            queue_put(i, false, false); // it is ready until a look says otherwise
    }
    file_put(f);
    return e ? e : ready != 0;
}

// Looks at what is queued now, each once. *count: how many the sink took.
static err_t list_collect(struct watch_list *l, struct watch_sink *sink, size_t room, size_t *count)
{
    int result = 0;
    uint32_t looks = __atomic_load_n(&l->ready_count, __ATOMIC_ACQUIRE);
    while (result >= 0 && *count < room && looks-- > 0) {
        struct item *i = ready_pop(l);
        if (!i)
            break;
        result = item_collect(i, sink);
        if (result > 0)
            ++*count;
        item_put(i);
    }
    // What is left is for the next who waits.
    if (*count && __atomic_load_n(&l->ready_count, __ATOMIC_ACQUIRE))
        wait_wake_one(&l->waiting);
    return result < 0 && *count == 0 ? result : 0;
}

// Who waits is told one after the other: one event wakes one of them. Apart, so that only who
// sleeps has a waiter on its stack.
static no_inline err_t list_sleep(struct watch_list *l, nanos_t deadline)
{
    struct waiter w;
    err_t e = 0;
    waiter_begin_exclusive(&w, &l->waiting);
    for (;;) {
        wait_prepare(&w);
        if (e || __atomic_load_n(&l->ready_count, __ATOMIC_ACQUIRE))
            break;
        e = wait_sleep(&w, deadline, true);
    }
    waiter_end(&w);
    return e;
}

err_t watch_collect(struct file *list, struct watch_sink *sink, size_t room, nanos_t deadline,
                    size_t *count)
{
    if (!watch_list_is(list) || room == 0)
        return -EINVAL;
    struct watch_list *l = list->data;
    *count = 0;
    err_t e = list_collect(l, sink, room, count), sleep = 0;
    while (*count == 0 && !e && !sleep && deadline > 0) {
        sleep = list_sleep(l, deadline);
        e = list_collect(l, sink, room, count);
    }
    if (e || *count)
        return e;
    return sleep == -ETIMEDOUT ? 0 : sleep;
}

struct array_sink {
    struct watch_sink sink;
    struct watch_event *next;
};

static err_t array_take(struct watch_sink *sink, const struct watch_event *event)
{
    *container_of(sink, struct array_sink, sink)->next++ = *event;
    return 0;
}

err_t watch_wait(struct file *list, struct watch_event *events, size_t room, nanos_t deadline,
                 size_t *count)
{
    struct array_sink s = { { array_take }, events };
    return watch_collect(list, &s.sink, room, deadline, count);
}

// Whether one of the queued is really ready; what is not leaves the queue.
static bool list_ready(struct watch_list *l)
{
    uint32_t looks = __atomic_load_n(&l->ready_count, __ATOMIC_ACQUIRE);
    bool ready = false;
    while (!ready && looks-- > 0) {
        struct item *i = ready_pop(l);
        if (!i)
            break;
        struct file *f = item_file(i);
        ready =
            f && poll_expand(file_poll(f, NULL)) & __atomic_load_n(&i->wanted, __ATOMIC_ACQUIRE);
        if (f)
            file_put(f);
        if (ready)
            queue_put(i, true, true); // who looked meanwhile did not see it
        item_put(i);
    }
    return ready;
}

static unsigned watch_poll(struct file *f, struct poll_table *t)
{
    struct watch_list *l = f->data;
    if (t && t->add == item_watch)
        nest_tie(container_of(t, struct item_table, table)->item, l);
    else if (t)
        t->add(t, &l->polled);
    return list_ready(l) ? POLL_IN : 0;
}

static void watch_close(struct file *f)
{
    struct watch_list *l = f->data;
    mutex_lock(&l->lock);
    items_sweep(l, true);
    mutex_unlock(&l->lock);
    heap_free(l->items.buckets);
    heap_free(l);
}

static err_t watch_path(struct file *f, char *to, size_t room, size_t *length)
{
    return file_label(to, room, length, "anon_inode:[eventpoll]");
}

static const struct file_ops watch_files = {
    .name = "watch",
    .poll = watch_poll,
    .path = watch_path,
    .close = watch_close,
};

err_t watch_list_make(unsigned flags, struct file **list)
{
    struct watch_list *l = heap_alloc(sizeof(*l));
    struct hash_link **buckets = heap_alloc_array(FIRST_BUCKETS, sizeof(*buckets));
    err_t e = l && buckets ? 0 : -ENOMEM;
    if (!e) {
        mutex_init(&l->lock, RANK_WATCH);
        hash_table_init(&l->items, buckets, FIRST_BUCKETS);
        list_init(&l->ready);
        wait_queue_init(&l->waiting);
        wait_queue_init(&l->polled);
        spin_init(&l->waiting.lock, RANK_WATCH_WAIT);
        spin_init(&l->polled.lock, RANK_WATCH_WAIT);
        list_init(&l->parents);
        e = file_make(&watch_files, NULL, NULL, flags | OPEN_READ | OPEN_WRITE, l, list);
    }
    if (e) {
        heap_free(buckets);
        heap_free(l);
    }
    return e;
}
