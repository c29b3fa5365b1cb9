// SPDX-License-Identifier: GPL-3.0-or-later
// What drivers that are programs are given by the kernel: interrupts (scheme "irq"), and the raw
// bytes of the PS/2 ports (scheme "serio"). For root only.
#pragma once

// Registers the schemes; after the terminals, which take their interrupts first.
void driver_schemes_init(void);

void irq_scheme_init(void);   // irq_scheme.c
void serio_scheme_init(void); // serio.c
