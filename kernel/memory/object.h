// SPDX-License-Identifier: GPL-3.0-or-later
// Memory objects: what can be mapped. An array of pages, some present, some to be made on demand.
//
// Anonymous memory, a tmpfs file, a disk file's cache and a window on physical addresses are all
// memory objects; they differ in their pager. A file's read and write go through the same pages
// that mappings see (the page cache).
//
//   struct memory_object *o = object_make(&anonymous_pager, NULL, size);
//   struct page *p; err_t e = object_page(o, index, true, &p);   ... use ...  page_put(p);
//   object_put(o);
//
// Locks: o->lock (RANK_OBJECT) guards the tree of pages and the size. Sleeping context.
#pragma once
#include "kernel/memory/page.h"
#include "kernel/sync/mutex.h"
#include "lib/radix.h"

// Pages are looked up, made and removed under o->lock, and put into page tables under it too: so
// nobody maps a page that truncation is taking away. A pager's `fill` and `write_back` run under
// it.

enum caching {
    CACHING_AUTO, // cached where it is memory, uncached elsewhere
    CACHING_BACK,
    CACHING_COMBINE, // writes are gathered
    CACHING_NONE,
};

struct pager {
    const char *name; // in brackets: what /proc/PID/maps shows of its mappings
    // Fills a zeroed page with what the backing holds (file, disk); NULL: zeros are right.
    err_t (*fill)(struct memory_object *o, uint64_t index, struct page *p);
    // Writes a changed page back; NULL: nothing behind.
    err_t (*write_back)(struct memory_object *o, uint64_t index, struct page *p);
    // The object's last reference is gone and its pages are freed.
    void (*drop)(struct memory_object *o);
    bool physical;        // `private_data` is the base address; pages have no struct page
    enum caching caching; // of physical ones
    bool never_copied;    // private mappings of it are shared all the same, like physical ones
};

struct memory_object {
    uint32_t references;
    const struct pager *pager;
    struct mutex lock;
    struct radix pages;   // index -> struct page *
    uint64_t size;        // bytes; a page at or past it faults (SIGBUS), but for anonymous memory
    uint64_t resident;    // pages present
    void *private_data;   // the pager's
    struct list mappings; // struct mapping.object_link: who must be told on truncation
};

extern const struct pager anonymous_pager; // zeros, never written back
extern const struct pager physical_pager;
extern const struct pager framebuffer_pager; // physical, write-combining

struct memory_object *object_make(const struct pager *pager, void *private_data, uint64_t size)
    must_check;
void object_get(struct memory_object *o);
void object_put(struct memory_object *o);

// The page at `index` with a reference; made and filled when absent and `make`, else NULL in *page.
// 0, -ENOMEM, or the pager's error.
err_t object_page(struct memory_object *o, uint64_t index, bool make, struct page **page)
    must_check;

// Makes `p`, whose reference moves in, the object's page at `index`. -EEXIST, -ENOMEM: it stays the
// caller's. The pager is not asked.
err_t object_adopt(struct memory_object *o, uint64_t index, struct page *p) must_check;

// The same for an object that nobody else knows yet: takes no lock, never sleeps.
err_t object_adopt_new(struct memory_object *o, uint64_t index, struct page *p) must_check;

// Cuts or extends. Pages past the new end go, also out of every mapping; the rest of the last is
// zeroed.
err_t object_resize(struct memory_object *o, uint64_t size) must_check;

// Writes changed pages of [start, end) (indexes) back; later changes are noticed anew.
err_t object_sync(struct memory_object *o, uint64_t start, uint64_t end) must_check;

// For those who hold o->lock: as object_page().
err_t object_page_locked(struct memory_object *o, uint64_t index, bool make, struct page **page)
    must_check;

// Frees the pages of [start, end) (indexes): a hole reads as zeros.
void object_punch(struct memory_object *o, uint64_t start, uint64_t end);
