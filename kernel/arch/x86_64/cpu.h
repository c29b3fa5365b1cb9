// SPDX-License-Identifier: GPL-3.0-or-later
// What the processor can do, its control and model-specific registers.
//
// cpu_init() runs on the boot CPU before anything else that asks; it finds the features, turns on
// the guards (NX, SMEP, SMAP, UMIP, FSGSBASE, PCID, write protection), each where present. A
// feature can be taken away by `no=NAME[,NAME..]` on the kernel command line, so that every
// fallback can be tested.
#pragma once
#include "lib/base.h"

enum cpu_feature {
    CPU_X2APIC,
    CPU_TSC_DEADLINE,
    CPU_TSC_INVARIANT,
    CPU_XSAVE,
    CPU_XSAVEOPT,
    CPU_XSAVES,
    CPU_AVX,
    CPU_AVX2,
    CPU_FSGSBASE,
    CPU_PCID,
    CPU_INVPCID,
    CPU_SMEP,
    CPU_SMAP,
    CPU_UMIP,
    CPU_RDRAND,
    CPU_RDSEED,
    CPU_RDTSCP,
    CPU_RDPID,
    CPU_PAGE_1G,
    CPU_MONITOR, // MONITOR/MWAIT that is worth using: the CPU is real
    CPU_ERMS,    // fast `rep movsb`
    CPU_HYPERVISOR,
    CPU_KVM_CLOCK,
    CPU_PAT,
    CPU_PGE,
    CPU_FEATURE_COUNT,
};

extern uint64_t cpu_features; // bits by enum cpu_feature; constant after cpu_init()

static force_inline bool cpu_has(enum cpu_feature f)
{
    return cpu_features >> f & 1;
}

const char *cpu_feature_name(enum cpu_feature f);
const char *cpu_model_name(void);
uint32_t cpu_user_capabilities(void);    // CPUID leaf 1's EDX, which programs get as AT_HWCAP
void cpu_init(const char *command_line); // boot CPU
void cpu_init_secondary(void);           // each other CPU
void cpu_set_number(void); // tells programs (RDTSCP, RDPID) the CPU's number, once it has one

// Sleeps until an interrupt: MWAIT where the firmware and CPU allow it, else HLT. Called with
// interrupts off; returns with interrupts off after one was taken.
void cpu_sleep(void);
void cpu_halt_forever(void) __attribute__((noreturn));

static inline uint64_t cpu_cycles(void)
{
    return __builtin_ia32_rdtsc();
}

uint64_t cpu_cycles_at_start(void); // of the boot CPU, when cpu_init() ran

uint64_t cpu_random(void); // RDRAND or a mix of time stamps; for seeds
