// SPDX-License-Identifier: GPL-3.0-or-later
// See clock_page.h. The writer's half of the sequence; the reader's is in user/vdso.
#include "kernel/sched/clock_page.h"
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/scale.h"
#include "kernel/sched/timer.h"
#include <cryptos/clock_page.h>

static struct cryptos_clock_page *shown; // NULL until it is made

struct page *clock_page_make(void)
{
    struct page *page = page_alloc(0, PAGE_ZERO);
    if (!page)
        return NULL;
    struct cryptos_clock_page *p = page_virt(page);
    unsigned shift;
    if (clock_hw_tsc_scale(&p->mult, &shift, &p->base) && shift == SCALE_SHIFT)
        p->flags |= CLOCK_PAGE_TSC;
    if (cpu_has(CPU_RDTSCP))
        p->flags |= CLOCK_PAGE_NUMBER;
    __atomic_store_n(&shown, p, __ATOMIC_RELEASE);
    clock_wall_show();
    return page;
}

void clock_page_set_wall(nanos_t wall)
{
    struct cryptos_clock_page *p = __atomic_load_n(&shown, __ATOMIC_ACQUIRE);
    if (!p)
        return;
    __atomic_store_n(&p->sequence, p->sequence + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&p->wall, wall, __ATOMIC_RELAXED);
    __atomic_store_n(&p->sequence, p->sequence + 1, __ATOMIC_RELEASE);
}
