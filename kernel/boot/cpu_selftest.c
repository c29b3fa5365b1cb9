// SPDX-License-Identifier: GPL-3.0-or-later
// See cpu_selftest.h. Each test runs one thread on every CPU, all at once.
#include "kernel/boot/cpu_selftest.h"
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/vmap.h"
#include "kernel/sched/sched.h"
#include "lib/command_line.h"

enum {
    CLOCK_READS = 20000,
    CALLS = 10,
    SHOOTDOWNS = 24,
    LOCK_ROUNDS = 5000,
    FPU_ROUNDS = 300,
    FPU_THREADS = 2, // on each CPU
    VECTOR_REGISTERS = 16,
};

static struct wait_queue done = WAIT_QUEUE_INIT(done);
static uint32_t running, ready; // atomic
static uint32_t failures;       // atomic

static void failed(void)
{
    __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
}

struct job {
    void (*function)(void);
    uint64_t cpu;
};

static void job_run(void *data)
{
    struct job *job = data;
    err_t e = thread_set_affinity(thread_current(), 1ull << job->cpu);
    if (e || cpu_number() != job->cpu)
        failed();
    job->function();
    __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
    wait_wake_all(&done);
}

// Runs function() in `threads` threads on each CPU; logs the result.
static void run_everywhere(const char *name, void (*function)(void), unsigned threads)
{
    static struct job jobs[CPU_MAX];
    nanos_t begun = clock_hw_now();
    failures = 0;
    ready = 0;
    running = cpu_count * threads;
    for (unsigned n = 0; n < cpu_count * threads; n++) {
        struct thread *t;
        struct job *job = &jobs[n % cpu_count];
        *job = (struct job){ function, n % cpu_count };
        err_t e = thread_make_kernel("selftest", job_run, job, &t);
        if (e)
            panic("selftest: no thread (%d)", e);
        thread_put(t);
    }
    err_t e = wait_until_uninterrupted(&done, __atomic_load_n(&running, __ATOMIC_SEQ_CST) == 0,
                                       WAIT_FOREVER);
    assert(e == 0);
    log_info("selftest: %s: %s on %u CPUs in %ld us", name, failures ? "FAILED" : "ok", cpu_count,
             (long)((clock_hw_now() - begun) / 1000));
}

// No CPU may read a time before one that another has read and published.
static nanos_t newest;

static void clock_job(void)
{
    for (unsigned i = 0; i < CLOCK_READS; i++) {
        nanos_t seen = __atomic_load_n(&newest, __ATOMIC_ACQUIRE);
        nanos_t now = clock_hw_now();
        if (now < seen)
            failed();
        while (now > seen && !__atomic_compare_exchange_n(&newest, &seen, now, true,
                                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            ;
    }
}

static struct spinlock lock = SPINLOCK_INIT(RANK_LEAF);
static uint64_t guarded; // by lock

static void lock_job(void)
{
    for (unsigned i = 0; i < LOCK_ROUNDS; i++) {
        uint64_t flags = spin_lock_irq(&lock);
        guarded++;
        spin_unlock_irq(&lock, flags);
    }
}

static void call_count(void *data)
{
    __atomic_add_fetch((uint64_t *)data, 1, __ATOMIC_RELAXED);
}

static void call_job(void)
{
    for (unsigned i = 0; i < CALLS; i++) {
        uint64_t count = 0;
        ipi_call(UINT64_MAX, call_count, &count);
        if (count != cpu_count)
            failed();
    }
}

// Requests from all sides at once, half of them with interrupts off, a third under a lock that the
// others wait for with interrupts off: nobody may wait for ever.
static void shootdown_job(void)
{
    static char place[4096];
    for (unsigned i = 0; i < SHOOTDOWNS; i++) {
        uint64_t flags = i % 3 == 0 ? spin_lock_irq(&lock) : i % 2 ? irq_save() : RFLAGS_IF;
        tlb_shootdown(UINT64_MAX, 0, (uint64_t)place, (uint64_t)place + sizeof(place));
        if (i % 3 == 0)
            spin_unlock_irq(&lock, flags);
        else
            irq_restore(flags);
    }
}

#define FOR_EACH_REGISTER(x) \
    x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)
#define LOAD(n) "movdqu " #n "*16(%0), %%xmm" #n "\n\t"
#define SAVE(n) "movdqu %%xmm" #n ", " #n "*16(%0)\n\t"
#define ZERO(n) "pxor %%xmm" #n ", %%xmm" #n "\n\t"

static void registers_load(const uint64_t *from)
{
    __asm__ volatile(FOR_EACH_REGISTER(LOAD)::"r"(from) : "memory");
}

static void registers_save(uint64_t *to)
{
    __asm__ volatile(FOR_EACH_REGISTER(SAVE)::"r"(to) : "memory");
}

// What a vector routine of the kernel's does to the registers.
static void registers_clobber(void)
{
    if (!simd_begin()) {
        failed();
        return;
    }
    if (simd_begin()) // one section at a time
        failed();
    __asm__ volatile(FOR_EACH_REGISTER(ZERO)::: "memory");
    simd_end();
}

// A thread with vector state of its own, that others of its kind take turns with.
static void fpu_job(void)
{
    struct fpu_state *state = fpu_state_make();
    if (state == NULL) {
        failed();
        return;
    }
    uint64_t values[2 * VECTOR_REGISTERS], found[2 * VECTOR_REGISTERS];
    for (unsigned i = 0; i < array_len(values); i++)
        values[i] = cpu_random();
    preempt_off();
    thread_current()->fpu = state;
    fpu_load_current(state);
    registers_load(values);
    preempt_on();

    for (unsigned round = 0; round < FPU_ROUNDS; round++) {
        thread_yield();
        if (round % 4 == 0)
            registers_clobber();
        registers_save(found);
        for (unsigned i = 0; i < array_len(values); i++)
            if (values[i] != found[i])
                failed();
    }
    preempt_off();
    fpu_switch(state, NULL);
    thread_current()->fpu = NULL;
    preempt_on();
    fpu_state_drop(state);
}

void cpu_selftest(void)
{
    if (!command_line_lists(command_line(), "selftest", "cpu"))
        return;
    run_everywhere("clock", clock_job, 1);
    guarded = 0;
    run_everywhere("spinlock", lock_job, 2);
    if (guarded != 2ull * LOCK_ROUNDS * cpu_count)
        log_error("selftest: spinlock: FAILED, %lu", guarded);
    run_everywhere("call", call_job, 1);
    run_everywhere("shootdown", shootdown_job, 1);
    run_everywhere("fpu", fpu_job, FPU_THREADS);
}
