// SPDX-License-Identifier: GPL-3.0-or-later
// What tests of this room may ask of the kernel that host_kernel.c pretends to be.
#pragma once
#include "lib/base.h"

struct thread;

enum { HOST_BAD_BELOW = 4096 }; // user addresses below it fault

extern int64_t host_blocks, host_pages; // in use
void host_kernel_start(void);
unsigned host_locks_held(void); // by this thread
struct thread *host_thread(void);
void host_interrupt(struct thread *t); // as a signal would
