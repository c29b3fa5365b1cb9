// SPDX-License-Identifier: GPL-3.0-or-later
// From firmware's list to a running frame allocator.
//
// Order matters: what is free is found with the early page tables; from it come, by a bump
// allocator, the final tables of the direct map (below 4 GiB, where the early tables see them);
// with these loaded all memory can be reached, the page array is made, and the rest is handed over.
// Runs once, on the boot CPU, with interrupts off; no locks.
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/frames.h"
#include "kernel/memory/kasan.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/ranges.h"
#include "kernel/memory/table.h"
#include "kernel/memory/vmap.h"
#include "lib/string.h"

#define LOW_MEMORY_END MIB(1)
#define EARLY_TOP      GIB(4)

static struct range_set usable; // all of it, whoever has it
static struct range_set spare;  // what nobody has yet
static phys_t kernel_table, low_page;

phys_t memory_kernel_table(void)
{
    return kernel_table;
}

phys_t memory_low_page(void)
{
    return low_page;
}

bool phys_is_memory(phys_t address)
{
    return ranges_contain(&usable, address);
}

bool phys_meets_memory(phys_t start, phys_t end)
{
    return ranges_meet(&usable, start, end);
}

static phys_t take(uint64_t size, uint64_t align, phys_t limit)
{
    phys_t at;
    if (!ranges_take(&spare, size, align, limit, &at))
        panic("memory: too little: no %llu KiB left at boot (%llu MiB usable)",
              (unsigned long long)size >> 10, (unsigned long long)ranges_total(&usable) >> 20);
    return at;
}

// Bump allocator of page tables: from larger pieces, so that they lie together.
static phys_t early_table(void)
{
    static phys_t next, end;
    if (next == end) {
        next = take(16 * PAGE_SIZE, PAGE_SIZE, EARLY_TOP);
        end = next + 16 * PAGE_SIZE;
    }
    phys_t at = next;
    next += PAGE_SIZE;
    memset(phys_to_virt(at), 0, PAGE_SIZE);
    return at;
}

static void must_map(uint64_t virt, phys_t phys, uint64_t size, uint64_t bits)
{
    if (table_map(kernel_table, virt, phys, size, bits | ENTRY_WRITE | ENTRY_NX | ENTRY_GLOBAL))
        panic("memory: no room for the kernel's page tables");
}

// The regions' top-level entries exist from the start and are never removed, so that every
// address space can share the tables below them.
static void make_top_entries(uint64_t start, uint64_t size)
{
    for (uint64_t a = start; a - start < size; a += entry_span(TABLE_LEVELS))
        if (!table_entry(kernel_table, a, TABLE_LEVELS - 1, true))
            panic("memory: no room for the kernel's page tables");
}

static void map_memory(phys_t start, phys_t end)
{
    if (start < end)
        must_map(DIRECT_MAP + start, start, end - start, 0);
}

static void map_direct(const struct memory_taken *sealed, const struct memory_taken *framebuffer)
{
    phys_t sealed_end = sealed->start + sealed->size;
    for (unsigned i = 0; i < usable.count; i++) {
        struct phys_range r = usable.list[i];
        map_memory(r.start, min_of(r.end, sealed->start));
        map_memory(max_of(r.start, sealed_end), r.end);
    }
    if (!framebuffer->size)
        return;
    phys_t start = round_down(framebuffer->start, PAGE_SIZE);
    phys_t end = round_up(framebuffer->start + framebuffer->size, PAGE_SIZE);
    must_map(DIRECT_MAP + start, start, end - start, ENTRY_WRITE_COMBINING);
}

static void load_kernel_table(void)
{
    kernel_table = early_table();
    entry_t *image = table_at(cr3_read() & ENTRY_ADDRESS) + TABLE_ENTRIES - 1;
    table_at(kernel_table)[TABLE_ENTRIES - 1] = *image;
    make_top_entries(VMAP_START, VMAP_END - VMAP_START);
}

// Frames whose struct page exists: all of every largest block that has any usable memory.
static struct phys_range array_cover(const struct phys_range *r)
{
    uint64_t block = PAGE_SIZE << PAGE_ORDER_MAX;
    return (struct phys_range){ round_down(r->start, block), round_up(r->end, block) };
}

static void map_array_page(uint64_t at, uint64_t size)
{
    phys_t phys = take(size, size, RANGES_TOP);
    must_map(at, phys, size, 0);
    memset((void *)at, 0, size);
}

// Maps [start, end) of the page array, by 2 MiB pages where one fits.
static void map_array(uint64_t start, uint64_t end)
{
    for (uint64_t at = start; at < end;) {
        uint64_t size = PAGE_SIZE;
        if (is_aligned(at, LARGE_PAGE_SIZE) && end - at >= LARGE_PAGE_SIZE)
            size = LARGE_PAGE_SIZE;
        map_array_page(at, size);
        at += size;
    }
}

static void make_page_array(void)
{
    uint64_t mapped = 0; // up to here
    for (unsigned i = 0; i < usable.count; i++) {
        struct phys_range cover = array_cover(&usable.list[i]);
        uint64_t start = round_down((uint64_t)phys_to_page(cover.start), PAGE_SIZE);
        uint64_t end = round_up((uint64_t)phys_to_page(cover.end), PAGE_SIZE);
        start = max_of(start, mapped);
        if (start < end)
            map_array(start, end);
        mapped = max_of(mapped, end);
        for (phys_t a = cover.start; a < cover.end; a += PAGE_SIZE)
            phys_to_page(a)->flags = PAGE_RESERVED;
    }
}

// The image (the stack we run on is in it) and all of the direct map up to the last usable byte:
// holes too, so that one comparison tells whether an address has shadow.
static void cover_with_shadow(void)
{
    extern char kernel_start[], kernel_end[];
    phys_t end = usable.count ? usable.list[usable.count - 1].end : 0;
    // Of kernel mappings only the first page: their shadow has one top-level entry, which exists
    // then.
    if (!kasan_cover((uint64_t)kernel_start, (uint64_t)(kernel_end - kernel_start)) ||
        !kasan_cover(DIRECT_MAP, end) || !kasan_cover(VMAP_COVERED, PAGE_SIZE))
        panic("memory: no room for the sanitizer's shadow");
}

static void sort_out(const struct memory_setup *s)
{
    unsigned left_out = ranges_sort(&usable, s->ranges, s->range_count);
    if (left_out)
        log_warn("memory: %u ranges of the firmware's map make no sense or are too many", left_out);
    spare = usable;
    for (unsigned i = 0; i < s->taken_count; i++)
        ranges_remove(&spare, s->taken[i].start, s->taken[i].size);
    ranges_remove(&spare, 0, PAGE_SIZE); // the BIOS keeps its vectors and data there
    if (!ranges_take(&spare, PAGE_SIZE, PAGE_SIZE, LOW_MEMORY_END, &low_page))
        low_page = 0;
    ranges_remove(&spare, 0, LOW_MEMORY_END);
}

static void hand_over(void)
{
    frames_begin();
    frames_set_total(ranges_total(&usable) / PAGE_SIZE);
    for (unsigned i = 0; i < spare.count; i++)
        frames_add(spare.list[i].start, spare.list[i].end - spare.list[i].start);
    spare.count = 0;
    table_set_source(NULL);
}

void memory_init_cpu(void)
{
    paging_init_cpu();
}

void memory_init(const struct memory_setup *s)
{
    sort_out(s);
    table_set_source(early_table);
    load_kernel_table();
    map_direct(&s->sealed, &s->framebuffer);
    cover_with_shadow();
    paging_init_cpu();
    paging_load(kernel_table, 0, false);
    tlb_flush_all();
    make_page_array();
    kasan_begin();
    hand_over();
    struct memory_totals t;
    memory_totals(&t);
    log_info("memory: %llu MiB usable in %u ranges up to %#llx, %llu KiB free",
             (unsigned long long)t.total >> 20, usable.count,
             usable.count ? (unsigned long long)usable.list[usable.count - 1].end : 0,
             (unsigned long long)t.free >> 10);
}
