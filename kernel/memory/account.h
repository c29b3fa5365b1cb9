// SPDX-License-Identifier: GPL-3.0-or-later
// Who has how many frames: counters for each CPU, added up when somebody asks. Any context.
#pragma once
#include "kernel/arch/x86_64/percpu.h"

enum account {
    ACCOUNT_CACHED, // pages of memory objects
    ACCOUNT_SLAB,   // pages of the kernel heap's slabs
    ACCOUNT_USER,   // programs' own pages
    ACCOUNT_COUNT,
};

DECLARE_PERCPU(int64_t, accounts[ACCOUNT_COUNT]);

// One instruction on this CPU's own counter, so it needs no protection.
static inline void account_add(enum account a, int64_t frames)
{
    __atomic_fetch_add(&this_cpu(accounts)[a], frames, __ATOMIC_RELAXED);
}

uint64_t account_read(enum account a);
