// SPDX-License-Identifier: GPL-3.0-or-later
// Rows: calls that do little but be called, clocks, signals.

#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "tests/programs/bench/rows.h"

static long parent;

static void null_begin(void)
{
    parent = getppid();
}

static void null_turn(void)
{
    must(call(SYS_getppid, 0, 0, 0, 0) == parent);
}

static struct timespec last;

static void not_before(struct timespec t)
{
    must(t.tv_sec > last.tv_sec || (t.tv_sec == last.tv_sec && t.tv_nsec >= last.tv_nsec));
    last = t;
}

static void clock_vdso_turn(void)
{
    struct timespec t;
    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    not_before(t);
}

static void clock_call_turn(void)
{
    struct timespec t;
    must(call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0, 0) == 0);
    not_before(t);
}

static void yield_turn(void)
{
    must(call(SYS_sched_yield, 0, 0, 0, 0) == 0);
}

static volatile int handled;
static pid_t me;

static void on_signal(int number)
{
    handled++;
}

static void signal_begin(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    me = getpid();
    must(sigaction(SIGUSR1, &action, NULL) == 0);
}

static void signal_turn(void)
{
    int before = handled;
    must(call(SYS_kill, me, SIGUSR1, 0, 0) == 0);
    must(handled == before + 1);
}

static volatile char *forbidden;
static void *after_access;

static void on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *c = context;
    must(info->si_addr == (void *)forbidden);
    c->uc_mcontext.gregs[REG_RIP] = (greg_t)after_access;
    handled++;
}

static void fault_begin(void)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    forbidden = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(forbidden != MAP_FAILED);
    must(sigaction(SIGSEGV, &action, NULL) == 0);
}

static void fault_turn(void)
{
    int before = handled;
    __asm__ volatile("movq $1f, %0; movb (%1), %%al; 1:"
                     : "=m"(after_access)
                     : "r"(forbidden)
                     : "rax", "memory");
    must(handled == before + 1);
}

static void fault_end(void)
{
    signal(SIGSEGV, SIG_DFL);
    munmap((void *)forbidden, PAGE);
}

const struct row rows_of_calls[] = {
    { "null", null_begin, null_turn, .turns = 2000 },
    { "clock_vdso", .turn = clock_vdso_turn, .turns = 2000 },
    { "clock_call", .turn = clock_call_turn, .turns = 2000 },
    { "yield_alone", .turn = yield_turn, .turns = 1000 },
    { "signal_self", signal_begin, signal_turn, .turns = 500 },
    { "caught_fault", fault_begin, fault_turn, fault_end, .turns = 500 },
    { 0 },
};
