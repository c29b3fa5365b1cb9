// SPDX-License-Identifier: GPL-3.0-or-later
// Timers of a process that tell of themselves by signals (timer_create). Found by number.
//
//   e = process_timer_make(&wish, &number);
//   e = process_timer_set(number, &setting, TIMER_ABSOLUTE, &old);
//
// One signal of a timer waits at most; how often it rang since is counted (overrun) and told with
// the signal. A new program and a child have none. Thread context, the calling process.
#pragma once
#include "kernel/process/cpu_clock.h"
#include "kernel/process/signal.h"
#include "kernel/scheme/timer_file.h"

struct process;

struct timer_wish {
    bool wall;   // by the wall clock
    bool by_cpu; // by `clock`
    struct cpu_clock clock;
    int signal;      // 0: none
    int32_t task;    // who gets it; 0: the process
    bool own_number; // the signal carries the timer's number instead of `value`
    uint64_t value;
};

err_t process_timer_make(const struct timer_wish *wish, int32_t *number) must_check;
// All -EINVAL: no such timer. `flags`: enum timer_file_flag.
err_t process_timer_set(int32_t number, const struct timer_setting *s, unsigned flags,
                        struct timer_setting *old) must_check;
err_t process_timer_get(int32_t number, struct timer_setting *s) must_check;
err_t process_timer_overrun(int32_t number, int *count) must_check; // of the last signal taken
err_t process_timer_drop(int32_t number) must_check;

void process_timers_drop(struct process *p); // all of them: it ends, or runs a new program
// A signal of a timer was queued with its information.
void process_timer_queued_locked(struct process *p, const struct signal_info *info);
// A signal of a timer is taken out of a queue of `p`, whose signal_lock is held: tells how often it
// rang meanwhile.
void process_timer_taken_locked(struct process *p, struct signal_info *info);
