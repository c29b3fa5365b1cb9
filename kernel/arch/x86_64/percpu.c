// SPDX-License-Identifier: GPL-3.0-or-later
// The boot CPU's area, and the list of all areas. smp.c adds the other CPUs.
#include "kernel/arch/x86_64/percpu.h"

static in_section(".percpu.head") keep_symbol struct percpu_head boot_cpu_head;

char *percpu_areas[CPU_MAX];
uint32_t cpu_count = 1;

void percpu_init(void)
{
    struct percpu_head *head = (struct percpu_head *)percpu_start;
    head->self = head;
    percpu_areas[0] = percpu_start;
}
