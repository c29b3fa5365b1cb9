// SPDX-License-Identifier: GPL-3.0-or-later
// What the programs that test Linux calls share: checks that say what was wrong, and go on.
//
//   RETURNS(read(fd, &value, 8), 8);      FAILS(read(fd, &value, 4), EINVAL);      CHECK(value ==
//   3); return checks_end();                  prints "N checks, N wrong"
//
// They never wait for a guessed time: `asleep()` waits until a thread sleeps in the kernel.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_process_mrelease // newer than the C library
#define SYS_process_mrelease 448
#define SYS_futex_waitv      449
#endif

static int checks_made, checks_wrong;

static inline void check_one(bool good, const char *file, int line, const char *text, long result,
                             int error)
{
    __atomic_fetch_add(&checks_made, 1, __ATOMIC_RELAXED);
    if (good)
        return;
    __atomic_fetch_add(&checks_wrong, 1, __ATOMIC_RELAXED);
    printf("%s:%d: %s: %ld, errno %d (%s)\n", file, line, text, result, error, strerror(error));
    fflush(stdout);
}

#define CHECK(condition)                                                      \
    do {                                                                      \
        bool check_good = (condition);                                        \
        check_one(check_good, __FILE__, __LINE__, #condition, check_good, 0); \
    } while (0)

#define RETURNS(call, wanted)                                                               \
    do {                                                                                    \
        errno = 0;                                                                          \
        long check_result = (long)(call);                                                   \
        check_one(check_result == (long)(wanted), __FILE__, __LINE__, #call " is " #wanted, \
                  check_result, errno);                                                     \
    } while (0)

#define FAILS(call, wanted)                                                    \
    do {                                                                       \
        errno = 0;                                                             \
        long check_result = (long)(call);                                      \
        check_one(check_result == -1 && errno == (wanted), __FILE__, __LINE__, \
                  #call " fails with " #wanted, check_result, errno);          \
    } while (0)

// The result of a call that gives something to go on with; ends the program when it failed.
#define MADE(call)                                                                    \
    ({                                                                                \
        errno = 0;                                                                    \
        long check_result = (long)(call);                                             \
        check_one(check_result >= 0, __FILE__, __LINE__, #call, check_result, errno); \
        if (check_result < 0)                                                         \
            _exit(3);                                                                 \
        check_result;                                                                 \
    })

static inline int checks_end(void)
{
    printf("%d checks, %d wrong\n", checks_made, checks_wrong);
    return checks_wrong != 0;
}

static inline int64_t now_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static inline int64_t now(void)
{
    return now_of(CLOCK_MONOTONIC);
}

// Waits until task `number` (a thread, or a process's first) sleeps, as /proc says.
static inline void asleep(int number)
{
    char path[64], text[512], *state;
    snprintf(path, sizeof(path), "/proc/%d/stat", number);
    for (;;) {
        int fd = open(path, O_RDONLY);
        if (fd < 0)
            return;
        ssize_t n = read(fd, text, sizeof(text) - 1);
        close(fd);
        text[n > 0 ? n : 0] = '\0';
        state = strrchr(text, ')');
        if (state && state[1] && state[2] == 'S')
            return;
        sched_yield();
    }
}

// A thread that says its number before it begins.
struct helper {
    pthread_t thread;
    void *(*function)(void *);
    void *data;
    int number; // atomic
};

static inline void *helper_start(void *data)
{
    struct helper *h = data;
    __atomic_store_n(&h->number, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
    return h->function(h->data);
}

static inline void helper_begin(struct helper *h, void *(*function)(void *), void *data)
{
    *h = (struct helper){ .function = function, .data = data };
    if (pthread_create(&h->thread, NULL, helper_start, h))
        _exit(3);
    while (!__atomic_load_n(&h->number, __ATOMIC_ACQUIRE))
        sched_yield();
}

static inline long helper_end(struct helper *h)
{
    void *result;
    pthread_join(h->thread, &result);
    return (long)result;
}

// Runs a function in a child; its result is the child's exit status.
static inline int child_begin(int (*function)(void *), void *data)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        checks_made = checks_wrong = 0;
        int status = function(data);
        fflush(stdout);
        _exit(checks_wrong ? 99 : status);
    }
    return pid;
}

static inline int child_end(int pid)
{
    int status = -1;
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
