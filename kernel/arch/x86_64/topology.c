// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/arch/x86_64/topology.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/registers.h"
#include "lib/string.h"

enum {
    LEAF_CACHES = 4,
    LEAF_PLACE = 0xb,
    LEAF_EXTENDED = 0x80000000,
    LEAF_EXTENDED_FEATURES = 0x80000001,
    LEAF_FIRST_LEVEL = 0x80000005,
    LEAF_OTHER_LEVELS = 0x80000006,
    LEAF_ADDRESSES = 0x80000008,
    LEAF_CACHES_AMD = 0x8000001d,
};

static uint32_t apic_id_of(uint32_t cpu)
{
    return ((const struct percpu_head *)percpu_areas[cpu])->apic_id;
}

// How many low bits of an APIC ID tell threads, and threads and cores, apart.
static void shifts(unsigned *thread, unsigned *core)
{
    *thread = 0;
    *core = 32;
    if (cpuid(0, 0).a < LEAF_PLACE || !(cpuid(LEAF_PLACE, 0).b & 0xffff))
        return;
    *thread = cpuid(LEAF_PLACE, 0).a & 31;
    *core = cpuid(LEAF_PLACE, 1).a & 31;
}

void cpu_place_of(uint32_t cpu, struct cpu_place *place)
{
    unsigned thread, core;
    uint64_t id = apic_id_of(cpu);
    shifts(&thread, &core);
    *place = (struct cpu_place){
        .package = (uint32_t)(id >> core),
        .core = (uint32_t)((id & ((1ull << core) - 1)) >> thread),
        .thread = (uint32_t)(id & ((1ull << thread) - 1)),
    };
}

static uint64_t alike(uint32_t cpu, unsigned shift)
{
    uint64_t set = 0, id = apic_id_of(cpu);
    for (uint32_t n = 0; n < cpu_count; n++)
        if ((uint64_t)apic_id_of(n) >> shift == id >> shift)
            set |= 1ull << n;
    return set;
}

uint64_t cpu_package_of(uint32_t cpu)
{
    unsigned thread, core;
    shifts(&thread, &core);
    return alike(cpu, core);
}

uint64_t cpu_core_of(uint32_t cpu)
{
    unsigned thread, core;
    shifts(&thread, &core);
    return alike(cpu, thread);
}

static uint32_t cache_leaf(void)
{
    if (cpuid(0, 0).a >= LEAF_CACHES && (cpuid(LEAF_CACHES, 0).a & 31))
        return LEAF_CACHES;
    bool there = cpuid(LEAF_EXTENDED, 0).a >= LEAF_CACHES_AMD && (cpuid(LEAF_CACHES_AMD, 0).a & 31);
    return there ? LEAF_CACHES_AMD : 0;
}

// What AMD's processors said before they had a leaf like Intel's (APM 3, 8000_0005H and 6H).
static bool old_cache(unsigned index, struct cpu_cache *c)
{
    static const uint8_t ways_of[16] = { 0, 1, 2, 3, 4, 6, 8, 0, 16, 0, 32, 48, 64, 96, 128, 0 };
    unsigned thread, core;
    if (index > 3 || cpuid(LEAF_EXTENDED, 0).a < LEAF_OTHER_LEVELS)
        return false;
    struct cpuid_result first = cpuid(LEAF_FIRST_LEVEL, 0), other = cpuid(LEAF_OTHER_LEVELS, 0);
    shifts(&thread, &core);
    uint32_t r = index == 0 ? first.c : index == 1 ? first.d : index == 2 ? other.c : other.d;
    *c = (struct cpu_cache){
        .kind = (uint8_t)(index == 0   ? CACHE_DATA
                          : index == 1 ? CACHE_CODE
                                       : CACHE_UNIFIED),
        .level = (uint8_t)max_of(1u, index),
        .line = r & 0xff,
        .partitions = 1,
        .ways = index < 2 ? r >> 16 & 0xff : ways_of[r >> 12 & 15],
        .size = (uint64_t)(index < 2    ? r >> 24
                           : index == 2 ? r >> 16
                                        : (r >> 18) * 512)
                << 10,
        .shared_shift = index == 3 ? core : thread,
    };
    if (!c->size || !c->line)
        return false;
    c->ways = c->ways ? c->ways : (uint32_t)(c->size / c->line);
    c->sets = (uint32_t)(c->size / c->line / c->ways);
    return true;
}

bool cpu_cache_get(unsigned index, struct cpu_cache *c)
{
    uint32_t leaf = cache_leaf();
    if (!leaf)
        return old_cache(index, c);
    struct cpuid_result r = cpuid(leaf, index);
    *c = (struct cpu_cache){ .kind = r.a & 31,
                             .level = r.a >> 5 & 7,
                             .line = (r.b & 0xfff) + 1,
                             .partitions = (r.b >> 12 & 0x3ff) + 1,
                             .ways = (r.b >> 22) + 1,
                             .sets = r.c + 1 };
    uint32_t sharers = r.a >> 14 & 0xfff; // less one
    c->shared_shift = sharers ? 32 - (unsigned)__builtin_clz(sharers) : 0;
    c->size = (uint64_t)c->line * c->partitions * c->ways * c->sets;
    return c->kind != CACHE_NONE && c->kind <= CACHE_UNIFIED;
}

uint64_t cpu_cache_sharers(const struct cpu_cache *c, uint32_t cpu)
{
    return alike(cpu, c->shared_shift);
}

void cpu_identity(struct cpu_identity *i)
{
    struct cpuid_result r = cpuid(0, 0);
    memcpy(i->maker, &r.b, 4);
    memcpy(i->maker + 4, &r.d, 4);
    memcpy(i->maker + 8, &r.c, 4);
    i->maker[12] = '\0';
    r = cpuid(1, 0);
    unsigned family = r.a >> 8 & 15;
    i->family = family == 15 ? family + (r.a >> 20 & 255) : family;
    i->model = (r.a >> 4 & 15) | (family == 6 || family == 15 ? r.a >> 12 & 0xf0 : 0);
    i->stepping = r.a & 15;
    i->line = (r.b >> 8 & 255) * 8;
    uint32_t bits =
        cpuid(LEAF_EXTENDED, 0).a >= LEAF_ADDRESSES ? cpuid(LEAF_ADDRESSES, 0).a : 0x3024;
    i->physical_bits = bits & 255;
    i->virtual_bits = bits >> 8 & 255;
}

void cpu_words(uint32_t word[CPU_WORDS])
{
    struct cpuid_result first = cpuid(1, 0), extended = cpuid(LEAF_EXTENDED_FEATURES, 0);
    struct cpuid_result seven = cpuid(0, 0).a >= 7 ? cpuid(7, 0) : (struct cpuid_result){ 0 };
    word[0] = first.d;
    word[1] = first.c;
    word[2] = seven.b;
    word[3] = seven.c;
    word[4] = extended.d;
    word[5] = extended.c;
}
