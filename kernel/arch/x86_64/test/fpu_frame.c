// SPDX-License-Identifier: GPL-3.0-or-later
// FPU signal frames: what goes out comes back, and nothing that would fault is let in.
#include "kernel/arch/x86_64/fpu_frame.h"
#include "lib/string.h"
#include <redox/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { SIZE = 832 }; // x87, SSE, AVX

static const struct fpu_layout avx = {
    .extended = true,
    .area_size = SIZE,
    .features = 7,
    .mxcsr_mask = 0xffff,
};
static const struct fpu_layout old = { .area_size = 512, .mxcsr_mask = 0xffbf };

static void area_make(unsigned char *area)
{
    for (unsigned i = 0; i < SIZE; i++)
        area[i] = (unsigned char)(i * 7);
    memset(area + 464, 0, 48 + 64);
    area[512] = 7; // features in use
    memcpy(area + 24, (const uint32_t[]){ 0x1f80 }, 4);
}

static void out_and_back(void **state)
{
    unsigned char area[SIZE], frame[SIZE + 4], back[SIZE];
    area_make(area);
    assert_int_equal(fpu_frame_bytes(&avx), sizeof(frame));
    fpu_frame_pack(&avx, area, frame);
    memset(back, 0xee, sizeof(back));
    assert_int_equal(fpu_frame_unpack(&avx, frame, sizeof(frame), back), 0);
    assert_memory_equal(back, area, 464);
    assert_memory_equal(back + 512, area + 512, SIZE - 512);
}

static void without_xsave(void **state)
{
    unsigned char area[SIZE], frame[512], back[512];
    area_make(area);
    assert_int_equal(fpu_frame_bytes(&old), 512);
    fpu_frame_pack(&old, area, frame);
    assert_int_equal(fpu_frame_unpack(&old, frame, 512, back), 0);
    assert_memory_equal(back, area, 464);
    assert_int_equal(fpu_frame_unpack(&old, frame, 511, back), -EINVAL);
}

// Where a frame is broken: byte, new value, and whether it is refused or taken as legacy.
static void hostile_frames(void **state)
{
    static const struct {
        const char *name;
        unsigned at;
        unsigned char value;
        err_t result;
        unsigned char features; // in the header afterwards
    } cases[] = {
        { "a feature the CPU lacks", 513, 1, -EINVAL, 0 },
        { "compact form", 527, 0x80, -EINVAL, 0 },
        { "reserved header byte", 575, 1, -EINVAL, 0 },
        { "reserved bit of MXCSR", 26, 1, -EINVAL, 0 },
        { "first magic", 464, 0, 0, 3 },
        { "last magic", SIZE, 0, 0, 3 },
        { "another size", 480, 0, 0, 3 },
    };
    for (size_t i = 0; i < array_len(cases); i++) {
        unsigned char area[SIZE], frame[SIZE + 4], back[SIZE] = { 0 };
        area_make(area);
        fpu_frame_pack(&avx, area, frame);
        frame[cases[i].at] = cases[i].value;
        err_t e = fpu_frame_unpack(&avx, frame, sizeof(frame), back);
        if (e != cases[i].result || back[512] != cases[i].features)
            fail_msg("%s: %d, features %u", cases[i].name, e, back[512]);
    }
}

// XSAVE had nothing to write for x87 and SSE: a handler must not see what lay there before.
static void left_out_parts_are_initial(void **state)
{
    unsigned char area[SIZE], frame[SIZE + 4];
    area_make(area);
    area[512] = 4; // AVX only
    fpu_frame_pack(&avx, area, frame);
    assert_int_equal(frame[512], 7);
    assert_int_equal(frame[0] | frame[1] << 8, 0x37f);
    for (unsigned i = 160; i < 416; i++)
        assert_int_equal(frame[i], 0);
    assert_int_equal(frame[24] | frame[25] << 8, 0x1f80);
    assert_memory_equal(frame + 576, area + 576, SIZE - 576);
}

static void a_short_frame_is_legacy(void **state)
{
    unsigned char area[SIZE], frame[SIZE + 4], back[SIZE] = { 0 };
    area_make(area);
    fpu_frame_pack(&avx, area, frame);
    assert_int_equal(fpu_frame_unpack(&avx, frame, SIZE + 3, back), 0);
    assert_int_equal(back[512], 3);
    assert_int_equal(back[600], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_and_back),
        cmocka_unit_test(without_xsave),
        cmocka_unit_test(hostile_frames),
        cmocka_unit_test(left_out_parts_are_initial),
        cmocka_unit_test(a_short_frame_is_legacy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
