// SPDX-License-Identifier: GPL-3.0-or-later
// The layer that ACPICA stands on (its "OSL"): what acpiosxf.h asks for, made of the kernel's
// parts. One file for each kind of thing:
//
//   osl_memory.c    heap, slab caches
//   osl_map.c       mapping of tables and operation regions
//   osl_sync.c      spin locks, semaphores
//   osl_work.c      deferred execution on two threads, sleeping, time
//   osl_register.c  ports, registers in memory, PCI configuration space
//   osl_system.c    start, root pointer, interrupts, signals, what we do not override
//   osl_print.c     messages, gathered into lines of the kernel log
//
// The functions here are those that only this room calls.
#pragma once
#include "lib/base.h"

// Starts the threads that run deferred work. Thread context, before ACPICA is started.
err_t osl_work_start(void) must_check;

// Queues function(context) for the event thread. Any context; -ENOMEM.
err_t osl_work_queue(void (*function)(void *context), void *context) must_check;

// Maps firmware's memory: the direct map where there is memory, else registers. NULL: no room.
void *osl_map(phys_t address, size_t size) must_check;
void osl_unmap(const void *p);

// Maps the page of a register in memory, so that it can be used where nobody may sleep.
void osl_register_prepare(phys_t address);
