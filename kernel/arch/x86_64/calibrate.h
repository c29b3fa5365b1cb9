// SPDX-License-Identifier: GPL-3.0-or-later
// How fast the TSC and the local APIC's timer run: told by the hypervisor or by CPUID, else
// measured against a counter of known rate for 5 ms, else guessed with a warning. Boot CPU,
// interrupts off.
#pragma once
#include "kernel/arch/x86_64/counter.h"

struct calibration {
    uint64_t tsc_hz, timer_hz;
    const char *by; // who told, for the log
    bool deadline;  // the timer takes TSC deadlines, and the TSC is steady enough for them
};

// `reference` may be NULL: then the PIT is tried.
void calibrate(const struct platform *p, const struct counter *reference, struct calibration *c);
