// SPDX-License-Identifier: GPL-3.0-or-later
// Prints what the ring does on simulated machines of 1 to 1,024 cores as a table (CSV), for
// tools/ring/plot.py.
#include "kernel/sched/test/ring_sim.h"
#include <stdio.h>

static void add_many(struct sim *s, const struct sim_kind *k, unsigned count)
{
    for (unsigned n = 0; n < count; n++)
        sim_add(s, k, n % s->cores);
}

static void two_each(struct sim *s)
{
    add_many(s, &(struct sim_kind){ .run = SIM_ENDLESS }, 2 * s->cores);
}

static void two_each_and_one(struct sim *s)
{
    add_many(s, &(struct sim_kind){ .run = SIM_ENDLESS }, 2 * s->cores + 1);
}

static void three_for_two(struct sim *s)
{
    add_many(s, &(struct sim_kind){ .run = SIM_ENDLESS }, s->cores + (s->cores + 1) / 2);
}

static void mixed(struct sim *s)
{
    add_many(s, &(struct sim_kind){ .run = SIM_ENDLESS }, s->cores);
    add_many(s, &(struct sim_kind){ .run = 500000, .pause = 5000000, .vary = true }, s->cores);
    add_many(s, &(struct sim_kind){ .run = 1000000, .pause = 50000000, .together = true },
             s->cores);
}

static void sleepy(struct sim *s)
{
    add_many(s, &(struct sim_kind){ .run = 200000, .pause = 1800000, .vary = true }, 2 * s->cores);
}

static void pipes(struct sim *s)
{
    for (unsigned n = 0; n < s->cores; n++) {
        struct sim_kind side = { .run = 20000, .pipe = true, .partner = 2 * n + 1 };
        sim_add(s, &side, n);
        side.partner = 2 * n;
        sim_add(s, &side, n);
    }
}

static const struct {
    const char *name;
    void (*fill)(struct sim *s);
} loads[] = {
    { "2N busy", two_each },        { "2N+1 busy", two_each_and_one },
    { "3N/2 busy", three_for_two }, { "mixed", mixed },
    { "sleepy", sleepy },           { "pipes", pipes },
};

int main(void)
{
    printf("load,cores,jain,busy,wait_ms,ipis_core_s,switches_core_s,ipis_wake,p50_us,p99_us,idle_"
           "us\n");
    for (size_t l = 0; l < array_len(loads); l++)
        for (unsigned cores = 1; cores <= 1024; cores *= 2) {
            struct sim *s = sim_make(cores, 1);
            loads[l].fill(s);
            sim_run(s, NANOS_PER_SECOND / 2);
            sim_count_from_here(s);
            sim_run(s, NANOS_PER_SECOND);
            printf("%s,%u,%.5f,%.5f,%.3f,%.2f,%.2f,%.4f,%.3f,%.3f,%.1f\n", loads[l].name, cores,
                   sim_jain(s), sim_busy(s), (double)sim_waited_most(s) / 1e6,
                   (double)s->sends / cores, (double)s->switches / cores,
                   s->wakes ? (double)s->sends / (double)s->wakes : 0.0,
                   (double)sim_latency(s, 0.5) / 1e3, (double)sim_latency(s, 0.99) / 1e3,
                   (double)s->idle_most / 1e3);
            sim_drop(s);
        }
    return 0;
}
