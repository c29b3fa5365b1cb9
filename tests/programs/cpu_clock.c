// SPDX-License-Identifier: GPL-3.0-or-later
// N processes read the clocks of what they ran, for some seconds each: these may stand, never go
// back.
//
//   cpu_clock PROCESSES SECONDS      prints one line for each step back; status 1 when there was
//   one
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int steps_back(clockid_t clock, const char *name, long long span)
{
    int back = 0;
    long long last = now(clock), end = now(CLOCK_MONOTONIC) + span;
    while (now(CLOCK_MONOTONIC) < end) {
        for (int i = 0; i < 50; i++) {
            long long next = now(clock);
            if (next < last) {
                printf("the %s's clock went back by %lld ns\n", name, last - next);
                back++;
            }
            last = next;
        }
    }
    return back;
}

int main(int count, char **arguments)
{
    if (count != 3)
        return 2;
    long long span = atoi(arguments[2]) * 1000000000ll;
    for (int i = 0; i < atoi(arguments[1]); i++)
        if (fork() == 0)
            exit(steps_back(CLOCK_THREAD_CPUTIME_ID, "thread", span) +
                     steps_back(CLOCK_PROCESS_CPUTIME_ID, "process", span) !=
                 0);
    int status, wrong = 0;
    while (wait(&status) > 0)
        wrong |= status != 0;
    return wrong;
}
