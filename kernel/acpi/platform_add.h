// SPDX-License-Identifier: GPL-3.0-or-later
// What the parsers of MADT and MP table have in common: adding to the record of the machine with
// its limits kept. Each warns when it leaves something out. Private to the parsers of this room.
#pragma once
#include "kernel/arch/x86_64/platform.h"

// A CPU that firmware enabled. Leaves out APIC IDs that are there already or do not fit.
void platform_add_cpu(struct platform *p, uint32_t apic_id, uint32_t firmware_id);
// Makes sure the boot CPU is in the list, whatever firmware thinks.
void platform_add_boot_cpu(struct platform *p, uint32_t apic_id);
void platform_add_ioapic(struct platform *p, uint8_t id, phys_t address, uint32_t gsi_base);
void platform_add_gsi_nmi(struct platform *p, uint32_t gsi, uint32_t flags);
void platform_add_lapic_nmi(struct platform *p, uint32_t firmware_id, uint8_t lint, uint32_t flags);

// The flags of MADT and MP table (MPS INTI flags, ACPI 6.4, table 5.26) as platform_irq_flags;
// `conforms` are the bus's own, where the table leaves it to the bus.
uint32_t platform_irq_flags(uint16_t inti, uint32_t conforms);
