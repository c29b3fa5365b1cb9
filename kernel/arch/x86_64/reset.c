// SPDX-License-Identifier: GPL-3.0-or-later
// Triple fault (reset.h): an interrupt while the interrupt table is empty, and so for the double
// fault that follows. The chipset answers the processor's shutdown by a reset.
#include "kernel/arch/x86_64/reset.h"
#include "lib/base.h"

void cpu_reset(void)
{
    struct {
        uint16_t limit;
        void *base;
    } packed_struct nothing = { 0, NULL };
    for (;;)
        __asm__ volatile("cli\n\tlidt %0\n\tint3" ::"m"(nothing));
}
