// SPDX-License-Identifier: GPL-3.0-or-later
// N processes that only compute, for some seconds: how evenly did they run, and how busy was the
// machine?
//
//   fair PROCESSES SECONDS CPUS      prints "jain J busy B", both from the processes' own CPU time
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double own_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int count, char **arguments)
{
    int processes = atoi(arguments[1]), seconds = atoi(arguments[2]), cpus = atoi(arguments[3]);
    struct shared {
        double start;
        volatile int go;
        double ran[256];
    } *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED || processes > 256)
        return 2;
    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            while (!s->go)
                usleep(1000);
            double began = own_time(), end = s->start + seconds;
            volatile unsigned long work = 0;
            do {
                for (int k = 0; k < 20000; k++)
                    work += (unsigned long)k;
            } while (now() < end);
            s->ran[i] = own_time() - began;
            _exit(0);
        }
    }
    usleep(200000);
    s->start = now();
    s->go = 1;
    while (wait(NULL) > 0)
        ;
    double sum = 0, squares = 0;
    for (int i = 0; i < processes; i++) {
        sum += s->ran[i];
        squares += s->ran[i] * s->ran[i];
    }
    printf("jain %.4f busy %.4f\n", sum * sum / (processes * squares), sum / (seconds * cpus));
    return 0;
}
