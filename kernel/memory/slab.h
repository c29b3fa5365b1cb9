// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of the slab allocator, for heap.c. Others include heap.h.
#pragma once
#include "kernel/memory/heap.h"
#include "kernel/memory/page.h"

void slab_init(void);

// The cache that a slab's head page belongs to.
struct slab_cache *slab_cache_of(const struct page *head);
size_t slab_cache_size(const struct slab_cache *c);
const char *slab_cache_name(const struct slab_cache *c);

// As slab_alloc(), but only the first `size` bytes may be touched (KASAN).
void *slab_alloc_part(struct slab_cache *c, size_t size) must_check;

// The object that `address` lies in; its cache may have put it into a free list.
void *slab_object_start(const struct page *head, const void *address);

// Sums over all caches, for /proc/slabinfo: false when `number` is past the last.
struct slab_usage {
    const char *name;
    size_t size;
    uint64_t objects; // given out, or waiting in a CPU's magazine
    uint64_t room;    // objects that fit into the slabs there are
};
bool slab_usage(unsigned number, struct slab_usage *usage);
