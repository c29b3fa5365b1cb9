// SPDX-License-Identifier: GPL-3.0-or-later
// What the rows of `./cryptos bench kernel` share. A row is a small piece of work that one turn
// does once; main.c does many turns and counts. A turn checks its own result by must(): a row that
// does not do its work ends the program with a message, and has no figure.
//
//   static void turn(void) { must(call(SYS_getppid, 0, 0, 0, 0) == parent); }
//   const struct row rows_of_x[] = { { "null", .turn = turn, .turns = 2000 }, { 0 } };
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { FUTEX_WAIT_OWN = 128, FUTEX_WAKE_OWN = 129 }; // FUTEX_PRIVATE_FLAG
enum { KIB = 1024, MIB = 1024 * 1024, PAGE = 4096 };

struct row {
    const char *name;
    void (*begin)(void); // NULL: nothing to prepare
    void (*turn)(void);
    void (*end)(void);
    unsigned turns; // in one batch
    unsigned parts; // times that a turn does the work; 0: once
    bool cores;     // needs a second processor
};

// Each ends with a row without a name.
extern const struct row rows_of_calls[], rows_of_events[], rows_of_files[], rows_of_memory[],
    rows_of_pairs[], rows_of_processes[], rows_of_threads[];

#define must(condition)                                 \
    do {                                                \
        if (__builtin_expect(!(condition), 0))          \
            row_failed(__FILE__, __LINE__, #condition); \
    } while (0)
_Noreturn void row_failed(const char *file, int line, const char *what);

// The time stamp counter: instructions under -icount.
unsigned long long cycles(void);
// What was done since `begin` counts so much, whatever it took (0: it was preparation).
void counted_as(unsigned long long begin, double amount);
// The profiler takes its address as the border between two turns.
void turn_mark(void);
// Lets the calling thread run on one processor only.
void pin(int cpu);
// Ends a child that serves for ever.
void child_drop(pid_t child);
// Starts the second processor where it was not started at boot.
void second_processor_start(void);
// The processor on which the partner of the row runs: 1 for rows of two cores.
int partner_cpu(void);

// Without a C library's wrapper around it; a negative result is an error.
static inline long call(long number, long a, long b, long c, long d)
{
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}
