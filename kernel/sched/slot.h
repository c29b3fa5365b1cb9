// SPDX-License-Identifier: GPL-3.0-or-later
// Time slots, for emulators that run all CPUs in turn on one thread; off on real machines.
//
// QEMU 7.2 counting instructions (-icount) lets the first CPU that has something to do run
// up to the machine's earliest timer, whosever that is; only if it stops before, the next CPU gets
// the rest. Since that timer's end begins the round anew, one CPU that computes and needs no timer
// stops all CPUs behind it: they never execute an instruction again, not even of their interrupts.
//
// With `slots=MICROSECONDS` on the kernel's command line, every CPU that does not sleep takes a
// timer interrupt at each multiple of that time, and all but the slot's owner (slot number modulo
// CPUs) then let the next CPU go first. The runner sets it with --icount.
//
//      time     0        100 us    200 us    300 us
//      owner    |  CPU 0  |  CPU 1  |  CPU 0  |  ...          of a slot whose owner sleeps the
//                                                             first CPU that does not has the use
#pragma once
#include "lib/base.h"

void slot_init(void);           // reads the command line
nanos_t slot_end(void);         // the present slot's; the end of time when there are no slots
void slot_yield(unsigned cpus); // lets another CPU have its slot. Interrupts off
