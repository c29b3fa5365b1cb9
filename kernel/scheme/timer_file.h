// SPDX-License-Identifier: GPL-3.0-or-later
// Timer files: reading tells how often a timer rang since the last read, and waits until it has.
//
//   struct file *f;
//   e = timer_file_make(false, 0, &f);
//   e = timer_file_set(f, &(struct timer_setting){ .value = 5 * NANOS_PER_MILLI }, 0, &old);
//
// One that repeats is armed anew when somebody looks, so that short periods cost nothing while
// nobody does. A timer for a time of the wall clock follows when that is set. Thread context.
#pragma once
#include "kernel/scheme/file.h"

struct timer_setting {
    nanos_t value;    // until it rings, 0: disarmed
    nanos_t interval; // from then on, 0: once
};

enum timer_file_flag {
    TIMER_ABSOLUTE = 1, // `value` is a time of the timer's clock
    TIMER_CANCEL = 2,   // with ABSOLUTE, wall clock: setting the clock ends a read with -ECANCELED
};

err_t timer_file_make(bool wall, unsigned flags, struct file **file) must_check;
bool timer_file_is(const struct file *f);
// Of timer files. `old`: what was left of it.
void timer_file_set(struct file *f, const struct timer_setting *s, unsigned flags,
                    struct timer_setting *old);
void timer_file_get(struct file *f, struct timer_setting *s);
