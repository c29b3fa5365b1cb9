// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/hash.h"

static uint64_t load64(const unsigned char *p)
{
    uint64_t word;
    __builtin_memcpy(&word, p, 8);
    return word;
}

// The last 0..7 bytes as one word.
static uint64_t load_tail(const unsigned char *p, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)p[i] << (8 * i);
    return word;
}

// Sixteen bytes a round, each round one 64 x 64 -> 128 bit product whose halves are folded
// together.
uint64_t hash_bytes(uint64_t seed, const void *data, size_t size)
{
    const unsigned char *p = data;
    uint64_t state = seed ^ 0xa0761d6478bd642full;
    size_t left = size;

    for (; left >= 16; left -= 16, p += 16)
        state = hash_fold(load64(p) ^ 0xe7037ed1a0b428dbull, load64(p + 8) ^ state);
    uint64_t a = 0, b;
    if (left >= 8) {
        a = load64(p);
        b = load_tail(p + 8, left - 8);
    } else {
        b = load_tail(p, left);
    }
    state = hash_fold(a ^ 0x8ebc6af09c88c6e3ull, b ^ state);
    return hash_fold(state ^ 0x589965cc75374cc3ull, size ^ 0xe7037ed1a0b428dbull);
}

void hash_table_move(struct hash_table *from, struct hash_table *to,
                     uint64_t (*hash_of)(const struct hash_link *link))
{
    for (uint64_t i = 0; i <= from->mask; i++) {
        while (from->buckets[i]) {
            struct hash_link *link = from->buckets[i];
            hash_remove(link);
            hash_insert(to, hash_of(link), link);
        }
    }
}
