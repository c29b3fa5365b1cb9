// SPDX-License-Identifier: GPL-3.0-or-later
// Page frames: zones of buddy blocks, and in front of them a cache of single frames for each CPU.
//
// The cache is touched by its own CPU only, with interrupts off: no lock, no atomic instruction. It
// trades with the zones in batches. A frame in a cache has no references and no flags but
// PAGE_POISONED. Locks: zone.lock (RANK_FRAMES).
#include "kernel/memory/frames.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/console/panic.h"
#include "kernel/memory/account.h"
#include "kernel/memory/kasan.h"
#include "kernel/memory/memory.h"
#include "kernel/sync/spinlock.h"
#include "lib/string.h"

struct zone {
    struct spinlock lock;
    struct buddy buddy;
} align_to(64);

enum { CACHE_ROOM = 64, CACHE_BATCH = 32 };

struct frame_cache {
    unsigned count;
    struct page *pages[CACHE_ROOM];
};

static struct zone zones[ZONE_COUNT];
static DEFINE_PERCPU(struct frame_cache, frame_cache);
static uint64_t total_frames, reserve_frames;

enum { POISON_FREED = 0x5a, POISON_FRESH = 0xa5 };

void frames_begin(void)
{
    for (unsigned z = 0; z < ZONE_COUNT; z++) {
        spin_init(&zones[z].lock, RANK_FRAMES);
        buddy_init(&zones[z].buddy, (struct page *)PAGE_ARRAY, z);
    }
}

void frames_set_total(uint64_t frames)
{
    total_frames = frames;
    reserve_frames = min_of(frames / 256, 1024ull);
}

static struct zone *zone_of(const struct page *p)
{
    return &zones[p->zone];
}

static void zone_add(struct zone *z, phys_t start, phys_t end)
{
    if (start >= end)
        return;
    uint64_t flags = spin_lock_irq(&z->lock);
    buddy_add(&z->buddy, start >> PAGE_SHIFT, (end - start) >> PAGE_SHIFT);
    spin_unlock_irq(&z->lock, flags);
}

void frames_add(phys_t start, uint64_t size)
{
    phys_t end = start + size;
    zone_add(&zones[ZONE_LOW], start, min_of(end, ZONE_LOW_END));
    zone_add(&zones[ZONE_HIGH], max_of(start, ZONE_LOW_END), end);
}

static uint64_t zones_free(void)
{
    uint64_t frames = 0;
    for (unsigned z = 0; z < ZONE_COUNT; z++)
        frames += __atomic_load_n(&zones[z].buddy.free_frames, __ATOMIC_RELAXED);
    return frames;
}

// Up to `wanted` blocks from one zone. Interrupts off.
static unsigned zone_take(struct zone *z, unsigned order, struct page **pages, unsigned wanted)
{
    unsigned got = 0;
    uint64_t flags = spin_lock_irq(&z->lock);
    while (got < wanted && (pages[got] = buddy_take(&z->buddy, order)))
        got++;
    spin_unlock_irq(&z->lock, flags);
    return got;
}

// From the zones, high memory first; keeps the reserve for those who may have it.
static unsigned frames_take(unsigned order, unsigned flags, struct page **pages, unsigned wanted)
{
    uint64_t keep = flags & PAGE_RESERVE  ? 0
                    : flags & PAGE_MODEST ? 4 * reserve_frames
                                          : reserve_frames;
    if (zones_free() < keep + ((uint64_t)wanted << order))
        wanted = zones_free() < keep + (1ull << order) ? 0 : 1;
    unsigned got = 0;
    for (unsigned z = flags & PAGE_LOW ? ZONE_LOW + 1 : ZONE_COUNT; z-- && got < wanted;)
        got += zone_take(&zones[z], order, pages + got, wanted - got);
    return got;
}

static void frames_give(struct page **pages, unsigned count, unsigned order)
{
    for (unsigned i = 0; i < count;) {
        struct zone *z = zone_of(pages[i]);
        uint64_t flags = spin_lock_irq(&z->lock);
        for (; i < count && zone_of(pages[i]) == z; i++) {
            pages[i]->flags = 0;
            buddy_give(&z->buddy, pages[i], order);
        }
        spin_unlock_irq(&z->lock, flags);
    }
}

static struct page *cache_take(unsigned flags)
{
    uint64_t irq = irq_save();
    struct frame_cache *c = &this_cpu(frame_cache);
    if (unlikely(!c->count))
        c->count = frames_take(0, flags, c->pages, CACHE_BATCH);
    struct page *p = likely(c->count) ? c->pages[--c->count] : NULL;
    irq_restore(irq);
    return p;
}

static void cache_give(struct page *p)
{
    uint64_t irq = irq_save();
    struct frame_cache *c = &this_cpu(frame_cache);
    if (unlikely(c->count == CACHE_ROOM)) {
        // The oldest go: the newest are still warm in the processor's cache.
        frames_give(c->pages, CACHE_BATCH, 0);
        c->count -= CACHE_BATCH;
        memmove(c->pages, c->pages + CACHE_BATCH, c->count * sizeof(c->pages[0]));
    }
    c->pages[c->count++] = p;
    irq_restore(irq);
}

#ifdef CONFIG_DEBUG
static void contents_fill(struct page *p, unsigned order, uint8_t value)
{
    memset(page_virt(p), value, PAGE_SIZE << order);
}

// Whoever wrote to a free frame is long gone, but the frame tells that it happened.
static no_sanitize void contents_check(const struct page *p)
{
    const uint64_t *words = page_virt(p);
    for (unsigned i = 0; (p->flags & PAGE_POISONED) && i < PAGE_SIZE / 8; i++)
        if (words[i] != 0x0101010101010101ull * POISON_FREED)
            panic("memory: free frame %#llx was written to: %#llx at offset %u",
                  (unsigned long long)page_phys(p), (unsigned long long)words[i], i * 8);
}

static void contents_free(struct page *p, unsigned order)
{
    kasan_unpoison(page_virt(p), PAGE_SIZE << order);
    contents_fill(p, order, POISON_FREED);
    if (order == 0)
        p->flags = PAGE_POISONED;
    kasan_poison(page_virt(p), PAGE_SIZE << order, KASAN_FREE_PAGE);
}

static void contents_fresh(struct page *p, unsigned order, unsigned flags)
{
    kasan_unpoison(page_virt(p), PAGE_SIZE << order);
    contents_check(p);
    if (!(flags & PAGE_ZERO) && !(p->flags & PAGE_POISONED)) // poison is junk enough
        contents_fill(p, order, POISON_FRESH);
}
#else
static void contents_free(struct page *p, unsigned order) {}

static void contents_fresh(struct page *p, unsigned order, unsigned flags) {}
#endif

static void block_begin(struct page *p, unsigned order)
{
    p->flags = 0;
    p->order = order;
    p->references = 1;
    for (unsigned i = 1; i < 1u << order; i++) {
        p[i].flags = PAGE_TAIL;
        p[i].head = p;
    }
}

struct page *page_alloc(unsigned order, unsigned flags)
{
    struct page *p = NULL;
    if (order == 0 && (!(flags & PAGE_LOW) || !zones[ZONE_HIGH].buddy.free_frames))
        p = cache_take(flags);
    else if (order > PAGE_ORDER_MAX || !frames_take(order, flags, &p, 1))
        return NULL;
    if (unlikely(!p))
        return NULL;
    contents_fresh(p, order, flags);
    block_begin(p, order);
    if (flags & PAGE_ZERO)
        for (unsigned i = 0; i < 1u << order; i++)
            page_clear((char *)page_virt(p) + i * PAGE_SIZE);
    return p;
}

static void block_free(struct page *p)
{
    unsigned order = p->order;
    if (unlikely(p->flags & (PAGE_RESERVED | PAGE_FREE)))
        panic("memory: frame %#llx freed that was not allocated (flags %#x)",
              (unsigned long long)page_phys(p), p->flags);
    if (p->flags & PAGE_USER)
        account_add(ACCOUNT_USER, -(1ll << order));
    p->flags = 0;
    for (unsigned i = 1; i < 1u << order; i++)
        p[i].flags = 0;
    contents_free(p, order);
    if (order == 0)
        cache_give(p);
    else
        frames_give(&p, 1, order);
}

void page_get(struct page *p)
{
    __atomic_fetch_add(&page_head(p)->references, 1, __ATOMIC_RELAXED);
}

void page_put(struct page *p)
{
    p = page_head(p);
    uint32_t left = __atomic_sub_fetch(&p->references, 1, __ATOMIC_ACQ_REL);
    if (left == 0)
        block_free(p);
    else if (unlikely(left == UINT32_MAX))
        panic("memory: frame %#llx freed twice", (unsigned long long)page_phys(p));
}

uint32_t page_references(const struct page *p)
{
    return __atomic_load_n(&page_head((struct page *)p)->references, __ATOMIC_ACQUIRE);
}

void page_split(struct page *p)
{
    assert(p->references == 1 && !(p->flags & PAGE_TAIL));
    unsigned frames = 1u << p->order;
    uint16_t flags = p->flags & PAGE_USER;
    for (unsigned i = 0; i < frames; i++) {
        p[i].flags = flags;
        p[i].order = 0;
        p[i].references = 1;
    }
}

struct page *memory_release_page(phys_t address)
{
    struct page *p = phys_is_memory(address) ? phys_to_page(address) : NULL;
    if (!p || !is_aligned(address, PAGE_SIZE) || !(p->flags & PAGE_RESERVED))
        return NULL;
    p->references = 1;
    p->order = 0;
    p->zone = address >= ZONE_LOW_END ? ZONE_HIGH : ZONE_LOW;
    p->flags = 0;
    return p;
}

void memory_release(phys_t start, uint64_t size)
{
    phys_t end = round_down(start + size, PAGE_SIZE);
    for (start = round_up(start, PAGE_SIZE); start < end; start += PAGE_SIZE) {
        struct page *p = memory_release_page(start);
        if (p)
            page_put(p);
    }
}

uint64_t page_free_bytes(void)
{
    return zones_free() * PAGE_SIZE;
}

void memory_totals(struct memory_totals *t)
{
    uint64_t frames = zones_free();
    for (unsigned n = 0; n < cpu_count; n++)
        frames += __atomic_load_n(&cpu_ptr(frame_cache, n)->count, __ATOMIC_RELAXED);
    t->total = total_frames * PAGE_SIZE;
    t->free = frames * PAGE_SIZE;
    t->cached = account_read(ACCOUNT_CACHED) * PAGE_SIZE;
    t->slab = account_read(ACCOUNT_SLAB) * PAGE_SIZE;
    t->user = account_read(ACCOUNT_USER) * PAGE_SIZE;
    uint64_t known = t->free + t->cached + t->slab + t->user;
    t->kernel = known < t->total ? t->total - known : 0;
}
