// SPDX-License-Identifier: GPL-3.0-or-later
// The hash spreads names that differ little, depends on its seed, and the table keeps what it
// holds.
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/hash.h"

// Chi-square of 2^16 similar names over 256 buckets: 255 degrees of freedom, 99.99 % below 347.
static double spread(uint64_t seed, unsigned shift, const char *format)
{
    unsigned counts[256] = { 0 };
    double sum = 0;
    for (unsigned i = 0; i < 65536; i++) {
        char name[64];
        int n = snprintf(name, sizeof(name), format, i);
        counts[(hash_bytes(seed, name, (size_t)n) >> shift) & 255]++;
    }
    for (unsigned i = 0; i < 256; i++)
        sum += (counts[i] - 256.0) * (counts[i] - 256.0) / 256.0;
    return sum;
}

static void test_similar_names_spread(void **state)
{
    static const char *const formats[] = { "%u", "file%08u", "%x.o",
                                           "a-rather-long-name-for-a-file-%u.txt" };
    for (size_t f = 0; f < array_len(formats); f++)
        for (unsigned shift = 0; shift < 64; shift += 8)
            assert_true(spread(1, shift, formats[f]) < 347.0);
}

static void test_each_byte_and_the_length_count(void **state)
{
    char a[80] = { 0 };
    uint64_t zero = hash_bytes(7, a, sizeof(a));
    for (size_t i = 0; i < sizeof(a); i++) {
        a[i] = 1;
        assert_true(hash_bytes(7, a, sizeof(a)) != zero);
        a[i] = 0;
        assert_true(hash_bytes(7, a, i) != hash_bytes(7, a, i + 1));
    }
    assert_true(hash_bytes(7, "x", 1) != hash_bytes(8, "x", 1));
    assert_true(hash_word(1, 2) != hash_word(1, 3));
}

struct item {
    struct hash_link link;
    uint64_t key;
};

static uint64_t item_hash(const struct hash_link *link)
{
    return hash_word(0, container_of(link, struct item, link)->key);
}

static struct item *lookup(struct hash_table *t, uint64_t key)
{
    hash_for_each (link, t, hash_word(0, key))
        if (container_of(link, struct item, link)->key == key)
            return container_of(link, struct item, link);
    return NULL;
}

static void test_table_keeps_what_it_holds(void **state)
{
    static struct item items[1000];
    struct hash_link *small[4] = { 0 }, *large[256] = { 0 };
    struct hash_table t, bigger;

    hash_table_init(&t, small, 4);
    for (unsigned i = 0; i < 1000; i++) {
        items[i].key = i;
        hash_insert(&t, hash_word(0, i), &items[i].link);
    }
    for (unsigned i = 0; i < 1000; i += 3) {
        hash_remove(&items[i].link);
        hash_remove(&items[i].link); // harmless
        assert_false(hash_linked(&items[i].link));
    }
    hash_table_init(&bigger, large, 256);
    hash_table_move(&t, &bigger, item_hash);
    for (unsigned i = 0; i < 1000; i++) {
        assert_ptr_equal(lookup(&bigger, i), i % 3 ? &items[i] : NULL);
        assert_null(lookup(&t, i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_similar_names_spread),
        cmocka_unit_test(test_each_byte_and_the_length_count),
        cmocka_unit_test(test_table_keeps_what_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
