// SPDX-License-Identifier: GPL-3.0-or-later
// Firmware memory maps: ordinary, sloppy and hostile ones, against a map of single pages.
#include "kernel/memory/ranges.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
    const char *name;
    struct memory_range in[4];
    struct phys_range out[3];
} cases[] = {
    { "plain", { { 0x1000, 0x3000, MEMORY_USABLE } }, { { 0x1000, 0x4000 } } },
    { "rounded inwards", { { 0x1001, 0x3000, MEMORY_USABLE } }, { { 0x2000, 0x4000 } } },
    { "halves of a page join",
      { { 0x1800, 0x800, MEMORY_USABLE }, { 0x1000, 0x800, MEMORY_USABLE } },
      { { 0x1000, 0x2000 } } },
    { "reserved wins",
      { { 0x3800, 0x10, MEMORY_RESERVED }, { 0x1000, 0x8000, MEMORY_USABLE } },
      { { 0x1000, 0x3000 }, { 0x4000, 0x9000 } } },
    { "out of order and overlapping",
      { { 0x8000, 0x2000, MEMORY_USABLE },
        { 0x1000, 0x2000, MEMORY_USABLE },
        { 0x2000, 0x2000, MEMORY_USABLE } },
      { { 0x1000, 0x4000 }, { 0x8000, 0xa000 } } },
    { "wraps round: cut",
      { { RANGES_TOP - 0x1000, UINT64_MAX, MEMORY_USABLE } },
      { { RANGES_TOP - 0x1000, RANGES_TOP } } },
    { "beyond the top", { { UINT64_MAX - 10, 100, MEMORY_USABLE } }, { { 0, 0 } } },
    { "reserved to the end of the world",
      { { 0, 0x4000, MEMORY_USABLE }, { 0x2000, UINT64_MAX, MEMORY_BAD } },
      { { 0, 0x2000 } } },
    { "less than a page", { { 0x1001, 0xffe, MEMORY_USABLE } }, { { 0, 0 } } },
};

static void ranges_cases(void **state)
{
    static struct range_set set;
    for (size_t i = 0; i < array_len(cases); i++) {
        unsigned in = 0, out = 0;
        while (in < 4 && cases[i].in[in].size)
            in++;
        while (out < 3 && cases[i].out[out].end)
            out++;
        (void)ranges_sort(&set, cases[i].in, in);
        assert_int_equal(set.count, out);
        assert_memory_equal(set.list, cases[i].out, out * sizeof(set.list[0]));
    }
}

enum { PAGES = 200 };

static void check_set(const struct range_set *set, const bool *usable)
{
    uint64_t pages = 0;
    for (unsigned i = 0; i < set->count; i++) {
        assert_true(set->list[i].start < set->list[i].end);
        if (i)
            assert_true(set->list[i - 1].end < set->list[i].start);
    }
    for (unsigned p = 0; p < PAGES; p++) {
        assert_int_equal(ranges_contain(set, p * 4096ull + 77), usable[p]);
        pages += usable[p];
    }
    for (unsigned p = 0; p + 1 < PAGES; p++) {
        assert_int_equal(ranges_meet(set, p * 4096ull + 77, (p + 2) * 4096ull),
                         usable[p] || usable[p + 1]);
        assert_false(ranges_meet(set, p * 4096ull, p * 4096ull));
    }
    assert_int_equal(ranges_meet(set, 0, UINT64_MAX), set->count != 0);
    assert_int_equal(ranges_total(set), pages * 4096);
}

static void ranges_agree_with_a_page_map(void **state)
{
    static struct range_set set;
    srand(4);
    for (unsigned round = 0; round < 500; round++) {
        struct memory_range in[30];
        bool usable[PAGES + 1] = { 0 };
        for (unsigned i = 0; i < array_len(in); i++) {
            unsigned start = rand() % PAGES, pages = 1 + rand() % 12;
            if (start + pages > PAGES)
                pages = PAGES - start;
            in[i] = (struct memory_range){ start * 4096ull, pages * 4096ull,
                                           rand() % 3 ? MEMORY_USABLE : MEMORY_ACPI_NVS };
            if (in[i].kind == MEMORY_USABLE)
                memset(usable + start, 1, pages);
        }
        for (unsigned i = 0; i < array_len(in); i++)
            if (in[i].kind != MEMORY_USABLE)
                memset(usable + in[i].start / 4096, 0, in[i].size / 4096);
        assert_int_equal(ranges_sort(&set, in, array_len(in)), 0);
        check_set(&set, usable);

        phys_t at;
        while (ranges_take(&set, 3 * 4096, 2 * 4096, 150 * 4096, &at)) {
            assert_int_equal(at % (2 * 4096), 0);
            for (unsigned i = 0; i < 3; i++) {
                assert_true(at / 4096 + i < 150 && usable[at / 4096 + i]);
                usable[at / 4096 + i] = false;
            }
            check_set(&set, usable);
        }
        for (unsigned p = 0; p + 4 <= 150; p += 2)
            assert_false(usable[p] && usable[p + 1] && usable[p + 2]);
    }
}

static void ranges_full_set_loses_little(void **state)
{
    static struct range_set set;
    static struct memory_range in[RANGES_MAX + 40];
    for (unsigned i = 0; i < array_len(in); i++)
        in[i] = (struct memory_range){ i * 8192ull, 4096, MEMORY_USABLE };
    assert_int_equal(ranges_sort(&set, in, array_len(in)), 40);
    assert_int_equal(set.count, RANGES_MAX);

    set.list[RANGES_MAX - 1].end += 16 * 4096;
    phys_t hole = set.list[RANGES_MAX - 1].start + 4 * 4096;
    ranges_remove(&set, hole, 1);
    assert_int_equal(set.count, RANGES_MAX);
    assert_false(ranges_contain(&set, hole));
    assert_true(ranges_contain(&set, hole + 4096)); // the larger rest
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_cases),
        cmocka_unit_test(ranges_agree_with_a_page_map),
        cmocka_unit_test(ranges_full_set_loses_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
