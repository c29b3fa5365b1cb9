// SPDX-License-Identifier: GPL-3.0-or-later
// Restartable sequences as rseq(2) and membarrier(2) say, with the areas that the machine's C
// library registers. Runs the same on Linux.
#include "tests/programs/check.h"
#include <sched.h>
#include <sys/rseq.h>
#include <sys/time.h>

enum { SIGNATURE = RSEQ_SIG, THREADS = 4, ROUNDS = 200000, CPUS = 64 };
enum { BARRIER_CODE = 32, REGISTER_CODE = 64, BARRIER_SEQUENCES = 128, REGISTER_SEQUENCES = 256 };

static struct rseq *area(void)
{
    return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static long rseq_call(void *at, unsigned size, int flags, uint32_t signature)
{
    return syscall(SYS_rseq, at, size, flags, signature);
}

static long barrier(int command, unsigned flags, int cpu)
{
    return syscall(SYS_membarrier, command, flags, cpu);
}

// The frame of a sequence: its descriptor, and the signature before the abort address.
#define DESCRIPTOR                                                                       \
    ".pushsection __rseq_cs, \"aw\"\n.balign 32\n3: .long 0, 0\n.quad 1f, 2f - 1f, 4f\n" \
    ".popsection\nlea 3b(%%rip), %%rax\nmov %%rax, 8(%[area])\n"
#define ABORTS                                                                        \
    ".pushsection __rseq_failure, \"ax\"\n.byte 0x0f, 0xb9, 0x3d\n.long 0x53053053\n" \
    "4: jmp %l[aborted]\n.popsection\n"

// Goes on for ever, until it is interrupted.
static void spin_in_sequence(void)
{
    __asm__ goto(DESCRIPTOR "1: jmp 1b\n2:\n" ABORTS
                 :
                 : [area] "r"(area())
                 : "rax", "memory"
                 : aborted);
aborted:
    CHECK(area()->rseq_cs == 0);
}

static long counts[CPUS][8];

// Counts for the CPU that runs it; false: interrupted.
static bool count_here(void)
{
    uint32_t cpu = *(volatile uint32_t *)&area()->cpu_id_start;
    __asm__ goto(DESCRIPTOR
                 "1: cmp %[cpu], 4(%[area])\njne %l[aborted]\nincq (%[count])\n2:\n" ABORTS
                 :
                 : [area] "r"(area()), [cpu] "r"(cpu), [count] "r"(counts[cpu % CPUS])
                 : "rax", "memory", "cc"
                 : aborted);
    return true;
aborted:
    return false;
}

static void *count_all(void *data)
{
    for (int i = 0; i < ROUNDS; i++)
        while (!count_here())
            ;
    return NULL;
}

static void test_counting(void)
{
    struct helper h[THREADS];
    long sum = 0;
    for (int i = 0; i < THREADS; i++)
        helper_begin(&h[i], count_all, NULL);
    for (int i = 0; i < THREADS; i++)
        helper_end(&h[i]);
    for (int i = 0; i < CPUS; i++)
        sum += counts[i][0];
    RETURNS(sum, THREADS * ROUNDS);
}

static int handled;

static void handle(int number)
{
    handled++;
}

// By a signal; by a barrier; and because others run, here an equal on the same CPU.
static void *spin(void *data)
{
    spin_in_sequence();
    __atomic_store_n((int *)data, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void test_aborts(void)
{
    struct helper h;
    int done = 0;
    struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
    struct sigaction a = { .sa_handler = handle };
    sigaction(SIGALRM, &a, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    spin_in_sequence();
    while (!__atomic_load_n(&handled, __ATOMIC_RELAXED)) // it was another thread, then
        ;
    setitimer(ITIMER_REAL, &never, NULL);
    helper_begin(&h, spin, &done);
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
        RETURNS(barrier(BARRIER_SEQUENCES, 0, 0), 0);
    helper_end(&h);

    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    RETURNS(sched_setaffinity(0, sizeof(one), &one), 0);
    done = 0;
    helper_begin(&h, spin, &done);
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
        ;
    helper_end(&h);
}

static void test_numbers(void)
{
    cpu_set_t all, one;
    CHECK(__rseq_size >= 20);
    RETURNS(sched_getaffinity(0, sizeof(all), &all), 0);
    for (int i = 0; i < CPUS; i++) {
        if (!CPU_ISSET(i, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        RETURNS(sched_setaffinity(0, sizeof(one), &one), 0);
        RETURNS(*(volatile uint32_t *)&area()->cpu_id, i);
        RETURNS(*(volatile uint32_t *)&area()->cpu_id_start, i);
        int child = fork();
        if (!child)
            _exit(area()->cpu_id != (uint32_t)i);
        RETURNS(child_end(child), 0);
    }
    RETURNS(sched_setaffinity(0, sizeof(all), &all), 0);
}

static int use_wrongly(void *data)
{
    struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
    signal(SIGALRM, handle);
    rseq_call(area(), 32, 1, SIGNATURE);
    RETURNS(rseq_call(area(), 32, 0, 1), 0);
    setitimer(ITIMER_REAL, &often, NULL);
    spin_in_sequence();
    return 0;
}

static void test_registering(void)
{
    static struct rseq other __attribute__((aligned(32)));
    FAILS(rseq_call(area(), 32, 0, SIGNATURE), EBUSY);
    FAILS(rseq_call(area(), 32, 0, 5), EPERM);
    FAILS(rseq_call(area(), 33, 0, SIGNATURE), EINVAL);
    FAILS(rseq_call(&other, 32, 0, SIGNATURE), EINVAL);
    FAILS(rseq_call(area(), 32, 2, SIGNATURE), EINVAL);
    FAILS(rseq_call(area(), 32, 1, 5), EPERM);
    RETURNS(rseq_call(area(), 32, 1, SIGNATURE), 0);
    RETURNS(area()->cpu_id, UINT32_MAX);
    RETURNS(area()->cpu_id_start, 0);
    FAILS(rseq_call(area(), 32, 1, SIGNATURE), EINVAL);
    FAILS(rseq_call((char *)&other + 4, 32, 0, SIGNATURE), EINVAL);
    FAILS(rseq_call((void *)-32l, 32, 0, SIGNATURE), EFAULT);
    RETURNS(rseq_call(&other, 32, 0, SIGNATURE), 0);
    CHECK(other.cpu_id == other.cpu_id_start && other.cpu_id < CPUS);
    RETURNS(rseq_call(&other, 32, 1, SIGNATURE), 0);
    RETURNS(rseq_call(area(), 32, 0, SIGNATURE), 0);
    RETURNS(child_end(child_begin(use_wrongly, NULL)), -SIGSEGV);
}

static void test_barriers(void)
{
    CHECK((barrier(0, 0, 0) & 0x1ff) == 0x1ff);
    FAILS(barrier(BARRIER_CODE, 0, 0), EPERM);
    FAILS(barrier(BARRIER_SEQUENCES, 0, 0), EPERM);
    RETURNS(barrier(REGISTER_CODE, 0, 0), 0);
    RETURNS(barrier(REGISTER_SEQUENCES, 0, 0), 0);
    RETURNS(barrier(BARRIER_CODE, 0, 0), 0);
    RETURNS(barrier(BARRIER_SEQUENCES, 1, 0), 0);
    FAILS(barrier(BARRIER_SEQUENCES, 2, 0), EINVAL);
    FAILS(barrier(BARRIER_CODE, 1, 0), EINVAL);
}

int main(void)
{
    test_numbers();
    test_registering();
    test_barriers();
    test_counting();
    test_aborts();
    return checks_end();
}
