// SPDX-License-Identifier: GPL-3.0-or-later
// Starting the scheduler, and what the boot order and /proc ask of it. The idea is told in ring.h.
#pragma once
#include "kernel/sched/thread.h"

// Makes the calling flow of control the first thread (boot CPU) and turns interrupts on. Needs the
// heap, interrupt controllers and clock. Threads may be made from here on.
void sched_init(void);
// When all other CPUs run: what there is of each.
void sched_others_run(void);
// Where another CPU enters (smp_start); never returns.
void sched_enter_cpu(void) __attribute__((noreturn));
// The boot CPU's flow ends here: its thread exits, and the CPU idles when nothing else runs.
void sched_idle(void) __attribute__((noreturn));

struct sched_load {
    uint32_t running, threads;
    uint32_t average[3]; // load over 1, 5, 15 minutes, in 1/2048
    uint64_t switches;
};
void sched_load(struct sched_load *load);

struct sched_cpu {
    nanos_t user, nice, system, idle, interrupt;
    uint64_t turns, token_passes, wake_ipis, switches;
};
void sched_cpu(uint32_t cpu, struct sched_cpu *out);
