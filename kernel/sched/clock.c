// SPDX-License-Identifier: GPL-3.0-or-later
// The wall clock: what the CMOS clock said at boot, plus the time since, plus what was set.
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/sched/clock_jump.h"
#include "kernel/sched/clock_page.h"
#include "kernel/sched/timer.h"

static nanos_t wall_at_boot; // ns since 1970 at clock_now() == 0 (atomic); 0: not asked yet
static struct spinlock set_lock = SPINLOCK_INIT(RANK_LEAF); // one sets it at a time

static nanos_t wall_base(void)
{
    nanos_t base = __atomic_load_n(&wall_at_boot, __ATOMIC_RELAXED);
    if (base == 0) {
        base = clock_hw_wall_at_boot() * NANOS_PER_SECOND;
        __atomic_store_n(&wall_at_boot, base, __ATOMIC_RELAXED);
    }
    return base;
}

nanos_t clock_wall(void)
{
    return wall_base() + clock_now();
}

static void set_base(nanos_t base)
{
    __atomic_store_n(&wall_at_boot, base, __ATOMIC_RELAXED);
    clock_page_set_wall(base);
}

void clock_set_wall(nanos_t now)
{
    uint64_t flags = spin_lock_irq(&set_lock);
    set_base(now - clock_now());
    spin_unlock_irq(&set_lock, flags);
    clock_jump_tell();
}

void clock_wall_show(void)
{
    uint64_t flags = spin_lock_irq(&set_lock);
    set_base(wall_base());
    spin_unlock_irq(&set_lock, flags);
}
