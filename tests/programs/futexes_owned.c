// SPDX-License-Identifier: GPL-3.0-or-later
// Futexes with an owner as futex(2) says (PI): lock, unlock, handing over, owners that die, circles
// of owners, requeue, inheritance. Runs the same on Linux.
#include "tests/programs/check.h"
#include <sched.h>
#include <sys/mman.h>

enum { WAIT, WAKE, LOCK_PI = 6, UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAKE_BITSET, WAIT_REQUEUE_PI };
enum { CMP_REQUEUE_PI = 12, LOCK_PI2, PRIVATE = 128, REALTIME = 256 };
#define WAITERS 0x80000000u
#define DIED    0x40000000u

static uint32_t words[4];

static long futex(uint32_t *word, int operation, uint32_t value, const void *timeout,
                  uint32_t *second, uint32_t third)
{
    return syscall(SYS_futex, word, operation | PRIVATE, value, timeout, second, third);
}

static uint32_t self(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

// A thread that locks words one after the other, and then lets go of them if it shall.
struct locker {
    struct helper helper;
    uint32_t *first, *second;
    bool keeps;
    long result;    // of the last lock, or -errno
    uint32_t found; // the last word, after it was locked
};

static void *lock_words(void *data)
{
    struct locker *l = data;
    uint32_t *last = l->second ? l->second : l->first;
    l->result = futex(l->first, LOCK_PI, 0, NULL, NULL, 0);
    if (l->second)
        l->result = futex(l->second, LOCK_PI, 0, NULL, NULL, 0);
    if (l->result)
        l->result = -errno;
    l->found = __atomic_load_n(last, __ATOMIC_RELAXED);
    if (l->keeps)
        return NULL;
    if (!l->result && l->second)
        RETURNS(futex(l->second, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(futex(l->first, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    return NULL;
}

static void begin(struct locker *l, uint32_t *first, uint32_t *second, bool keeps)
{
    *l = (struct locker){ .first = first, .second = second, .keeps = keeps };
    helper_begin(&l->helper, lock_words, l);
}

static void test_alone(void)
{
    uint32_t *w = words;
    struct timespec past = { 0, 1 };
    RETURNS(futex(w, LOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(*w, self());
    FAILS(futex(w, LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    FAILS(futex(w, TRYLOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    RETURNS(futex(w, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(*w, 0);
    FAILS(futex(w, UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
    RETURNS(futex(w, TRYLOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(futex(w, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(futex(w, LOCK_PI2, 0, &past, NULL, 0), 0); // it is free: no time passes
    RETURNS(futex(w, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    *w = 1; // that one sleeps in the kernel or computes; it owns nothing of ours
    FAILS(futex(w, LOCK_PI2, 0, &past, NULL, 0), ETIMEDOUT);
    FAILS(futex(w, LOCK_PI, 0, &past, NULL, 0), ETIMEDOUT);
    FAILS(futex(w, LOCK_PI2 | REALTIME, 0, &past, NULL, 0), ETIMEDOUT);
    FAILS(futex(w, TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
    RETURNS(*w & ~WAITERS, 1);
    *w = 0x3ffffff0; // nobody has that number
    FAILS(futex(w, LOCK_PI, 0, NULL, NULL, 0), ESRCH);
    *w = 0;
    FAILS(futex((uint32_t *)((char *)w + 1), LOCK_PI, 0, NULL, NULL, 0), EINVAL);
    FAILS(futex((uint32_t *)8, LOCK_PI, 0, NULL, NULL, 0), EFAULT);
    FAILS(futex((uint32_t *)8, UNLOCK_PI, 0, NULL, NULL, 0), EFAULT);
    FAILS(futex(w, LOCK_PI | REALTIME, 0, NULL, NULL, 0), ENOSYS);
    FAILS(futex(w, UNLOCK_PI | REALTIME, 0, NULL, NULL, 0), ENOSYS);
}

static void test_handing_over(void)
{
    struct locker l[3];
    uint32_t *w = words;
    RETURNS(futex(w, LOCK_PI, 0, NULL, NULL, 0), 0);
    for (int i = 0; i < 3; i++) {
        begin(&l[i], w, NULL, false);
        asleep(l[i].helper.number);
        RETURNS(*w, self() | WAITERS);
    }
    FAILS(futex(w, WAKE, 1, NULL, NULL, 0), EINVAL); // only its owner wakes them
    RETURNS(futex(w, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    for (int i = 0; i < 3; i++) {
        helper_end(&l[i].helper);
        RETURNS(l[i].result, 0);
        RETURNS(l[i].found & ~WAITERS, l[i].helper.number);
    }
    RETURNS(*w & ~WAITERS, 0);
    *w = 0;
}

// Two threads, each of which wants what the other has.
static void test_circle(void)
{
    struct locker l, m;
    RETURNS(futex(words, LOCK_PI, 0, NULL, NULL, 0), 0);
    begin(&l, words + 1, words, false);
    asleep(l.helper.number);
    FAILS(futex(words + 1, LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    begin(&m, words + 2, words + 1, false); // and by way of a third
    asleep(m.helper.number);
    FAILS(futex(words + 2, LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    RETURNS(futex(words, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    helper_end(&l.helper);
    helper_end(&m.helper);
    RETURNS(l.result, 0);
    RETURNS(m.result, 0);
    memset(words, 0, sizeof(words));
}

static void *own_and_wait(void *data)
{
    uint32_t *w = data;
    RETURNS(futex(w, LOCK_PI, 0, NULL, NULL, 0), 0);
    while (!__atomic_load_n(&words[3], __ATOMIC_ACQUIRE))
        futex(&words[3], WAIT, 0, NULL, NULL, 0);
    return NULL;
}

static void let_go(void)
{
    __atomic_store_n(&words[3], 1, __ATOMIC_RELEASE);
    futex(&words[3], WAKE, 9, NULL, NULL, 0);
}

// The owner ends without letting go: the next learns, and has it.
static void test_death(void)
{
    struct helper h;
    struct locker l[2];
    words[3] = 0;
    helper_begin(&h, own_and_wait, words);
    asleep(h.number);
    for (int i = 0; i < 2; i++) {
        begin(&l[i], words, NULL, false);
        asleep(l[i].helper.number);
    }
    let_go();
    helper_end(&h);
    for (int i = 0; i < 2; i++) {
        helper_end(&l[i].helper);
        RETURNS(l[i].result, 0);
    }
    RETURNS(l[0].found & ~WAITERS, (uint32_t)l[0].helper.number | DIED);
    memset(words, 0, sizeof(words));
}

// The same among processes, with a list of robust futexes.
struct shared {
    uint64_t first;
    int64_t offset;
    uint64_t pending;
    uint64_t next;
    uint32_t word;
};

static int own_robustly(void *data)
{
    struct shared *s = data;
    s->first = (uint64_t)&s->next | 1;
    s->offset = (char *)&s->word - (char *)&s->next;
    s->next = (uint64_t)s;
    RETURNS(syscall(SYS_set_robust_list, s, 24), 0);
    RETURNS(syscall(SYS_futex, &s->word, LOCK_PI, 0, NULL, NULL, 0), 0);
    return 0;
}

static int wait_for_owner(void *data)
{
    struct shared *s = data;
    RETURNS(syscall(SYS_futex, &s->word, LOCK_PI, 0, NULL, NULL, 0), 0);
    return (s->word & ~WAITERS) != (self() | DIED);
}

static void test_processes(void)
{
    struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    RETURNS(child_end(child_begin(own_robustly, s)), 0);
    RETURNS(s->word, DIED);
    RETURNS(syscall(SYS_futex, &s->word, LOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(s->word & ~WAITERS, self() | DIED);
    s->word = self();
    RETURNS(syscall(SYS_futex, &s->word, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    // Killed while it owns and another waits.
    int pipes[2];
    MADE(pipe(pipes));
    pid_t owner = fork();
    if (!owner) {
        own_robustly(s);
        (void)!write(pipes[1], "", 1);
        for (;;)
            pause();
    }
    char c;
    RETURNS(read(pipes[0], &c, 1), 1);
    int waiter = child_begin(wait_for_owner, s);
    asleep(waiter);
    kill(owner, SIGKILL);
    RETURNS(child_end(waiter), 0);
    waitpid(owner, NULL, 0);
    close(pipes[0]);
    close(pipes[1]);
    munmap(s, 4096);
}

struct mover {
    struct helper helper;
    uint32_t *owned;
    long result;
    uint32_t found;
};

static void *wait_to_be_moved(void *data)
{
    struct mover *m = data;
    m->result = futex(words, WAIT_REQUEUE_PI, 0, NULL, m->owned, 0);
    if (m->result) {
        m->result = -errno;
        return NULL;
    }
    m->found = *m->owned;
    RETURNS(futex(m->owned, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    return NULL;
}

static void begin_mover(struct mover *m, uint32_t *owned)
{
    *m = (struct mover){ .owned = owned };
    helper_begin(&m->helper, wait_to_be_moved, m);
    asleep(m->helper.number);
}

static void end_mover(struct mover *m)
{
    helper_end(&m->helper);
    RETURNS(m->result, 0);
    RETURNS(m->found & ~WAITERS, m->helper.number);
}

#define MOVE(to, wake, most, value) \
    futex(words, CMP_REQUEUE_PI, wake, (void *)(long)(most), to, value)

static void test_requeue(void)
{
    struct mover m[3];
    struct timespec past = { 0, 1 };
    uint32_t *owned = words + 1;
    FAILS(futex(words, WAIT_REQUEUE_PI, 0, &past, owned, 0), ETIMEDOUT);
    FAILS(futex(words, WAIT_REQUEUE_PI, 1, NULL, owned, 0), EAGAIN);
    FAILS(futex(words, WAIT_REQUEUE_PI, 0, NULL, words, 0), EINVAL);
    begin_mover(&m[0], owned);
    FAILS(MOVE(owned, 2, 9, 0), EINVAL);
    FAILS(MOVE(owned, 1, 9, 5), EAGAIN);
    FAILS(MOVE(words + 2, 1, 9, 0), EINVAL); // not where it wants to go
    FAILS(MOVE(words, 1, 9, 0), EINVAL);
    FAILS(futex(words, WAKE, 1, NULL, NULL, 0), EINVAL);
    RETURNS(MOVE(owned, 1, 0, 0), 1); // it is free
    end_mover(&m[0]);
    RETURNS(*owned & ~WAITERS, 0);
    *owned = 0;

    for (int i = 0; i < 3; i++)
        begin_mover(&m[i], owned);
    RETURNS(futex(owned, LOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(MOVE(owned, 1, 1, 0), 2);
    RETURNS(*owned, self() | WAITERS);
    RETURNS(MOVE(owned, 1, 9, 0), 1);
    RETURNS(MOVE(owned, 1, 9, 0), 0);
    RETURNS(futex(owned, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    for (int i = 0; i < 3; i++)
        end_mover(&m[i]);
    RETURNS(*owned & ~WAITERS, 0);
    *owned = 0;

    for (int i = 0; i < 3; i++)
        begin_mover(&m[i], owned);
    RETURNS(MOVE(owned, 1, 9, 0), 3); // free, and others behind the first
    for (int i = 0; i < 3; i++)
        end_mover(&m[i]);
    memset(words, 0, sizeof(words));
}

static int handled;

static void handle(int number)
{
    handled++;
}

// A signal does not end the wait.
static void test_signal(void)
{
    struct locker l;
    struct sigaction a = { .sa_handler = handle };
    sigaction(SIGUSR1, &a, NULL);
    RETURNS(futex(words, LOCK_PI, 0, NULL, NULL, 0), 0);
    begin(&l, words, NULL, false);
    asleep(l.helper.number);
    syscall(SYS_tgkill, getpid(), l.helper.number, SIGUSR1);
    while (!__atomic_load_n(&handled, __ATOMIC_ACQUIRE))
        sched_yield();
    asleep(l.helper.number);
    RETURNS(futex(words, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    helper_end(&l.helper);
    RETURNS(l.result, 0);
    words[0] = 0;
}

static void priority(int value)
{
    struct sched_param p = { .sched_priority = value };
    RETURNS(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p), 0);
}

// They are all there before the first is boosted: none of them would run any more to say so.
static void wait_for_go(uint32_t *word)
{
    RETURNS(futex(word, WAIT, 0, NULL, NULL, 0), 0);
}

static void go(uint32_t *word)
{
    RETURNS(futex(word, WAKE, 1, NULL, NULL, 0), 1);
}

static int low_done;
static uint32_t chain[2];

static void *compute(void *data)
{
    priority(20);
    wait_for_go(&words[0]);
    int64_t end = now_of(CLOCK_THREAD_CPUTIME_ID) + 20 * 1000000000ll;
    while (!__atomic_load_n(&low_done, __ATOMIC_ACQUIRE) && now_of(CLOCK_THREAD_CPUTIME_ID) < end)
        ;
    return (void *)(long)__atomic_load_n(&low_done, __ATOMIC_ACQUIRE);
}

static void *lock_high(void *data)
{
    priority(30);
    wait_for_go(&words[2]);
    RETURNS(futex(chain + 1, LOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(futex(chain + 1, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    return NULL;
}

static void *lock_middle(void *data)
{
    priority(12);
    wait_for_go(&words[1]);
    RETURNS(futex(chain + 1, LOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(futex(chain, LOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(futex(chain, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(futex(chain + 1, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    return NULL;
}

// One processor. The least urgent thread owns what one waits for, which owns what the most urgent
// waits for; one in between computes until the first has let go, which it can only if it inherits.
static void test_inheritance(void)
{
    cpu_set_t one;
    struct helper middle, high, busy;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    RETURNS(sched_setaffinity(0, sizeof(one), &one), 0);
    priority(10);
    helper_begin(&busy, compute, NULL);
    helper_begin(&middle, lock_middle, NULL);
    helper_begin(&high, lock_high, NULL);
    asleep(busy.number);
    asleep(middle.number);
    asleep(high.number);
    RETURNS(futex(chain, LOCK_PI, 0, NULL, NULL, 0), 0);
    go(&words[1]);
    asleep(middle.number);
    go(&words[2]);
    asleep(high.number);
    go(&words[0]);
    __atomic_store_n(&low_done, 1, __ATOMIC_RELEASE);
    RETURNS(futex(chain, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    RETURNS(helper_end(&busy), 1);
    helper_end(&high);
    helper_end(&middle);
}

int main(void)
{
    test_alone();
    test_handing_over();
    test_circle();
    test_death();
    test_processes();
    test_requeue();
    test_signal();
    test_inheritance();
    return checks_end();
}
