// SPDX-License-Identifier: GPL-3.0-or-later
// Arithmetic of clocks (scale.h).
#include "kernel/arch/x86_64/scale.h"

// By instruction: the compiler would call a library for a division of 128 bits.
uint64_t scale_divide(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t high, low, rest;
    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "r"(b) : "cc");
    if (high >= c)
        return UINT64_MAX;
    __asm__("divq %4" : "=a"(low), "=d"(rest) : "a"(low), "d"(high), "r"(c) : "cc");
    return low;
}

uint64_t scale_rate(uint64_t ticks, uint64_t reference, uint64_t hz)
{
    return scale_divide(ticks, hz, reference);
}

uint64_t scale_to_nanos(uint64_t hz)
{
    return scale_divide((uint64_t)NANOS_PER_SECOND, 1ull << SCALE_SHIFT, hz);
}

uint64_t scale_from_nanos(uint64_t hz)
{
    return scale_divide(hz, 1ull << SCALE_SHIFT, (uint64_t)NANOS_PER_SECOND);
}
