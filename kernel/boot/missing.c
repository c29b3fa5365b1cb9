// SPDX-License-Identifier: GPL-3.0-or-later
// Stands in, weakly, for functions whose rooms are not in the tree yet, so that the kernel links
// and boots from the first day. Whoever adds the real one deletes the line here; the file goes when
// it is empty.
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/sync/wait.h"

#define MISSING __attribute__((weak))

bool thread_wake(struct thread *t);

MISSING void smp_poll(void) {}

MISSING void preempt_turn(void) {}

MISSING bool thread_wake(struct thread *t)
{
    return false;
}

MISSING void tlb_shootdown(uint64_t cpus, phys_t top_table, uaddr_t start, uaddr_t end) {}

MISSING void ipi_stop_others(void) {}
