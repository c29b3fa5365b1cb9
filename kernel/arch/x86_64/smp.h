// SPDX-License-Identifier: GPL-3.0-or-later
// The other CPUs: starting them, and sending them interrupts.
//
// smp_start() wakes all enabled CPUs in parallel and waits until each has reported or 100 ms + 10
// ms each have passed (a CPU that does not answer is logged and left out). Each then calls the
// entry the scheduler gave, with its per-CPU area, stack, traps and local APIC ready, interrupts
// off. smp_start() returns when each has called smp_ready(), which says that it can be given work.
#pragma once
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/platform.h"

void smp_start(const struct platform *p, void (*entry)(void) /* never returns */);
void smp_ready(void);

// One interrupt to one CPU. Any context.
void ipi_send(uint32_t cpu, uint8_t vector);

// Runs `function` on every CPU in `cpus` (a bit for each number; oneself directly), waits for all.
// Interrupts on; must not be called from interrupts or with a spin lock held.
void ipi_call(uint64_t cpus, void (*function)(void *data), void *data);

// TLB: removes [start, end) of the space with page tables `top_table` on the CPUs in `cpus`, waits
// for all; end == UINT64_MAX: everything. Spin locks may be held; interrupts must be on or the
// caller polls.
void tlb_shootdown(uint64_t cpus, phys_t top_table, uaddr_t start, uaddr_t end);

// Answers TLB requests to this CPU. For loops that wait with interrupts off for another CPU.
void smp_poll(void);

// NMI to all others, for the panic report.
void ipi_stop_others(void);

// Counts of sent IPIs by vector, for tests and /proc: an idle machine sends none.
uint64_t ipi_sent(uint8_t vector);
