// SPDX-License-Identifier: GPL-3.0-or-later
// Memory for the fetched libraries. Windows are larger than the heap's blocks may be: those are
// mapped.
#include "kernel/memory/heap.h"
#include "kernel/memory/layout.h"
#include "kernel/memory/vmap.h"
#include <stdlib.h>

enum { MAPPED_FROM = 65536 };

void *third_party_alloc(size_t size)
{
    return size < MAPPED_FROM ? heap_alloc(size) : vmap_alloc(size);
}

void *third_party_alloc_array(size_t count, size_t size)
{
    size_t total;
    return mul_overflows(count, size, &total) ? NULL : third_party_alloc(total);
}

void third_party_free(void *p)
{
    if ((uintptr_t)p >= VMAP_START && (uintptr_t)p < VMAP_END)
        vmap_drop(p);
    else
        heap_free(p);
}
