// SPDX-License-Identifier: GPL-3.0-or-later
// Time from the hardware: a monotonic counter and one one-shot timer a CPU.
//
// Counter: the TSC, its rate told by CPUID or the hypervisor or calibrated against HPET, PM timer
// or PIT; kvmclock where the TSC's rate may change; HPET or the PM timer where the TSC cannot be
// trusted (CPUs disagree). `clocksource=tsc|kvmclock|hpet|pm` chooses. A machine without any of
// them gets a warning and a guess. docs/cpu.md tells how the choice goes.
#pragma once
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/platform.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/scale.h"

// How the TSC becomes time; mult 0: the clock is something else.
struct clock_tsc {
    uint64_t mult, base;
};
extern struct clock_tsc clock_tsc;

// Finds and calibrates the counter (boot CPU, before smp_start). Logs what it chose.
void clock_hw_init(const struct platform *p);

// Each other CPU: its timer.
void clock_hw_init_cpu(void);

// While CPUs start: each compares its TSC with the newest that any has seen (call it in the loops
// that wait). clock_hw_settle(), when all have: leaves the TSC if one went backwards. Boot CPU.
void clock_hw_compare(void);
void clock_hw_settle(void);

// Nanoseconds since boot; never goes backwards. Any context, any CPU.
nanos_t clock_hw_now(void);

// The same and this CPU's cycle counter, of one moment: for switches between threads.
static force_inline nanos_t clock_hw_now_with(uint64_t *cycles)
{
    if (unlikely(!clock_tsc.mult)) {
        *cycles = cpu_cycles();
        return clock_hw_now();
    }
    *cycles = cpu_cycles();
    return (nanos_t)(scale_apply(*cycles, clock_tsc.mult) + clock_tsc.base);
}

// Name of the counter in use, for the log and /proc.
const char *clock_hw_name(void);

// Seconds since 1970, UTC, when clock_hw_now() was 0, from the CMOS clock; 0: there is none.
int64_t clock_hw_wall_at_boot(void);

// How the vDSO and timers convert: now = (tsc * mult >> shift) + base
// (128-bit product); false when not TSC based.
bool clock_hw_tsc_scale(uint64_t *mult, unsigned *shift, uint64_t *base);

// Arms this CPU's timer to interrupt (VECTOR_TIMER) at `deadline` ns since boot, or as soon as
// possible when that has passed; INT64_MAX disarms. Interrupts off. TSC-deadline or the local APIC
// timer.
void timer_hw_arm(nanos_t deadline);
