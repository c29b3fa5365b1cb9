// SPDX-License-Identifier: GPL-3.0-or-later
// POSIX message queues: names, order by urgency, waiting at both ends, deadlines, poll, notices by
// signal, limits. Passes under Linux, too.
#include "tests/programs/check.h"
#include <mqueue.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { ROUNDS = 2000, PAIRS = 3 };

#define NAME "/posts-test"

static mqd_t make(int flags, long most, long size)
{
    struct mq_attr a = { .mq_maxmsg = most, .mq_msgsize = size };
    return (mqd_t)MADE(mq_open(NAME, O_CREAT | flags, 0600, &a));
}

static void drop(mqd_t q)
{
    RETURNS(mq_close(q), 0);
    RETURNS(mq_unlink(NAME), 0);
}

static void names(void)
{
    FAILS(mq_open(NAME, O_RDWR), ENOENT);
    FAILS(mq_unlink(NAME), ENOENT);
    FAILS(mq_open("/", O_RDWR), ENOENT);
    FAILS(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES);
    FAILS(mq_open("/..", O_RDWR | O_CREAT, 0600, NULL), EACCES);
    mqd_t q = (mqd_t)MADE(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0640, NULL));
    FAILS(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), EEXIST);
    FAILS(mq_open(NAME, O_ACCMODE), EINVAL);
    CHECK(fcntl(q, F_GETFD) == FD_CLOEXEC);
    struct stat s;
    RETURNS(fstat(q, &s), 0);
    CHECK(S_ISREG(s.st_mode) && (s.st_mode & 0777) == 0640 && s.st_uid == getuid());
    struct mq_attr a;
    RETURNS(mq_getattr(q, &a), 0);
    CHECK(a.mq_flags == 0 && a.mq_maxmsg == 10 && a.mq_msgsize == 8192 && a.mq_curmsgs == 0);
    mqd_t again = (mqd_t)MADE(mq_open(NAME, O_RDONLY));
    RETURNS(mq_unlink(NAME), 0);
    FAILS(mq_open(NAME, O_RDONLY), ENOENT);
    RETURNS(mq_send(q, "still", 5, 0), 0); // it is there as long as it is open
    char room[8192];
    RETURNS(mq_receive(again, room, sizeof(room), NULL), 5);
    FAILS(mq_send(again, "a", 1, 0), EBADF);
    RETURNS(mq_close(again), 0);
    RETURNS(mq_close(q), 0);
    FAILS(mq_send(1, "a", 1, 0), EBADF);
    FAILS(mq_getattr(999, &a), EBADF);
    a.mq_maxmsg = 0;
    a.mq_msgsize = 10;
    FAILS(mq_open(NAME, O_RDWR | O_CREAT, 0600, &a), EINVAL);
    a.mq_maxmsg = -1;
    FAILS(mq_open(NAME, O_RDWR | O_CREAT, 0600, &a), EINVAL);
}

static void urgency(void)
{
    mqd_t q = make(O_RDWR | O_NONBLOCK, 5, 16);
    char room[16];
    unsigned how = 0;
    FAILS(mq_receive(q, room, sizeof(room), NULL), EAGAIN);
    FAILS(mq_receive(q, room, 15, NULL), EMSGSIZE);
    FAILS(mq_send(q, "12345678901234567", 17, 0), EMSGSIZE);
    FAILS(mq_send(q, "a", 1, 32768), EINVAL);
    FAILS(mq_send(q, (char *)8, 1, 0), EFAULT);
    RETURNS(mq_send(q, "a1", 2, 1), 0);
    RETURNS(mq_send(q, "b9", 2, 9), 0);
    RETURNS(mq_send(q, "c1", 2, 1), 0);
    RETURNS(mq_send(q, "", 0, 32767), 0);
    RETURNS(mq_send(q, "d9", 2, 9), 0);
    FAILS(mq_send(q, "full", 4, 0), EAGAIN);
    struct mq_attr a, b = { .mq_flags = 0 };
    RETURNS(mq_getattr(q, &a), 0);
    CHECK(a.mq_curmsgs == 5 && a.mq_flags == O_NONBLOCK && a.mq_maxmsg == 5 && a.mq_msgsize == 16);
    RETURNS(mq_setattr(q, &b, &a), 0);
    CHECK(a.mq_flags == O_NONBLOCK);
    RETURNS(mq_getattr(q, &a), 0);
    CHECK(a.mq_flags == 0);
    b.mq_flags = 1;
    FAILS(mq_setattr(q, &b, NULL), EINVAL);
    RETURNS(mq_receive(q, room, sizeof(room), &how), 0);
    CHECK(how == 32767);
    const char *order[] = { "b9", "d9", "a1", "c1" };
    for (int i = 0; i < 4; i++) {
        RETURNS(mq_receive(q, room, sizeof(room), &how), 2);
        CHECK(!memcmp(room, order[i], 2) && how == (i < 2 ? 9 : 1));
    }
    drop(q);
}

static mqd_t shared;

static void *receiver(void *data)
{
    static char room[8192];
    long n = mq_receive(shared, room, sizeof(room), data);
    return (void *)(n < 0 ? -(long)errno : n);
}

static void *sender(void *data)
{
    return (void *)(long)(mq_send(shared, "later", 5, 3) ? -errno : 0);
}

static void nothing(int signal) {}

static void waiting(void)
{
    struct helper h;
    unsigned how = 0;
    char room[8192];
    shared = make(O_RDWR, 1, 8192);
    struct pollfd p = { .fd = shared, .events = POLLIN | POLLOUT };
    RETURNS(poll(&p, 1, 0), 1);
    CHECK(p.revents == POLLOUT);
    helper_begin(&h, receiver, &how);
    asleep(h.number);
    RETURNS(mq_send(shared, "yours", 5, 7), 0);
    RETURNS(helper_end(&h), 5);
    CHECK(how == 7);
    RETURNS(mq_send(shared, "first", 5, 0), 0);
    RETURNS(poll(&p, 1, 0), 1);
    CHECK(p.revents == POLLIN);
    helper_begin(&h, sender, NULL);
    asleep(h.number);
    RETURNS(mq_receive(shared, room, sizeof(room), &how), 5);
    RETURNS(helper_end(&h), 0);
    RETURNS(mq_receive(shared, room, sizeof(room), &how), 5);
    CHECK(!memcmp(room, "later", 5) && how == 3);
    struct timespec t = { 0, -1 };
    FAILS(mq_timedreceive(shared, room, sizeof(room), NULL, &t), EINVAL);
    t.tv_nsec = 0;
    FAILS(mq_timedreceive(shared, room, sizeof(room), NULL, &t), ETIMEDOUT); // long ago
    int64_t begin = now_of(CLOCK_REALTIME), end = begin + 20000000;
    t = (struct timespec){ end / 1000000000, end % 1000000000 };
    FAILS(mq_timedreceive(shared, room, sizeof(room), NULL, &t), ETIMEDOUT);
    CHECK(now_of(CLOCK_REALTIME) >= end);
    RETURNS(mq_timedsend(shared, "a", 1, 0, &t), 0);
    FAILS(mq_timedsend(shared, "a", 1, 0, &t), ETIMEDOUT);
    RETURNS(mq_receive(shared, room, sizeof(room), NULL), 1);
    struct sigaction act = { .sa_handler = nothing };
    sigaction(SIGUSR1, &act, NULL);
    helper_begin(&h, receiver, NULL);
    asleep(h.number);
    RETURNS(syscall(SYS_tgkill, getpid(), h.number, SIGUSR1), 0);
    RETURNS(helper_end(&h), -EINTR);
    drop(shared);
}

static int try_notify(void *data)
{
    struct sigevent e = { .sigev_notify = SIGEV_NONE };
    FAILS(mq_notify(shared, &e), EBUSY);
    RETURNS(mq_notify(shared, NULL), 0); // not ours to end
    FAILS(mq_notify(shared, &e), EBUSY);
    return 0;
}

static void notices(void)
{
    struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2 };
    e.sigev_value.sival_int = 4711;
    char room[8192];
    shared = make(O_RDWR, 3, 8192);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    RETURNS(mq_notify(shared, &e), 0);
    FAILS(mq_notify(shared, &e), EBUSY);
    RETURNS(child_end(child_begin(try_notify, NULL)), 0);
    RETURNS(mq_send(shared, "a", 1, 0), 0);
    siginfo_t info;
    RETURNS(sigwaitinfo(&set, &info), SIGRTMIN + 2);
    CHECK(info.si_code == SI_MESGQ && info.si_pid == getpid() && info.si_uid == getuid() &&
          info.si_value.sival_int == 4711);
    struct timespec none = { 0, 0 };
    RETURNS(mq_notify(shared, &e), 0); // told once; and not while it is not empty
    RETURNS(mq_send(shared, "b", 1, 0), 0);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    RETURNS(mq_receive(shared, room, sizeof(room), NULL), 1);
    RETURNS(mq_receive(shared, room, sizeof(room), NULL), 1);
    struct helper h;
    helper_begin(&h, receiver, NULL);
    asleep(h.number);
    RETURNS(mq_send(shared, "c", 1, 0), 0); // somebody waits: no notice
    RETURNS(helper_end(&h), 1);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    RETURNS(mq_notify(shared, NULL), 0);
    e.sigev_signo = 100;
    FAILS(mq_notify(shared, &e), EINVAL);
    e.sigev_notify = 77;
    FAILS(mq_notify(shared, &e), EINVAL);
    drop(shared);
}

static int as_other(void *data)
{
    char name[32];
    int count = 0;
    if (setgid(12345) || setuid(12345))
        return 1;
    FAILS(mq_open(NAME, O_RDWR), EACCES);
    mqd_t q = (mqd_t)MADE(mq_open(NAME, O_RDONLY));
    RETURNS(mq_close(q), 0);
    FAILS(mq_unlink(NAME), EACCES); // EPERM, as the C library tells it
    struct mq_attr a = { .mq_maxmsg = 11, .mq_msgsize = 100 };
    FAILS(mq_open("/posts-mine", O_RDWR | O_CREAT, 0600, &a), EINVAL);
    a = (struct mq_attr){ .mq_maxmsg = 10, .mq_msgsize = 8193 };
    FAILS(mq_open("/posts-mine", O_RDWR | O_CREAT, 0600, &a), EINVAL);
    for (; count < 30; count++) {
        snprintf(name, sizeof(name), "/posts-%d", count);
        q = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
        if (q < 0)
            break;
        mq_close(q);
    }
    CHECK(errno == EMFILE && count == 819200 / (10 * (8192 + 96))); // RLIMIT_MSGQUEUE
    while (count--) {
        snprintf(name, sizeof(name), "/posts-%d", count);
        RETURNS(mq_unlink(name), 0);
    }
    struct rlimit l = { 1000, 819200 };
    RETURNS(setrlimit(RLIMIT_MSGQUEUE, &l), 0);
    FAILS(mq_open("/posts-mine", O_RDWR | O_CREAT, 0600, NULL), EMFILE);
    return 0;
}

static void rights(void)
{
    mqd_t q = make(O_RDWR, 3, 10);
    RETURNS(fchmod(q, 0604), 0);
    RETURNS(child_end(child_begin(as_other, NULL)), 0);
    RETURNS(child_end(child_begin(as_other, NULL)), 0);
    drop(q);
}

static int send_many(void *data)
{
    for (int i = 0; i < ROUNDS; i++)
        RETURNS(mq_send(shared, (char *)&i, sizeof(i), 0), 0);
    return 0;
}

static int receive_many(void *data)
{
    int last = -1, seen;
    for (int i = 0; i < ROUNDS; i++) {
        RETURNS(mq_receive(shared, (char *)&seen, sizeof(seen), NULL), sizeof(seen));
        CHECK(seen >= 0 && seen < ROUNDS);
        last = seen > last ? seen : last;
    }
    return 0;
}

static void races(void)
{
    int children[2 * PAIRS];
    shared = make(O_RDWR, 2, sizeof(int));
    for (int i = 0; i < PAIRS; i++) {
        children[2 * i] = child_begin(receive_many, NULL);
        children[2 * i + 1] = child_begin(send_many, NULL);
    }
    for (int i = 0; i < 2 * PAIRS; i++)
        RETURNS(child_end(children[i]), 0);
    struct mq_attr a;
    RETURNS(mq_getattr(shared, &a), 0);
    CHECK(a.mq_curmsgs == 0);
    drop(shared);
}

int main(void)
{
    names();
    urgency();
    waiting();
    notices();
    rights();
    races();
    return checks_end();
}
