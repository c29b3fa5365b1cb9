// SPDX-License-Identifier: GPL-3.0-or-later
// Page frames: who has which 4 KiB of physical memory.
//
//   struct page *p = page_alloc(0, PAGE_ZERO);        one zeroed frame, or NULL
//   memcpy(page_virt(p), ...);
//   page_put(p);
//
// A buddy allocator for each zone with a cache of single frames for each CPU. Allocation never
// sleeps and may fail: the caller hands the failure on. Any context (interrupts too).
// struct page lies in an array indexed by frame number, present for all usable memory.
// Tests: kernel/memory/test.
#pragma once
#include "kernel/memory/layout.h"
#include "kernel/memory/range.h"
#include "lib/list.h"

struct memory_object;

enum page_flag {
    PAGE_FREE = 1 << 0,     // in the buddy allocator, head of a block
    PAGE_CACHED = 1 << 1,   // in a CPU's cache
    PAGE_SLAB = 1 << 2,     // belongs to a slab: `slab` is valid
    PAGE_OBJECT = 1 << 3,   // belongs to a memory object: `object`, `index` are valid
    PAGE_RESERVED = 1 << 4, // firmware's, the kernel image's, or a hole: never allocated
    PAGE_DIRTY = 1 << 5,    // changed since it was read from its object's backing
};

struct page {
    uint32_t references; // 0: free
    uint16_t flags;      // enum page_flag
    uint8_t order;       // of the block this page heads: 2^order frames
    uint8_t zone;
    uint32_t mappings; // user page table entries that point here
    uint32_t spare;
    union {
        struct list link; // in a free list or a cache
        struct {
            void *slab;
            void *slab_free;
        };
        struct {
            struct memory_object *object;
            uint64_t index; // page number within the object
        };
    };
};

enum page_alloc_flag {
    PAGE_ZERO = 1 << 0,    // filled with zeros (else junk in debug builds)
    PAGE_LOW = 1 << 1,     // below 4 GiB, for devices that cannot reach further
    PAGE_RESERVE = 1 << 2, // may dip into the last reserve: for freeing memory, never for users
};

enum { PAGE_ORDER_MAX = 10 }; // blocks up to 4 MiB

// 2^order frames, aligned to their size, with one reference; NULL when there are none.
struct page *page_alloc(unsigned order, unsigned flags) must_check;
void page_get(struct page *p);
// Drops a reference; the last frees the whole block that page_alloc returned.
void page_put(struct page *p);

static inline phys_t page_phys(const struct page *p)
{
    return (phys_t)(p - (struct page *)PAGE_ARRAY) << PAGE_SHIFT;
}

static inline struct page *phys_to_page(phys_t address)
{
    return (struct page *)PAGE_ARRAY + (address >> PAGE_SHIFT);
}

static inline void *page_virt(const struct page *p)
{
    return phys_to_virt(page_phys(p));
}

// True when a struct page exists for the address: it is real memory.
bool phys_is_memory(phys_t address);

struct memory_totals {
    uint64_t total, free, cached, slab, kernel; // bytes
};
void memory_totals(struct memory_totals *totals);
