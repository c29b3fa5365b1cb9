// SPDX-License-Identifier: GPL-3.0-or-later
// The general heap: a slab cache for each size class, blocks of frames above, kernel mappings above
// that.
//
// A block's size is found from its address: slab pages know their cache, other blocks their order,
// and addresses outside the direct map are kernel mappings. No lock of its own.
#include "kernel/memory/heap.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/console/panic.h"
#include "kernel/memory/kasan.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/slab.h"
#include "kernel/memory/vmap.h"
#include "lib/string.h"

enum { SLAB_BYTES_MAX = 2048, FRAMES_ORDER_MAX = 3, CLASS_STEP = 16 };

static const struct {
    uint16_t size;
    const char *name;
} classes[] = {
    { 16, "heap-16" },     { 32, "heap-32" },     { 48, "heap-48" },   { 64, "heap-64" },
    { 96, "heap-96" },     { 128, "heap-128" },   { 192, "heap-192" }, { 256, "heap-256" },
    { 384, "heap-384" },   { 512, "heap-512" },   { 768, "heap-768" }, { 1024, "heap-1024" },
    { 1536, "heap-1536" }, { 2048, "heap-2048" },
};

static struct slab_cache *class_caches[array_len(classes)];
static uint8_t class_of[SLAB_BYTES_MAX / CLASS_STEP + 1]; // by size in steps, rounded up

void heap_init(void)
{
    slab_init();
    for (unsigned i = 0; i < array_len(classes); i++)
        class_caches[i] = slab_cache_make(classes[i].name, classes[i].size, CLASS_STEP);
    for (unsigned step = 0, class = 0; step < array_len(class_of); step++) {
        if (step * CLASS_STEP > classes[class].size)
            class ++;
        class_of[step] = class;
    }
    vmap_init();
}

static const struct thread *fail_thread;
static unsigned fail_left;

void heap_fail_after(unsigned n)
{
    fail_thread = thread_current();
    __atomic_store_n(&fail_left, n, __ATOMIC_RELEASE);
}

static bool fails_now(void)
{
    if (likely(!__atomic_load_n(&fail_left, __ATOMIC_RELAXED)) || fail_thread != thread_current())
        return false;
    return --fail_left == 0;
}

void *slab_alloc(struct slab_cache *c)
{
    return fails_now() ? NULL : slab_alloc_part(c, slab_cache_size(c));
}

static unsigned order_for(size_t size)
{
    unsigned order = 0;
    while (PAGE_SIZE << order < size)
        order++;
    return order;
}

static void *frames_alloc(size_t size)
{
    unsigned order = order_for(size);
    struct page *p = page_alloc(order, PAGE_ZERO);
    if (!p)
        return NULL;
    kasan_poison(page_virt(p), PAGE_SIZE << order, KASAN_HEAP_REDZONE);
    kasan_unpoison(page_virt(p), size);
    return page_virt(p);
}

void *heap_alloc(size_t size)
{
    if (unlikely(fails_now()))
        return NULL;
    if (likely(size <= SLAB_BYTES_MAX))
        return slab_alloc_part(class_caches[class_of[div_round_up(size, CLASS_STEP)]], size);
    if (size <= PAGE_SIZE << FRAMES_ORDER_MAX)
        return frames_alloc(size);
    return vmap_alloc(size);
}

void *heap_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    if (mul_overflows(count, size, &bytes))
        return NULL;
    return heap_alloc(bytes);
}

static bool is_mapped(const void *p)
{
    return (uint64_t)p >= VMAP_START && (uint64_t)p < VMAP_END;
}

static size_t room_of(const void *p)
{
    if (is_mapped(p))
        return vmap_size(p);
    struct page *head = page_head(phys_to_page(virt_to_phys(p)));
    if (head->flags & PAGE_SLAB)
        return slab_cache_size(slab_cache_of(head));
    return PAGE_SIZE << head->order;
}

void *heap_resize(void *p, size_t size)
{
    if (!p)
        return heap_alloc(size);
    size_t room = room_of(p);
    if (size <= room && size > room / 2 && !fails_now()) {
        kasan_unpoison(p, size);
        return p;
    }
    void *moved = heap_alloc(size);
    if (!moved)
        return NULL;
    kasan_unpoison(p, min_of(size, room)); // its exact size is not known here
    memcpy(moved, p, min_of(size, room));
    heap_free(p);
    return moved;
}

void heap_free(void *p)
{
    if (!p)
        return;
    if (is_mapped(p))
        return vmap_drop(p);
    struct page *head = page_head(phys_to_page(virt_to_phys(p)));
    if (head->flags & PAGE_SLAB)
        return slab_free(slab_cache_of(head), p);
    assert(page_virt(head) == p && head->references);
    page_put(head);
}

char *heap_string(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = heap_alloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}
