// SPDX-License-Identifier: GPL-3.0-or-later
// See selftest.h.
#include "kernel/sched/selftest.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "lib/command_line.h"

enum { HELPERS_MOST = 2 * CPU_MAX };

static struct wait_queue done = WAIT_QUEUE_INIT(done);
static uint32_t running; // atomic

static void helper_ends(void)
{
    __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
    wait_wake_all(&done);
}

static struct thread *start(const char *name, void (*function)(void *data), void *data)
{
    struct thread *t;
    __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    err_t e = thread_make_kernel(name, function, data, &t);
    if (e)
        panic("selftest: no thread (%d)", e);
    return t;
}

static void wait_for_all(void)
{
    err_t e = wait_until_uninterrupted(&done, __atomic_load_n(&running, __ATOMIC_SEQ_CST) == 0,
                                       WAIT_FOREVER);
    assert(e == 0);
}

// Two threads hand a number to and fro.
static struct wait_queue ball_moved = WAIT_QUEUE_INIT(ball_moved);
static uint32_t ball;
enum { HITS = 20000 };

static void play(void *data)
{
    uint32_t side = (uint32_t)(uintptr_t)data;
    for (uint32_t n = side; n < HITS; n += 2) {
        err_t e =
            wait_until(&ball_moved, __atomic_load_n(&ball, __ATOMIC_ACQUIRE) == n, WAIT_FOREVER);
        assert(e == 0);
        __atomic_store_n(&ball, n + 1, __ATOMIC_RELEASE);
        wait_wake_all(&ball_moved);
    }
    helper_ends();
}

static void test_ping_pong(void)
{
    uint64_t sent = ipi_sent(VECTOR_TURN);
    nanos_t since = clock_now();
    ball = 0;
    thread_put(start("ping", play, (void *)0));
    thread_put(start("pong", play, (void *)1));
    wait_for_all();
    log_info("selftest: ping-pong: %s, %d wake-ups, %ld ns each, %lu IPIs",
             ball == HITS ? "ok" : "FAILED", HITS, (long)((clock_now() - since) / HITS),
             (unsigned long)(ipi_sent(VECTOR_TURN) - sent));
}

// Timers fire in order and not early; sleeping lasts.
static void test_timers(void)
{
    bool ok = true;
    nanos_t late = 0;
    for (unsigned n = 1; n <= 20; n++) {
        nanos_t until = clock_now() + n * NANOS_PER_MILLI / 2;
        err_t e = thread_sleep_until(until, false);
        ok &= e == 0 && clock_now() >= until;
        late = max_of(late, clock_now() - until);
    }
    err_t e = wait_until(&ball_moved, false, clock_now() + NANOS_PER_MILLI);
    ok &= e == -ETIMEDOUT;
    log_info("selftest: timers: %s, at most %ld us late", ok ? "ok" : "FAILED",
             (long)(late / NANOS_PER_MICRO));
}

// Many threads, one mutex, a plain counter.
static struct mutex counter_lock;
static uint64_t counter;
enum { COUNTERS = 8, COUNTS = 3000 };

static void count(void *data)
{
    for (unsigned n = 0; n < COUNTS; n++) {
        mutex_lock(&counter_lock);
        uint64_t before = counter;
        if (n % 64 == 0)
            thread_yield();
        counter = before + 1;
        mutex_unlock(&counter_lock);
    }
    helper_ends();
}

static void test_mutex(void)
{
    uint64_t sent = ipi_sent(VECTOR_TURN);
    nanos_t since = clock_now();
    mutex_init(&counter_lock, RANK_SLEEP_LEAF);
    counter = 0;
    for (unsigned n = 0; n < COUNTERS; n++)
        thread_put(start("count", count, NULL));
    wait_for_all();
    log_info("selftest: mutex: %s, %lu of %u, %ld ns each, %lu IPIs",
             counter == COUNTERS * COUNTS ? "ok" : "FAILED", (unsigned long)counter,
             COUNTERS * COUNTS, (long)((clock_now() - since) / (COUNTERS * COUNTS)),
             (unsigned long)(ipi_sent(VECTOR_TURN) - sent));
}

static struct rwlock table_lock;
static uint64_t table[2];
static uint32_t torn;

static void read_and_write(void *data)
{
    for (unsigned n = 0; n < COUNTS; n++) {
        if (n % 8 == 0) {
            rwlock_write(&table_lock);
            table[0]++;
            if (n % 64 == 0)
                thread_yield();
            table[1]++;
            rwlock_write_end(&table_lock);
        } else {
            rwlock_read(&table_lock);
            if (table[0] != table[1])
                __atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
            rwlock_read_end(&table_lock);
        }
    }
    helper_ends();
}

static void test_rwlock(void)
{
    uint64_t sent = ipi_sent(VECTOR_TURN);
    nanos_t since = clock_now();
    rwlock_init(&table_lock, RANK_SLEEP_LEAF);
    table[0] = table[1] = torn = 0;
    for (unsigned n = 0; n < COUNTERS; n++)
        thread_put(start("table", read_and_write, NULL));
    wait_for_all();
    log_info("selftest: rwlock: %s, %lu writes, %u torn, %ld ns each, %lu IPIs",
             torn == 0 && table[0] == COUNTERS * COUNTS / 8 ? "ok" : "FAILED",
             (unsigned long)table[0], torn, (long)((clock_now() - since) / (COUNTERS * COUNTS)),
             (unsigned long)(ipi_sent(VECTOR_TURN) - sent));
}

// A holder of the idle class must run for a real-time waiter's sake while others fill its CPU,
// whether the waiter was real-time when it came or is made so while it waits.
static struct mutex wanted;
static uint32_t steps;
enum { URGENCY = 100 + 50, SERVED = 100 };
#define PATIENCE (10 * NANOS_PER_SECOND) // a busy host may let a CPU stand still for long

static bool is_urgent(const struct thread *t)
{
    return __atomic_load_n(&t->ring.urgency, __ATOMIC_RELAXED) == URGENCY;
}

static void sleep_a_little(void)
{
    err_t e = thread_sleep_until(clock_now() + NANOS_PER_MILLI, false);
    assert(e == 0);
}

static void hold(void *data)
{
    mutex_lock(&wanted);
    __atomic_store_n(&steps, 1, __ATOMIC_RELEASE);
    nanos_t end = clock_now() + PATIENCE;
    while (!is_urgent(thread_current()) && clock_now() < end)
        cpu_relax();
    bool lent = is_urgent(thread_current());
    mutex_unlock(&wanted);
    bool back = thread_current()->ring.urgency == 0;
    if (lent && back)
        __atomic_add_fetch(&steps, 10, __ATOMIC_RELEASE);
    helper_ends();
}

static void fill(void *data)
{
    while (!__atomic_load_n((bool *)data, __ATOMIC_ACQUIRE))
        cpu_relax();
    helper_ends();
}

static void want(void *data)
{
    while (*(bool *)data && !is_urgent(thread_current()))
        sleep_a_little();
    mutex_lock(&wanted);
    __atomic_add_fetch(&steps, SERVED, __ATOMIC_RELEASE);
    mutex_unlock(&wanted);
    helper_ends();
}

static bool inherits(bool urgent_first)
{
    mutex_init(&wanted, RANK_SLEEP_LEAF);
    steps = 0;
    bool stop = false;
    struct thread *low = start("low", hold, NULL);
    err_t e = thread_set_class(low, CLASS_IDLE, 0);
    assert(e == 0);
    while (!__atomic_load_n(&steps, __ATOMIC_ACQUIRE))
        sleep_a_little();

    struct thread *high = start("high", want, &urgent_first);
    while (!urgent_first && !__atomic_load_n(&high->waits, __ATOMIC_RELAXED))
        sleep_a_little();
    for (unsigned n = 0; n < cpu_count; n++)
        thread_put(start("fill", fill, &stop));
    e = thread_set_class(high, CLASS_FIFO, URGENCY - 100);
    assert(e == 0);
    nanos_t end = clock_now() + PATIENCE;
    while (__atomic_load_n(&steps, __ATOMIC_ACQUIRE) < SERVED && clock_now() < end)
        sleep_a_little();
    bool served = __atomic_load_n(&steps, __ATOMIC_ACQUIRE) >= SERVED; // and the CPUs are full
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    wait_for_all();
    thread_put(low);
    thread_put(high);
    return served && steps == 111;
}

static void test_inheritance(void)
{
    bool before = inherits(true);
    uint32_t steps_before = steps;
    bool after = inherits(false);
    log_info("selftest: inheritance: %s, steps %u and %u", before && after ? "ok" : "FAILED",
             steps_before, steps);
}

// CPU-bound threads get equal shares and leave no CPU idle.
struct spinner {
    nanos_t end;
    nanos_t ran;
};

static void spin_until(void *data)
{
    struct spinner *s = data;
    while (clock_now() < s->end)
        cpu_relax();
    // Its last turn, which charges it, may come after the others were told that it ended.
    nanos_t user;
    thread_times(thread_current(), &user, &s->ran);
    helper_ends();
}

static nanos_t idle_time(void)
{
    nanos_t sum = 0;
    for (unsigned n = 0; n < cpu_count; n++)
        sum += clock_idle_time(n);
    return sum;
}

static void test_fairness(unsigned threads)
{
    static struct spinner spinners[HELPERS_MOST];
    nanos_t span = NANOS_PER_SECOND / 2;
    uint64_t sent = ipi_sent(VECTOR_TURN);
    nanos_t since = clock_now(), idle = idle_time();
    for (unsigned n = 0; n < threads; n++) {
        spinners[n].end = since + span;
        thread_put(start("spin", spin_until, &spinners[n]));
    }
    wait_for_all();
    idle = idle_time() - idle;
    uint64_t all = (uint64_t)(clock_now() - since) * cpu_count;

    uint64_t sum = 0, squares = 0;
    for (unsigned n = 0; n < threads; n++) {
        uint64_t ran = (uint64_t)spinners[n].ran / 1000;
        sum += ran;
        squares += ran * ran / 1000;
    }
    uint64_t jain = sum * sum / (threads * squares); // 1000: all equal
    uint64_t busy = 1000 - min_of((uint64_t)idle / (all / 1000), 1000ul);
    log_info(
        "selftest: fairness: %s, %u threads on %u CPUs: Jain 0.%03lu, %lu.%lu %% busy, %lu IPIs",
        jain >= 990 && busy >= 990 ? "ok" : "FAILED", threads, cpu_count,
        (unsigned long)min_of(jain, 999ul), (unsigned long)busy / 10, (unsigned long)busy % 10,
        (unsigned long)(ipi_sent(VECTOR_TURN) - sent));
}

// Nothing to do: nothing is sent.
static void test_idle(void)
{
    err_t e = thread_sleep_until(clock_now() + 100 * NANOS_PER_MILLI, false);
    assert(e == 0);
    uint64_t sent = ipi_sent(VECTOR_TURN);
    e = thread_sleep_until(clock_now() + 500 * NANOS_PER_MILLI, false);
    assert(e == 0);
    sent = ipi_sent(VECTOR_TURN) - sent;
    log_info("selftest: idle: %s, %lu IPIs in 0.5 s", sent == 0 ? "ok" : "FAILED",
             (unsigned long)sent);
}

void sched_selftest(void)
{
    if (!command_line_lists(command_line(), "selftest", "sched"))
        return;
    test_ping_pong();
    test_mutex();
    test_rwlock();
    test_timers();
    test_inheritance();
    test_fairness(cpu_count);
    test_fairness(2 * cpu_count);
    test_fairness(2 * cpu_count + 1);
    test_idle();
}
