// SPDX-License-Identifier: GPL-3.0-or-later
// Control registers, model-specific registers, CPUID: their bits and how to reach them.
//
//   msr_write(MSR_STAR, ...);
//   struct cpuid_result r = cpuid(7, 0);
//
// Numbers are those of the Intel SDM (volumes 3 and 4) and AMD's APM volume 2. Any context.
#pragma once

// CR0, CR4, EFER, XCR0.
#define CR0_PE (1 << 0)
#define CR0_MP (1 << 1)
#define CR0_EM (1 << 2)
#define CR0_TS (1 << 3)
#define CR0_ET (1 << 4)
#define CR0_NE (1 << 5)
#define CR0_WP (1 << 16)
#define CR0_AM (1 << 18)
#define CR0_NW (1 << 29)
#define CR0_CD (1 << 30)
#define CR0_PG (1 << 31)

#define CR4_PSE        (1 << 4)
#define CR4_PAE        (1 << 5)
#define CR4_MCE        (1 << 6)
#define CR4_PGE        (1 << 7)
#define CR4_OSFXSR     (1 << 9)
#define CR4_OSXMMEXCPT (1 << 10)
#define CR4_UMIP       (1 << 11)
#define CR4_FSGSBASE   (1 << 16)
#define CR4_PCIDE      (1 << 17)
#define CR4_OSXSAVE    (1 << 18)
#define CR4_SMEP       (1 << 20)
#define CR4_SMAP       (1 << 21)

#define DR6_CLEAR     0xffff0ff0 // no cause of a debug exception noted
#define DR6_REGISTERS 0xf        // one of DR0 to DR3
#define DR6_STEP      (1 << 14)

#define EFER_SCE (1 << 0)
#define EFER_LME (1 << 8)
#define EFER_LMA (1 << 10)
#define EFER_NXE (1 << 11)

#define XCR0_X87 (1 << 0)
#define XCR0_SSE (1 << 1)
#define XCR0_AVX (1 << 2)

// RFLAGS (RFLAGS_IF is in preempt.h).
#define RFLAGS_CF   (1 << 0)
#define RFLAGS_ONE  (1 << 1)
#define RFLAGS_TF   (1 << 8)
#define RFLAGS_DF   (1 << 10)
#define RFLAGS_IOPL (3 << 12)
#define RFLAGS_NT   (1 << 14)
#define RFLAGS_RF   (1 << 16)
#define RFLAGS_AC   (1 << 18)
#define RFLAGS_ID   (1 << 21)

#define MSR_TSC               0x10
#define MSR_APIC_BASE         0x1b
#define MSR_SPEC_CTRL         0x48
#define MSR_PRED_CMD          0x49
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_SYSENTER_CS       0x174
#define MSR_MCG_CAP           0x179
#define MSR_MCG_STATUS        0x17a
#define MSR_PAT               0x277
#define MSR_MC0_STATUS        0x401 // + 4 * bank
#define MSR_TSC_DEADLINE      0x6e0
#define MSR_X2APIC            0x800 // + register offset / 16
#define MSR_KVM_SYSTEM_TIME   0x4b564d01
#define MSR_EFER              0xc0000080
#define MSR_STAR              0xc0000081
#define MSR_LSTAR             0xc0000082
#define MSR_CSTAR             0xc0000083
#define MSR_SYSCALL_MASK      0xc0000084
#define MSR_FS_BASE           0xc0000100
#define MSR_GS_BASE           0xc0000101
#define MSR_KERNEL_GS_BASE    0xc0000102
#define MSR_TSC_AUX           0xc0000103

#ifndef __ASSEMBLER__
#include "lib/base.h"

struct cpuid_result {
    uint32_t a, b, c, d;
};

static force_inline struct cpuid_result cpuid(uint32_t leaf, uint32_t sub)
{
    struct cpuid_result r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
    return r;
}

static force_inline uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}

static force_inline void msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

#define REGISTER_ACCESS(name)                                            \
    static force_inline uint64_t name##_read(void)                       \
    {                                                                    \
        uint64_t value;                                                  \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value)::"memory"); \
        return value;                                                    \
    }                                                                    \
    static force_inline void name##_write(uint64_t value)                \
    {                                                                    \
        __asm__ volatile("mov %0, %%" #name ::"r"(value) : "memory");    \
    }

REGISTER_ACCESS(cr0)
REGISTER_ACCESS(cr2)
REGISTER_ACCESS(cr3)
REGISTER_ACCESS(cr4)
REGISTER_ACCESS(dr0)
REGISTER_ACCESS(dr1)
REGISTER_ACCESS(dr2)
REGISTER_ACCESS(dr3)
REGISTER_ACCESS(dr6)
REGISTER_ACCESS(dr7)

static force_inline uint64_t xcr_read(uint32_t number)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

static force_inline void xcr_write(uint32_t number, uint64_t value)
{
    __asm__ volatile("xsetbv" ::"c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

// The time stamp, not read ahead of what stands before it.
static force_inline uint64_t tsc_ordered(void)
{
    uint64_t low, high; // the upper halves are cleared
    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
    return high << 32 | low;
}
#endif
