// SPDX-License-Identifier: GPL-3.0-or-later
// Atomic steps that one instruction does where the compiler's built-ins take several. Any context.
#pragma once
#include "lib/base.h"

// By the only one who writes it: plain, and released (x86 orders stores).
static force_inline void atomic_step_release(uint32_t *value)
{
    __asm__ volatile("incl %0" : "+m"(*value)::"memory");
}

// Bit `n` < 64; a full barrier.
static force_inline void atomic_bit_set(uint64_t *bits, uint64_t n)
{
    __asm__ volatile("lock btsq %1, %0" : "+m"(*bits) : "r"(n) : "memory");
}

static force_inline void atomic_bit_clear(uint64_t *bits, uint64_t n)
{
    __asm__ volatile("lock btrq %1, %0" : "+m"(*bits) : "r"(n) : "memory");
}
