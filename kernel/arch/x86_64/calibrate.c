// SPDX-License-Identifier: GPL-3.0-or-later
// Rates of the CPU's own counters (calibrate.h).
//
// Each sample reads the reference between two readings of the TSC, a few times, and keeps the
// tightest: whatever delays one reading (a hypervisor, system management) is left out that way.
#include "kernel/arch/x86_64/calibrate.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/kvmclock.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/scale.h"
#include "kernel/console/log.h"

enum {
    WINDOWS_A_SECOND = 200, // 5 ms
    SAMPLE_READS = 5,
    STUCK_READS = 1000000,
    QEMU_TIMER_HZ = 1000000000,
    LEAF_CRYSTAL = 0x15,
    LEAF_FREQUENCY = 0x16,
    LEAF_HYPERVISOR_RATES = 0x40000010,
};

struct sample {
    uint64_t tsc, reference;
    uint32_t timer_left;
};

static struct sample sample_take(const struct counter *reference)
{
    struct sample best = { 0 };
    uint64_t best_width = UINT64_MAX;
    for (unsigned i = 0; i < SAMPLE_READS; i++) {
        uint64_t before = tsc_ordered();
        uint64_t value = reference->read();
        uint32_t left = apic_timer_left();
        uint64_t after = tsc_ordered();
        if (after - before >= best_width)
            continue;
        best_width = after - before;
        best = (struct sample){ before + best_width / 2, value, left };
    }
    return best;
}

// False when the reference stopped on the way.
static bool measure(const struct counter *reference, struct calibration *c)
{
    apic_timer_mode(false);
    apic_timer_count(UINT32_MAX);
    struct sample first = sample_take(reference);
    uint64_t window = reference->hz / WINDOWS_A_SECOND, passed = 0;
    for (unsigned reads = 0; passed < window; reads++) {
        if (reads == STUCK_READS)
            return false;
        passed = (reference->read() - first.reference) & reference->mask;
    }
    struct sample last = sample_take(reference);
    apic_timer_count(0);

    passed = (last.reference - first.reference) & reference->mask;
    if (c->tsc_hz == 0)
        c->tsc_hz = scale_rate(last.tsc - first.tsc, passed, reference->hz);
    c->timer_hz = scale_rate(first.timer_left - last.timer_left, passed, reference->hz);
    return true;
}

// KVM, VMware and others: leaf 0x40000010 has the TSC's and the bus's rate in kHz.
static void ask_hypervisor(struct calibration *c)
{
    if (!cpu_has(CPU_HYPERVISOR))
        return;
    uint32_t highest = cpuid(0x40000000, 0).a;
    if (highest >= LEAF_HYPERVISOR_RATES && highest < 0x40010000) {
        struct cpuid_result r = cpuid(LEAF_HYPERVISOR_RATES, 0);
        c->tsc_hz = r.a * 1000ull;
        c->timer_hz = r.b * 1000ull;
        c->by = "hypervisor";
    }
    if (c->tsc_hz == 0 && cpu_has(CPU_KVM_CLOCK)) {
        c->tsc_hz = kvmclock_tsc_hz();
        c->by = "kvmclock";
    }
}

// Intel SDM volume 3, 19.7.3: crystal rate, which also drives the APIC timer, and the TSC's ratio.
static void ask_cpuid(struct calibration *c)
{
    if (cpuid(0, 0).a < LEAF_CRYSTAL)
        return;
    struct cpuid_result r = cpuid(LEAF_CRYSTAL, 0);
    if (r.a == 0 || r.b == 0 || r.c == 0)
        return;
    c->tsc_hz = scale_divide(r.c, r.b, r.a);
    c->timer_hz = r.c;
    c->by = "CPUID";
}

// The marketing frequency: near the truth, but no more than that.
static uint64_t guess_tsc_hz(void)
{
    uint64_t mhz = cpuid(0, 0).a >= LEAF_FREQUENCY ? cpuid(LEAF_FREQUENCY, 0).a & 0xffff : 0;
    return (mhz ? mhz : 1000) * 1000000;
}

// No device counts. The APIC timer of QEMU runs at 1 GHz: use it as the reference.
static uint64_t timer_as_counter(void)
{
    return UINT32_MAX - apic_timer_left();
}

static void guess(struct calibration *c)
{
    static const struct counter timer = {
        .name = "local APIC timer",
        .hz = QEMU_TIMER_HZ,
        .mask = UINT32_MAX,
        .read = timer_as_counter,
    };
    if (c->tsc_hz == 0 && cpu_has(CPU_HYPERVISOR) && measure(&timer, c)) {
        c->by = "local APIC timer";
        log_warn("clock: nothing here has a known rate: the APIC timer is taken for 1 GHz");
    } else if (c->tsc_hz == 0) {
        c->tsc_hz = guess_tsc_hz();
        c->by = "guess";
        log_warn("clock: nothing here has a known rate: time will be wrong");
    }
    if (c->timer_hz == 0)
        c->timer_hz = QEMU_TIMER_HZ;
}

// The TSC's rate is known: the timer is measured against it.
static uint64_t tsc_as_counter(void)
{
    return tsc_ordered();
}

static void measure_timer(struct calibration *c)
{
    const struct counter tsc = {
        .name = "TSC",
        .hz = c->tsc_hz,
        .mask = UINT64_MAX,
        .read = tsc_as_counter,
    };
    if (!measure(&tsc, c))
        c->timer_hz = QEMU_TIMER_HZ;
}

void calibrate(const struct platform *p, const struct counter *reference, struct calibration *c)
{
    bool steady = cpu_has(CPU_TSC_INVARIANT) || cpu_has(CPU_HYPERVISOR);
    *c = (struct calibration){
        .by = "nobody",
        .deadline = cpu_has(CPU_TSC_DEADLINE) && steady,
    };
    ask_hypervisor(c);
    if (c->tsc_hz == 0)
        ask_cpuid(c);
    bool timer_needed = !c->deadline && c->timer_hz == 0;
    if (c->tsc_hz != 0 && !timer_needed)
        return;
    if (c->tsc_hz != 0) {
        measure_timer(c);
        return;
    }
    if (reference == NULL)
        reference = counter_pit(p);
    if (reference != NULL && measure(reference, c))
        c->by = reference->name;
    else
        guess(c);
}
