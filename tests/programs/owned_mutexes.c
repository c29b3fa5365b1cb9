// SPDX-License-Identifier: GPL-3.0-or-later
// The C library's mutexes that inherit priority, robust ones too, with threads that compete for
// them and a condition variable. Linked dynamically against the machine's own C library.
#include "tests/programs/check.h"

enum { THREADS = 6, ROUNDS = 300 };

static pthread_mutex_t lock;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int count, turn;

static pthread_mutex_t make(int type, int robust)
{
    pthread_mutex_t m;
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    RETURNS(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT), 0);
    RETURNS(pthread_mutexattr_settype(&a, type), 0);
    RETURNS(pthread_mutexattr_setrobust(&a, robust), 0);
    RETURNS(pthread_mutex_init(&m, &a), 0);
    return m;
}

static void *compete(void *data)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        int seen = count;
        if (i % 16 == 0)
            sched_yield();
        count = seen + 1;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void *take_turns(void *data)
{
    int mine = (int)(long)data;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < ROUNDS / 10; i++) {
        while (turn % THREADS != mine)
            pthread_cond_wait(&turned, &lock);
        turn++;
        pthread_cond_broadcast(&turned);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void run(void *(*function)(void *))
{
    pthread_t t[THREADS];
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, function, (void *)i))
            _exit(3);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
}

static void *die_holding(void *data)
{
    RETURNS(pthread_mutex_lock(&lock), 0);
    return NULL;
}

static void test_robust(void)
{
    pthread_t t;
    lock = make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    for (int i = 0; i < 3; i++) {
        pthread_create(&t, NULL, die_holding, NULL);
        pthread_join(t, NULL);
        RETURNS(pthread_mutex_lock(&lock), EOWNERDEAD);
        RETURNS(pthread_mutex_consistent(&lock), 0);
        RETURNS(pthread_mutex_unlock(&lock), 0);
    }
    pthread_create(&t, NULL, die_holding, NULL);
    pthread_join(t, NULL);
    RETURNS(pthread_mutex_lock(&lock), EOWNERDEAD);
    RETURNS(pthread_mutex_unlock(&lock), 0); // not made consistent
    RETURNS(pthread_mutex_lock(&lock), ENOTRECOVERABLE);
}

int main(void)
{
    struct timespec past = { 0, 1 };
    lock = make(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
    RETURNS(pthread_mutex_lock(&lock), 0);
    RETURNS(pthread_mutex_lock(&lock), EDEADLK);
    RETURNS(pthread_mutex_unlock(&lock), 0);
    RETURNS(pthread_mutex_unlock(&lock), EPERM);
    lock = make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
    RETURNS(pthread_mutex_lock(&lock), 0);
    RETURNS(pthread_mutex_trylock(&lock), EBUSY);
    RETURNS(pthread_mutex_timedlock(&lock, &past), ETIMEDOUT);
    RETURNS(pthread_mutex_unlock(&lock), 0);
    run(compete);
    RETURNS(count, THREADS * ROUNDS);
    run(take_turns);
    RETURNS(turn, THREADS * (ROUNDS / 10));
    test_robust();
    return checks_end();
}
