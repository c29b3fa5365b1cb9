// SPDX-License-Identifier: GPL-3.0-or-later
// Unit tests of the ELF reader: one good image, and one broken in each way a row names.
#include "kernel/process/elf.h"
#include <redox/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { FILE_SIZE = 0x3000, HEADERS = 64, ENTRY_SIZE = 56 };

static uint8_t head[ELF_HEAD_MAX];

static void put(size_t at, uint64_t value, size_t size)
{
    memcpy(head + at, &value, size);
}

static void put_segment(unsigned n, uint32_t type, uint32_t flags, uint64_t offset,
                        uint64_t address, uint64_t file_size, uint64_t memory_size)
{
    size_t at = HEADERS + n * ENTRY_SIZE;
    put(at, type, 4);
    put(at + 4, flags, 4);
    put(at + 8, offset, 8);
    put(at + 16, address, 8);
    put(at + 32, file_size, 8);
    put(at + 40, memory_size, 8);
    put(at + 48, 0x1000, 8);
}

// Text at 0x400000 and data with bss at 0x402000.
static int good_image(void **state)
{
    (void)state;
    memset(head, 0, sizeof(head));
    memcpy(head,
           "\x7f"
           "ELF\2\1\1",
           7);
    put(16, 2, 2);
    put(18, 62, 2);
    put(20, 1, 4);
    put(24, 0x400100, 8);
    put(32, HEADERS, 8);
    put(54, ENTRY_SIZE, 2);
    put(56, 2, 2);
    put_segment(0, 1, ELF_READ | ELF_EXECUTE, 0, 0x400000, 0x1800, 0x1800);
    put_segment(1, 1, ELF_READ | ELF_WRITE, 0x2010, 0x402010, 0x100, 0x5000);
    return 0;
}

static err_t parse(struct elf_image *image)
{
    return elf_parse(head, sizeof(head), FILE_SIZE, image);
}

static void reads_a_good_image(void **state)
{
    (void)state;
    struct elf_image image;
    assert_int_equal(parse(&image), 0);
    assert_false(image.position_independent);
    assert_int_equal(image.segment_count, 2);
    assert_int_equal(image.lowest, 0x400000);
    assert_int_equal(image.highest, 0x408000);
    assert_int_equal(image.headers_address, 0x400040);
    assert_int_equal(image.segments[1].access, ELF_READ | ELF_WRITE);
}

static const struct {
    const char *name;
    size_t at, size;
    uint64_t value;
} broken[] = {
    { "magic", 1, 1, 'X' },
    { "32-bit class", 4, 1, 1 },
    { "big-endian", 5, 1, 2 },
    { "relocatable object", 16, 2, 1 },
    { "another machine", 18, 2, 3 },
    { "header size", 54, 2, 32 },
    { "no program headers", 56, 2, 0 },
    { "headers past the first page", 32, 8, 4090 },
    { "header table that wraps", 32, 8, UINT64_MAX - 10 },
    { "too many headers", 56, 2, 0xffff },
    { "file part past the end", HEADERS + 32, 8, FILE_SIZE + 1 },
    { "file part larger than memory", HEADERS + 40, 8, 0x100 },
    { "offset that wraps", HEADERS + 8, 8, UINT64_MAX - 0xfff },
    { "address past user space", HEADERS + 16, 8, 1ull << 47 },
    { "address and offset disagree", HEADERS + 16, 8, 0x400010 },
    { "segments that overlap", HEADERS + ENTRY_SIZE + 16, 8, 0x401010 },
    { "entry past user space", 24, 8, UINT64_MAX },
};

static void refuses_what_is_broken(void **state)
{
    for (size_t i = 0; i < array_len(broken); i++) {
        good_image(state);
        put(broken[i].at, broken[i].value, broken[i].size);
        struct elf_image image;
        if (parse(&image) != -ENOEXEC)
            fail_msg("accepted: %s", broken[i].name);
    }
}

static void refuses_a_short_head(void **state)
{
    (void)state;
    struct elf_image image;
    for (size_t size = 0; size < 64; size++)
        assert_int_equal(elf_parse(head, size, size, &image), -ENOEXEC);
}

static void reads_an_interpreter(void **state)
{
    (void)state;
    struct elf_image image;
    put(56, 3, 2);
    put_segment(2, 3, ELF_READ, 0x200, 0x400200, 28, 28);
    assert_int_equal(parse(&image), 0);
    assert_int_equal(image.interpreter_size, 28);
    put_segment(2, 3, ELF_READ, 0x200, 0x400200, 1, 1);
    assert_int_equal(parse(&image), -ENOEXEC);
    put_segment(2, 3, ELF_READ, 0x200, 0x400200, 4000, 4000);
    assert_int_equal(parse(&image), -ENOEXEC);
}

// The same headers in the memory of a program that lies at 0x10400000.
static void reads_loaded_headers(void **state)
{
    (void)state;
    struct elf_loaded l;
    const uint64_t at = 0x10400000 + HEADERS;
    put_segment(2, 3, ELF_READ, 0x200, 0x400200, 28, 28);
    put_segment(3, 4, ELF_READ, 0x300, 0x400300, 32, 32);
    assert_int_equal(elf_parse_loaded(head + HEADERS, 4, at, &l), 0);
    assert_int_equal(l.highest, 0x10408000);
    assert_int_equal(l.interpreter, 0x10400200);
    assert_int_equal(l.note_count, 1);
    assert_int_equal(l.notes[0].address, 0x10400300);
    assert_int_equal(elf_parse_loaded(head + HEADERS, 4, at + 8, &l), -ENOEXEC); // no page's bias
    put_segment(0, 6, ELF_READ, HEADERS, 0x500040, 224, 224); // says where they are itself
    assert_int_equal(elf_parse_loaded(head + HEADERS, 4, 0x900040, &l), 0);
    assert_int_equal(l.highest, 0x808000);
    put_segment(0, 1, ELF_READ, 0x1000, 0x400000, 0x1800, 0x1800); // does not hold the file's head
    put_segment(3, 4, ELF_READ, 0x300, 0x400300, 32, 32);
    assert_int_equal(elf_parse_loaded(head + HEADERS, 4, at, &l), -ENOEXEC);
    assert_int_equal(elf_parse_loaded(head + HEADERS, 0, at, &l), -ENOEXEC);
}

// Two notes: owner "GNU" type 1 with 16 bytes, owner "CryptOS" type 1 with one word.
static void finds_notes(void **state)
{
    (void)state;
    uint8_t notes[12 + 4 + 16 + 12 + 8 + 4] = {
        4, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 'G', 'N', 'U'
    };
    uint8_t *second = notes + 32;
    size_t length = 0;
    memcpy(second, (uint8_t[]){ 8, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0 }, 12);
    memcpy(second + 12, "CryptOS", 8);
    second[20] = 7;
    assert_ptr_equal(elf_note_find(notes, sizeof(notes), "GNU", 1, &length), notes + 16);
    assert_int_equal(length, 16);
    assert_ptr_equal(elf_note_find(notes, sizeof(notes), "CryptOS", 1, &length), second + 20);
    assert_int_equal(length, 4);
    assert_null(elf_note_find(notes, sizeof(notes), "GNU", 2, &length));
    assert_null(elf_note_find(notes, sizeof(notes), "Redox", 1, &length));
    for (size_t size = 0; size < sizeof(notes); size++) // cut short
        assert_null(elf_note_find(notes, size, "CryptOS", 1, &length));
    memset(notes, 0xff, 8); // sizes that add up to more than there can be
    assert_null(elf_note_find(notes, sizeof(notes), "CryptOS", 1, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_a_good_image, good_image),
        cmocka_unit_test(refuses_what_is_broken),
        cmocka_unit_test_setup(refuses_a_short_head, good_image),
        cmocka_unit_test_setup(reads_an_interpreter, good_image),
        cmocka_unit_test_setup(reads_loaded_headers, good_image),
        cmocka_unit_test(finds_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
