// SPDX-License-Identifier: GPL-3.0-or-later
// Both boot protocols: what a sound loader writes is read, and what a broken one writes is refused
// or left out. A byte array stands for physical memory from BASE on.
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/boot/parse.h"

enum { BASE = 0x10000, SIZE = 4096 };

struct image {
    uint8_t bytes[SIZE];
    size_t used;
};

static struct handoff h;

static err_t parse(const struct image *i,
                   err_t (*parser)(const struct boot_memory *, phys_t, struct handoff *))
{
    struct boot_memory m = { i->bytes, BASE, SIZE };
    memset(&h, 0, sizeof(h));
    return parser(&m, BASE, &h);
}

static void put(struct image *i, const void *data, size_t size)
{
    memcpy(i->bytes + i->used, data, size);
    i->used += size;
}

static void put32(struct image *i, uint32_t value)
{
    put(i, &value, sizeof(value));
}

static void put64(struct image *i, uint64_t value)
{
    put(i, &value, sizeof(value));
}

static void poke32(struct image *i, size_t at, uint32_t value)
{
    memcpy(i->bytes + at, &value, sizeof(value));
}

// A PVH start record with a command line, one module and three ranges, one of them empty.
static void make_pvh(struct image *i)
{
    memset(i, 0, sizeof(*i));
    put32(i, PVH_MAGIC), put32(i, 1), put32(i, 0), put32(i, 1);
    put64(i, BASE + 0x100), put64(i, BASE + 0x200), put64(i, 0xf5b40), put64(i, BASE + 0x300);
    put32(i, 3), put32(i, 0);
    i->used = 0x100;
    put64(i, 0x4000000), put64(i, 12345), put64(i, 0), put64(i, 0);
    i->used = 0x200;
    put(i, "quiet panic=halt", 17);
    i->used = 0x300;
    put64(i, 0), put64(i, 0x9f000), put32(i, 1), put32(i, 0);
    put64(i, 0x5000), put64(i, 0), put32(i, 1), put32(i, 0);
    put64(i, 0xfee00000), put64(i, 0x1000), put32(i, 2), put32(i, 0);
}

static void test_pvh_is_read(void **state)
{
    struct image i;
    make_pvh(&i);
    assert_int_equal(parse(&i, pvh_parse), 0);
    assert_string_equal(h.command_line, "quiet panic=halt");
    assert_int_equal(h.initramfs, 0x4000000);
    assert_int_equal(h.initramfs_size, 12345);
    assert_int_equal(h.rsdp, 0xf5b40);
    assert_int_equal(h.range_count, 2);
    assert_int_equal(h.ranges[0].kind, MEMORY_USABLE);
    assert_int_equal(h.ranges[1].start, 0xfee00000);
    assert_int_equal(h.ranges[1].kind, MEMORY_RESERVED);
}

static void test_pvh_that_lies_is_survived(void **state)
{
    struct image i;
    make_pvh(&i);
    poke32(&i, 0, 0x12345678);
    assert_int_not_equal(parse(&i, pvh_parse), 0);

    make_pvh(&i);
    poke32(&i, 48, UINT32_MAX); // as many ranges as there can be: memory ends first
    assert_int_equal(parse(&i, pvh_parse), 0);
    assert_true(h.range_count <= HANDOFF_RANGES);

    make_pvh(&i);
    poke32(&i, 24, BASE + SIZE - 3); // command line at the end of memory, without NUL
    memset(i.bytes + SIZE - 3, 'x', 3);
    assert_int_equal(parse(&i, pvh_parse), 0);
    assert_string_equal(h.command_line, "xxx");

    make_pvh(&i);
    poke32(&i, 16, 0); // modules outside the window
    poke32(&i, 24, 8); // command line outside it
    assert_int_equal(parse(&i, pvh_parse), 0);
    assert_int_equal(h.initramfs, 0);
    assert_string_equal(h.command_line, "");
}

static void tag(struct image *i, uint32_t kind, uint32_t size)
{
    i->used = (i->used + 7) & ~(size_t)7;
    put32(i, kind), put32(i, size);
}

static void make_multiboot2(struct image *i)
{
    memset(i, 0, sizeof(*i));
    i->used = 8;
    tag(i, 1, 8 + 6), put(i, "quiet", 6);
    tag(i, 2, 8 + 5), put(i, "GRUB", 5);
    tag(i, 99, 12), put32(i, 0);
    tag(i, 3, 16 + 5), put32(i, 0x500000), put32(i, 0x501234), put(i, "root", 5);
    tag(i, 6, 16 + 2 * 24), put32(i, 24), put32(i, 0);
    put64(i, 0), put64(i, 0xa0000), put32(i, 1), put32(i, 0);
    put64(i, UINT64_MAX - 10), put64(i, 4096), put32(i, 1), put32(i, 0); // wraps: left out
    tag(i, 8, 38), put64(i, 0xe0000000), put32(i, 4096), put32(i, 1024), put32(i, 768);
    put(i, "\x20\x01\0\0\x10\x08\x08\x08\0\x08", 10);
    tag(i, 14, 8 + 20), put(i, "RSD PTR oldoldoldold", 20);
    tag(i, 15, 8 + 36), put(i, "RSD PTR newnewnewnewnewnewnewnewnewn", 36);
    tag(i, 12, 16), put64(i, 0);
    tag(i, 0, 8);
    poke32(i, 0, (uint32_t)i->used);
}

static void test_multiboot2_is_read(void **state)
{
    struct image i;
    make_multiboot2(&i);
    assert_int_equal(parse(&i, multiboot2_parse), 0);
    assert_string_equal(h.command_line, "quiet");
    assert_string_equal(h.loader, "GRUB");
    assert_int_equal(h.initramfs, 0x500000);
    assert_int_equal(h.initramfs_size, 0x1234);
    assert_int_equal(h.range_count, 1);
    assert_int_equal(h.framebuffer.width, 1024);
    assert_int_equal(h.framebuffer.bits_per_pixel, 32);
    assert_int_equal(h.framebuffer.red.position, 16);
    assert_int_equal(h.framebuffer.blue.size, 8);
    assert_true(framebuffer_valid(&h.framebuffer));
    assert_memory_equal(i.bytes + (h.rsdp - BASE) + 8, "new", 3);
    assert_true(h.uefi);
}

static void test_multiboot2_cut_anywhere_is_survived(void **state)
{
    struct image whole;
    make_multiboot2(&whole);
    for (uint32_t size = 0; size < whole.used; size++) {
        struct image i = whole;
        poke32(&i, 0, size); // less than all of it
        assert_int_not_equal(parse(&i, multiboot2_parse), 0);
    }
}

static void test_multiboot2_with_broken_sizes_is_survived(void **state)
{
    static const uint32_t sizes[] = { 0, 1, 7, 8, 9, 0x7fffffff, UINT32_MAX };
    struct image whole;
    make_multiboot2(&whole);
    for (size_t at = 0; at < whole.used; at += 4)
        for (size_t n = 0; n < array_len(sizes); n++) {
            struct image i = whole;
            poke32(&i, at, sizes[n]);
            err_t e = parse(&i, multiboot2_parse);
            (void)e; // either answer will do: the sanitizers watch
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pvh_is_read),
        cmocka_unit_test(test_pvh_that_lies_is_survived),
        cmocka_unit_test(test_multiboot2_is_read),
        cmocka_unit_test(test_multiboot2_cut_anywhere_is_survived),
        cmocka_unit_test(test_multiboot2_with_broken_sizes_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
