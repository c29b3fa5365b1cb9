// SPDX-License-Identifier: GPL-3.0-or-later
// Where an interrupt arrives: from ISA numbers to global ones, from those to an I/O APIC's pin.
//
// Lookups in firmware's record (platform.h), which comes from outside: anything may be missing.
// Portable, no state. Tests: kernel/arch/x86_64/test/route.c.
#pragma once
#include "kernel/arch/x86_64/platform.h"

// The GSI of ISA interrupt `isa` (< 16) and, if `flags` is not NULL, enum platform_irq_flags.
uint32_t route_isa(const struct platform *p, unsigned isa, uint32_t *flags);

// The I/O APIC whose pins contain `gsi`: its index, with *pin; pins[i] says how many pins each has.
// -1: none.
int route_gsi(const struct platform *p, const uint8_t *pins, uint32_t gsi, unsigned *pin);
