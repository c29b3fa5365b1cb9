// SPDX-License-Identifier: GPL-3.0-or-later
// Who is told when the wall clock was set: timers for a time of that clock.
//
//   clock_jump_begin(&j, jumped); ... clock_jump_end(&j);
//
// `jumped` runs in the thread that sets the clock, under a spin lock (RANK_CLOCK). Threads only.
#pragma once
#include "kernel/sched/timer.h"
#include "lib/list.h"

struct clock_jump {
    struct list link;
    void (*jumped)(struct clock_jump *j);
};

void clock_jump_begin(struct clock_jump *j, void (*jumped)(struct clock_jump *j));
void clock_jump_end(struct clock_jump *j); // returns when it is not being told either
// Sleeps until a time of the wall clock, wherever that is set meanwhile: 0 or -EINTR.
err_t clock_sleep_until_wall(nanos_t wall) must_check;
void clock_jump_tell(void); // clock_set_wall() calls it
