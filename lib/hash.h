// SPDX-License-Identifier: GPL-3.0-or-later
// Hashing: a good hash of bytes and of words, and an intrusive table of buckets.
//
//   struct hash_table t;  err_t e = ...  hash_table_init(&t, buckets, 64);   buckets: zeroed, power
//   of two hash_insert(&t, hash_bytes(seed, name, length), &item->link); hash_for_each(link, &t,
//   hash) { struct item *i = container_of(link, struct item, link); ... } hash_remove(&item->link);
//
// The caller owns the memory of the buckets, compares keys, and locks; a table holds only heads, so
// one lock may guard some buckets and another lock others. Links know their hash's bucket by
// themselves, so removing needs no table. hash_table_move() rehashes into a bigger array. Tests:
// lib/test/hash.c.
#pragma once
#include "lib/base.h"

struct hash_link {
    struct hash_link *next, **at; // `at`: what points here; NULL: in no table
};

struct hash_table {
    struct hash_link **buckets;
    uint64_t mask; // number of buckets - 1
};

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// One word, for pointers and numbers.
static inline uint64_t hash_word(uint64_t seed, uint64_t word)
{
    return hash_fold(word ^ seed ^ 0x9e3779b97f4a7c15ull, 0xd6e8feb86659fd93ull ^ seed);
}

// Bytes; with a secret seed, colliding keys cannot be chosen from outside.
uint64_t hash_bytes(uint64_t seed, const void *data, size_t size);

static inline void hash_table_init(struct hash_table *t, struct hash_link **buckets, uint64_t count)
{
    t->buckets = buckets;
    t->mask = count - 1;
}

static inline struct hash_link **hash_bucket(const struct hash_table *t, uint64_t hash)
{
    return &t->buckets[hash & t->mask];
}

static inline void hash_insert(struct hash_table *t, uint64_t hash, struct hash_link *link)
{
    struct hash_link **head = hash_bucket(t, hash);
    link->next = *head;
    link->at = head;
    if (*head)
        (*head)->at = &link->next;
    *head = link;
}

static inline bool hash_linked(const struct hash_link *link)
{
    return link->at != NULL;
}

// Takes it out; harmless when it is in no table.
static inline void hash_remove(struct hash_link *link)
{
    if (!link->at)
        return;
    *link->at = link->next;
    if (link->next)
        link->next->at = link->at;
    link->next = NULL;
    link->at = NULL;
}

// All links of the bucket that `hash` falls into; the body may not remove `link`.
#define hash_for_each(link, table, hash) \
    for (struct hash_link *link = *hash_bucket((table), (hash)); link; link = link->next)

// Moves all links into `to`; hash_of tells each link's hash.
void hash_table_move(struct hash_table *from, struct hash_table *to,
                     uint64_t (*hash_of)(const struct hash_link *link));
