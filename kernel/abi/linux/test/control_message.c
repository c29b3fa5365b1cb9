// SPDX-License-Identifier: GPL-3.0-or-later
// Control messages taken apart: well formed ones, and every way in which lengths can lie; and laid
// out into rooms of every size.
#include "kernel/abi/linux/control_message.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint8_t bytes[4096];
static size_t size;

static void begin(void)
{
    size = 0;
    memset(bytes, 0, sizeof(bytes));
}

static void add(uint64_t length, int32_t level, int32_t type, const void *data, size_t data_size)
{
    struct control_header h = { length, level, type };
    memcpy(bytes + size, &h, sizeof(h));
    memcpy(bytes + size + sizeof(h), data, data_size);
    size += (sizeof(h) + data_size + 7) & ~7ull;
}

static struct control_sent sent;

static err_t parse(void)
{
    uint8_t *exact = malloc(size ? size : 1); // so that ASan sees each byte too far
    memcpy(exact, bytes, size);
    err_t e = control_parse(exact, size, &sent);
    free(exact);
    return e;
}

static void test_well_formed(void **state)
{
    int32_t files[] = { 3, 4, -5 };
    struct control_credentials c = { 7, 8, 9 };
    begin();
    assert_int_equal(parse(), 0);
    assert_int_equal(sent.file_count, 0);
    add(16 + 12, 1, LINUX_SCM_RIGHTS, files, 12);
    add(16 + 12, 1, LINUX_SCM_CREDENTIALS, &c, 12);
    add(16 + 4, 1, LINUX_SCM_RIGHTS, files + 1, 4);
    add(16 + 5, 41, 77, "other", 5); // of another level
    assert_int_equal(parse(), 0);
    assert_int_equal(sent.file_count, 4);
    assert_int_equal(sent.files[2], -5);
    assert_int_equal(sent.files[3], 4);
    assert_true(sent.has_credentials && sent.credentials.group == 9);
    size -= 3; // the padding of the last one may be missing
    assert_int_equal(parse(), 0);
}

static void test_lengths_that_lie(void **state)
{
    static const uint64_t lengths[] = { 0, 1, 15, 33, 1000, UINT64_MAX, UINT64_MAX - 7 };
    for (size_t i = 0; i < array_len(lengths); i++) {
        begin();
        add(lengths[i], 1, LINUX_SCM_RIGHTS, "12345678", 8);
        size = 32;
        assert_int_equal(parse(), -EINVAL);
    }
    begin();
    add(16 + 11, 1, LINUX_SCM_CREDENTIALS, "12345678901", 11);
    assert_int_equal(parse(), -EINVAL);
    begin();
    add(16, 1, 3, "", 0);
    assert_int_equal(parse(), -EINVAL);
    begin();
    add(16 + 7, 1, LINUX_SCM_RIGHTS, "1234567", 7); // one and three quarters
    assert_int_equal(parse(), 0);
    assert_int_equal(sent.file_count, 1);
    size = 15; // not even a header
    assert_int_equal(parse(), 0);
    assert_int_equal(sent.file_count, 0);
}

static void test_too_many(void **state)
{
    static int32_t files[CONTROL_FILES_MAX + 1];
    begin();
    add(16 + 4 * CONTROL_FILES_MAX, 1, LINUX_SCM_RIGHTS, files, 4 * CONTROL_FILES_MAX);
    assert_int_equal(parse(), 0);
    add(16 + 4, 1, LINUX_SCM_RIGHTS, files, 4);
    assert_int_equal(parse(), -EINVAL);
    begin();
    add(16 + sizeof(files), 1, LINUX_SCM_RIGHTS, files, sizeof(files));
    assert_int_equal(parse(), -EINVAL);
}

static void test_rooms_of_every_size(void **state)
{
    for (uint64_t space = 0; space < 80; space++) {
        struct control_room room = { .size = space };
        uint64_t at, most;
        for (unsigned i = 0; i < 3 && control_fits(&room, &at, &most); i++) {
            assert_true(at + most == space);
            struct control_header h =
                control_add(&room, LINUX_SCM_CREDENTIALS, min_of(most, 12ull), 12);
            assert_true(h.length <= 28 && at - 16 + h.length <= space && room.used <= space);
            assert_true(room.cut == (h.length < 28));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well_formed),
        cmocka_unit_test(test_lengths_that_lie),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_rooms_of_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
