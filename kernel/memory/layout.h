// SPDX-License-Identifier: GPL-3.0-or-later
// Where things lie in the 48-bit virtual address space, drawn once.
//
//   0000000000001000 - 00007fffffffefff  user
//   ffff800000000000 - ffffbfffffffffff  direct map of physical memory (never executable)
//   ffffc00000000000 - ffffcfffffffffff  struct page of each frame, by frame number
//   ffffd00000000000 - ffffd07fffffffff  kernel mappings: stacks, device registers (vmap.h)
//                                        where in these three areas they begin is random
//   ffffec0000000000 - fffffbffffffffff  KASAN shadow (debug builds)
//   ffffffff80000000 - ffffffffffffffff  kernel image, moved by KASLR
#pragma once
#include "lib/base.h"

#define PAGE_SIZE       4096ull
#define PAGE_SHIFT      12
#define LARGE_PAGE_SIZE MIB(2)
#define USER_LOWEST     0x1000ull
#define USER_END        0x0000800000000000ull // first address that is not the user's
// Nothing is executable from here on: behind a SYSCALL at the very end of user space the return
// address would not be canonical, which faults in the kernel.
#define USER_CODE_END   (USER_END - PAGE_SIZE)
#ifdef HOST_TEST // where a unit test can put them
#define DIRECT_MAP 0x0000300000000000ull
#define PAGE_ARRAY 0x0000200000000000ull
#else
#define DIRECT_MAP kernel_layout.direct_map
#define PAGE_ARRAY kernel_layout.page_array
#endif
#define DIRECT_MAP_START 0xffff800000000000ull
#define DIRECT_MAP_END   0xffffc00000000000ull
#define PAGE_ARRAY_START 0xffffc00000000000ull
#define PAGE_ARRAY_END   0xffffd00000000000ull
#define VMAP_START       0xffffd00000000000ull
#define VMAP_END         0xffffd08000000000ull                      // one top-level entry: 512 GiB
#define VMAP_COVERED     (VMAP_START + (VMAP_END - VMAP_START) / 4) // device registers lie below
#define KASAN_OFFSET     0xdffffc0000000000ull
#define KERNEL_LINK_BASE 0xffffffff80000000ull

// Chosen by boot/start.c, read-only from then on.
struct kernel_layout {
    uint64_t direct_map, page_array;
    uint64_t vmap_skip; // bytes at the beginning of each of vmap.h's areas that are not used
};
extern struct kernel_layout kernel_layout;

// Any physical address that is memory (the direct map holds no device registers).
static inline void *phys_to_virt(phys_t address)
{
    return (void *)(DIRECT_MAP + address);
}

// Only for addresses inside the direct map.
static inline phys_t virt_to_phys(const void *p)
{
    return (phys_t)(uintptr_t)p - DIRECT_MAP;
}
