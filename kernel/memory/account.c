// SPDX-License-Identifier: GPL-3.0-or-later
// Sums of the per-CPU counters; a sum taken while they change may be off by what changed.
#include "kernel/memory/account.h"

DEFINE_PERCPU(int64_t, accounts[ACCOUNT_COUNT]);

uint64_t account_read(enum account a)
{
    int64_t sum = 0;
    for (unsigned n = 0; n < CPU_MAX; n++)
        if (percpu_areas[n])
            sum += __atomic_load_n(&(*cpu_ptr(accounts, n))[a], __ATOMIC_RELAXED);
    return sum > 0 ? sum : 0;
}
