// SPDX-License-Identifier: GPL-3.0-or-later
// Kernel mappings outside the direct map: device registers, stacks with guard pages, big buffers.
//
//   volatile uint32_t *regs = vmap_device(0xfed00000, 4096, VMAP_UNCACHED);
//   uint64_t top; err_t e = stack_make(&top); ... stack_drop(top);
//
// Any context but for dropping, which waits for other CPUs' TLBs: no spin lock held. Never sleeps.
// Locks: RANK_VMAP, RANK_KERNEL_TABLE.
#pragma once
#include "lib/base.h"
#include "kernel/memory/page.h"

enum vmap_cache { VMAP_CACHED, VMAP_UNCACHED, VMAP_WRITE_COMBINING };

// Maps `size` bytes of physical space at any alignment, writable, not executable; NULL: no room.
void *vmap_device(phys_t address, uint64_t size, enum vmap_cache cache) must_check;
// The same, uncached: what arch/needs.h asks for.
void *vmap_registers(phys_t address, uint64_t size) must_check;
// Allocates and maps `size` bytes (rounded up to pages), zeroed, not contiguous.
void *vmap_alloc(uint64_t size) must_check;
// Undoes either.
void vmap_drop(void *p);
// Room behind a pointer that vmap_alloc() returned.
uint64_t vmap_size(const void *p);
void vmap_init(void); // heap_init() calls it
// Allocates frames for a range of kernel addresses that nothing else uses (shadow memory).
err_t kernel_map(uint64_t virt, phys_t phys, uint64_t size, uint64_t bits) must_check;
err_t vmap_fill(uint64_t virt, uint64_t size) must_check;

// A kernel stack of KERNEL_STACK_BYTES with an unmapped page below; `top` is its 16-byte aligned
// end.
err_t stack_make(uint64_t *top) must_check;
void stack_drop(uint64_t top);
// True when the address lies in some stack's guard page (for the double-fault report).
bool stack_guard_hit(uint64_t address);
