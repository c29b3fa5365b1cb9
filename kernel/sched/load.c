// SPDX-License-Identifier: GPL-3.0-or-later
// Load average: an exponentially fading mean of the number of runnable threads, in 1/2048.
//
// Counted at turns, at most once in 5 s, so that an idle machine needs no timer for it. While no
// core took a turn nothing changed: the whole gap counts with what ran before it ended.
#include "kernel/sched/turn.h"

enum { ONE = 2048, GAPS_MOST = 720 };
#define INTERVAL (5 * NANOS_PER_SECOND)

static const uint32_t fading[3] = { 1884, 2014, 2037 }; // exp(-5 s / 1, 5, 15 min)
static nanos_t next_sample = INTERVAL;                  // atomic
static uint32_t averages[3];                            // atomic

static uint32_t running(void)
{
    uint32_t n = 0;
    for (unsigned cpu = 0; cpu < ring.cores; cpu++) {
        const struct ring_core *c = ring.core[cpu];
        if (c && __atomic_load_n(&c->current, __ATOMIC_RELAXED))
            n += 1 + __atomic_load_n(&c->waiting, __ATOMIC_RELAXED);
    }
    return n;
}

void load_sample(nanos_t now)
{
    nanos_t due = __atomic_load_n(&next_sample, __ATOMIC_RELAXED);
    if (likely(now < due))
        return;
    nanos_t gaps = 1 + (now - due) / INTERVAL;
    if (!__atomic_compare_exchange_n(&next_sample, &due, due + gaps * INTERVAL, false,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return; // another CPU counts

    uint64_t n = running() * (uint64_t)ONE;
    for (unsigned k = 0; k < array_len(averages); k++) {
        uint64_t a = averages[k];
        for (nanos_t gap = 0; gap < min_of(gaps, (nanos_t)GAPS_MOST); gap++)
            a = (a * fading[k] + n * (ONE - fading[k])) / ONE;
        __atomic_store_n(&averages[k], (uint32_t)a, __ATOMIC_RELAXED);
    }
}

void load_average(uint32_t average[3])
{
    load_sample(clock_now());
    for (unsigned k = 0; k < array_len(averages); k++)
        average[k] = __atomic_load_n(&averages[k], __ATOMIC_RELAXED);
}
