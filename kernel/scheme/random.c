// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/random.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/console/log.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/spinlock.h"
#include "lib/chacha.h"
#include "lib/hash.h"
#include "lib/string.h"

enum { PARTS = 16 };

static struct generator {
    struct spinlock lock; // RANK_LEAF
    uint8_t key[CHACHA_KEY];
    uint32_t requests;
} align_to(64) generators[PARTS];

static const uint8_t no_nonce[CHACHA_NONCE];

// Steps the generator: a key of its own for one request.
static void generator_key(struct generator *g, uint8_t key[CHACHA_KEY])
{
    uint8_t block[CHACHA_BLOCK];
    spin_lock(&g->lock);
    chacha_block(g->key, ++g->requests, no_nonce, block);
    memcpy(g->key, block, CHACHA_KEY);
    spin_unlock(&g->lock);
    memcpy(key, block + CHACHA_KEY, CHACHA_KEY);
    memset(block, 0, sizeof(block));
}

void random_bytes(void *to, size_t size)
{
    uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
    uint8_t key[CHACHA_KEY], block[CHACHA_BLOCK], *p = to;
    generator_key(&generators[hash_word(0, stack >> 13) % PARTS], key);
    for (uint32_t counter = 0; size; counter++) {
        size_t n = min_of(size, sizeof(block));
        chacha_block(key, counter, no_nonce, block);
        memcpy(p, block, n);
        p += n;
        size -= n;
    }
    memset(key, 0, sizeof(key));
    memset(block, 0, sizeof(block));
}

// Each 32 bytes are added to the key, which is then run through the block function.
static void generator_add(struct generator *g, const uint8_t *data, size_t size)
{
    uint8_t block[CHACHA_BLOCK];
    spin_lock(&g->lock);
    do {
        size_t n = min_of(size, (size_t)CHACHA_KEY);
        for (size_t i = 0; i < n; i++)
            g->key[i] ^= data[i];
        chacha_block(g->key, ++g->requests, no_nonce, block);
        memcpy(g->key, block, CHACHA_KEY);
        data += n;
        size -= n;
    } while (size);
    spin_unlock(&g->lock);
}

void random_add(const void *data, size_t size)
{
    for (unsigned i = 0; i < PARTS; i++)
        generator_add(&generators[i], data, size);
}

void random_init(void)
{
    for (unsigned i = 0; i < PARTS; i++) {
        struct generator *g = &generators[i];
        spin_init(&g->lock, RANK_LEAF);
        uint64_t seed[8];
        for (unsigned k = 0; k < array_len(seed); k++)
            seed[k] = cpu_random() ^ cpu_cycles();
        seed[0] ^= (uint64_t)clock_wall();
        seed[1] ^= i;
        generator_add(g, (const uint8_t *)seed, sizeof(seed));
    }
    log_info("random: ChaCha20, seeded from %s",
             cpu_has(CPU_RDRAND) ? "RDRAND and time stamps" : "time stamps only: weak until used");
}
