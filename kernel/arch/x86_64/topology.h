// SPDX-License-Identifier: GPL-3.0-or-later
// Where a CPU stands among the others, and its caches: what the processor says of itself (Intel
// SDM 2A, CPUID leaves 4, 0BH; AMD's 8000_001DH). Asked on the calling CPU; all are taken to be
// alike. Any context.
#pragma once
#include "lib/base.h"

struct cpu_place {
    uint32_t package, core, thread; // core: within the package
};
void cpu_place_of(uint32_t cpu, struct cpu_place *place);

enum cpu_cache_kind { CACHE_NONE, CACHE_DATA, CACHE_CODE, CACHE_UNIFIED };
struct cpu_cache {
    uint8_t kind, level;
    uint32_t ways, sets, line, partitions;
    uint64_t size;
    unsigned shared_shift; // CPUs whose APIC IDs differ below this bit share it
};
// False: there is no cache of that index.
bool cpu_cache_get(unsigned index, struct cpu_cache *c);
// The CPUs that share it with `cpu`, a bit each.
uint64_t cpu_cache_sharers(const struct cpu_cache *c, uint32_t cpu);
// Those in the same package, or in the same core.
uint64_t cpu_package_of(uint32_t cpu);
uint64_t cpu_core_of(uint32_t cpu);

// Family, model, stepping and maker as programs know them.
struct cpu_identity {
    char maker[13];
    unsigned family, model, stepping, line, physical_bits, virtual_bits;
};
void cpu_identity(struct cpu_identity *identity);
// The words of feature bits that /proc/cpuinfo names: 1.EDX, 1.ECX, 7.EBX, 7.ECX, 8000_0001.EDX,
// ECX.
enum { CPU_WORDS = 6 };
void cpu_words(uint32_t word[CPU_WORDS]);
