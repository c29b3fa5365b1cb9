// SPDX-License-Identifier: GPL-3.0-or-later
// Kernel address sanitizer: one shadow byte tells of eight bytes of memory which may be touched.
//
//   kasan_unpoison(p, size);             p is handed out: exactly `size` bytes of it
//   kasan_poison(p, room, KASAN_HEAP_FREE);       nobody may touch it
//
// The compiler calls __asan_loadN and the like before every access (debug builds); an access that
// the shadow forbids is reported with what is known of the object, and panics. Shadow exists for
// the direct map of usable memory, for kernel mappings (vmap.c adds it) and for the image; other
// addresses are not checked. Without CONFIG_KASAN all of this is nothing. Any context.
#pragma once
#include "lib/base.h"

// Shadow values: 0: all eight bytes; 1..7: the first so many; these: none, and why.
enum {
    KASAN_HEAP_FREE = 0xfb,
    KASAN_HEAP_REDZONE = 0xfc,
    KASAN_FREE_PAGE = 0xfe,
    KASAN_VMAP_FREE = 0xf8,
};

#ifdef CONFIG_KASAN
void kasan_poison(const void *p, uint64_t size, uint8_t why);
void kasan_unpoison(const void *p, uint64_t size);

// Panics when `object` is not the start of a live heap object (freed twice, or never allocated).
void kasan_check_free(const void *object);

// Makes shadow for [start, start + size) of kernel addresses, all of it poison-free. False: no
// memory.
bool kasan_cover(uint64_t start, uint64_t size) must_check;

// From here on accesses are checked: the direct map and the image have shadow.
void kasan_begin(void);
#else
static inline void kasan_poison(const void *p, uint64_t size, uint8_t why) {}

static inline void kasan_unpoison(const void *p, uint64_t size) {}

static inline void kasan_check_free(const void *object) {}

static inline must_check bool kasan_cover(uint64_t start, uint64_t size)
{
    return true;
}

static inline void kasan_begin(void) {}
#endif
