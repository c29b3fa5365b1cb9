// SPDX-License-Identifier: GPL-3.0-or-later
// The words every file of CryptOS starts from: fixed-width types, small macros, the value types
// that must not be mixed up, and checked arithmetic for numbers that came from outside.
//
// Freestanding: builds in the kernel, in the drivers, in user programs and on the host.
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int err_t;     // 0 or a negative errno of <redox/errno.h>
typedef int64_t len_t; // a byte count >= 0, or a negative errno

typedef uint64_t phys_t;  // a physical address
typedef uint64_t uaddr_t; // an address in user space: only user_memory.h may follow it
typedef int64_t nanos_t;  // a time or a span of time in nanoseconds

#define must_check        __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define packed_struct     __attribute__((packed))
#define align_to(n)       __attribute__((aligned(n)))
#define keep_symbol       __attribute__((used))
#define no_inline         __attribute__((noinline))
#define force_inline      inline __attribute__((always_inline))
#define in_section(name)  __attribute__((section(name)))
// For functions that every call passes through: no canary. Only where no array stands on the stack,
// so that what the canary watches for cannot happen there.
#define no_stack_guard    __attribute__((no_stack_protector))
#define no_sanitize       __attribute__((no_sanitize("kernel-address", "address", "undefined")))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

// The structure that `member` at `pointer` lies in.
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define min_of(a, b)                   \
    ({                                 \
        __auto_type min_a = (a);       \
        __auto_type min_b = (b);       \
        min_a < min_b ? min_a : min_b; \
    })
#define max_of(a, b)                   \
    ({                                 \
        __auto_type max_a = (a);       \
        __auto_type max_b = (b);       \
        max_a > max_b ? max_a : max_b; \
    })

// Rounding to a power of two.
#define round_down(x, to)   ((x) & ~((__typeof__(x))(to)-1))
#define round_up(x, to)     (((x) + ((__typeof__(x))(to)-1)) & ~((__typeof__(x))(to)-1))
#define is_aligned(x, to)   (((x) & ((__typeof__(x))(to)-1)) == 0)
#define div_round_up(x, by) (((x) + (by)-1) / (by))
#define is_power_of_two(x)  ((x) != 0 && ((x) & ((x)-1)) == 0)

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define NANOS_PER_SECOND INT64_C(1000000000)
#define NANOS_PER_MILLI  INT64_C(1000000)
#define NANOS_PER_MICRO  INT64_C(1000)

// True when the sum or product does not fit; the result is then unspecified.
#define add_overflows(a, b, result) __builtin_add_overflow((a), (b), (result))
#define sub_overflows(a, b, result) __builtin_sub_overflow((a), (b), (result))
#define mul_overflows(a, b, result) __builtin_mul_overflow((a), (b), (result))

// True when [offset, offset + size) lies within `limit` bytes, with no overflow on the way.
static inline bool range_fits(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

// An index from outside, forced below `limit` even under speculation (0 when it is not).
static inline uint64_t index_clamp(uint64_t index, uint64_t limit)
{
    uint64_t mask;
    __asm__("cmp %2, %1\n\tsbb %0, %0" : "=r"(mask) : "r"(index), "r"(limit) : "cc");
    return index & mask;
}
