// SPDX-License-Identifier: GPL-3.0-or-later
// Memory from what the firmware told to working allocators; called once, by the boot CPU.
//
//   memory_init(&(struct memory_setup){ .ranges = h->ranges, .range_count = h->range_count,
//                                       .taken = taken, .taken_count = n });
//   heap_init();
//   space_init();                     after trap_init(): registers the page fault handler
//
// memory_init() needs DIRECT_MAP to show [0, 4 GiB) by the early page tables; it builds the final
// ones (the direct map of all memory, the page array; entry 511, the kernel image, is taken over
// as it is) and loads them: afterwards nothing is mapped in the lower half. Lists may be hostile:
// they overlap, are out of order, unaligned. The low 1 MiB is never given out but by
// memory_low_page(). It panics when there is not enough memory to go on.
#pragma once
#include "kernel/memory/range.h"

struct page;

// What lies in usable memory and must stay: kernel image, initramfs, the hand-off's own pieces.
struct memory_taken {
    phys_t start;
    uint64_t size;
};

struct memory_setup {
    const struct memory_range *ranges;
    unsigned range_count;
    const struct memory_taken *taken;
    unsigned taken_count;
    // Device memory that stays visible in the direct map, write-combining: what an early console
    // draws on (vmap_device() is the way for all others). Size 0: none.
    struct memory_taken framebuffer;
    // Left out of the direct map, so that nothing can write to it there: code and constants of the
    // kernel's image. Whole pages. Size 0: none.
    struct memory_taken sealed;
};

void memory_init(const struct memory_setup *setup);
void heap_init(void);
void space_init(void);

// Each other CPU, first thing after its per-CPU area: loads nothing, sets up page attributes (PAT).
void memory_init_cpu(void);

// The page tables without any user space, for CR3.
phys_t memory_kernel_table(void);

// A usable page below 1 MiB for starting CPUs in real mode (the same each time); 0: there is none.
phys_t memory_low_page(void);

// Gives back memory that was `taken` at boot and is not needed any more (the initramfs). Frames
// that memory_release_page() gave away are passed over.
void memory_release(phys_t start, uint64_t size);

// One such frame, with what is in it, as a page with one reference; NULL: it is not a `taken` one.
struct page *memory_release_page(phys_t address) must_check;
