// SPDX-License-Identifier: GPL-3.0-or-later
// Clocks of processors' time: what a process, or one of its threads, has run; and what runs by
// them: setitimer's timers and RLIMIT_CPU. (timer_create's: timers.h.)
//
// No tick counts: who waits for such a clock looks at it when it may have come that far at the
// soonest, and then again. The process's signal_lock guards all. Any context but where said.
#pragma once
#include "lib/base.h"

struct process;
struct interval_timer;
struct timer_setting;

struct cpu_clock {
    bool user_only;
    int32_t task; // 0: the whole process
};

nanos_t cpu_clock_now_locked(struct process *p, const struct cpu_clock *c);
// How long it takes at the least until the clock has gone on by `left`.
nanos_t cpu_clock_span_locked(struct process *p, const struct cpu_clock *c, nanos_t left);

void interval_timers_init(struct process *p);
// Thread context: they do not fire any more when it returns.
void interval_timers_drop(struct process *p);
void interval_timer_get(struct interval_timer *i, struct timer_setting *left);
// `value` 0 stops it. Thread context.
void interval_timer_set(struct interval_timer *i, const struct timer_setting *s,
                        struct timer_setting *old);
// RLIMIT_CPU of the process was set, or inherited.
void cpu_limit_changed(struct process *p);
