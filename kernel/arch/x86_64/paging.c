// SPDX-License-Identifier: GPL-3.0-or-later
// CR3, the TLB of this CPU, the page attribute table.
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/preempt.h"

enum { FLUSH_PAGES_MAX = 32 }; // more pages than this: everything goes

// Types by index 0..3: write-back, write-combining, uncached (MTRRs may override), uncached.
// The upper four repeat them, so the attribute bit of an entry does not matter.
#define PAT_VALUE 0x0007010600070106ull

#define CR3_KEEP (1ull << 63)

void paging_init_cpu(void)
{
    if (cpu_has(CPU_PAT))
        msr_write(MSR_PAT, PAT_VALUE);
    tlb_flush_all();
}

void paging_load(phys_t top, unsigned pcid, bool keep)
{
    if (paging_has_pcid())
        top |= pcid | (keep ? CR3_KEEP : 0);
    cr3_write(top);
}

void tlb_flush_user(void)
{
    cr3_write(cr3_read() & ~CR3_KEEP);
}

// A change of CR4.PGE empties the TLB altogether (Intel SDM volume 3, 4.10.4.1). Without global
// pages there are no process-context identifiers either, and loading CR3 does it.
void tlb_flush_all(void)
{
    uint64_t flags = irq_save();
    uint64_t cr4 = cr4_read();
    if (cr4 & CR4_PGE) {
        cr4_write(cr4 & ~(uint64_t)CR4_PGE);
        cr4_write(cr4);
    } else {
        cr3_write(cr3_read());
    }
    irq_restore(flags);
}

void tlb_flush_range(uint64_t start, uint64_t end)
{
    if (end - start <= FLUSH_PAGES_MAX * 4096ull) {
        for (uint64_t a = start; a < end; a += 4096)
            tlb_flush_page(a);
    } else if (start >> 63 || end >> 63) {
        tlb_flush_all();
    } else {
        tlb_flush_user();
    }
}

void page_clear(void *page)
{
    uint64_t count = 4096 / 8;
    __asm__ volatile("rep stosq" : "+D"(page), "+c"(count) : "a"(0) : "memory");
}

void page_copy(void *to, const void *from)
{
    uint64_t count = 4096 / 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count)::"memory");
}
