// SPDX-License-Identifier: GPL-3.0-or-later
// What runs by processors' time: interval timers, timer_create, sleeping, RLIMIT_CPU; and sleeping
// until a time of the wall clock that is set meanwhile. Runs the same on Linux.
#include "tests/programs/check.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/time.h>

enum { MS = 1000000 };

static int rings; // atomic

static void ring(int number)
{
    __atomic_fetch_add(&rings, 1, __ATOMIC_RELAXED);
}

static void until_rung(int times)
{
    while (__atomic_load_n(&rings, __ATOMIC_RELAXED) < times)
        ;
}

// Computes; the process's time then is at least what the timer was set to.
static void test_interval(int which, int signal_number, clockid_t clock)
{
    struct itimerval often = { { 0, 10000 }, { 0, 20000 } }, left, never = { { 0, 0 }, { 0, 0 } };
    signal(signal_number, ring);
    rings = 0;
    int64_t before = now_of(clock);
    RETURNS(setitimer(which, &often, NULL), 0);
    RETURNS(getitimer(which, &left), 0);
    CHECK(left.it_interval.tv_usec == 10000 && left.it_value.tv_usec <= 30000);
    until_rung(1);
    CHECK(now_of(clock) - before >= 20 * MS);
    until_rung(3);
    CHECK(now_of(clock) - before >= 40 * MS);
    RETURNS(setitimer(which, &never, &left), 0);
    CHECK(left.it_interval.tv_usec == 10000 && left.it_value.tv_usec <= 30000);
    // Sleeping takes no such time.
    struct itimerval soon = { { 0, 0 }, { 0, 400000 } };
    struct timespec longer = { 0, 450 * MS };
    rings = 0;
    RETURNS(setitimer(which, &soon, NULL), 0);
    RETURNS(nanosleep(&longer, NULL), 0);
    RETURNS(rings, 0);
    RETURNS(setitimer(which, &never, &left), 0);
    CHECK(left.it_value.tv_usec > 0);
}

static void test_timer(clockid_t clock, clockid_t shown)
{
    int number; // the kernel's, not the library's
    struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct itimerspec once = { { 0, 0 }, { 0, 20 * MS } }, left;
    signal(SIGUSR1, ring);
    rings = 0;
    RETURNS(syscall(SYS_timer_create, clock, &e, &number), 0);
    int64_t before = now_of(shown);
    RETURNS(syscall(SYS_timer_settime, number, 0, &once, NULL), 0);
    RETURNS(syscall(SYS_timer_gettime, number, &left), 0);
    CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec > 0 &&
          left.it_value.tv_nsec <= 20 * MS);
    until_rung(1);
    CHECK(now_of(shown) - before >= 20 * MS);
    RETURNS(syscall(SYS_timer_gettime, number, &left), 0);
    RETURNS(left.it_value.tv_nsec, 0);
    int64_t then = now_of(shown) + 10 * MS; // a time of that clock
    once.it_value = (struct timespec){ then / 1000000000, then % 1000000000 };
    RETURNS(syscall(SYS_timer_settime, number, TIMER_ABSTIME, &once, NULL), 0);
    until_rung(2);
    CHECK(now_of(shown) >= then);
    RETURNS(syscall(SYS_timer_delete, number), 0);
}

static int stop; // atomic

static void *compute(void *data)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        ;
    return NULL;
}

static void test_sleeping(void)
{
    struct helper h;
    struct timespec span = { 0, 30 * MS };
    clockid_t other;
    helper_begin(&h, compute, NULL);
    int64_t before = now_of(CLOCK_PROCESS_CPUTIME_ID);
    RETURNS(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &span, NULL), 0);
    CHECK(now_of(CLOCK_PROCESS_CPUTIME_ID) - before >= 30 * MS);
    other = (~h.number << 3) | 6; // of that thread
    before = now_of(other);
    RETURNS(syscall(SYS_clock_nanosleep, other, 0, &span, NULL), 0);
    CHECK(now_of(other) - before >= 30 * MS);
    FAILS(syscall(SYS_clock_nanosleep, -8 | 6, 0, &span, NULL), EINVAL);
    FAILS(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &span, NULL), EOPNOTSUPP);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    helper_end(&h);
}

static void count_and_go_on(int number)
{
    rings++;
}

static int use_up(void *data)
{
    struct rlimit limit = { 1, 2 };
    if (data)
        signal(SIGXCPU, count_and_go_on);
    else
        limit.rlim_max = RLIM_INFINITY;
    RETURNS(setrlimit(RLIMIT_CPU, &limit), 0);
    for (rings = 0;;)
        if (rings && now_of(CLOCK_PROCESS_CPUTIME_ID) < 1000 * MS)
            return 1; // too soon
}

static void test_limit(void)
{
    struct rlimit limit;
    int soft = child_begin(use_up, NULL), hard = child_begin(use_up, &rings);
    RETURNS(child_end(soft), -SIGXCPU);
    RETURNS(child_end(hard), -SIGKILL);
    RETURNS(getrlimit(RLIMIT_CPU, &limit), 0);
    CHECK(limit.rlim_cur == RLIM_INFINITY);
}

static int sleep_long(void *data)
{
    struct timespec *until = data;
    RETURNS(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, until, NULL), 0);
    return 0;
}

static void test_wall(void)
{
    struct timespec then, until;
    clock_gettime(CLOCK_REALTIME, &then);
    until = then;
    until.tv_sec += 5000;
    int child = child_begin(sleep_long, &until);
    asleep(child);
    until.tv_sec += 100;
    RETURNS(clock_settime(CLOCK_REALTIME, &until), 0);
    RETURNS(child_end(child), 0);
    RETURNS(clock_settime(CLOCK_REALTIME, &then), 0);
}

int main(void)
{
    test_interval(ITIMER_PROF, SIGPROF, CLOCK_PROCESS_CPUTIME_ID);
    test_interval(ITIMER_VIRTUAL, SIGVTALRM, CLOCK_PROCESS_CPUTIME_ID);
    test_timer(CLOCK_PROCESS_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID);
    test_timer(CLOCK_THREAD_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID);
    test_timer(-8 | 2, CLOCK_PROCESS_CPUTIME_ID);
    test_sleeping();
    test_limit();
    test_wall();
    return checks_end();
}
