// SPDX-License-Identifier: GPL-3.0-or-later
// What the calls of a Linux program cost, in cycles of the time stamp counter (instructions under
// -icount): "NAME CYCLES" lines. bench/kernel.py runs it under both kernels.
//
//   bench_kernel             all rows of one processor
//   bench_kernel ROW ...     these
//   bench_kernel cores ...   on a machine with two processors; all rows are those across cores, too
//   bench_kernel loop ROW    one for ever; prints "loop" when it is warm: `bench --profile`
//   bench_kernel 7           nothing, and status 7: the rows that start programs

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/programs/bench/rows.h"

enum { BATCHES = 5 };

static const struct row *const parts[] = { rows_of_calls, rows_of_files,     rows_of_events,
                                           rows_of_pairs, rows_of_processes, rows_of_threads,
                                           rows_of_memory };
static const struct row *now; // is being measured
static double discount;       // of what the batch took

unsigned long long cycles(void)
{
    unsigned low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
    return (unsigned long long)high << 32 | low;
}

void counted_as(unsigned long long begin, double amount)
{
    discount += (double)(cycles() - begin) - amount;
}

void row_failed(const char *file, int line, const char *what)
{
    printf("wrong: %s: %s:%d: %s\n", now ? now->name : "?", file, line, what);
    fflush(stdout);
    _exit(3);
}

void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    must(sched_setaffinity(0, sizeof(set), &set) == 0);
}

int partner_cpu(void)
{
    return now->cores;
}

void child_drop(pid_t child)
{
    must(kill(child, SIGKILL) == 0);
    must(waitpid(child, NULL, 0) == child);
}

__attribute__((noinline)) void turn_mark(void)
{
    __asm__ volatile("" ::: "memory");
}

static double batch(const struct row *row)
{
    discount = 0;
    unsigned long long begin = cycles();
    for (unsigned i = 0; i < row->turns; i++) {
        turn_mark();
        row->turn();
    }
    unsigned parts_of_turn = row->parts ? row->parts : 1;
    return ((double)(cycles() - begin) - discount) / row->turns / parts_of_turn;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Wake-up interrupts that all processors were sent so far; -1 where the kernel does not say.
static long wakeups(void)
{
    FILE *f = fopen("/proc/ring", "r");
    char line[256];
    long all = f ? 0 : -1, sent;
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "%*u %*u %*u %ld", &sent) == 1)
            all += sent;
    if (f)
        fclose(f);
    return all;
}

static void measure(const struct row *row)
{
    double found[BATCHES];
    now = row;
    if (row->begin)
        row->begin();
    for (unsigned i = 0; i < row->turns / 10 + 2; i++)
        row->turn();
    long sent = wakeups();
    for (unsigned i = 0; i < BATCHES; i++)
        found[i] = batch(row);
    sent = wakeups() - sent;
    qsort(found, BATCHES, sizeof(found[0]), by_size);
    printf("%s %.1f\n", row->name, found[BATCHES / 2]);
    if (wakeups() >= 0)
        printf("ipis_%s %.3f\n", row->name, (double)sent / BATCHES / row->turns);
    fflush(stdout);
    if (row->end)
        row->end();
}

_Noreturn static void loop(const struct row *row)
{
    now = row;
    if (row->begin)
        row->begin();
    for (unsigned i = 0; i < 30; i++)
        row->turn();
    printf("loop\n");
    fflush(stdout);
    for (;;) {
        turn_mark();
        row->turn();
    }
}

static const struct row *find(const char *name)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        for (const struct row *row = parts[i]; row->name; row++)
            if (strcmp(row->name, name) == 0)
                return row;
    printf("no row is called %s\n", name);
    exit(2);
}

static void measure_all(bool two)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        for (const struct row *row = parts[i]; row->name; row++)
            if (two || !row->cores)
                measure(row);
}

int main(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : "";
    if (strcmp(first, "7") == 0)
        return 7;
    bool two = strcmp(first, "cores") == 0;
    if (two)
        second_processor_start();
    pin(0);
    if (argc == 3 && strcmp(first, "loop") == 0)
        loop(find(argv[2]));
    for (int i = 1 + two; i < argc; i++)
        measure(find(argv[i]));
    if (argc == 1 + two)
        measure_all(two);
    return 0;
}
