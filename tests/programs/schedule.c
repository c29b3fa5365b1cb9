// SPDX-License-Identifier: GPL-3.0-or-later
// sched_* calls, membarrier, locked memory, signals with information. Runs the same on Linux, as
// root.
#include "tests/programs/check.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

struct sched_attr { // linux/sched/types.h
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
#define RESET 0x40000000

static int scheduler(int policy, int priority)
{
    struct sched_param p = { .sched_priority = priority };
    return (int)syscall(SYS_sched_setscheduler, 0, policy, &p);
}

static int policy(void)
{
    return (int)syscall(SYS_sched_getscheduler, 0);
}

static int attributes(const struct sched_attr *a)
{
    return (int)syscall(SYS_sched_setattr, 0, a, 0);
}

static int as_a_child(void *data)
{
    CHECK(policy() == SCHED_OTHER);
    CHECK(getpriority(PRIO_PROCESS, 0) == 0);
    return 0;
}

static void test_policies(void)
{
    struct sched_attr a = { 0 };
    struct timespec slice;
    RETURNS(scheduler(SCHED_FIFO | RESET, 10), 0);
    RETURNS(policy(), SCHED_FIFO | RESET);
    RETURNS(child_end(child_begin(as_a_child, NULL)), 0);
    RETURNS(syscall(SYS_sched_rr_get_interval, 0, &slice), 0);
    CHECK(slice.tv_sec == 0 && slice.tv_nsec == 0);
    RETURNS(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0), 0);
    CHECK(a.size == 48 && a.policy == SCHED_FIFO && a.priority == 10 && a.flags == 1);
    RETURNS(scheduler(SCHED_RR, 5), 0);
    RETURNS(policy(), SCHED_RR);
    RETURNS(syscall(SYS_sched_rr_get_interval, 0, &slice), 0);
    CHECK(slice.tv_sec == 0 && slice.tv_nsec > 0);
    FAILS(scheduler(SCHED_FIFO, 0), EINVAL);
    FAILS(scheduler(SCHED_FIFO, 100), EINVAL);
    FAILS(scheduler(SCHED_OTHER, 1), EINVAL);
    FAILS(scheduler(77, 0), EINVAL);
    FAILS(scheduler(-1, 0), EINVAL);
    RETURNS(scheduler(SCHED_OTHER, 0), 0);

    a = (struct sched_attr){ .size = 48, .policy = SCHED_BATCH, .nice = -3, .flags = 1 };
    RETURNS(attributes(&a), 0);
    RETURNS(policy(), SCHED_BATCH | RESET);
    RETURNS(getpriority(PRIO_PROCESS, 0), -3);
    memset(&a, 0xff, sizeof(a));
    RETURNS(syscall(SYS_sched_getattr, 0, &a, 48, 0), 0);
    CHECK(a.size == 48 && a.policy == SCHED_BATCH && a.nice == -3 && a.priority == 0);
    FAILS(syscall(SYS_sched_getattr, 0, &a, 47, 0), EINVAL);
    FAILS(syscall(SYS_sched_getattr, 0, &a, 48, 1), EINVAL);
    FAILS(syscall(SYS_sched_getattr, -1, &a, 48, 0), EINVAL);
    FAILS(syscall(SYS_sched_getattr, 4000000, &a, 48, 0), ESRCH);
    a = (struct sched_attr){ .size = 20 };
    FAILS(attributes(&a), E2BIG);
    a = (struct sched_attr){ .size = 48, .flags = 1ull << 40 };
    FAILS(attributes(&a), EINVAL);
    a = (struct sched_attr){ .size = 48, .policy = 77 };
    FAILS(attributes(&a), EINVAL);
    FAILS(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
    a = (struct sched_attr){ .size = 48, .policy = SCHED_OTHER };
    RETURNS(attributes(&a), 0);
    RETURNS(policy(), SCHED_OTHER);
    RETURNS(getpriority(PRIO_PROCESS, 0), 0);
    RETURNS(syscall(SYS_sched_get_priority_max, SCHED_FIFO), 99);
    RETURNS(syscall(SYS_sched_get_priority_min, SCHED_OTHER), 0);
    FAILS(syscall(SYS_sched_get_priority_min, 77), EINVAL);
}

static void test_membarrier(void)
{
    long known = syscall(SYS_membarrier, 0, 0, 0);
    CHECK(known > 0 && (known & 31) == 31);
    RETURNS(syscall(SYS_membarrier, 1, 0, 0), 0);
    FAILS(syscall(SYS_membarrier, 8, 0, 0), EPERM);
    RETURNS(syscall(SYS_membarrier, 16, 0, 0), 0);
    RETURNS(syscall(SYS_membarrier, 8, 0, 0), 0);
    RETURNS(syscall(SYS_membarrier, 4, 0, 0), 0);
    RETURNS(syscall(SYS_membarrier, 2, 0, 0), 0);
    FAILS(syscall(SYS_membarrier, 1, 1, 0), EINVAL);
    FAILS(syscall(SYS_membarrier, 3, 0, 0), EINVAL);
}

static void test_locked_memory(void)
{
    unsigned char there[2];
    char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    RETURNS(mlock(p + 100, 4096), 0);
    RETURNS(mincore(p, 8192, there), 0);
    CHECK(there[0] & 1 && there[1] & 1);
    RETURNS(munlock(p, 8192), 0);
    munmap(p + 4096, 4096);
    FAILS(mlock(p, 3 * 4096), ENOMEM);
    FAILS(syscall(SYS_mlock2, p, 4096, 2), EINVAL);
    RETURNS(syscall(SYS_mlock2, p, 4096, 1), 0);
    RETURNS(munlock(p, 0), 0);
}

static int got_number, got_code;
static long got_value;
static int order[8], orders;

static void remember(int number, siginfo_t *info, void *context)
{
    got_number = number;
    got_code = info->si_code;
    got_value = (long)info->si_value.sival_ptr;
    order[orders++ & 7] = number * 100 + info->si_value.sival_int;
}

static void test_queued_signals(void)
{
    struct sigaction action = { .sa_sigaction = remember, .sa_flags = SA_SIGINFO };
    siginfo_t info = { 0 };
    sigset_t set, old;
    int low = SIGRTMIN + 1, high = SIGRTMIN + 2;
    sigaction(low, &action, NULL);
    sigaction(high, &action, NULL);
    info.si_code = SI_QUEUE;
    info.si_value.sival_ptr = (void *)0x77;
    RETURNS(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), low, &info), 0);
    CHECK(got_number == low && got_code == SI_QUEUE && got_value == 0x77);
    FAILS(syscall(SYS_rt_tgsigqueueinfo, getpid(), 4000000, low, &info), ESRCH);
    FAILS(syscall(SYS_rt_tgsigqueueinfo, 0, getpid(), low, &info), EINVAL);
    FAILS(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), 99, &info), EINVAL);
    FAILS(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), low, 8), EFAULT);
    FAILS(syscall(SYS_restart_syscall), EINTR);

    // All are kept, the lower number first, those of one number in the order they came.
    sigemptyset(&set);
    sigaddset(&set, low);
    sigaddset(&set, high);
    sigprocmask(SIG_BLOCK, &set, &old);
    union sigval v;
    for (int i = 0; i < 3; i++) {
        v.sival_int = i;
        RETURNS(sigqueue(getpid(), high, v), 0);
        RETURNS(sigqueue(getpid(), low, v), 0);
    }
    struct timespec none = { 0, 0 };
    RETURNS(sigtimedwait(&set, &info, &none), low);
    CHECK(info.si_value.sival_int == 0 && info.si_pid == getpid());
    orders = 0;
    sigprocmask(SIG_SETMASK, &old, NULL);
    CHECK(orders == 5);
    // Handlers nest as the kernel stacks their frames: what was taken last runs first.
    int seen = 0;
    for (int i = 0; i < 5; i++)
        seen += order[i] == low * 100 + 1 || order[i] == low * 100 + 2 || order[i] / 100 == high;
    CHECK(seen == 5);
    sigprocmask(SIG_BLOCK, &set, &old);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);

    struct rlimit few = { 4, 4 }; // a full queue is told to who sends
    struct rlimit before;
    getrlimit(RLIMIT_SIGPENDING, &before);
    few.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_SIGPENDING, &few);
    int sent = 0;
    while (sent < 10 && sigqueue(getpid(), low, v) == 0)
        sent++;
    CHECK(sent <= 4 && errno == EAGAIN);
    while (sigtimedwait(&set, &info, &none) > 0)
        sent--;
    RETURNS(sent, 0);
    setrlimit(RLIMIT_SIGPENDING, &before);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(void)
{
    test_policies();
    test_membarrier();
    test_locked_memory();
    test_queued_signals();
    return checks_end();
}
