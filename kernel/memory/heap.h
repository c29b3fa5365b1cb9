// SPDX-License-Identifier: GPL-3.0-or-later
// The kernel heap: slabs of equal objects with a magazine for each CPU, and general sizes on top.
//
//   static struct slab_cache *threads;   threads = slab_cache_make("thread", sizeof(struct thread),
//   64); struct thread *t = slab_alloc(threads);  ...  slab_free(threads, t); char *s =
//   heap_alloc(n); ... heap_free(s);                  8-byte aligned or better; NULL: none
//
// Never sleeps; any context. Memory comes zeroed. heap_free(NULL) does nothing. Sizes past half a
// page come as whole pages. Freed memory is poisoned in debug builds, and KASAN knows what is
// allocated.
#pragma once
#include "lib/base.h"

struct slab_cache;

// Makes a cache of objects of `size` bytes (1 .. 64 KiB) at `align` (a power of two). The name is
// kept, not copied. Panics when there is no memory: caches are made at boot.
struct slab_cache *slab_cache_make(const char *name, size_t size, size_t align);
void *slab_alloc(struct slab_cache *c) must_check; // zeroed
void slab_free(struct slab_cache *c, void *object);

void *heap_alloc(size_t size) must_check;
void *heap_alloc_array(size_t count, size_t size)
    must_check;                                     // NULL also when the product overflows
void *heap_resize(void *p, size_t size) must_check; // the old block stays when it fails
void heap_free(void *p);
char *heap_string(const char *text) must_check; // a copy

// Fault injection for tests: makes the n-th allocation from now on by this thread fail (0: off).
void heap_fail_after(unsigned n);
