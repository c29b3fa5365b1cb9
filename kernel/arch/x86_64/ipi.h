// SPDX-License-Identifier: GPL-3.0-or-later
// Setting up interrupts between CPUs; what they are for is in smp.h.
#pragma once

void ipi_init(void); // handlers of the vectors; boot CPU, before other CPUs run
