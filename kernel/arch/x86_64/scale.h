// SPDX-License-Identifier: GPL-3.0-or-later
// Arithmetic of clocks: rates, conversions between ticks and nanoseconds, counters that wrap.
//
//   uint64_t hz = scale_rate(tsc_ticks, reference_ticks, reference_hz);
//   uint64_t mult = scale_to_nanos(hz);          ns = scale_apply(ticks, mult)
//
// Multipliers are fixed point with 32 fraction bits. No state; nothing overflows silently: results
// that do not fit are UINT64_MAX. Tests: kernel/arch/x86_64/test/scale.c.
#pragma once
#include "lib/base.h"

enum { SCALE_SHIFT = 32 };

// a * b / c without losing bits on the way; UINT64_MAX when it does not fit or c is 0.
uint64_t scale_divide(uint64_t a, uint64_t b, uint64_t c);

// Ticks a second of a counter that made `ticks` while a reference of `hz` made `reference`.
uint64_t scale_rate(uint64_t ticks, uint64_t reference, uint64_t hz);

uint64_t scale_to_nanos(uint64_t hz);   // multiplier from ticks to ns
uint64_t scale_from_nanos(uint64_t hz); // multiplier from ns to ticks

static force_inline uint64_t scale_apply(uint64_t value, uint64_t mult)
{
    return (uint64_t)((unsigned __int128)value * mult >> SCALE_SHIFT);
}

// The value of a counter of mask + 1 steps as 64 bits, the last one having been `last`: right as
// long as less than one round passed since.
static force_inline uint64_t scale_extend(uint64_t last, uint64_t raw, uint64_t mask)
{
    return last + ((raw - last) & mask);
}
