// SPDX-License-Identifier: GPL-3.0-or-later
// Slabs: blocks of frames cut into equal objects, and a magazine of free objects for each CPU.
//
// A CPU takes from and gives to its own magazine with interrupts off: no lock, no atomic
// instruction. An empty or full magazine trades half of its room with the slabs under the cache's
// lock (RANK_SLAB). A slab's head page holds its counts; free objects are chained by their numbers
// in their own first two bytes. Invariant: `partial` holds exactly the slabs with a free object.
// This file touches freed objects, so the address sanitizer does not look at it.
#include "kernel/memory/slab.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/console/panic.h"
#include "kernel/memory/account.h"
#include "kernel/memory/kasan.h"
#include "kernel/sync/spinlock.h"
#include "lib/string.h"

enum {
    CACHES_MAX = 128,
    MAGAZINE_ROOM = 30,
    SLAB_OBJECTS_WANTED = 8,
    SLAB_ORDER_MAX = 3,
    EMPTY_KEPT = 1,
    SLAB_END = UINT16_MAX,
};

enum { POISON_OBJECT = 0x6b };

struct magazine {
    uint32_t count;
    void *objects[MAGAZINE_ROOM];
};

struct slab_cache {
    const char *name;
    size_t size, stride;
    uint32_t number, order, per_slab;
    uint32_t magazine_room; // 0: objects are always fetched from the slabs
    struct spinlock lock;
    struct list partial;
    unsigned empty; // slabs in `partial` of which nothing is used
    uint64_t slabs, used;
    struct magazine *magazines[CPU_MAX];
};

static struct slab_cache caches[CACHES_MAX];
static unsigned cache_count;
static struct slab_cache *magazine_cache;

static unsigned magazine_room_for(size_t size)
{
    if (size <= 256)
        return MAGAZINE_ROOM;
    return size <= 1024 ? 16 : size <= 4096 ? 8 : 2;
}

// The smallest order that holds a few objects and wastes at most an eighth.
static unsigned order_for(size_t stride)
{
    for (unsigned order = 0; order < SLAB_ORDER_MAX; order++) {
        size_t bytes = PAGE_SIZE << order;
        if (bytes / stride >= SLAB_OBJECTS_WANTED ||
            (bytes >= stride * 2 && bytes % stride <= bytes / 8))
            return order;
    }
    unsigned order = SLAB_ORDER_MAX;
    while (PAGE_SIZE << order < stride)
        order++;
    return order;
}

struct slab_cache *slab_cache_make(const char *name, size_t size, size_t align)
{
    assert(size && size <= KIB(64) && is_power_of_two(align));
    unsigned number = __atomic_fetch_add(&cache_count, 1, __ATOMIC_RELAXED);
    assert(number < CACHES_MAX);
    struct slab_cache *c = &caches[number];
    size_t room = size;
#ifdef CONFIG_KASAN
    room += 16; // a red zone behind each object
#endif
    *c = (struct slab_cache){
        .name = name,
        .size = size,
        .stride = round_up(max_of(room, sizeof(uint64_t)), max_of(align, sizeof(uint64_t))),
        .number = number,
        .magazine_room = magazine_cache ? magazine_room_for(size) : 0,
    };
    c->order = order_for(c->stride);
    c->per_slab = (PAGE_SIZE << c->order) / c->stride;
    spin_init(&c->lock, RANK_SLAB);
    list_init(&c->partial);
    return c;
}

void slab_init(void)
{
    magazine_cache = slab_cache_make("magazine", sizeof(struct magazine), 64);
}

struct slab_cache *slab_cache_of(const struct page *head)
{
    return &caches[head->slab_cache];
}

size_t slab_cache_size(const struct slab_cache *c)
{
    return c->size;
}

const char *slab_cache_name(const struct slab_cache *c)
{
    return c->name;
}

static uint16_t *link_of(const struct slab_cache *c, const struct page *slab, unsigned number)
{
    return (uint16_t *)((char *)page_virt(slab) + number * c->stride);
}

void *slab_object_start(const struct page *head, const void *address)
{
    const struct slab_cache *c = slab_cache_of(head);
    uint64_t offset = (const char *)address - (const char *)page_virt(head);
    return (char *)page_virt(head) + offset / c->stride * c->stride;
}

// A new slab with all objects free, in `partial`; c->lock held.
static bool slab_grow(struct slab_cache *c)
{
    struct page *slab = page_alloc(c->order, 0);
    if (!slab)
        return false;
    slab->flags |= PAGE_SLAB;
    slab->slab_cache = c->number;
    slab->slab_used = 0;
    slab->slab_free = 0;
    for (unsigned i = 0; i < c->per_slab; i++)
        *link_of(c, slab, i) = i + 1 < c->per_slab ? i + 1 : SLAB_END;
    kasan_poison(page_virt(slab), PAGE_SIZE << c->order, KASAN_HEAP_REDZONE);
    list_push_front(&c->partial, &slab->link);
    c->empty++;
    c->slabs++;
    account_add(ACCOUNT_SLAB, 1 << c->order);
    return true;
}

static void *object_take(struct slab_cache *c)
{
    if (list_empty(&c->partial) && !slab_grow(c))
        return NULL;
    struct page *slab = list_first(&c->partial, struct page, link);
    uint16_t *object = link_of(c, slab, slab->slab_free);
    slab->slab_free = *object;
    if (slab->slab_used++ == 0)
        c->empty--;
    if (slab->slab_free == SLAB_END)
        list_remove(&slab->link);
    c->used++;
    return object;
}

static void slab_shrink(struct slab_cache *c, struct page *slab)
{
    if (c->empty < EMPTY_KEPT) {
        c->empty++;
        return;
    }
    list_remove(&slab->link);
    slab->flags &= ~PAGE_SLAB;
    c->slabs--;
    account_add(ACCOUNT_SLAB, -(1 << c->order));
    page_put(slab);
}

static void object_give(struct slab_cache *c, void *object)
{
    struct page *slab = page_head(phys_to_page(virt_to_phys(object)));
    if (slab->slab_free == SLAB_END)
        list_push_front(&c->partial, &slab->link);
    *(uint16_t *)object = slab->slab_free;
    slab->slab_free = ((char *)object - (char *)page_virt(slab)) / c->stride;
    c->used--;
    if (--slab->slab_used == 0)
        slab_shrink(c, slab);
}

// This CPU's magazine; made when it is first wanted. Interrupts off.
static struct magazine *magazine_of(struct slab_cache *c)
{
    struct magazine **m = &c->magazines[cpu_number()];
    if (unlikely(!*m && c->magazine_room))
        *m = slab_alloc(magazine_cache);
    return *m;
}

// Interrupts off. Fills half the magazine and returns one object more.
static no_inline void *alloc_slow(struct slab_cache *c)
{
    struct magazine *m = magazine_of(c);
    uint64_t flags = spin_lock_irq(&c->lock);
    void *object = object_take(c);
    while (object && m && m->count < c->magazine_room / 2) {
        void *more = object_take(c);
        if (!more)
            break;
        m->objects[m->count++] = more;
    }
    spin_unlock_irq(&c->lock, flags);
    return object;
}

static no_inline void free_slow(struct slab_cache *c, void *object)
{
    struct magazine *m = magazine_of(c);
    if (m && m->count < c->magazine_room) { // it was only just made
        m->objects[m->count++] = object;
        return;
    }
    uint64_t flags = spin_lock_irq(&c->lock);
    object_give(c, object);
    // The oldest go: the newest are still warm in the processor's cache.
    unsigned going = m ? m->count / 2 : 0;
    for (unsigned i = 0; i < going; i++)
        object_give(c, m->objects[i]);
    spin_unlock_irq(&c->lock, flags);
    if (going) {
        m->count -= going;
        memmove(m->objects, m->objects + going, m->count * sizeof(m->objects[0]));
    }
}

void *slab_alloc_part(struct slab_cache *c, size_t size)
{
    uint64_t flags = irq_save();
    struct magazine *m = c->magazines[cpu_number()];
    void *object = likely(m && m->count) ? m->objects[--m->count] : alloc_slow(c);
    irq_restore(flags);
    if (unlikely(!object))
        return NULL;
    kasan_unpoison(object, max_of(size, 1ul)); // also of 0 bytes: it is allocated
    return memset(object, 0, size);
}

static void object_release(struct slab_cache *c, void *object)
{
    uint64_t flags = irq_save();
    struct magazine *m = c->magazines[cpu_number()];
    if (likely(m && m->count < c->magazine_room))
        m->objects[m->count++] = object;
    else
        free_slow(c, object);
    irq_restore(flags);
}

#ifdef CONFIG_DEBUG
enum { QUARANTINE = 256 };

static void *quarantine[QUARANTINE];
static unsigned quarantine_next;

// Freed objects rest a while before they are given out again, so that a late use of one is noticed.
static void object_retire(struct slab_cache *c, void *object)
{
    kasan_check_free(object);
    kasan_unpoison(object, c->size);
    memset(object, POISON_OBJECT, c->size);
    kasan_poison(object, c->size, KASAN_HEAP_FREE);
    if (c == magazine_cache)
        return object_release(c, object);
    unsigned place = __atomic_fetch_add(&quarantine_next, 1, __ATOMIC_RELAXED) % QUARANTINE;
    void *old = __atomic_exchange_n(&quarantine[place], object, __ATOMIC_ACQ_REL);
    if (old)
        object_release(slab_cache_of(page_head(phys_to_page(virt_to_phys(old)))), old);
}
#else
static void object_retire(struct slab_cache *c, void *object)
{
    object_release(c, object);
}
#endif

void slab_free(struct slab_cache *c, void *object)
{
    debug_assert(slab_cache_of(page_head(phys_to_page(virt_to_phys(object)))) == c);
    debug_assert(slab_object_start(page_head(phys_to_page(virt_to_phys(object))), object) ==
                 object);
    object_retire(c, object);
}

bool slab_usage(unsigned number, struct slab_usage *usage)
{
    if (number >= __atomic_load_n(&cache_count, __ATOMIC_RELAXED))
        return false;
    struct slab_cache *c = &caches[number];
    *usage = (struct slab_usage){
        .name = c->name,
        .size = c->size,
        .objects = __atomic_load_n(&c->used, __ATOMIC_RELAXED),
        .room = __atomic_load_n(&c->slabs, __ATOMIC_RELAXED) * c->per_slab,
    };
    return true;
}
