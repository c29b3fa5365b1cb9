// SPDX-License-Identifier: GPL-3.0-or-later
// The one record of the machine (platform.h) and the values it starts from. No locks: written
// once, before there are other CPUs.
#include "kernel/arch/x86_64/platform.h"

struct platform platform;

void platform_guess(struct platform *p, uint32_t boot_apic_id)
{
    *p = (struct platform){
        .source = PLATFORM_GUESSED,
        .has_i8259 = true,
        .has_i8042 = true,
        .has_vga = true,
        .has_cmos_clock = true,
        .has_msi = true,
        .cpu_count = 1,
        .cpus = { { .apic_id = boot_apic_id } },
        .lapic_address = 0xfee00000,
        .ioapic_count = 1,
        .ioapics = { { .address = 0xfec00000 } },
    };
    for (uint32_t i = 0; i < PLATFORM_ISA_IRQS; i++)
        p->isa[i].gsi = i;
}
