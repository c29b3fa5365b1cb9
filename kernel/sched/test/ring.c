// SPDX-License-Identifier: GPL-3.0-or-later
// The ring in the simulated machine (ring_sim.h): fairness, work conservation, IPIs, latency, for
// machines of 1 to 1,024 cores. The invariants themselves are checked in each step.
#include "kernel/sched/test/ring_sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const struct sim_kind endless = { .run = SIM_ENDLESS };

static void add_many(struct sim *s, const struct sim_kind *k, unsigned count)
{
    for (unsigned n = 0; n < count; n++)
        sim_add(s, k, n % s->cores);
}

// CPU-bound threads: who wants the processor gets a fair share, and no core is left idle.
static const struct {
    unsigned cores, threads;
    double jain;
} fair_cases[] = {
    { 1, 1, 0.999 },    { 1, 2, 0.999 },      { 1, 3, 0.999 },      { 2, 3, 0.999 },
    { 2, 4, 0.999 },    { 2, 5, 0.999 },      { 4, 5, 0.999 },      { 4, 8, 0.999 },
    { 4, 9, 0.999 },    { 8, 9, 0.999 },      { 8, 16, 0.999 },     { 8, 17, 0.999 },
    { 16, 24, 0.999 },  { 64, 128, 0.999 },   { 64, 129, 0.999 },   { 64, 100, 0.999 },
    { 256, 512, 0.99 }, { 1024, 2048, 0.99 }, { 1024, 1536, 0.99 }, { 1024, 1025, 0.99 },
};

static void cpu_bound_threads_share_fairly(void **state)
{
    for (size_t n = 0; n < array_len(fair_cases); n++) {
        struct sim *s = sim_make(fair_cases[n].cores, n);
        add_many(s, &endless, fair_cases[n].threads);
        sim_run(s, NANOS_PER_SECOND / 2);
        sim_count_from_here(s);
        sim_run(s, 2 * NANOS_PER_SECOND);
        printf("  %4u cores %4u threads: Jain %.4f, busy %.4f, waited %4lld ms, %.0f IPIs and %.0f "
               "switches a core and second, %llu moves\n",
               s->cores, s->count, sim_jain(s), sim_busy(s),
               (long long)(sim_waited_most(s) / NANOS_PER_MILLI), (double)s->sends / 2 / s->cores,
               (double)s->switches / 2 / s->cores, (unsigned long long)sim_pulls(s));
        assert_true(sim_jain(s) >= fair_cases[n].jain);
        assert_true(sim_busy(s) >= 0.999 * min_of(1.0, (double)s->count / s->cores));
        sim_drop(s);
    }
}

static void shares_follow_weights(void **state)
{
    for (unsigned cores = 1; cores <= 4; cores *= 2) {
        struct sim *s = sim_make(cores, 1);
        struct sim_kind low = { .run = SIM_ENDLESS, .nice = 5 };
        add_many(s, &endless, 2 * cores);
        add_many(s, &low, 2 * cores);
        sim_run(s, NANOS_PER_SECOND);
        sim_count_from_here(s);
        sim_run(s, 5 * NANOS_PER_SECOND);
        double high_ran = 0, low_ran = 0;
        for (unsigned n = 0; n < 2 * cores; n++) {
            high_ran += (double)sim_ran(s, n);
            low_ran += (double)sim_ran(s, 2 * cores + n);
        }
        printf("  %u cores: nice 0 : nice 5 = %.3f (weights: %.3f)\n", cores, high_ran / low_ran,
               1024 / 335.0);
        assert_true(high_ran / low_ran > 2.75 && high_ran / low_ran < 3.35);
        sim_drop(s);
    }
}

static void an_idle_machine_sends_nothing(void **state)
{
    for (unsigned cores = 1; cores <= 1024; cores *= 4) {
        struct sim *s = sim_make(cores, 1);
        struct sim_kind brief = { .run = NANOS_PER_MILLI, .pause = 3600 * NANOS_PER_SECOND };
        add_many(s, &brief, 3 * cores);
        sim_run(s, NANOS_PER_SECOND);
        sim_count_from_here(s);
        sim_run(s, 100 * NANOS_PER_SECOND);
        assert_int_equal(s->sends, 0);
        assert_int_equal(s->timers, 0);
        assert_int_equal(s->switches, 0);
        assert_true(s->ring.token.holder & RING_RESTS);
        sim_drop(s);
    }
}

static void one_busy_thread_a_core_sends_nothing(void **state)
{
    struct sim *s = sim_make(16, 1);
    add_many(s, &endless, 16);
    sim_run(s, NANOS_PER_SECOND);
    sim_count_from_here(s);
    sim_run(s, 10 * NANOS_PER_SECOND);
    assert_int_equal(s->sends, 0);
    assert_int_equal(s->timers, 0);
    assert_true(sim_busy(s) > 0.9999);
    sim_drop(s);
}

// Two threads that hand a ball to and fro end up on one core and send no IPI.
static void pipes_hand_over_without_ipis(void **state)
{
    struct sim *s = sim_make(8, 1);
    for (unsigned pair = 0; pair < 6; pair++) {
        struct sim_kind side = { .run = 20 * NANOS_PER_MICRO, .pipe = true };
        side.partner = 2 * pair + 1;
        sim_add(s, &side, pair);
        side.partner = 2 * pair;
        sim_add(s, &side, pair);
    }
    sim_run(s, NANOS_PER_SECOND / 10);
    sim_count_from_here(s);
    sim_run(s, NANOS_PER_SECOND);
    printf("  6 pipes on 8 cores: %llu wake-ups, %llu IPIs\n", (unsigned long long)s->wakes,
           (unsigned long long)s->sends);
    assert_true(s->wakes > 100000);
    assert_true(s->sends * 100 < s->wakes);
    sim_drop(s);
}

static void a_mixed_load_keeps_the_machine_busy_and_quick(void **state)
{
    for (unsigned cores = 1; cores <= 256; cores *= 4) {
        struct sim *s = sim_make(cores, cores);
        struct sim_kind sleepy = { .run = NANOS_PER_MILLI / 2,
                                   .pause = 5 * NANOS_PER_MILLI,
                                   .vary = true };
        struct sim_kind burst = { .run = NANOS_PER_MILLI,
                                  .pause = 50 * NANOS_PER_MILLI,
                                  .together = true };
        add_many(s, &endless, cores);
        add_many(s, &sleepy, 2 * cores);
        add_many(s, &burst, 2 * cores);
        sim_run(s, NANOS_PER_SECOND / 2);
        sim_count_from_here(s);
        sim_run(s, 2 * NANOS_PER_SECOND);
        printf("  %4u cores: Jain %.4f, busy %.4f, %.2f IPIs a wake-up, latency p50 %lld us p99 "
               "%lld us, "
               "idle beside work at most %lld us\n",
               cores, sim_jain(s), sim_busy(s), (double)s->sends / (double)s->wakes,
               (long long)sim_latency(s, 0.5) / 1000, (long long)sim_latency(s, 0.99) / 1000,
               (long long)s->idle_most / 1000);
        assert_true(sim_busy(s) > 0.99);
        assert_true(sim_jain(s) > 0.98);
        assert_true(sim_waited_most(s) < 200 * NANOS_PER_MILLI);
        sim_drop(s);
    }
}

static void real_time_goes_first(void **state)
{
    struct sim *s = sim_make(4, 1);
    add_many(s, &endless, 12);
    struct sim_kind urgent = { .run = 200 * NANOS_PER_MICRO,
                               .pause = 5 * NANOS_PER_MILLI,
                               .priority = 50 };
    unsigned first = s->count;
    add_many(s, &urgent, 4);
    sim_run(s, NANOS_PER_SECOND / 10);
    sim_count_from_here(s);
    sim_run(s, 2 * NANOS_PER_SECOND);
    for (unsigned n = first; n < s->count; n++)
        assert_true(s->threads[n]->waited_most <= 5 * NANOS_PER_MICRO);
    sim_drop(s);
}

static void round_robin_shares_among_equals(void **state)
{
    struct sim *s = sim_make(1, 1);
    struct sim_kind round = { .run = SIM_ENDLESS, .class = CLASS_ROUND, .priority = 10 };
    add_many(s, &round, 3);
    sim_run(s, 3 * NANOS_PER_SECOND);
    assert_true(sim_jain(s) > 0.999);
    sim_drop(s);
}

static void the_idle_class_runs_only_when_nothing_else_does(void **state)
{
    struct sim *s = sim_make(2, 1);
    struct sim_kind last = { .run = SIM_ENDLESS, .class = CLASS_IDLE };
    add_many(s, &endless, 2);
    unsigned n = sim_add(s, &last, 0);
    sim_run(s, NANOS_PER_SECOND);
    sim_count_from_here(s);
    sim_run(s, NANOS_PER_SECOND);
    assert_int_equal(sim_ran(s, n), 0);
    sim_drop(s);

    s = sim_make(2, 1);
    sim_add(s, &endless, 0);
    n = sim_add(s, &last, 0);
    sim_run(s, NANOS_PER_SECOND);
    assert_true(sim_ran(s, n) > NANOS_PER_SECOND * 98 / 100);
    sim_drop(s);
}

static void pinned_threads_stay(void **state)
{
    struct sim *s = sim_make(4, 1);
    struct sim_kind pinned = { .run = SIM_ENDLESS, .pinned = true };
    for (unsigned n = 0; n < 3; n++)
        sim_add(s, &pinned, 2);
    add_many(s, &endless, 3);
    sim_run(s, NANOS_PER_SECOND);
    sim_count_from_here(s);
    sim_run(s, 3 * NANOS_PER_SECOND);
    for (unsigned n = 0; n < 3; n++) {
        assert_int_equal(s->threads[n]->item.core, 2);
        assert_true(sim_ran(s, n) > 980 * NANOS_PER_MILLI);
        assert_true(sim_ran(s, 3 + n) > 2980 * NANOS_PER_MILLI);
    }
    sim_drop(s);
}

// A thread that slept for long may not starve the others with what it saved up.
static void sleepers_have_no_unbounded_credit(void **state)
{
    struct sim *s = sim_make(1, 1);
    struct sim_kind slept = { .run = NANOS_PER_MICRO, .pause = 30 * NANOS_PER_SECOND };
    unsigned n = sim_add(s, &slept, 0);
    add_many(s, &endless, 2);
    sim_run(s, 29 * NANOS_PER_SECOND);
    s->threads[n]->kind.run = SIM_ENDLESS;
    s->threads[n]->left = SIM_ENDLESS;
    sim_run(s, 2 * NANOS_PER_SECOND);
    sim_count_from_here(s);
    sim_run(s, 3 * NANOS_PER_SECOND);
    assert_true(sim_ran(s, n) < 1050 * NANOS_PER_MILLI);
    assert_true(sim_jain(s) > 0.999);
    sim_drop(s);
}

// Everything at once, with threads that change nice, class and affinity while they run, wait or
// sleep.
static void change_at_random(struct ring_item *i, void *data)
{
    uint64_t dice = *(uint64_t *)data;
    i->nice = (int8_t)(dice % 40 - 20);
    i->inherited = dice >> 8 & 7 ? 0 : 120;
    i->class = dice >> 16 & 7 ? CLASS_FAIR : CLASS_BATCH;
    for (unsigned w = 0; w < RING_WORDS; w++)
        i->allowed.word[w] = dice >> 24 & 1 ? ~0ull : dice >> 32 | 1;
}

static void change_back(struct ring_item *i, void *data)
{
    i->nice = 0;
    i->inherited = 0;
    i->class = CLASS_FAIR;
    for (unsigned w = 0; w < RING_WORDS; w++)
        i->allowed.word[w] = ~0ull;
}

static void changes_at_any_time_keep_the_invariants(void **state)
{
    for (unsigned seed = 1; seed <= 40; seed++) {
        unsigned cores = 1 + seed * 7 % 19;
        struct sim *s = sim_make(cores, seed);
        s->pinned = true;
        struct sim_kind sleepy = { .run = 300000, .pause = 900000, .vary = true };
        add_many(s, &endless, cores + seed % 5);
        add_many(s, &sleepy, 2 * cores);
        uint64_t dice = seed;
        for (unsigned step = 0; step < 600; step++) {
            dice = dice * 6364136223846793005 + 1442695040888963407;
            sim_change(s, (unsigned)(dice >> 40) % s->count, change_at_random, &dice);
            sim_run(s, NANOS_PER_MILLI / 2);
        }
        for (unsigned n = 0; n < s->count; n++)
            sim_change(s, n, change_back, NULL);
        sim_run(s, NANOS_PER_SECOND / 2);
        sim_count_from_here(s);
        s->pinned = false;
        sim_run(s, NANOS_PER_SECOND);
        assert_true(sim_jain(s) > 0.99);
        assert_true(sim_busy(s) > 0.99);
        assert_true(sim_waited_most(s) < 100 * NANOS_PER_MILLI);
        uint64_t load = 0;
        for (unsigned n = 0; n < cores; n++)
            load += s->core[n].core.load;
        for (unsigned n = 0; n < s->count; n++)
            load -= s->threads[n]->asleep ? 0 : 1024;
        assert_int_equal(load, 0);
        sim_drop(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_bound_threads_share_fairly),
        cmocka_unit_test(shares_follow_weights),
        cmocka_unit_test(an_idle_machine_sends_nothing),
        cmocka_unit_test(one_busy_thread_a_core_sends_nothing),
        cmocka_unit_test(pipes_hand_over_without_ipis),
        cmocka_unit_test(a_mixed_load_keeps_the_machine_busy_and_quick),
        cmocka_unit_test(real_time_goes_first),
        cmocka_unit_test(round_robin_shares_among_equals),
        cmocka_unit_test(the_idle_class_runs_only_when_nothing_else_does),
        cmocka_unit_test(pinned_threads_stay),
        cmocka_unit_test(sleepers_have_no_unbounded_credit),
        cmocka_unit_test(changes_at_any_time_keep_the_invariants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
