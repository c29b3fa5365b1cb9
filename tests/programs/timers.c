// SPDX-License-Identifier: GPL-3.0-or-later
// timerfd and signalfd as their manual pages say. Runs the same on Linux, as root.
#include "tests/programs/check.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>

enum { MS = 1000000 };

static struct itimerspec setting(int64_t value, int64_t interval)
{
    return (struct itimerspec){ { interval / 1000000000, interval % 1000000000 },
                                { value / 1000000000, value % 1000000000 } };
}

static int set(int fd, int flags, int64_t value, int64_t interval)
{
    struct itimerspec s = setting(value, interval);
    return timerfd_settime(fd, flags, &s, NULL);
}

static long expired(int fd)
{
    uint64_t count = 0;
    return read(fd, &count, 8) == 8 ? (long)count : -errno;
}

static int64_t value_of(int fd)
{
    struct itimerspec s;
    timerfd_gettime(fd, &s);
    return s.it_value.tv_sec * 1000000000ll + s.it_value.tv_nsec;
}

static void test_timer(clockid_t clock)
{
    struct itimerspec old, bad = setting(0, 0);
    int t = MADE(timerfd_create(clock, TFD_CLOEXEC));
    struct pollfd p = { t, POLLIN, 0 };
    char small[4];
    RETURNS(value_of(t), 0);
    RETURNS(poll(&p, 1, 0), 0);
    FAILS(read(t, small, sizeof(small)), EINVAL);
    FAILS(write(t, small, sizeof(small)), EINVAL);
    FAILS(set(t, 4, 1, 0), EINVAL);
    bad.it_value.tv_nsec = 1000000000;
    FAILS(timerfd_settime(t, 0, &bad, NULL), EINVAL);
    FAILS(timerfd_settime(0, 0, &old, NULL), EINVAL);
    FAILS(timerfd_settime(t, 0, (void *)8, NULL), EFAULT);
    FAILS(timerfd_gettime(99, &old), EBADF);

    int64_t before = now();
    RETURNS(set(t, 0, 3 * MS, 0), 0); // once, and after that no more
    int64_t left = value_of(t);
    CHECK(left <= 3 * MS);
    RETURNS(expired(t), 1);
    CHECK(now() - before >= 3 * MS);
    RETURNS(value_of(t), 0);
    fcntl(t, F_SETFL, O_NONBLOCK);
    RETURNS(expired(t), -EAGAIN);

    RETURNS(set(t, TFD_TIMER_ABSTIME, now_of(clock) + 2 * MS, 0), 0); // at a time
    RETURNS(poll(&p, 1, -1), 1);
    CHECK(p.revents == POLLIN);
    RETURNS(expired(t), 1);
    RETURNS(set(t, TFD_TIMER_ABSTIME, 1, 0), 0); // long ago
    RETURNS(poll(&p, 1, -1), 1);
    RETURNS(expired(t), 1);

    before = now();
    RETURNS(set(t, 0, 1 * MS, 1 * MS), 0); // many times
    int64_t after = now();
    RETURNS(poll(&p, 1, -1), 1);
    while (now() - after < 5 * MS)
        ;
    long count = expired(t);
    CHECK(count >= 5 && count <= (now() - before) / MS);
    RETURNS(poll(&p, 1, -1), 1);
    CHECK(expired(t) >= 1);
    CHECK(value_of(t) <= 1 * MS);
    struct itimerspec s = setting(1000ll * 1000 * MS, 0);
    RETURNS(timerfd_settime(t, 0, &s, &old), 0);
    CHECK(old.it_interval.tv_nsec == 1 * MS && old.it_value.tv_nsec <= 1 * MS);
    RETURNS(expired(t), -EAGAIN); // what rang before is forgotten
    RETURNS(poll(&p, 1, 0), 0);
    RETURNS(timerfd_settime(t, 0, &s, &old), 0);
    CHECK(old.it_value.tv_sec >= 990 && old.it_value.tv_sec <= 1000);
    RETURNS(set(t, 0, 0, 1), 0); // disarmed
    RETURNS(value_of(t), 0);

    // A period of a nanosecond harms nobody.
    RETURNS(set(t, 0, 1, 1), 0);
    RETURNS(poll(&p, 1, -1), 1);
    CHECK(expired(t) >= 1);
    close(t);
}

static void test_timer_watched(void)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLET };
    int t = MADE(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)), list = MADE(epoll_create1(0));
    RETURNS(epoll_ctl(list, EPOLL_CTL_ADD, t, &e), 0);
    RETURNS(set(t, 0, 1 * MS, 0), 0);
    RETURNS(epoll_wait(list, &e, 1, -1), 1);
    RETURNS(epoll_wait(list, &e, 1, 0), 0);
    RETURNS(set(t, 0, 1 * MS, 0), 0);
    RETURNS(epoll_wait(list, &e, 1, -1), 1);
    RETURNS(expired(t), 1);
    close(t);
    close(list);
    FAILS(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
    FAILS(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
}

static void *read_timer(void *data)
{
    return (void *)expired((int)(long)data);
}

static void shift_clock(int seconds)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += seconds;
    RETURNS(clock_settime(CLOCK_REALTIME, &t), 0);
}

static void test_clock_is_set(void)
{
    struct helper h;
    int t = MADE(timerfd_create(CLOCK_REALTIME, 0));
    int64_t hour = 3600ll * 1000 * MS;
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    RETURNS(set(t, flags, now_of(CLOCK_REALTIME) + hour, 0), 0);
    helper_begin(&h, read_timer, (void *)(long)t);
    asleep(h.number);
    shift_clock(10);
    RETURNS(helper_end(&h), -ECANCELED);

    // A time of the wall clock comes when that clock says so; a span of time does not.
    RETURNS(set(t, TFD_TIMER_ABSTIME, now_of(CLOCK_REALTIME) + hour, 0), 0);
    int span = MADE(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
    RETURNS(set(span, 0, hour / 2, 0), 0);
    helper_begin(&h, read_timer, (void *)(long)t);
    asleep(h.number);
    shift_clock(3601);
    RETURNS(helper_end(&h), 1);
    RETURNS(expired(span), -EAGAIN);
    shift_clock(-3611);
    close(t);
    close(span);
}

static sigset_t set_of(int first, int second)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, first);
    if (second)
        sigaddset(&s, second);
    return s;
}

static void *read_signal(void *data)
{
    struct signalfd_siginfo info = { 0 };
    return (void *)(read((int)(long)data, &info, sizeof(info)) == sizeof(info) ? info.ssi_signo
                                                                               : -1l);
}

static void test_signalfd(void)
{
    struct signalfd_siginfo info[3] = { 0 };
    sigset_t both = set_of(SIGUSR1, SIGRTMIN + 1), one = set_of(SIGUSR2, 0), old;
    sigset_t all = both;
    sigaddset(&all, SIGUSR2);
    sigprocmask(SIG_BLOCK, &all, &old);
    int s = MADE(signalfd(-1, &both, SFD_NONBLOCK | SFD_CLOEXEC));
    struct pollfd p = { s, POLLIN, 0 };
    FAILS(syscall(SYS_signalfd4, -1, &both, 4, 0), EINVAL);
    FAILS(syscall(SYS_signalfd4, -1, &both, 8, 1), EINVAL);
    FAILS(syscall(SYS_signalfd4, 0, &both, 8, 0), EINVAL);
    FAILS(syscall(SYS_signalfd4, 99, &both, 8, 0), EBADF);
    FAILS(syscall(SYS_signalfd4, -1, 8, 8, 0), EFAULT);
    FAILS(read(s, info, sizeof(info[0])), EAGAIN);
    FAILS(read(s, info, sizeof(info[0]) - 1), EINVAL);
    RETURNS(poll(&p, 1, 0), 0);

    union sigval value = { .sival_ptr = (void *)0x1234567890 };
    RETURNS(sigqueue(getpid(), SIGRTMIN + 1, value), 0);
    RETURNS(sigqueue(getpid(), SIGRTMIN + 1, value), 0);
    RETURNS(kill(getpid(), SIGUSR1), 0);
    RETURNS(poll(&p, 1, 0), 1);
    RETURNS(read(s, info, sizeof(info)), sizeof(info));
    CHECK(info[0].ssi_signo == SIGUSR1 && info[0].ssi_code == SI_USER);
    CHECK(info[0].ssi_pid == (uint32_t)getpid() && info[0].ssi_uid == getuid());
    CHECK(info[2].ssi_signo == (uint32_t)SIGRTMIN + 1 && info[2].ssi_code == SI_QUEUE);
    CHECK(info[2].ssi_ptr == 0x1234567890 && info[2].ssi_int == 0x34567890);
    RETURNS(poll(&p, 1, 0), 0);

    RETURNS(kill(getpid(), SIGUSR2), 0); // of another set
    RETURNS(poll(&p, 1, 0), 0);
    RETURNS(signalfd(s, &one, 0), s);
    RETURNS(poll(&p, 1, 0), 1);
    RETURNS(read(s, info, sizeof(info)), sizeof(info[0]));
    CHECK(info[0].ssi_signo == SIGUSR2);

    struct helper h;
    fcntl(s, F_SETFL, 0);
    helper_begin(&h, read_signal, (void *)(long)s);
    asleep(h.number);
    RETURNS(kill(getpid(), SIGUSR2), 0);
    RETURNS(helper_end(&h), SIGUSR2);
    close(s);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static int add_and_leave(void *data)
{
    int *fds = data;
    struct epoll_event e = { .events = EPOLLIN };
    return epoll_ctl(fds[1], EPOLL_CTL_ADD, fds[0], &e);
}

// A child's end is told through epoll; and a watch outlives the process that made it.
static void test_signalfd_watched(void)
{
    sigset_t child = set_of(SIGCHLD, 0), old;
    sigprocmask(SIG_BLOCK, &child, &old);
    int s = MADE(signalfd(-1, &child, 0)), list = MADE(epoll_create1(0));
    struct epoll_event e = { .events = EPOLLIN };
    RETURNS(epoll_ctl(list, EPOLL_CTL_ADD, s, &e), 0);
    int fds[2] = { MADE(dup(s)), list };
    int pid = child_begin(add_and_leave, fds);
    struct signalfd_siginfo info = { 0 };
    RETURNS(epoll_wait(list, &e, 1, -1), 1);
    RETURNS(read(s, &info, sizeof(info)), sizeof(info));
    CHECK(info.ssi_signo == SIGCHLD && info.ssi_code == CLD_EXITED &&
          info.ssi_pid == (uint32_t)pid);
    RETURNS(child_end(pid), 0);
    close(s);
    close(fds[0]);
    close(list);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static int make_timer(clockid_t clock, int notify, int signal, long value)
{
    int id = -1;
    struct sigevent e = { .sigev_notify = notify, .sigev_signo = signal };
    e.sigev_value.sival_ptr = (void *)value;
    return syscall(SYS_timer_create, clock, &e, &id) ? -1 : id;
}

static int set_timer(int id, int flags, int64_t value, int64_t interval)
{
    struct itimerspec s = setting(value, interval);
    return (int)syscall(SYS_timer_settime, id, flags, &s, NULL);
}

static int64_t left_of(int id)
{
    struct itimerspec s;
    return syscall(SYS_timer_gettime, id, &s)
               ? -1
               : s.it_value.tv_sec * 1000000000ll + s.it_value.tv_nsec;
}

static int child_has_none(void *data)
{
    FAILS(syscall(SYS_timer_delete, (int)(long)data), EINVAL);
    return 0;
}

static void test_signalling_timer(clockid_t clock)
{
    siginfo_t info = { 0 };
    sigset_t set = set_of(SIGRTMIN + 3, SIGALRM), old;
    sigprocmask(SIG_BLOCK, &set, &old);
    int id = make_timer(clock, SIGEV_SIGNAL, SIGRTMIN + 3, 0x1234567890), alarm_id = -1;
    CHECK(id >= 0);
    RETURNS(left_of(id), 0);
    int64_t before = now();
    RETURNS(set_timer(id, 0, 2 * MS, 0), 0);
    RETURNS(sigwaitinfo(&set, &info), SIGRTMIN + 3);
    CHECK(now() - before >= 2 * MS);
    CHECK(info.si_code == SI_TIMER && info.si_value.sival_ptr == (void *)0x1234567890);
    CHECK(info.si_timerid == id && info.si_overrun == 0);
    RETURNS(left_of(id), 0);
    RETURNS(set_timer(id, TIMER_ABSTIME, now_of(clock) + 1 * MS, 0), 0);
    RETURNS(sigwaitinfo(&set, &info), SIGRTMIN + 3);

    before = now(); // what rang while the signal waited is counted
    RETURNS(set_timer(id, 0, 1 * MS, 1 * MS), 0);
    int64_t after = now();
    while (now() - after < 6 * MS)
        ;
    RETURNS(sigwaitinfo(&set, &info), SIGRTMIN + 3);
    CHECK(info.si_overrun >= 4 && info.si_overrun < (now() - before) / MS);
    RETURNS(syscall(SYS_timer_getoverrun, id), info.si_overrun);
    CHECK(left_of(id) > 0 && left_of(id) <= 1 * MS);
    RETURNS(sigwaitinfo(&set, &info), SIGRTMIN + 3); // and it goes on
    RETURNS(set_timer(id, 0, 1, 1), 0);              // a period of a nanosecond harms nobody
    RETURNS(sigwaitinfo(&set, &info), SIGRTMIN + 3);
    RETURNS(set_timer(id, 0, 0, 0), 0);
    struct timespec none = { 0, 0 };
    while (sigtimedwait(&set, &info, &none) > 0)
        ;
    RETURNS(child_end(child_begin(child_has_none, (void *)(long)id)), 0);
    RETURNS(syscall(SYS_timer_delete, id), 0);
    FAILS(syscall(SYS_timer_delete, id), EINVAL);
    FAILS(set_timer(id, 0, 1, 0), EINVAL);
    FAILS(syscall(SYS_timer_getoverrun, id), EINVAL);

    RETURNS(syscall(SYS_timer_create, clock, NULL, &alarm_id), 0); // by default SIGALRM
    RETURNS(set_timer(alarm_id, 0, 1 * MS, 0), 0);
    RETURNS(sigwaitinfo(&set, &info), SIGALRM);
    CHECK(info.si_value.sival_int == alarm_id);
    RETURNS(syscall(SYS_timer_delete, alarm_id), 0);
    int silent = make_timer(clock, SIGEV_NONE, 0, 0);
    RETURNS(set_timer(silent, 0, 1000 * MS, 0), 0);
    CHECK(left_of(silent) > 0);
    RETURNS(syscall(SYS_timer_delete, silent), 0);
    FAILS(make_timer(clock, SIGEV_SIGNAL, 65, 0), EINVAL);
    FAILS(make_timer(clock, 77, SIGUSR1, 0), EINVAL);
    FAILS(make_timer(77, SIGEV_SIGNAL, SIGUSR1, 0), EINVAL);
    FAILS(syscall(SYS_timer_create, clock, NULL, 8), EFAULT);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(void)
{
    test_signalling_timer(CLOCK_MONOTONIC);
    test_signalling_timer(CLOCK_REALTIME);
    test_timer(CLOCK_MONOTONIC);
    test_timer(CLOCK_REALTIME);
    test_timer(CLOCK_BOOTTIME);
    test_timer_watched();
    test_clock_is_set();
    test_signalfd();
    test_signalfd_watched();
    return checks_end();
}
