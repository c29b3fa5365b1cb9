// SPDX-License-Identifier: GPL-3.0-or-later
// Time slots (slot.h). `length` is written once at boot.
#include "kernel/sched/slot.h"
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/preempt.h"
#include "lib/command_line.h"

static nanos_t length; // 0: no slots

void slot_init(void)
{
    uint64_t micros = command_line_number(command_line(), "slots", 0);
    length = (nanos_t)min_of(micros, (uint64_t)1000000) * NANOS_PER_MICRO;
}

nanos_t slot_end(void)
{
    if (likely(length == 0))
        return INT64_MAX;
    nanos_t now = clock_hw_now();
    return now - now % length + length;
}

void slot_yield(unsigned cpus)
{
    if (clock_hw_now() / length % cpus != cpu_number())
        cpu_relax(); // an emulator takes it as a sign that others should run
}
