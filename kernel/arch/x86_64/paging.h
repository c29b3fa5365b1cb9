// SPDX-License-Identifier: GPL-3.0-or-later
// What the processor makes of page tables: bits of an entry, CR3, the TLB, and clearing of pages.
//
// Four levels (Intel SDM volume 3, 4.5): an entry of level 1 maps 4 KiB, of level 2 a table of
// level 1 or 2 MiB, of level 3 a table or 1 GiB, level 4 is the top. Walking and changing tables is
// the memory room's (kernel/memory/table.h); other CPUs' TLBs are smp.h's. Any context.
#pragma once
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/registers.h"

typedef uint64_t entry_t;

#define ENTRY_PRESENT  (1ull << 0)
#define ENTRY_WRITE    (1ull << 1)
#define ENTRY_USER     (1ull << 2)
#define ENTRY_PWT      (1ull << 3)
#define ENTRY_PCD      (1ull << 4)
#define ENTRY_ACCESSED (1ull << 5)
#define ENTRY_DIRTY    (1ull << 6)
#define ENTRY_LARGE    (1ull << 7)
#define ENTRY_GLOBAL   (1ull << 8)
#define ENTRY_SOFT_1   (1ull << 9) // free for software
#define ENTRY_SOFT_2   (1ull << 10)
#define ENTRY_NX       (1ull << 63)
#define ENTRY_ADDRESS  0x000ffffffffff000ull

// Cache types, as paging_init_cpu() programs the page attribute table.
#define ENTRY_CACHED          0ull
#define ENTRY_WRITE_COMBINING ENTRY_PWT
#define ENTRY_UNCACHED        (ENTRY_PCD | ENTRY_PWT)

enum { TABLE_ENTRIES = 512, TABLE_LEVELS = 4 };

static inline unsigned entry_shift(unsigned level)
{
    return 12 + 9 * (level - 1);
}

static inline uint64_t entry_span(unsigned level)
{
    return 1ull << entry_shift(level);
}

static inline unsigned entry_index(uint64_t address, unsigned level)
{
    return (address >> entry_shift(level)) & (TABLE_ENTRIES - 1);
}

// Page attribute table; each CPU once, after its control registers are set.
void paging_init_cpu(void);

// Loads a top-level table. With process-context identifiers on: `pcid` (1 ..), and `keep` says that
// what the TLB holds under it is still right. Without: both are ignored.
void paging_load(phys_t top, unsigned pcid, bool keep);
static force_inline bool paging_has_pcid(void)
{
    return cpu_has(CPU_PCID);
}

static force_inline void tlb_flush_page(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

void tlb_flush_user(void); // of the loaded space: all that is not global
void tlb_flush_all(void);  // also global entries, also of other spaces

// [start, end) of the loaded space or of the kernel; switches to flushing all where that is
// cheaper.
void tlb_flush_range(uint64_t start, uint64_t end);

void page_clear(void *page); // 4 KiB of zeros
void page_copy(void *to, const void *from);
