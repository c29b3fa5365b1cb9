// SPDX-License-Identifier: GPL-3.0-or-later
// Decoding of the CMOS clock. Expected numbers are from `date -u -d ... +%s`.
#include "kernel/arch/x86_64/cmos.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct {
    const char *name;
    struct cmos_time time; // second, minute, hour, day, month, year, status B
    int64_t seconds;
} cases[] = {
    { "BCD, 24 hours", { 0x59, 0x30, 0x08, 0x23, 0x11, 0x26, 2 }, 1795422659 },
    { "binary, 24 hours", { 59, 30, 8, 23, 11, 26, 6 }, 1795422659 },
    { "the first second", { 0, 0, 0, 1, 1, 0x70, 2 }, 0 },
    { "leap day", { 0, 0, 0, 0x29, 0x02, 0x24, 2 }, 1709164800 },
    { "day after leap day", { 0, 0, 0, 0x01, 0x03, 0x24, 2 }, 1709251200 },
    { "no leap day in 2025", { 0, 0, 0, 0x01, 0x03, 0x25, 2 }, 1740787200 },
    { "2000 was a leap year", { 0, 0, 0, 0x01, 0x03, 0x00, 2 }, 951868800 },
    { "noon in 12 hours", { 0, 0, 0x92, 0x01, 0x03, 0x25, 0 }, 1740787200 + 12 * 3600 },
    { "midnight in 12 hours", { 0, 0, 0x12, 0x01, 0x03, 0x25, 0 }, 1740787200 },
    { "11 pm, binary", { 0, 0, 0x80 | 11, 1, 3, 25, 4 }, 1740787200 + 23 * 3600 },
    { "nothing there", { 255, 255, 255, 255, 255, 255, 255 }, -1 },
    { "nothing there, zeros", { 0, 0, 0, 0, 0, 0, 0 }, -1 },
    { "bad digit", { 0x5a, 0, 0, 1, 1, 0x25, 2 }, -1 },
    { "month 13", { 0, 0, 0, 1, 0x13, 0x25, 2 }, -1 },
    { "hour 0 in 12 hours", { 0, 0, 0, 1, 1, 0x25, 0 }, -1 },
};

static void decodes(void **state)
{
    for (size_t i = 0; i < array_len(cases); i++) {
        int64_t seconds = cmos_decode(&cases[i].time);
        if (seconds != cases[i].seconds)
            fail_msg("%s: %ld", cases[i].name, (long)seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(decodes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
