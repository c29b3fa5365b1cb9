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
    PAGE_TAIL = 1 << 1,     // in an allocated block, but not its head: `head` is valid
    PAGE_SLAB = 1 << 2,     // heads a slab: the slab_* members are valid
    PAGE_OBJECT = 1 << 3,   // belongs to a memory object: `object`, `index` are valid
    PAGE_RESERVED = 1 << 4, // firmware's, the kernel image's, or a hole: never allocated
    PAGE_DIRTY = 1 << 5,    // changed since it was read from its object's backing
    PAGE_POISONED = 1 << 6, // freed and filled with the poison pattern (debug builds)
    PAGE_TABLE = 1 << 7,    // a page table: `entries`, `groups` are valid
    PAGE_USER = 1 << 8,     // a program's own page (for the accounts)
};

struct page {
    uint32_t references; // 0: free
    uint16_t flags;      // enum page_flag
    uint8_t order;       // of the block this page heads: 2^order frames
    uint8_t zone;
    union {
        uint32_t entries; // page table: entries that are not empty
        struct {
            uint16_t slab_used; // objects given out
            uint16_t slab_free; // number of the first free object
        };
    };
    uint32_t slab_cache; // number of the cache
    union {
        struct list link; // in a free list, or a slab in its cache's list
        struct page *head;
        struct {
            struct memory_object *object;
            uint64_t index; // page number within the object
        };
        uint64_t groups; // page table: bit n: of entries 8n to 8n + 7 one may be in use
    };
};
_Static_assert(sizeof(struct page) == 32, "there is one for each frame");

enum page_alloc_flag {
    PAGE_ZERO = 1 << 0,    // filled with zeros (else junk in debug builds)
    PAGE_LOW = 1 << 1,     // below 4 GiB, for devices that cannot reach further
    PAGE_RESERVE = 1 << 2, // may dip into the last reserve: for freeing memory, never for users
    PAGE_MODEST = 1 << 3,  // leaves four times the reserve to the kernel: for programs' pages
};

enum { PAGE_ORDER_LARGE = 9, PAGE_ORDER_MAX = 10 }; // 2 MiB; blocks up to 4 MiB

// 2^order frames, aligned to their size, with one reference; NULL when there are none.
struct page *page_alloc(unsigned order, unsigned flags) must_check;
// References count for the block: on a tail they go to its head.
void page_get(struct page *p);
// Drops a reference; the last frees the whole block that page_alloc returned.
void page_put(struct page *p);
uint32_t page_references(const struct page *p);
// Makes 2^order single pages, each with one reference, of a block that has one.
void page_split(struct page *p);

// The page that counts for the block `p` lies in.
static inline struct page *page_head(struct page *p)
{
    return unlikely(p->flags & PAGE_TAIL) ? p->head : p;
}

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

// Bytes that are free, roughly; cheap.
uint64_t page_free_bytes(void);

// True when a struct page exists for the address: it is real memory.
bool phys_is_memory(phys_t address);
bool phys_meets_memory(phys_t start, phys_t end); // any byte of [start, end)

struct memory_totals {
    uint64_t total, free; // bytes; what firmware left usable
    uint64_t cached;      // pages of memory objects: files, shared memory
    uint64_t slab;        // the kernel heap's slabs
    uint64_t user;        // programs' private pages
    uint64_t kernel;      // all else: page tables, stacks, the image, the page array
};
void memory_totals(struct memory_totals *totals);
