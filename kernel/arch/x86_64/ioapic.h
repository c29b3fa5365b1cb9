// SPDX-License-Identifier: GPL-3.0-or-later
// I/O APICs: the chips whose pins device interrupts arrive at. irq.c is the only user.
//
// Each access takes a register number and then the register: one lock around both, interrupts off.
// Any context.
#pragma once
#include "kernel/arch/x86_64/platform.h"

void ioapic_init(const struct platform *p); // maps all, masks every pin
bool ioapic_has(uint32_t gsi);
// Routes a pin to one CPU's vector, masked. `flags`: enum platform_irq_flags.
void ioapic_route(uint32_t gsi, uint32_t flags, uint8_t vector, uint32_t apic_id);
void ioapic_set_mask(uint32_t gsi, bool masked);
