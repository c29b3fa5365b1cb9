// SPDX-License-Identifier: GPL-3.0-or-later
// The wall clock: what the CMOS clock said at boot, plus the time since, plus what was set.
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/sched/timer.h"

static nanos_t wall_at_boot; // ns since 1970 at clock_now() == 0 (atomic); 0: not asked yet

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

void clock_set_wall(nanos_t now)
{
    __atomic_store_n(&wall_at_boot, now - clock_now(), __ATOMIC_RELAXED);
}
