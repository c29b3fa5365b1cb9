// SPDX-License-Identifier: GPL-3.0-or-later
// The local APIC: each CPU's own interrupt controller. x2APIC where there is one, else xAPIC.
//
//   apic_init(&platform);                boot CPU, once memory can map devices; masks the old PICs
//   too apic_init_cpu();                     each other CPU apic_send(id, APIC_FIXED |
//   VECTOR_TURN);
//
// Every register belongs to one CPU: no locks. trap_dispatch() calls apic_end_interrupt() after the
// handler of each vector from VECTOR_DEVICE_FIRST up to 0xfe; handlers never do. APIC IDs above
// 254 can be reached in x2APIC mode only. Device interrupts go to IDs up to 254.
#pragma once
#include "kernel/arch/x86_64/platform.h"

// Delivery modes of apic_send(), with the vector in the low byte.
enum {
    APIC_FIXED = 0 << 8,
    APIC_NMI = 4 << 8,
    APIC_INIT = 5 << 8 | 1 << 14,
    APIC_STARTUP = 6 << 8 | 1 << 14, // vector: page number below 1 MiB
};

void apic_init(const struct platform *p);
void apic_init_cpu(void);
uint32_t apic_own_id(void);   // by CPUID: works before apic_init()
uint32_t apic_id_limit(void); // highest ID that can be reached
void apic_end_interrupt(void);
void apic_send(uint32_t apic_id, uint32_t command);
void apic_send_others(uint32_t command); // all but this CPU

// The timer: counts down from `count`, one-shot; 0 stops it. apic_timer_deadline: TSC-deadline
// mode.
void apic_timer_count(uint32_t count);
uint32_t apic_timer_left(void);
void apic_timer_deadline(uint64_t tsc);
// Chooses the mode of this CPU's timer: TSC deadline or count. Masked until the first choice.
void apic_timer_mode(bool deadline);
