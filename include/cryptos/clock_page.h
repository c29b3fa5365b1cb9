// SPDX-License-Identifier: MIT
// The page by which the kernel tells programs the time without a call. It is mapped, read-only, in
// the page before the code that reads it (user/vdso); nobody else may rely on its layout.
//
// A reader takes `sequence`, then the members, then `sequence` again: equal and even means that
// they belong together. Nanoseconds since boot are (tsc * mult >> 32) + base, the product in 128
// bits: exactly what the kernel computes for its own calls.
#pragma once
#include <stdint.h>

#define CLOCK_PAGE_TSC    1 // the TSC is the clock; without it only the kernel knows the time
#define CLOCK_PAGE_NUMBER 2 // RDTSCP is there and tells the number of the CPU

struct cryptos_clock_page {
    uint32_t sequence; // odd while the page is being changed
    uint32_t flags;    // CLOCK_PAGE_*
    uint64_t mult, base;
    int64_t wall; // nanoseconds from 1970 to boot
};
