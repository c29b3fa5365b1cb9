// SPDX-License-Identifier: GPL-3.0-or-later
// Features of the processor and the control registers that follow from them (cpu.h). Written once
// by the boot CPU, read everywhere: no locks.
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/extable.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/speculation.h"
#include "kernel/arch/x86_64/syscall.h"
#include "kernel/console/log.h"
#include "lib/command_line.h"
#include "lib/string.h"

uint64_t cpu_features;
static char model_name[49];
static uint64_t cycles_at_start;

#define LEAF_KVM 0x40000001 // + the base that the hypervisor's signature was found at

enum cpuid_register { EAX, EBX, ECX, EDX };

// Where CPUID tells of each feature.
static const struct {
    const char *name;
    uint32_t leaf, sub;
    uint8_t in, bit;
} features[CPU_FEATURE_COUNT] = {
    [CPU_X2APIC] = { "x2apic", 1, 0, ECX, 21 },
    [CPU_TSC_DEADLINE] = { "tsc-deadline", 1, 0, ECX, 24 },
    [CPU_TSC_INVARIANT] = { "tsc-invariant", 0x80000007, 0, EDX, 8 },
    [CPU_XSAVE] = { "xsave", 1, 0, ECX, 26 },
    [CPU_XSAVEOPT] = { "xsaveopt", 0xd, 1, EAX, 0 },
    [CPU_XSAVES] = { "xsaves", 0xd, 1, EAX, 3 },
    [CPU_AVX] = { "avx", 1, 0, ECX, 28 },
    [CPU_AVX2] = { "avx2", 7, 0, EBX, 5 },
    [CPU_FSGSBASE] = { "fsgsbase", 7, 0, EBX, 0 },
    [CPU_PCID] = { "pcid", 1, 0, ECX, 17 },
    [CPU_INVPCID] = { "invpcid", 7, 0, EBX, 10 },
    [CPU_SMEP] = { "smep", 7, 0, EBX, 7 },
    [CPU_SMAP] = { "smap", 7, 0, EBX, 20 },
    [CPU_UMIP] = { "umip", 7, 0, ECX, 2 },
    [CPU_RDRAND] = { "rdrand", 1, 0, ECX, 30 },
    [CPU_RDSEED] = { "rdseed", 7, 0, EBX, 18 },
    [CPU_RDTSCP] = { "rdtscp", 0x80000001, 0, EDX, 27 },
    [CPU_RDPID] = { "rdpid", 7, 0, ECX, 22 },
    [CPU_PAGE_1G] = { "1g-pages", 0x80000001, 0, EDX, 26 },
    [CPU_MONITOR] = { "monitor", 1, 0, ECX, 3 },
    [CPU_ERMS] = { "erms", 7, 0, EBX, 9 },
    [CPU_HYPERVISOR] = { "hypervisor", 1, 0, ECX, 31 },
    [CPU_KVM_CLOCK] = { "kvmclock", LEAF_KVM, 0, EAX, 3 },
    [CPU_PAT] = { "pat", 1, 0, EDX, 16 },
    [CPU_PGE] = { "pge", 1, 0, EDX, 13 },
};

const char *cpu_feature_name(enum cpu_feature f)
{
    return features[f].name;
}

uint32_t cpu_user_capabilities(void)
{
    return cpuid(1, 0).d;
}

const char *cpu_model_name(void)
{
    return model_name;
}

// The base of KVM's leaves: hypervisors may offer several interfaces, 256 leaves apart. 0: none.
static uint32_t kvm_leaf_base(void)
{
    if (!(cpuid(1, 0).c >> 31))
        return 0;
    for (uint32_t base = 0x40000000; base < 0x40010000; base += 0x100) {
        struct cpuid_result r = cpuid(base, 0);
        if (r.b == 0x4b4d564b && r.c == 0x564b4d56 && r.d == 0x4d) // "KVMKVMKVM"
            return base;
    }
    return 0;
}

static bool feature_present(enum cpu_feature f, uint32_t kvm_base)
{
    uint32_t leaf = features[f].leaf;
    if (leaf == LEAF_KVM) {
        if (kvm_base == 0)
            return false;
        leaf += kvm_base - 0x40000000;
    } else if (leaf > cpuid(leaf & 0x80000000, 0).a) {
        return false;
    }
    struct cpuid_result r = cpuid(leaf, features[f].sub);
    const uint32_t values[] = { r.a, r.b, r.c, r.d };
    return values[features[f].in] >> features[f].bit & 1;
}

static void drop_feature(enum cpu_feature f)
{
    cpu_features &= ~(1ull << f);
}

// Features that are no use without another, or in a virtual machine.
static void settle_dependencies(void)
{
    static const uint8_t needs[][2] = {
        { CPU_XSAVEOPT, CPU_XSAVE }, { CPU_XSAVES, CPU_XSAVE }, { CPU_AVX, CPU_XSAVE },
        { CPU_AVX2, CPU_AVX },       { CPU_INVPCID, CPU_PCID }, { CPU_PCID, CPU_PGE },
    };
    for (size_t i = 0; i < array_len(needs); i++)
        if (!cpu_has(needs[i][1]))
            drop_feature(needs[i][0]);

    // Emulators take MWAIT for a pause (QEMU's TCG: the CPU never sleeps), hypervisors trap it. It
    // must have its extensions, and let masked interrupts end the sleep.
    if (cpu_has(CPU_HYPERVISOR) || cpuid(0, 0).a < 5 || (cpuid(5, 0).c & 3) != 3)
        drop_feature(CPU_MONITOR);
}

static void find_features(const char *command_line)
{
    uint32_t kvm_base = kvm_leaf_base();
    for (unsigned f = 0; f < CPU_FEATURE_COUNT; f++) {
        if (!feature_present(f, kvm_base))
            continue;
        if (command_line_lists(command_line, "no", features[f].name))
            log_info("cpu: %s is there, but switched off on the command line", features[f].name);
        else
            cpu_features |= 1ull << f;
    }
    settle_dependencies();
}

static void find_model_name(void)
{
    uint32_t words[12] = { 0 };
    if (cpuid(0x80000000, 0).a >= 0x80000004)
        for (unsigned i = 0; i < 3; i++) {
            struct cpuid_result r = cpuid(0x80000002 + i, 0);
            const uint32_t part[] = { r.a, r.b, r.c, r.d };
            memcpy(words + 4 * i, part, sizeof(part));
        }
    const char *name = (const char *)words;
    size_t length = strnlen(name, sizeof(words)), start = 0;
    while (start < length && name[start] == ' ')
        start++;
    while (length > start && name[length - 1] == ' ')
        length--;
    memcpy(model_name, name + start, length - start);
    if (length == start)
        string_copy(model_name, "unknown processor", sizeof(model_name));
}

// Everything that follows from the features; the same on each CPU. The FPU's part is
// fpu.c's, the page attribute table paging.c's.
static void set_control_registers(void)
{
    static const struct {
        uint8_t feature;
        uint32_t bit;
    } bits[] = {
        { CPU_PGE, CR4_PGE },   { CPU_UMIP, CR4_UMIP }, { CPU_FSGSBASE, CR4_FSGSBASE },
        { CPU_SMEP, CR4_SMEP }, { CPU_SMAP, CR4_SMAP }, { CPU_PCID, CR4_PCIDE },
    };
    uint64_t cr4 = cr4_read() | CR4_PAE | CR4_MCE;
    for (size_t i = 0; i < array_len(bits); i++) {
        if (cpu_has(bits[i].feature))
            cr4 |= bits[i].bit;
        else
            cr4 &= ~(uint64_t)bits[i].bit;
    }
    msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_NXE);
    cr0_write((cr0_read() & ~(uint64_t)(CR0_EM | CR0_TS | CR0_CD | CR0_NW | CR0_AM)) | CR0_MP |
              CR0_NE | CR0_WP);
    cr4_write(cr4);
}

static void log_features(void)
{
    char line[200];
    size_t used = 0;
    for (unsigned f = 0; f < CPU_FEATURE_COUNT; f++) {
        size_t length = strlen(features[f].name);
        if (!cpu_has(f) || used + length + 2 > sizeof(line))
            continue;
        if (used != 0)
            line[used++] = ' ';
        memcpy(line + used, features[f].name, length);
        used += length;
    }
    line[used] = '\0';
    log_info("cpu: uses %s", line);
}

uint64_t cpu_cycles_at_start(void)
{
    return cycles_at_start;
}

void cpu_init(const char *command_line)
{
    cycles_at_start = cpu_cycles();
    find_features(command_line);
    find_model_name();
    set_control_registers();
    syscall_init_cpu();
    cpu_set_number();

    uint32_t a = cpuid(1, 0).a;
    unsigned family = a >> 8 & 15, model = a >> 4 & 15;
    if (family == 15 || family == 6)
        model += a >> 12 & 0xf0;
    if (family == 15)
        family += a >> 20 & 0xff;
    log_info("cpu: %s (family %u, model %u, stepping %u)", model_name, family, model, a & 15);
    log_features();
}

void cpu_init_secondary(void)
{
    set_control_registers();
    syscall_init_cpu();
    speculation_init_cpu();
}

void cpu_set_number(void)
{
    if (cpu_has(CPU_RDTSCP) || cpu_has(CPU_RDPID))
        msr_write(MSR_TSC_AUX, cpu_number());
}

// With bit 0 of ECX, MWAIT ends at an interrupt although it is masked; hint 0: C1. A CPU that
// refuses what CPUID promised (QEMU's TCG) gets HLT from then on.
static void sleep_mwait(void)
{
    bool works;
    __asm__ volatile("monitor" ::"a"(percpu_self()), "c"(0), "d"(0));
    __asm__ volatile("1: mwait\n"
                     "   mov $1, %b0\n"
                     "2:\n" EXTABLE("1b", "3f") ".pushsection .text.fixup, \"ax\"\n"
                                                "3: xor %b0, %b0\n"
                                                "   jmp 2b\n"
                                                ".popsection"
                     : "=d"(works)
                     : "a"(0), "c"(1)
                     : "memory");
    if (works)
        __asm__ volatile("sti\n\tnop\n\tcli" ::: "memory");
    else
        drop_feature(CPU_MONITOR);
}

// STI takes effect after the next instruction, so no interrupt can come between it and the sleep.
void cpu_sleep(void)
{
    if (cpu_has(CPU_MONITOR))
        sleep_mwait();
    else
        __asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
}

void cpu_halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli\n\thlt" ::: "memory");
}

uint64_t cpu_random(void)
{
    if (cpu_has(CPU_RDRAND)) {
        for (unsigned attempt = 0; attempt < 10; attempt++) {
            uint64_t value;
            bool ok;
            __asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(ok));
            if (ok)
                return value;
        }
    }
    // Time stamps mixed (the finalizer of splitmix64): unpredictable to nobody, but never constant.
    static uint64_t state;
    uint64_t z = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15 ^ cpu_cycles(), __ATOMIC_RELAXED);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
