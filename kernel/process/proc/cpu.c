// SPDX-License-Identifier: GPL-3.0-or-later
// /proc/cpuinfo: each processor as programs know it. The names of features are those that programs
// look for; a bit without a name here is not shown.
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/topology.h"
#include "kernel/process/proc/proc.h"

static const char *const names[CPU_WORDS][32] = {
    { "fpu",  "vme",  "de",   "pse", "tsc",  "msr", "pae",   "mce", "cx8",     "apic", NULL,
      "sep",  "mtrr", "pge",  "mca", "cmov", "pat", "pse36", NULL,  "clflush", NULL,   NULL,
      "acpi", "mmx",  "fxsr", "sse", "sse2", "ss",  "ht",    "tm",  NULL,      "pbe" },
    { "pni",    "pclmulqdq", "dtes64", "monitor", "ds_cpl",
      "vmx",    "smx",       NULL,     "tm2",     "ssse3",
      NULL,     NULL,        "fma",    "cx16",    NULL,
      "pdcm",   NULL,        "pcid",   "dca",     "sse4_1",
      "sse4_2", "x2apic",    "movbe",  "popcnt",  "tsc_deadline_timer",
      "aes",    "xsave",     NULL,     "avx",     "f16c",
      "rdrand", "hypervisor" },
    { "fsgsbase", NULL,       NULL,     "bmi1", NULL,   "avx2",   NULL,       "smep",
      "bmi2",     "erms",     NULL,     NULL,   NULL,   NULL,     NULL,       NULL,
      "avx512f",  "avx512dq", "rdseed", "adx",  "smap", NULL,     NULL,       "clflushopt",
      "clwb",     NULL,       NULL,     NULL,   NULL,   "sha_ni", "avx512bw", "avx512vl" },
    { NULL, NULL, "umip", "pku", "ospke", NULL, NULL, NULL, "gfni", "vaes", "vpclmulqdq", NULL,
      NULL, NULL, NULL,   NULL,  "la57",  NULL, NULL, NULL, NULL,   NULL,   "rdpid" },
    { NULL,      NULL, NULL, NULL,       NULL,      NULL,     NULL, NULL, NULL,       NULL,   NULL,
      "syscall", NULL, NULL, NULL,       NULL,      NULL,     NULL, NULL, NULL,       "nx",   NULL,
      "mmxext",  NULL, NULL, "fxsr_opt", "pdpe1gb", "rdtscp", NULL, "lm", "3dnowext", "3dnow" },
    { "lahf_lm", "cmp_legacy", "svm", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse",
      "3dnowprefetch", "osvw" },
};

static void features(struct text *out)
{
    uint32_t words[CPU_WORDS];
    cpu_words(words);
    text_add(out, "flags\t\t:");
    for (unsigned w = 0; w < CPU_WORDS; w++)
        for (unsigned b = 0; b < 32; b++)
            if ((words[w] >> b & 1) && names[w][b])
                text_add(out, " %s", names[w][b]);
    if (cpu_has(CPU_XSAVEOPT))
        text_add(out, " xsaveopt");
    text_add(out, "\n");
}

static unsigned count(uint64_t set)
{
    unsigned n = 0;
    for (; set; set &= set - 1)
        n++;
    return n;
}

static void one(struct text *out, uint32_t cpu, const struct cpu_identity *id, uint64_t khz)
{
    struct cpu_place place;
    struct cpu_cache cache, last = { 0 };
    cpu_place_of(cpu, &place);
    for (unsigned i = 0; cpu_cache_get(i, &cache); i++)
        last = cache.level == 2 || !last.size ? cache : last;
    uint64_t package = cpu_package_of(cpu), core = cpu_core_of(cpu);
    unsigned siblings = count(package);
    text_add(out, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", cpu,
             id->maker, id->family, id->model);
    text_add(out, "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: %lu.%03lu\n", cpu_model_name(),
             id->stepping, khz / 1000, khz % 1000);
    text_add(out, "cache size\t: %lu KB\nphysical id\t: %u\nsiblings\t: %u\ncore id\t\t: %u\n",
             last.size >> 10, place.package, siblings, place.core);
    text_add(out, "cpu cores\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\n",
             siblings / max_of(1u, count(core)));
    features(out);
    text_add(out, "bogomips\t: %lu.%02lu\nclflush size\t: %u\ncache_alignment\t: %u\n", khz / 500,
             khz / 5 % 100, id->line, id->line);
    text_add(out, "address sizes\t: %u bits physical, %u bits virtual\n\n", id->physical_bits,
             id->virtual_bits);
}

err_t proc_cpu_text(const struct proc_target *t, struct text *out)
{
    struct cpu_identity id;
    uint64_t multiplier, base;
    unsigned shift;
    cpu_identity(&id);
    // Nanoseconds are cycles * multiplier >> shift.
    uint64_t khz = 0;
    if (clock_hw_tsc_scale(&multiplier, &shift, &base)) {
        unsigned less = shift > 40 ? shift - 40 : 0;
        khz = (1000000ull << (shift - less)) / max_of(multiplier >> less, (uint64_t)1);
    }
    for (uint32_t n = 0; n < cpu_count; n++)
        one(out, n, &id, khz);
    return 0;
}
