// SPDX-License-Identifier: GPL-3.0-or-later
// Interrupt numbers to pins (route.h).
#include "kernel/arch/x86_64/route.h"

uint32_t route_isa(const struct platform *p, unsigned isa, uint32_t *flags)
{
    if (isa >= PLATFORM_ISA_IRQS) {
        if (flags != NULL)
            *flags = 0;
        return isa;
    }
    if (flags != NULL)
        *flags = p->isa[isa].flags;
    return p->isa[isa].gsi;
}

int route_gsi(const struct platform *p, const uint8_t *pins, uint32_t gsi, unsigned *pin)
{
    for (unsigned i = 0; i < p->ioapic_count; i++) {
        uint32_t base = p->ioapics[i].gsi_base;
        if (gsi < base || gsi - base >= pins[i])
            continue;
        *pin = gsi - base;
        return (int)i;
    }
    return -1;
}
