// SPDX-License-Identifier: GPL-3.0-or-later
// Counters of known rate outside the CPU: what the TSC is calibrated against, and the clock itself
// where the TSC is not to be trusted.
//
//   const struct counter *c = counter_hpet(&platform);
//   if (c != NULL) start = c->read();
//
// Each counter_* looks whether the device is there and runs, and returns NULL (with a warning when
// firmware promised it) otherwise. Boot CPU; `read` works on any CPU, the PIT's only on one at a
// time.
#pragma once
#include "kernel/arch/x86_64/platform.h"

struct counter {
    const char *name;
    uint64_t hz;
    uint64_t mask; // counts up, modulo mask + 1
    uint64_t (*read)(void);
};

const struct counter *counter_hpet(const struct platform *p);
const struct counter *counter_pm_timer(const struct platform *p);
const struct counter *counter_pit(const struct platform *p);
