// SPDX-License-Identifier: GPL-3.0-or-later
// KVM's paravirtual clock: for each CPU a record, kept by the hypervisor, of how TSC ticks become
// nanoseconds. Documentation/virt/kvm/x86/msr.rst of Linux.
//
// kvmclock_start() runs on each CPU that reads it. Reading: any context, preemption off or the
// caller does not mind that a neighbour's record is used when the hypervisor calls the clock
// stable.
#pragma once
#include "lib/base.h"

void kvmclock_start(void);      // this CPU
bool kvmclock_stable(void);     // the same on all CPUs, never going back
uint64_t kvmclock_tsc_hz(void); // by the record of this CPU; 0: none
nanos_t kvmclock_now(void);     // of this CPU's record
