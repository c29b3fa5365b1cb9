// SPDX-License-Identifier: GPL-3.0-or-later
// The end of the road: a bug in the kernel itself. Never used for bad input or lack of memory.
//
// panic() stops every CPU, prints the reason, the registers and a symbolised backtrace of every
// CPU, says how to go on, and halts (or powers off, restarts: `panic=` on the command line).
#pragma once
#include "lib/base.h"

void panic(const char *format, ...) __attribute__((noreturn)) printf_like(1, 2);

struct trap_frame;

// As panic(), for a trap: the report shows the registers of what it interrupted.
void panic_trap(const struct trap_frame *f, const char *format, ...) __attribute__((noreturn))
printf_like(2, 3);

// The NMI handler's part: leaves this CPU's registers for the report and stops.
void panic_stop_cpu(const struct trap_frame *f) __attribute__((noreturn));

// How `panic=poweroff` and `panic=reboot` are done; until set, a reset by the processor alone.
void panic_set_power(void (*power_off)(void), void (*restart)(void));

// True once a panic is under way: sinks then write without waiting for a lock.
extern bool panic_active;

// Our own invariants only. Evaluated in every build.
#define assert(condition)                                                         \
    do {                                                                          \
        if (unlikely(!(condition)))                                               \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition); \
    } while (0)

// Evaluated in debug builds only: for checks too dear for a hot path.
#ifdef CONFIG_DEBUG
#define debug_assert(condition) assert(condition)
#else
#define debug_assert(condition) ((void)sizeof(condition))
#endif
