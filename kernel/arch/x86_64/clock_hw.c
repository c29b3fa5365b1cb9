// SPDX-License-Identifier: GPL-3.0-or-later
// The clock and this CPU's timer (clock_hw.h).
//
// Everything here is written by the boot CPU before other CPUs read it, but for `extended` and
// `tsc_newest`, which are atomic words of their own, and the change of source in clock_hw_settle(),
// made while the other CPUs wait for numbers.
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/calibrate.h"
#include "kernel/arch/x86_64/cmos.h"
#include "kernel/arch/x86_64/counter.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/kvmclock.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/scale.h"
#include "kernel/console/log.h"
#include "lib/command_line.h"
#include "lib/string.h"

enum source { SOURCE_NONE, SOURCE_TSC, SOURCE_KVM, SOURCE_COUNTER };

static const char *const source_names[] = {
    [SOURCE_NONE] = "none",
    [SOURCE_TSC] = "TSC",
    [SOURCE_KVM] = "kvmclock",
};

struct clock_tsc clock_tsc;
static enum source source;
static uint64_t base;                  // added to the source's time
static uint64_t tsc_mult, tsc_inverse; // TSC ticks to ns and back
static const struct counter *counter;  // of SOURCE_COUNTER, else the fallback if any
static uint64_t counter_mult;
static uint64_t extended;   // the counter's last value in 64 bits
static uint64_t timer_mult; // ns to ticks of the local APIC's timer
static bool timer_is_deadline;
static int64_t wall_at_boot;
static uint64_t tsc_newest; // seen by clock_hw_compare()
static bool tsc_went_back;

// The counter in 64 bits. Readers of a narrow one race: whoever has a later value publishes it, and
// who read before that was published stays at the published one.
static uint64_t counter_now(void)
{
    if (counter->mask == UINT64_MAX)
        return counter->read();
    uint64_t last = __atomic_load_n(&extended, __ATOMIC_RELAXED);
    uint64_t now = scale_extend(last, counter->read(), counter->mask);
    if (now - last > counter->mask / 2)
        return last;
    if (now > last)
        __atomic_compare_exchange_n(&extended, &last, now, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
    return now;
}

nanos_t clock_hw_now(void)
{
    if (likely(source == SOURCE_TSC))
        return (nanos_t)(scale_apply(tsc_ordered(), tsc_mult) + base);
    if (source == SOURCE_KVM)
        return kvmclock_now() + (nanos_t)base;
    if (source == SOURCE_COUNTER)
        return (nanos_t)(scale_apply(counter_now(), counter_mult) + base);
    return 0;
}

// Changes the source; time goes on from `now`.
static void use(enum source s, nanos_t now)
{
    base = 0;
    source = s;
    if (s == SOURCE_COUNTER)
        extended = counter->read();
    base = (uint64_t)(now - clock_hw_now());
    clock_tsc = (struct clock_tsc){ .mult = s == SOURCE_TSC ? tsc_mult : 0, .base = base };
}

const char *clock_hw_name(void)
{
    return source == SOURCE_COUNTER ? counter->name : source_names[source];
}

// What the command line wants, SOURCE_NONE: no wish. May change `counter`.
static enum source wished(const struct platform *p)
{
    char name[16];
    if (!command_line_get(command_line(), "clocksource", name, sizeof(name)))
        return SOURCE_NONE;
    if (string_equal(name, "tsc"))
        return SOURCE_TSC;
    if (string_equal(name, "kvmclock") && cpu_has(CPU_KVM_CLOCK))
        return SOURCE_KVM;
    const struct counter *c = string_equal(name, "hpet") ? counter_hpet(p)
                              : string_equal(name, "pm") ? counter_pm_timer(p)
                                                         : NULL;
    if (c != NULL) {
        counter = c;
        return SOURCE_COUNTER;
    }
    log_warn("clock: clocksource=%s is not to be had here", name);
    return SOURCE_NONE;
}

// The TSC may stop or change its rate where the CPU does not promise otherwise; emulators and
// hypervisors without the promise keep it steady, and there may be nothing better.
static enum source choose(const struct platform *p)
{
    enum source s = wished(p);
    if (s != SOURCE_NONE)
        return s;
    if (cpu_has(CPU_TSC_INVARIANT))
        return SOURCE_TSC;
    if (cpu_has(CPU_KVM_CLOCK))
        return SOURCE_KVM;
    if (!cpu_has(CPU_HYPERVISOR) && counter != NULL)
        return SOURCE_COUNTER;
    return SOURCE_TSC;
}

// Deadlines are set as a distance from now, so they serve every source.
static void timer_set_up(const struct calibration *c)
{
    timer_is_deadline = c->deadline;
    timer_mult = scale_from_nanos(c->timer_hz);
    apic_timer_mode(timer_is_deadline);
}

static void log_choice(const struct calibration *c)
{
    uint64_t mhz_10 = (c->timer_hz + 50000) / 100000;
    log_info("clock: TSC at %lu.%03lu MHz by %s; counter: %s", c->tsc_hz / 1000000,
             c->tsc_hz / 1000 % 1000, c->by, clock_hw_name());
    if (timer_is_deadline)
        log_info("clock: timer: TSC deadline");
    else
        log_info("clock: timer: local APIC at %lu.%lu MHz", mhz_10 / 10, mhz_10 % 10);
}

void clock_hw_init(const struct platform *p)
{
    if (cpu_has(CPU_KVM_CLOCK))
        kvmclock_start();
    counter = counter_hpet(p);
    if (counter == NULL)
        counter = counter_pm_timer(p);

    struct calibration c;
    calibrate(p, counter, &c);
    tsc_mult = scale_to_nanos(c.tsc_hz);
    tsc_inverse = scale_from_nanos(c.tsc_hz);
    nanos_t since_start = (nanos_t)scale_apply(cpu_cycles() - cpu_cycles_at_start(), tsc_mult);
    enum source s = choose(p);
    if (counter != NULL)
        counter_mult = scale_to_nanos(counter->hz);
    use(s, since_start);
    timer_set_up(&c);
    log_set_clock(clock_hw_now);
    log_choice(&c);

    int64_t wall = p->has_cmos_clock ? cmos_read() : -1;
    if (wall < 0)
        log_warn("clock: no CMOS clock: the date starts at 1970");
    else
        wall_at_boot = wall - clock_hw_now() / NANOS_PER_SECOND;
}

void clock_hw_init_cpu(void)
{
    if (cpu_has(CPU_KVM_CLOCK))
        kvmclock_start();
    apic_timer_mode(timer_is_deadline);
}

int64_t clock_hw_wall_at_boot(void)
{
    return wall_at_boot;
}

bool clock_hw_tsc_scale(uint64_t *mult, unsigned *shift, uint64_t *scale_base)
{
    *mult = tsc_mult;
    *shift = SCALE_SHIFT;
    *scale_base = base;
    return source == SOURCE_TSC;
}

void clock_hw_compare(void)
{
    uint64_t newest = __atomic_load_n(&tsc_newest, __ATOMIC_ACQUIRE);
    uint64_t now = tsc_ordered();
    if (now < newest)
        __atomic_store_n(&tsc_went_back, true, __ATOMIC_RELAXED);
    while (now > newest && !__atomic_compare_exchange_n(&tsc_newest, &newest, now, true,
                                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
}

void clock_hw_settle(void)
{
    if (!tsc_went_back || source != SOURCE_TSC)
        return;
    if (counter == NULL) {
        log_warn("clock: the TSCs of the CPUs disagree, and there is nothing else: time may jump");
        return;
    }
    use(SOURCE_COUNTER, clock_hw_now());
    log_warn("clock: the TSCs of the CPUs disagree: the counter is now the %s", counter->name);
}

// Never 0: that would stop the timer.
static uint32_t timer_ticks(nanos_t delta)
{
    if (delta <= 0)
        return 1;
    if (delta > 4 * NANOS_PER_SECOND)
        delta = 4 * NANOS_PER_SECOND;
    return (uint32_t)min_of(scale_apply((uint64_t)delta, timer_mult) + 1, (uint64_t)UINT32_MAX);
}

// A narrow counter must be read at least once a round (the PM timer's: 4.7 s).
static nanos_t timer_limit(nanos_t deadline, nanos_t now)
{
    if (source == SOURCE_COUNTER && counter->mask != UINT64_MAX)
        return min_of(deadline, now + NANOS_PER_SECOND);
    return deadline;
}

void timer_hw_arm(nanos_t deadline)
{
    nanos_t now = clock_hw_now();
    deadline = timer_limit(deadline, now);
    if (timer_is_deadline) {
        uint64_t at = 0;
        if (deadline != INT64_MAX) {
            nanos_t delta = deadline > now ? deadline - now : 0;
            at = cpu_cycles() + scale_apply((uint64_t)delta, tsc_inverse) + 1;
        }
        apic_timer_deadline(at);
    } else {
        apic_timer_count(deadline == INT64_MAX ? 0 : timer_ticks(deadline - now));
    }
}
