// SPDX-License-Identifier: GPL-3.0-or-later
// What this room needs from the rooms above it, which it may not include: the memory room provides
// all of these (heap.h, vmap.h, memory.h say more). The border of DESIGN.md stays visible in one
// place.
#pragma once
#include "lib/base.h"

struct slab_cache;

void *heap_alloc(size_t size) must_check; // zeroed; NULL: no memory
void heap_free(void *p);
struct slab_cache *slab_cache_make(const char *name, size_t size, size_t align);
void *slab_alloc(struct slab_cache *c) must_check; // zeroed; NULL
void slab_free(struct slab_cache *c, void *object);
void *vmap_alloc(uint64_t size) must_check; // whole pages, zeroed; NULL
void vmap_drop(void *p);
// Device registers, uncached; never unmapped. NULL: no room.
void *vmap_registers(phys_t address, uint64_t size) must_check;
err_t stack_make(uint64_t *top) must_check;
void stack_drop(uint64_t top);
phys_t memory_kernel_table(void);
phys_t memory_low_page(void);
void memory_init_cpu(void);
