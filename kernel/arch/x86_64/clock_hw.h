// SPDX-License-Identifier: GPL-3.0-or-later
// Time from the hardware: a monotonic counter and one one-shot timer a CPU.
//
// Counter: kvmclock where offered, else the TSC calibrated against HPET or the PM timer (or PIT), else
// HPET or the PM timer themselves when the TSC cannot be trusted. `clocksource=NAME` chooses.
#pragma once
#include "kernel/arch/x86_64/platform.h"

// Finds and calibrates the counter (boot CPU, before smp_start). Logs what it chose.
void clock_hw_init(const struct platform *p);

// Nanoseconds since boot; never goes backwards. Any context, any CPU.
nanos_t clock_hw_now(void);

// Seconds since 1970 from the CMOS clock at boot, in UTC.
int64_t clock_hw_wall_at_boot(void);

// How the vDSO and timers convert: now = (tsc * mult >> shift) + base; false when not TSC based.
bool clock_hw_tsc_scale(uint64_t *mult, unsigned *shift, uint64_t *base);

// Arms this CPU's timer to interrupt (VECTOR_TIMER) at `deadline` ns since boot, or as soon as possible
// when that has passed; INT64_MAX disarms. Interrupts off. TSC-deadline or the local APIC timer.
void timer_hw_arm(nanos_t deadline);
