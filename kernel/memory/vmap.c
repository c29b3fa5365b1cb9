// SPDX-License-Identifier: GPL-3.0-or-later
// Kernel mappings: which addresses are taken (a tree of ranges), and the entries that map them.
//
// The first quarter of the area is for vmap_device(), the second for vmap_alloc(), each mapping
// followed by an unmapped page. The upper half is cut into slots of twice a stack's size: the stack
// in the upper half of its slot, the guard below it, so that an address alone tells whether it is a
// guard's. Each CPU keeps a few free stacks, mapped. Locks: vmap_lock (RANK_VMAP) for the tree;
// table_lock (RANK_KERNEL_TABLE) for the kernel's page tables. Neither is held over a TLB request.
#include "kernel/memory/vmap.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/kasan.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/table.h"
#include "kernel/sync/spinlock.h"
#include "lib/range_tree.h"
#include <redox/errno.h>

#define STACKS_START  (VMAP_START + (VMAP_END - VMAP_START) / 2)
#define DEVICES_START (VMAP_START + kernel_layout.vmap_skip)
#define BUFFERS_START (VMAP_COVERED + kernel_layout.vmap_skip)
#define STACK_SLOT    (2ull * KERNEL_STACK_BYTES)

enum { STACKS_KEPT = 4, STACKS_POOLED = 48 };

struct vmap_range {
    struct range_node range; // with the guard page
    uint64_t mapped, size;   // what lies within
    bool owns_pages;         // else they belong to a device
    bool stale;              // dropped, but TLBs may still know it
    struct vmap_range *next_stale;
};

struct stack_cache {
    unsigned count;
    uint64_t tops[STACKS_KEPT];
};

static struct spinlock vmap_lock = SPINLOCK_INIT(RANK_VMAP);
static struct spinlock table_lock = SPINLOCK_INIT(RANK_KERNEL_TABLE);
static struct rb_tree ranges;
static struct slab_cache *range_cache;
static DEFINE_PERCPU(struct stack_cache, stack_cache);

// Dropped ranges that TLBs may still hold (vmap_lock).
enum { STALE_RANGES = 32, STALE_BYTES = 256 * 1024 };
static struct vmap_range *stale;
static unsigned stale_count;
static uint64_t stale_bytes;

void vmap_init(void)
{
    ranges = range_tree_make();
    range_cache = slab_cache_make("vmap-range", sizeof(struct vmap_range), 8);
}

static struct vmap_range *range_reserve(uint64_t size, uint64_t align, uint64_t low, uint64_t high)
{
    struct vmap_range *r = slab_alloc(range_cache);
    if (!r)
        return NULL;
    uint64_t flags = spin_lock_irq(&vmap_lock);
    bool found = range_tree_gap(&ranges, size, align, low, high, false, &r->range.start);
    if (found) {
        r->range.end = r->range.start + size;
        range_tree_insert(&ranges, &r->range);
    }
    spin_unlock_irq(&vmap_lock, flags);
    if (found)
        return r;
    slab_free(range_cache, r);
    return NULL;
}

static void range_release(struct vmap_range *r)
{
    uint64_t flags = spin_lock_irq(&vmap_lock);
    range_tree_remove(&ranges, &r->range);
    spin_unlock_irq(&vmap_lock, flags);
    slab_free(range_cache, r);
}

static struct vmap_range *range_at(uint64_t address)
{
    uint64_t flags = spin_lock_irq(&vmap_lock);
    struct range_node *n = range_tree_find(&ranges, address);
    spin_unlock_irq(&vmap_lock, flags);
    struct vmap_range *r = n ? container_of(n, struct vmap_range, range) : NULL;
    return r && r->mapped == address ? r : NULL;
}

err_t kernel_map(uint64_t virt, phys_t phys, uint64_t size, uint64_t bits)
{
    bits |= ENTRY_WRITE | ENTRY_NX | ENTRY_GLOBAL;
    uint64_t flags = spin_lock_irq(&table_lock);
    err_t e = table_map(memory_kernel_table(), virt, phys, size, bits);
    spin_unlock_irq(&table_lock, flags);
    return e;
}

err_t vmap_fill(uint64_t virt, uint64_t size)
{
    for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
        struct page *p = page_alloc(0, PAGE_ZERO);
        if (!p)
            return -ENOMEM;
        err_t e = kernel_map(virt + done, page_phys(p), PAGE_SIZE, 0);
        if (e) {
            page_put(p);
            return e;
        }
    }
    return 0;
}

// The largest entry that maps `address`, or one that is empty; *span is what it stands for.
static entry_t *entry_of(uint64_t address, uint64_t *span)
{
    for (unsigned level = 3; level; level--) {
        entry_t *e = table_entry(memory_kernel_table(), address, level, false);
        *span = entry_span(level);
        if (!e || level == 1 || !*e || (*e & ENTRY_LARGE))
            return e;
    }
    return NULL;
}

static void kernel_flush(uint64_t start, uint64_t end)
{
    if (cpu_count > 1)
        tlb_shootdown(~0ull >> (64 - cpu_count), 0, start, end);
    else if (end == UINT64_MAX)
        tlb_flush_all();
    else
        tlb_flush_range(start, end);
}

// Nobody may load the entries any more; TLBs may still hold them.
static void entries_forbid(uint64_t virt, uint64_t size)
{
    uint64_t span;
    uint64_t flags = spin_lock_irq(&table_lock);
    for (uint64_t a = virt; a < virt + size; a = round_down(a, span) + span) {
        entry_t *e = entry_of(a, &span);
        if (e)
            __atomic_and_fetch(e, ~ENTRY_PRESENT, __ATOMIC_RELAXED);
    }
    spin_unlock_irq(&table_lock, flags);
}

// No TLB holds the entries any more: they are emptied, and what they mapped is freed.
static void entries_empty(uint64_t virt, uint64_t size, bool owns_pages)
{
    uint64_t span;
    for (uint64_t a = virt; a < virt + size; a = round_down(a, span) + span) {
        uint64_t flags = spin_lock_irq(&table_lock);
        entry_t *e = entry_of(a, &span);
        entry_t old = e ? __atomic_exchange_n(e, 0, __ATOMIC_RELAXED) : 0;
        spin_unlock_irq(&table_lock, flags);
        if (old && owns_pages)
            page_put(phys_to_page(old & ENTRY_ADDRESS));
    }
}

// Puts a dropped range on the stale list; returns the whole list when it has become long.
static struct vmap_range *stale_add(struct vmap_range *r)
{
    struct vmap_range *all = NULL;
    uint64_t flags = spin_lock_irq(&vmap_lock);
    r->stale = true;
    r->next_stale = stale;
    stale = r;
    stale_count++;
    stale_bytes += r->owns_pages ? r->size : 0;
    if (stale_count >= STALE_RANGES || stale_bytes >= STALE_BYTES || cpu_count == 1) {
        all = stale;
        stale = NULL;
        stale_count = 0;
        stale_bytes = 0;
    }
    spin_unlock_irq(&vmap_lock, flags);
    return all;
}

// A TLB request to every CPU is dear: dropped ranges wait for company, and their addresses are not
// given out meanwhile.
static void range_drop(struct vmap_range *r)
{
    kasan_poison((void *)r->mapped, round_up(r->size, PAGE_SIZE), KASAN_VMAP_FREE);
    entries_forbid(r->mapped, round_up(r->size, PAGE_SIZE));
    struct vmap_range *all = stale_add(r);
    if (!all)
        return;
    if (all->next_stale)
        kernel_flush(0, UINT64_MAX);
    else
        kernel_flush(all->mapped, all->mapped + round_up(all->size, PAGE_SIZE));
    while (all) {
        struct vmap_range *next = all->next_stale;
        entries_empty(all->mapped, round_up(all->size, PAGE_SIZE), all->owns_pages);
        range_release(all);
        all = next;
    }
}

static uint64_t cache_bits(enum vmap_cache cache)
{
    return cache == VMAP_UNCACHED          ? ENTRY_UNCACHED
           : cache == VMAP_WRITE_COMBINING ? ENTRY_WRITE_COMBINING
                                           : ENTRY_CACHED;
}

void *vmap_device(phys_t address, uint64_t size, enum vmap_cache cache)
{
    phys_t end, limit = 1ull << 52;
    if (!size || add_overflows(address, size, &end) || end > limit)
        return NULL;
    // Addresses agree modulo 2 MiB, so that large pages can be used.
    uint64_t inside = size >= LARGE_PAGE_SIZE ? address % LARGE_PAGE_SIZE : address % PAGE_SIZE;
    uint64_t align = size >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE;
    uint64_t room = round_up(inside + size, PAGE_SIZE) + PAGE_SIZE;
    struct vmap_range *r = range_reserve(room, align, DEVICES_START, VMAP_COVERED);
    if (!r)
        return NULL;
    phys_t first = round_down(address, PAGE_SIZE);
    r->mapped = r->range.start + round_down(inside, PAGE_SIZE);
    r->size = round_up(end, PAGE_SIZE) - first;
    if (kernel_map(r->mapped, first, r->size, cache_bits(cache))) {
        range_drop(r);
        return NULL;
    }
    return (char *)r->mapped + address % PAGE_SIZE;
}

void *vmap_registers(phys_t address, uint64_t size)
{
    return vmap_device(address, size, VMAP_UNCACHED);
}

void *vmap_alloc(uint64_t size)
{
    if (!size || size > VMAP_END - VMAP_START)
        return NULL;
    uint64_t bytes = round_up(size, PAGE_SIZE);
    struct vmap_range *r = range_reserve(bytes + PAGE_SIZE, PAGE_SIZE, BUFFERS_START, STACKS_START);
    if (!r)
        return NULL;
    r->mapped = r->range.start;
    r->size = bytes;
    r->owns_pages = true;
    if (!kasan_cover(r->mapped, bytes) || vmap_fill(r->mapped, bytes)) {
        range_drop(r);
        return NULL;
    }
    kasan_poison((void *)r->mapped, bytes, KASAN_HEAP_REDZONE);
    kasan_unpoison((void *)r->mapped, size);
    return (void *)r->mapped;
}

void vmap_drop(void *p)
{
    struct vmap_range *r = p ? range_at(round_down((uint64_t)p, PAGE_SIZE)) : NULL;
    assert(!p || (r && !r->stale));
    if (r)
        range_drop(r);
}

uint64_t vmap_size(const void *p)
{
    const struct vmap_range *r = range_at((uint64_t)p);
    return r ? r->size : 0;
}

static err_t stack_map(uint64_t *top)
{
    struct vmap_range *r =
        range_reserve(STACK_SLOT, STACK_SLOT, STACKS_START + kernel_layout.vmap_skip, VMAP_END);
    if (!r)
        return -ENOMEM;
    r->size = KERNEL_STACK_BYTES;
    r->mapped = r->range.end - r->size;
    r->owns_pages = true;
    if (!kasan_cover(r->mapped, r->size) || vmap_fill(r->mapped, r->size)) {
        range_drop(r);
        return -ENOMEM;
    }
    kasan_unpoison((void *)r->mapped, r->size);
    *top = r->range.end;
    return 0;
}

// Stacks that one CPU has too many of go to the others by here: unmapping one would need every CPU.
static struct {
    unsigned count;
    uint64_t tops[STACKS_POOLED];
} stack_pool; // vmap_lock

static bool pool_get(uint64_t *top)
{
    uint64_t flags = spin_lock_irq(&vmap_lock);
    bool found = stack_pool.count > 0;
    if (found)
        *top = stack_pool.tops[--stack_pool.count];
    spin_unlock_irq(&vmap_lock, flags);
    return found;
}

static bool pool_put(uint64_t top)
{
    uint64_t flags = spin_lock_irq(&vmap_lock);
    bool kept = stack_pool.count < STACKS_POOLED;
    if (kept)
        stack_pool.tops[stack_pool.count++] = top;
    spin_unlock_irq(&vmap_lock, flags);
    return kept;
}

err_t stack_make(uint64_t *top)
{
    uint64_t flags = irq_save();
    struct stack_cache *c = &this_cpu(stack_cache);
    bool found = c->count > 0;
    if (found)
        *top = c->tops[--c->count];
    irq_restore(flags);
    if (!found && !pool_get(top))
        return stack_map(top);
    kasan_unpoison((void *)(*top - KERNEL_STACK_BYTES), KERNEL_STACK_BYTES);
    return 0;
}

void stack_drop(uint64_t top)
{
    uint64_t start = top - KERNEL_STACK_BYTES;
    uint64_t flags = irq_save();
    struct stack_cache *c = &this_cpu(stack_cache);
    bool keep = c->count < STACKS_KEPT;
    if (keep)
        c->tops[c->count++] = top;
    irq_restore(flags);
    if (!keep && !pool_put(top))
        vmap_drop((void *)start);
}

bool stack_guard_hit(uint64_t address)
{
    return address >= STACKS_START && address < VMAP_END &&
           address % STACK_SLOT < STACK_SLOT - KERNEL_STACK_BYTES;
}
