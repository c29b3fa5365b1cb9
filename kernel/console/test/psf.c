// SPDX-License-Identifier: GPL-3.0-or-later
// Tests of the font parser: small fonts made here of both versions, and broken ones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "kernel/console/psf.h"

static uint8_t bytes[8192];
static struct psf font;
static struct psf_pair pairs[64];

// Version 1, 256 glyphs of 2 rows; glyph n is n, ~n; glyph 0 is 'A' and U+0391, 1 is 'B'.
static size_t make1(void)
{
    static const uint8_t table[] = { 'A', 0,    0x91, 0x03, 0xfe, 0xff, 'x',
                                     0,   0xff, 0xff, 'B',  0,    0xff, 0xff };
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, (uint8_t[]){ 0x36, 0x04, 2, 2 }, 4);
    for (int n = 0; n < 256; n++) {
        bytes[4 + 2 * n] = (uint8_t)n;
        bytes[5 + 2 * n] = (uint8_t)~n;
    }
    memcpy(bytes + 516, table, sizeof table);
    return 516 + sizeof table;
}

// Version 2, 2 glyphs of 3 rows 10 wide; glyph 0 is a euro sign, 1 is 'B' and 'b'.
static size_t make2(void)
{
    static const uint8_t head[] = { 0x72, 0xb5, 0x4a, 0x86, 0, 0, 0, 0, 32, 0, 0, 0, 1,  0, 0, 0,
                                    2,    0,    0,    0,    6, 0, 0, 0, 3,  0, 0, 0, 10, 0, 0, 0 };
    static const uint8_t table[] = { 0xe2, 0x82, 0xac, 0xff, 'B', 'b', 0xfe, 'q', 'r', 0xff };
    memset(bytes, 0x55, sizeof bytes);
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + 32 + 12, table, sizeof table);
    return 32 + 12 + sizeof table;
}

static void version1(void **state)
{
    assert_int_equal(psf_parse(bytes, make1(), &font), 0);
    assert_int_equal(font.width, 8);
    assert_int_equal(font.height, 2);
    assert_int_equal(font.count, 256);
    unsigned count = psf_map(&font, pairs, array_len(pairs));
    assert_int_equal(count, 3);
    assert_int_equal(psf_find(&font, pairs, count, 'A'), 0);
    assert_int_equal(psf_find(&font, pairs, count, 0x391), 0);
    assert_int_equal(psf_find(&font, pairs, count, 'B'), 1);
    assert_int_equal(psf_find(&font, pairs, count, 'x'), PSF_MISSING);
    assert_int_equal(psf_bitmap(&font, 7)[1], 0xf8);
    assert_int_equal(psf_map(&font, pairs, 1), 1);
}

static void version2(void **state)
{
    assert_int_equal(psf_parse(bytes, make2(), &font), 0);
    assert_int_equal(font.row_bytes, 2);
    unsigned count = psf_map(&font, pairs, array_len(pairs));
    assert_int_equal(count, 3);
    assert_int_equal(psf_find(&font, pairs, count, 0x20ac), 0);
    assert_int_equal(psf_find(&font, pairs, count, 'b'), 1);
    assert_int_equal(psf_find(&font, pairs, count, 'r'), PSF_MISSING);
    assert_int_equal(psf_find(&font, pairs, count, 0x10ffff), PSF_MISSING);
}

static void without_a_table(void **state)
{
    size_t size = make1();
    bytes[2] = 0;
    assert_int_equal(psf_parse(bytes, size, &font), 0);
    assert_int_equal(psf_find(&font, NULL, 0, 'A'), 'A');
    assert_int_equal(psf_find(&font, NULL, 0, 256), PSF_MISSING);
}

static void broken_fonts_are_refused(void **state)
{
    for (size_t size = 0; size < 516; size++) {
        make1();
        assert_int_equal(psf_parse(bytes, size, &font), -EINVAL);
    }
    make2();
    static const uint8_t fields[] = { 8, 16, 20, 24, 28 };
    for (size_t i = 0; i < sizeof fields; i++) {
        size_t size = make2();
        memset(bytes + fields[i], 0xff, 4);
        assert_int_equal(psf_parse(bytes, size, &font), -EINVAL);
        size = make2();
        memset(bytes + fields[i], 0, 4);
        assert_int_equal(psf_parse(bytes, size, &font), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version1),
        cmocka_unit_test(version2),
        cmocka_unit_test(without_a_table),
        cmocka_unit_test(broken_fonts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
