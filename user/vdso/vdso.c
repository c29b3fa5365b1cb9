// SPDX-License-Identifier: GPL-3.0-or-later
// The vDSO: code of the kernel's that runs in programs and tells them the time without a call.
//
// It reads the page in front of itself (<cryptos/clock_page.h>). Whatever that page does not answer
// (a clock of CPU time, a machine whose TSC is not the clock) goes to the kernel by the real call.
// No data of its own, no relocations: it is mapped anywhere. Names and their version are Linux's,
// vdso(7). Test: tests/boot/test_vdso.py.
#include <cryptos/clock_page.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    CLOCK_REALTIME = 0,
    CLOCK_MONOTONIC = 1,
    CLOCK_MONOTONIC_RAW = 4,
    CLOCK_REALTIME_COARSE = 5,
    CLOCK_MONOTONIC_COARSE = 6,
    CLOCK_BOOTTIME = 7,
    CLOCK_TAI = 11,

    CALL_GETTIMEOFDAY = 96,
    CALL_TIME = 201,
    CALL_CLOCK_GETTIME = 228,
    CALL_CLOCK_GETRES = 229,
    CALL_GETCPU = 309,
};

#define BIT(clock)  (1u << (clock))
#define WALL_CLOCKS (BIT(CLOCK_REALTIME) | BIT(CLOCK_REALTIME_COARSE) | BIT(CLOCK_TAI))
#define BOOT_CLOCKS                                                                  \
    (BIT(CLOCK_MONOTONIC) | BIT(CLOCK_MONOTONIC_RAW) | BIT(CLOCK_MONOTONIC_COARSE) | \
     BIT(CLOCK_BOOTTIME))
#define NANOS_PER_SECOND 1000000000ll

struct time_nanos {
    int64_t seconds, nanos;
};

struct time_micros {
    int64_t seconds, micros;
};

struct zone {
    int32_t minutes_west, summer_time;
};

// Lies in the page before this image (vdso.ld).
extern const struct cryptos_clock_page clock_page __attribute__((visibility("hidden")));

static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

// Not before what stands above it.
static inline uint64_t tsc_ordered(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

// The page as one, and the TSC at that moment. False: the TSC is not the clock.
static inline bool clock_take(struct cryptos_clock_page *copy, uint64_t *tsc)
{
    const struct cryptos_clock_page *p = &clock_page;
    for (;;) {
        copy->sequence = __atomic_load_n(&p->sequence, __ATOMIC_ACQUIRE);
        if (!(__atomic_load_n(&p->flags, __ATOMIC_RELAXED) & CLOCK_PAGE_TSC))
            return false;
        copy->mult = __atomic_load_n(&p->mult, __ATOMIC_RELAXED);
        copy->base = __atomic_load_n(&p->base, __ATOMIC_RELAXED);
        copy->wall = __atomic_load_n(&p->wall, __ATOMIC_RELAXED);
        *tsc = tsc_ordered();
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(copy->sequence & 1) &&
            copy->sequence == __atomic_load_n(&p->sequence, __ATOMIC_RELAXED))
            return true;
        __builtin_ia32_pause();
    }
}

static inline bool clock_read(bool wall, int64_t *nanos)
{
    struct cryptos_clock_page p;
    uint64_t tsc;
    if (!clock_take(&p, &tsc))
        return false;
    *nanos = (int64_t)(((unsigned __int128)tsc * p.mult >> 32) + p.base) + (wall ? p.wall : 0);
    return true;
}

static inline bool is_one_of(uint32_t clock, uint32_t clocks)
{
    return clock < 32 && (clocks >> clock & 1);
}

int __vdso_clock_gettime(int clock, struct time_nanos *time)
{
    bool wall = is_one_of((uint32_t)clock, WALL_CLOCKS);
    int64_t now;
    if (!(wall || is_one_of((uint32_t)clock, BOOT_CLOCKS)) || !clock_read(wall, &now))
        return (int)call(CALL_CLOCK_GETTIME, clock, (long)time, 0);
    time->seconds = (int64_t)((uint64_t)now / NANOS_PER_SECOND);
    time->nanos = (int64_t)((uint64_t)now % NANOS_PER_SECOND);
    return 0;
}

int __vdso_clock_getres(int clock, struct time_nanos *resolution)
{
    if (!is_one_of((uint32_t)clock, WALL_CLOCKS | BOOT_CLOCKS))
        return (int)call(CALL_CLOCK_GETRES, clock, (long)resolution, 0);
    if (resolution)
        *resolution = (struct time_nanos){ 0, 1 };
    return 0;
}

int __vdso_gettimeofday(struct time_micros *time, struct zone *zone)
{
    int64_t now;
    if (zone || !clock_read(true, &now)) // the kernel keeps the zone, for whom that still matters
        return (int)call(CALL_GETTIMEOFDAY, (long)time, (long)zone, 0);
    if (time) {
        time->seconds = (int64_t)((uint64_t)now / NANOS_PER_SECOND);
        time->micros = (int64_t)((uint64_t)now % NANOS_PER_SECOND / 1000);
    }
    return 0;
}

int64_t __vdso_time(int64_t *time)
{
    int64_t now;
    if (!clock_read(true, &now))
        return call(CALL_TIME, (long)time, 0, 0);
    now = (int64_t)((uint64_t)now / NANOS_PER_SECOND);
    if (time)
        *time = now;
    return now;
}

long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
    if (!(__atomic_load_n(&clock_page.flags, __ATOMIC_RELAXED) & CLOCK_PAGE_NUMBER))
        return call(CALL_GETCPU, (long)cpu, (long)node, (long)unused);
    uint32_t low, high, number;
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(number));
    if (cpu)
        *cpu = number;
    if (node)
        *node = 0;
    return 0;
}

#define PLAIN_NAME(name) \
    extern __typeof__(__vdso_##name) name __attribute__((weak, alias("__vdso_" #name)))
PLAIN_NAME(clock_gettime);
PLAIN_NAME(clock_getres);
PLAIN_NAME(gettimeofday);
PLAIN_NAME(time);
PLAIN_NAME(getcpu);
