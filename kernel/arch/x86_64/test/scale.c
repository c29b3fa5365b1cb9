// SPDX-License-Identifier: GPL-3.0-or-later
// Clock arithmetic.
#include "kernel/arch/x86_64/scale.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void division_keeps_all_bits(void **state)
{
    assert_int_equal(scale_divide(10, 10, 3), 33);
    assert_int_equal(scale_divide(1ull << 63, 6, 1ull << 62), 12);
    assert_int_equal(scale_divide(1ull << 63, 2, 1), UINT64_MAX);
    assert_int_equal(scale_divide(5, 5, 0), UINT64_MAX);
}

// A TSC of 2.195 GHz over 5 ms of an HPET of 100 MHz, a PM timer, a PIT.
static void rates(void **state)
{
    assert_int_equal(scale_rate(10975000, 500000, 100000000), 2195000000);
    uint64_t hz = scale_rate(10975000, 17898, 3579545);
    assert_in_range(hz, 2194900000, 2195100000);
    hz = scale_rate(10975000, 5966, 1193182);
    assert_in_range(hz, 2194800000, 2195200000);
}

// There and back, for every rate that a clock can have, over an hour.
static void nanos_and_ticks(void **state)
{
    static const uint64_t rates[] = { 3579545,    10000000,   24000000,  100000000,
                                      1000000000, 2195000000, 5100000000 };
    for (size_t i = 0; i < array_len(rates); i++) {
        uint64_t ticks = rates[i] * 3600;
        uint64_t nanos = scale_apply(ticks, scale_to_nanos(rates[i]));
        assert_in_range(nanos, 3600000000000ull - 4000, 3600000000000ull);
        uint64_t back = scale_apply(nanos, scale_from_nanos(rates[i]));
        assert_in_range(back, ticks - ticks / 10000000 - 2, ticks);
    }
}

static void counters_wrap(void **state)
{
    uint64_t mask = 0xffffff, last = 0;
    static const uint32_t raw[] = { 5, 0xfffff0, 3, 0x800000, 0x800000, 1 };
    static const uint64_t expected[] = { 5, 0xfffff0, 0x1000003, 0x1800000, 0x1800000, 0x2000001 };
    for (size_t i = 0; i < array_len(raw); i++) {
        last = scale_extend(last, raw[i], mask);
        assert_int_equal(last, expected[i]);
    }
    assert_int_equal(scale_extend(7, 9, UINT64_MAX), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(division_keeps_all_bits),
        cmocka_unit_test(rates),
        cmocka_unit_test(nanos_and_ticks),
        cmocka_unit_test(counters_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
