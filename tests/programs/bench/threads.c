// SPDX-License-Identifier: GPL-3.0-or-later
// Rows: threads, and futexes between them.

#include <pthread.h>
#include <stdatomic.h>

#include "tests/programs/bench/rows.h"

static void *seven(void *data)
{
    return (char *)data + 7;
}

static void thread_turn(void)
{
    pthread_t thread;
    void *result;
    must(pthread_create(&thread, NULL, seven, NULL) == 0);
    must(pthread_join(thread, &result) == 0);
    must(result == (void *)7);
}

static atomic_int asked, answered;
static pthread_t server;

static void wait_while(atomic_int *word, int old)
{
    while (atomic_load(word) == old)
        call(SYS_futex, (long)word, FUTEX_WAIT_OWN, old, 0);
}

static void set(atomic_int *word, int value)
{
    atomic_store(word, value);
    must(call(SYS_futex, (long)word, FUTEX_WAKE_OWN, 1, 0) >= 0);
}

// Answers each number with itself; -1 is the last.
static void *serve(void *data)
{
    pin(partner_cpu());
    for (int turn = 0; turn >= 0;) {
        wait_while(&asked, turn);
        turn = atomic_load(&asked);
        set(&answered, turn);
    }
    return NULL;
}

static void futex_begin(void)
{
    asked = answered = 0;
    must(pthread_create(&server, NULL, serve, NULL) == 0);
}

static void futex_turn(void)
{
    int turn = asked + 1;
    set(&asked, turn);
    wait_while(&answered, turn - 1);
    must(answered == turn);
}

static void futex_end(void)
{
    set(&asked, -1);
    must(pthread_join(server, NULL) == 0);
}

const struct row rows_of_threads[] = {
    { "thread", .turn = thread_turn, .turns = 100 },
    { "futex_pong", futex_begin, futex_turn, futex_end, .turns = 500 },
    { "futex_pong_cores", futex_begin, futex_turn, futex_end, .turns = 500, .cores = true },
    { 0 },
};
