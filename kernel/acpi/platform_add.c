// SPDX-License-Identifier: GPL-3.0-or-later
// Adding to the record of the machine (platform_add.h).
#include "kernel/acpi/platform_add.h"
#include "kernel/console/log.h"

static bool has_cpu(const struct platform *p, uint32_t apic_id)
{
    for (unsigned i = 0; i < p->cpu_count; i++)
        if (p->cpus[i].apic_id == apic_id)
            return true;
    return false;
}

void platform_add_cpu(struct platform *p, uint32_t apic_id, uint32_t firmware_id)
{
    if (has_cpu(p, apic_id)) {
        log_warn("acpi: firmware lists the CPU with APIC ID %u twice", apic_id);
        return;
    }
    if (p->cpu_count == CPU_MAX) {
        p->cpu_slots++;
        return;
    }
    p->cpus[p->cpu_count++] = (struct platform_cpu){ apic_id, firmware_id };
}

void platform_add_boot_cpu(struct platform *p, uint32_t apic_id)
{
    if (has_cpu(p, apic_id))
        return;
    log_warn("acpi: firmware does not list the boot CPU (APIC ID %u)", apic_id);
    if (p->cpu_count == CPU_MAX)
        p->cpu_count--;
    p->cpus[p->cpu_count++] = (struct platform_cpu){ .apic_id = apic_id };
}

void platform_add_ioapic(struct platform *p, uint8_t id, phys_t address, uint32_t gsi_base)
{
    if (address == 0 || !is_aligned(address, 16)) {
        log_warn("acpi: I/O APIC %u at impossible address %#llx is left out", id,
                 (unsigned long long)address);
        return;
    }
    for (unsigned i = 0; i < p->ioapic_count; i++) {
        if (p->ioapics[i].address == address || p->ioapics[i].gsi_base == gsi_base) {
            log_warn("acpi: I/O APIC %u is like %u and is left out", id, p->ioapics[i].id);
            return;
        }
    }
    if (p->ioapic_count == PLATFORM_IOAPIC_MAX) {
        log_warn("acpi: more than %d I/O APICs", PLATFORM_IOAPIC_MAX);
        return;
    }
    p->ioapics[p->ioapic_count++] = (struct platform_ioapic){ address, gsi_base, id };
}

void platform_add_gsi_nmi(struct platform *p, uint32_t gsi, uint32_t flags)
{
    if (p->gsi_nmi_count == PLATFORM_NMI_MAX)
        log_warn("acpi: more than %d NMI sources", PLATFORM_NMI_MAX);
    else
        p->gsi_nmis[p->gsi_nmi_count++] = (struct platform_irq){ gsi, flags };
}

void platform_add_lapic_nmi(struct platform *p, uint32_t firmware_id, uint8_t lint, uint32_t flags)
{
    if (lint > 1)
        log_warn("acpi: NMI on local APIC pin %u, which does not exist", lint);
    else if (p->lapic_nmi_count == PLATFORM_NMI_MAX)
        log_warn_once("acpi: more than %d local NMIs, the rest is left out", PLATFORM_NMI_MAX);
    else
        p->lapic_nmis[p->lapic_nmi_count++] =
            (struct platform_lapic_nmi){ firmware_id, lint, (uint8_t)flags };
}

uint32_t platform_irq_flags(uint16_t inti, uint32_t conforms)
{
    uint32_t flags = conforms;
    unsigned polarity = inti & 3, trigger = inti >> 2 & 3;
    if (polarity == 1)
        flags &= ~(uint32_t)PLATFORM_IRQ_LOW;
    if (polarity == 3)
        flags |= PLATFORM_IRQ_LOW;
    if (trigger == 1)
        flags &= ~(uint32_t)PLATFORM_IRQ_LEVEL;
    if (trigger == 3)
        flags |= PLATFORM_IRQ_LEVEL;
    return flags;
}
