// SPDX-License-Identifier: GPL-3.0-or-later
// Rows: waiting for what is ready already, waking nobody, and how late a timer is.

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>

#include "tests/programs/bench/rows.h"

enum { PIPES = 10, DELAY_NS = 1000 * 1000 };

static int pipes[PIPES][2];
static struct pollfd watched[PIPES];

// Of ten pipes the last has something to read.
static void poll_begin(void)
{
    for (int i = 0; i < PIPES; i++) {
        must(pipe(pipes[i]) == 0);
        watched[i] = (struct pollfd){ .fd = pipes[i][0], .events = POLLIN };
    }
    must(write(pipes[PIPES - 1][1], "x", 1) == 1);
}

static void poll_turn(void)
{
    watched[PIPES - 1].revents = 0;
    must(call(SYS_poll, (long)watched, PIPES, -1, 0) == 1);
    must(watched[PIPES - 1].revents == POLLIN);
}

static void poll_end(void)
{
    for (int i = 0; i < PIPES; i++)
        close(pipes[i][0]), close(pipes[i][1]);
}

static int list, event;

static void epoll_begin(void)
{
    struct epoll_event wanted = { .events = EPOLLIN, .data.u32 = 5 };
    event = eventfd(1, 0);
    list = epoll_create1(0);
    must(epoll_ctl(list, EPOLL_CTL_ADD, event, &wanted) == 0);
}

static void epoll_turn(void)
{
    struct epoll_event found = { 0 };
    must(call(SYS_epoll_wait, list, (long)&found, 1, -1) == 1);
    must(found.events == EPOLLIN && found.data.u32 == 5);
}

static void epoll_end(void)
{
    close(list);
    close(event);
}

static int word;

static void futex_turn(void)
{
    must(call(SYS_futex, (long)&word, FUTEX_WAKE_OWN, 1, 0) == 0);
}

static long long in_ns(struct timespec t)
{
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void timer_begin(void)
{
    prctl(PR_SET_TIMERSLACK, 1); // where timers are late on purpose
}

// Counts the nanoseconds from when it was to return until it had.
static void timer_turn(void)
{
    struct timespec t;
    unsigned long long begin = cycles();
    clock_gettime(CLOCK_MONOTONIC, &t);
    long long until = in_ns(t) + DELAY_NS;
    t = (struct timespec){ until / 1000000000, until % 1000000000 };
    must(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &t);
    must(in_ns(t) >= until);
    counted_as(begin, (double)(in_ns(t) - until));
}

const struct row rows_of_events[] = {
    { "poll_10", poll_begin, poll_turn, poll_end, .turns = 500 },
    { "epoll_ready", epoll_begin, epoll_turn, epoll_end, .turns = 1000 },
    { "futex_wake", .turn = futex_turn, .turns = 1000 },
    { "timer_late", timer_begin, timer_turn, .turns = 50 },
    { 0 },
};
