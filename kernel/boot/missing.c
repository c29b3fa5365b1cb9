// SPDX-License-Identifier: GPL-3.0-or-later
// Stands in, weakly, for functions whose rooms are not in the tree yet, so that the kernel links
// and boots from the first day. Whoever adds the real one deletes the line here; the file goes when
// it is empty.
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/memory/space.h"
#include "kernel/sync/wait.h"

#define MISSING __attribute__((weak))

MISSING void smp_poll(void) {}

MISSING void tlb_shootdown(uint64_t cpus, phys_t top_table, uaddr_t start, uaddr_t end) {}

MISSING void ipi_stop_others(void) {}

MISSING void ipi_send(uint32_t cpu, uint8_t vector) {}

MISSING void fpu_switch(struct fpu_state *from, struct fpu_state *to) {}

MISSING void space_load(struct space *s) {}

MISSING nanos_t clock_hw_now(void)
{
    return (nanos_t)__builtin_ia32_rdtsc();
}

MISSING int64_t clock_hw_wall_at_boot(void)
{
    return 0;
}

MISSING void timer_hw_arm(nanos_t deadline) {}

MISSING uint64_t ipi_sent(uint8_t vector)
{
    return 0;
}
