// SPDX-License-Identifier: GPL-3.0-or-later
// eventfd, epoll, poll and select as their manual pages say. Runs the same on Linux.
#include "tests/programs/check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>

static uint64_t take(int fd)
{
    uint64_t value = 0;
    return read(fd, &value, 8) == 8 ? value : UINT64_MAX;
}

static void put(int fd, uint64_t value)
{
    CHECK(write(fd, &value, 8) == 8);
}

static short poll_one(int fd, short events)
{
    struct pollfd p = { fd, events, 0 };
    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void *blocking_take(void *data)
{
    return (void *)(long)take((int)(long)data);
}

static void *blocking_put(void *data)
{
    put((int)(long)data, 2);
    return NULL;
}

static void test_eventfd(void)
{
    uint64_t value = 0;
    FAILS(eventfd(0, 0x10), EINVAL);
    int e = MADE(eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));
    RETURNS(fcntl(e, F_GETFD), FD_CLOEXEC);
    FAILS(read(e, &value, 7), EINVAL);
    FAILS(write(e, &value, 7), EINVAL);
    RETURNS(take(e), 3);
    FAILS(read(e, &value, 8), EAGAIN);
    RETURNS(poll_one(e, POLLIN | POLLOUT), POLLOUT);
    value = UINT64_MAX;
    FAILS(write(e, &value, 8), EINVAL);
    put(e, UINT64_MAX - 2);
    RETURNS(poll_one(e, POLLIN | POLLOUT), POLLIN | POLLOUT);
    put(e, 1);
    RETURNS(poll_one(e, POLLIN | POLLOUT), POLLIN);
    value = 1;
    FAILS(write(e, &value, 8), EAGAIN);
    CHECK(take(e) == UINT64_MAX - 1);

    int s = MADE(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
    RETURNS(take(s), 1);
    RETURNS(take(s), 1);
    FAILS(read(s, &value, 8), EAGAIN);

    struct helper h;
    fcntl(s, F_SETFL, 0);
    helper_begin(&h, blocking_take, (void *)(long)s);
    asleep(h.number);
    put(s, 2);
    RETURNS(helper_end(&h), 1);
    RETURNS(take(s), 1);
    fcntl(e, F_SETFL, 0);
    put(e, UINT64_MAX - 2);
    helper_begin(&h, blocking_put, (void *)(long)e);
    asleep(h.number);
    CHECK(take(e) == UINT64_MAX - 2);
    helper_end(&h);
    RETURNS(take(e), 2);
    close(e);
    close(s);
}

static int list;

static int change(int how, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event e = { .events = events, .data.u64 = data };
    return epoll_ctl(list, how, fd, &e);
}

// One look: the only event's bits, 0 for none; -n for n events.
static long look_at(int epoll, uint64_t *data)
{
    struct epoll_event e[4];
    int n = epoll_wait(epoll, e, 4, 0);
    if (data && n == 1)
        *data = e[0].data.u64;
    return n == 1 ? (long)e[0].events : n < 0 ? -100 : -n;
}

static long look(void)
{
    return look_at(list, NULL);
}

static void test_epoll_errors(void)
{
    struct epoll_event e;
    int file = MADE(open("/tmp/events.file", O_RDWR | O_CREAT, 0600));
    int c = MADE(eventfd(0, 0));
    FAILS(syscall(SYS_epoll_create, 0), EINVAL);
    FAILS(epoll_create1(1), EINVAL);
    FAILS(epoll_wait(c, &e, 1, 0), EINVAL);
    FAILS(epoll_wait(list, &e, 0, 0), EINVAL);
    FAILS(epoll_wait(list, &e, -1, 0), EINVAL);
    FAILS(epoll_wait(99, &e, 1, 0), EBADF);
    FAILS(change(EPOLL_CTL_ADD, file, EPOLLIN, 0), EPERM);
    FAILS(change(EPOLL_CTL_ADD, list, EPOLLIN, 0), EINVAL);
    FAILS(change(EPOLL_CTL_ADD, 99, EPOLLIN, 0), EBADF);
    FAILS(change(EPOLL_CTL_MOD, c, EPOLLIN, 0), ENOENT);
    FAILS(epoll_ctl(list, EPOLL_CTL_DEL, c, NULL), ENOENT);
    FAILS(change(77, c, EPOLLIN, 0), EINVAL);
    FAILS(epoll_ctl(list, EPOLL_CTL_ADD, c, (void *)8), EFAULT);
    RETURNS(change(EPOLL_CTL_ADD, c, EPOLLIN, 0), 0);
    FAILS(change(EPOLL_CTL_ADD, c, EPOLLIN, 0), EEXIST);
    FAILS(change(EPOLL_CTL_MOD, c, EPOLLIN | EPOLLEXCLUSIVE, 0), EINVAL);
    RETURNS(epoll_ctl(list, EPOLL_CTL_DEL, c, NULL), 0);
    FAILS(change(EPOLL_CTL_ADD, c, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0), EINVAL);
    RETURNS(change(EPOLL_CTL_ADD, c, EPOLLIN | EPOLLEXCLUSIVE, 0), 0);
    FAILS(change(EPOLL_CTL_MOD, c, EPOLLIN, 0), EINVAL);
    RETURNS(epoll_ctl(list, EPOLL_CTL_DEL, c, NULL), 0);

    // What cannot be written down is told again.
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    RETURNS(change(EPOLL_CTL_ADD, c, EPOLLIN | EPOLLET | EPOLLONESHOT, 5), 0);
    put(c, 1);
    FAILS(epoll_wait(list, (struct epoll_event *)page, 1, 0), EFAULT);
    RETURNS(look(), EPOLLIN);
    RETURNS(look(), 0);
    close(c);
    close(file);
    unlink("/tmp/events.file");
}

static void test_epoll_modes(void)
{
    int p[2];
    char byte[16];
    uint64_t data = 0;
    MADE(pipe(p));
    RETURNS(change(EPOLL_CTL_ADD, p[0], EPOLLIN, 7), 0); // level
    RETURNS(look(), 0);
    MADE(write(p[1], "ab", 2));
    RETURNS(look_at(list, &data), EPOLLIN);
    CHECK(data == 7);
    RETURNS(look(), EPOLLIN);
    MADE(read(p[0], byte, 1));
    RETURNS(look(), EPOLLIN);
    MADE(read(p[0], byte, 1));
    RETURNS(look(), 0);

    RETURNS(change(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 8), 0); // edge
    MADE(write(p[1], "ab", 2));
    RETURNS(look_at(list, &data), EPOLLIN);
    CHECK(data == 8);
    RETURNS(look(), 0);
    MADE(write(p[1], "c", 1)); // more makes it ready anew, although not all was read
    RETURNS(look(), EPOLLIN);
    RETURNS(look(), 0);
    RETURNS(change(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 8), 0);
    RETURNS(look(), EPOLLIN);

    RETURNS(change(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 9), 0); // once
    RETURNS(look(), EPOLLIN);
    MADE(write(p[1], "c", 1));
    RETURNS(look(), 0);
    RETURNS(change(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 9), 0);
    RETURNS(look(), EPOLLIN);

    RETURNS(change(EPOLL_CTL_MOD, p[0], 0, 10), 0); // hang-up is always told
    RETURNS(look(), 0);
    close(p[1]);
    RETURNS(look(), EPOLLHUP);
    RETURNS(change(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLRDNORM, 10), 0);
    RETURNS(look(), EPOLLIN | EPOLLRDNORM | EPOLLHUP);
    close(p[0]);
    RETURNS(look(), 0);
}

// A watch ends with the last descriptor of its open file, not before.
static void test_epoll_close(void)
{
    int c = MADE(eventfd(1, 0));
    int copy = MADE(dup(c));
    RETURNS(change(EPOLL_CTL_ADD, c, EPOLLIN, 1), 0);
    RETURNS(change(EPOLL_CTL_ADD, copy, EPOLLIN, 2), 0); // another key
    RETURNS(look(), -2);
    close(c);
    RETURNS(look(), -2);
    close(copy);
    RETURNS(look(), 0);
    c = MADE(eventfd(1, 0)); // the number is as good as new
    RETURNS(change(EPOLL_CTL_ADD, c, EPOLLIN, 3), 0);
    RETURNS(look(), EPOLLIN);
    close(c);
}

static void test_epoll_nested(void)
{
    int inner = MADE(epoll_create1(0)), c = MADE(eventfd(0, EFD_NONBLOCK)), outer = list;
    list = inner;
    RETURNS(change(EPOLL_CTL_ADD, c, EPOLLIN, 1), 0);
    list = outer;
    RETURNS(change(EPOLL_CTL_ADD, inner, EPOLLIN, 2), 0);
    RETURNS(look(), 0);
    RETURNS(poll_one(inner, POLLIN), 0);
    put(c, 1);
    RETURNS(poll_one(inner, POLLIN), POLLIN);
    RETURNS(poll_one(list, POLLIN), POLLIN);
    RETURNS(look(), EPOLLIN);
    RETURNS(look(), EPOLLIN);
    RETURNS(look_at(inner, NULL), EPOLLIN);
    RETURNS(take(c), 1);
    RETURNS(poll_one(list, POLLIN), 0);
    RETURNS(poll_one(inner, POLLIN), 0);
    RETURNS(look(), 0);

    // Edges pass through both.
    RETURNS(change(EPOLL_CTL_MOD, inner, EPOLLIN | EPOLLET, 2), 0);
    put(c, 1);
    RETURNS(look(), EPOLLIN);
    RETURNS(look(), 0);
    put(c, 1);
    RETURNS(look(), EPOLLIN);
    RETURNS(look(), 0);

    list = inner;
    FAILS(change(EPOLL_CTL_ADD, outer, EPOLLIN, 3), ELOOP);
    int chain[6] = { outer };
    for (int i = 1; i < 4; i++) {
        chain[i] = MADE(epoll_create1(0));
        list = chain[i];
        RETURNS(change(EPOLL_CTL_ADD, chain[i - 1], EPOLLIN, 4), 0);
    }
    list = outer;
    RETURNS(change(EPOLL_CTL_MOD, inner, EPOLLIN, 2), 0);
    RETURNS(poll_one(chain[3], POLLIN), POLLIN);
    list = inner;
    FAILS(change(EPOLL_CTL_ADD, chain[3], EPOLLIN, 5), ELOOP);
    list = outer;
    close(inner);
    RETURNS(look(), 0);
    RETURNS(poll_one(chain[3], POLLIN), 0);
    for (int i = 1; i < 4; i++)
        close(chain[i]);
    close(c);
}

static int told; // atomic: how many waits have ended

static void *wait_for_one(void *data)
{
    struct epoll_event e;
    long n = epoll_wait((int)(long)data, &e, 1, -1);
    __atomic_fetch_add(&told, 1, __ATOMIC_RELEASE);
    return (void *)n;
}

// One event wakes one of those who wait.
static void test_epoll_waiters(void)
{
    struct helper h[3];
    int c = MADE(eventfd(0, 0));
    told = 0;
    RETURNS(change(EPOLL_CTL_ADD, c, EPOLLIN | EPOLLET, 1), 0);
    for (int i = 0; i < 3; i++)
        helper_begin(&h[i], wait_for_one, (void *)(long)list);
    char path[40];
    snprintf(path, sizeof(path), "/proc/%d/stat", h[0].number);
    RETURNS(access(path, R_OK), 0); // a thread's number leads there too, which asleep() needs
    for (int i = 0; i < 3; i++)
        asleep(h[i].number);
    for (int i = 0; i < 3; i++) {
        put(c, 1);
        while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) <= i)
            sched_yield();
    }
    for (int i = 0; i < 3; i++)
        RETURNS(helper_end(&h[i]), 1);
    RETURNS(look(), 0);
    close(c);
}

// Each event is told by one list at least; where nobody waits any more it goes to the other.
static void test_epoll_exclusive(void)
{
    struct helper h[2];
    int c = MADE(eventfd(0, 0)), lists[2], keep = list;
    told = 0;
    for (int i = 0; i < 2; i++) {
        list = lists[i] = MADE(epoll_create1(0));
        RETURNS(change(EPOLL_CTL_ADD, c, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE, 1), 0);
        helper_begin(&h[i], wait_for_one, (void *)(long)list);
        asleep(h[i].number);
    }
    for (int i = 0; i < 2; i++) {
        put(c, 1);
        while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) <= i)
            sched_yield();
    }
    for (int i = 0; i < 2; i++) {
        RETURNS(helper_end(&h[i]), 1);
        close(lists[i]);
    }
    list = keep;
    close(c);
}

static void caught(int number) {}

static void test_masks(void)
{
    struct epoll_event e;
    struct timespec long_time = { 100, 0 }, none = { 0, 0 }, bad = { 0, 1000000000 }, left;
    sigset_t blocked, open_mask;
    struct sigaction action = { .sa_handler = caught, .sa_flags = SA_RESTART };
    sigemptyset(&blocked);
    sigprocmask(SIG_BLOCK, &blocked, &open_mask);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    sigaction(SIGUSR1, &action, NULL);

    int c = MADE(eventfd(1, 0));
    struct pollfd p = { c, POLLIN, 0 };
    kill(getpid(), SIGUSR1);
    RETURNS(ppoll(&p, 1, &long_time, &open_mask), 1); // ready: the signal stays where it is
    sigset_t pending;
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGUSR1));
    take(c);
    FAILS(ppoll(&p, 1, &long_time, &open_mask), EINTR);
    sigpending(&pending);
    CHECK(!sigismember(&pending, SIGUSR1));

    kill(getpid(), SIGUSR1);
    RETURNS(change(EPOLL_CTL_ADD, c, EPOLLIN, 0), 0);
    FAILS(epoll_pwait(list, &e, 1, -1, &open_mask), EINTR);
    kill(getpid(), SIGUSR1);
    FAILS(syscall(SYS_epoll_pwait2, list, &e, 1, &long_time, &open_mask, 8), EINTR);
    FAILS(syscall(SYS_epoll_pwait2, list, &e, 1, &bad, NULL, 8), EINVAL);
    FAILS(syscall(SYS_epoll_pwait2, list, &e, 1, &none, &open_mask, 4), EINVAL);
    RETURNS(syscall(SYS_epoll_pwait2, list, &e, 1, &none, NULL, 0), 0);
    int64_t before = now();
    struct timespec two_ms = { 0, 2000000 };
    RETURNS(syscall(SYS_epoll_pwait2, list, &e, 1, &two_ms, NULL, 0), 0);
    CHECK(now() - before >= 2000000);
    put(c, 1);
    RETURNS(syscall(SYS_epoll_pwait2, list, &e, 1, NULL, NULL, 0), 1);

    fd_set set;
    FD_ZERO(&set);
    FD_SET(c, &set);
    kill(getpid(), SIGUSR1);
    RETURNS(pselect(c + 1, &set, NULL, NULL, &long_time, &open_mask), 1);
    take(c);
    FD_SET(c, &set);
    FAILS(pselect(c + 1, &set, NULL, NULL, &long_time, &open_mask), EINTR);

    // The call itself tells what is left.
    left = long_time;
    put(c, 1);
    RETURNS(syscall(SYS_ppoll, &p, 1, &left, NULL, 8), 1);
    CHECK(left.tv_sec >= 90 && left.tv_sec < 100);
    left = long_time;
    FD_SET(c, &set);
    RETURNS(syscall(SYS_pselect6, c + 1, &set, NULL, NULL, &left, NULL), 1);
    CHECK(left.tv_sec >= 90 && left.tv_sec < 100);
    close(c);
    sigprocmask(SIG_SETMASK, &open_mask, NULL);
}

static void test_poll(void)
{
    struct pollfd p[3];
    int pair[2];
    MADE(pipe(pair));
    p[0] = (struct pollfd){ pair[0], POLLRDNORM, 0x55 };
    p[1] = (struct pollfd){ -1, POLLIN, 0x55 };
    p[2] = (struct pollfd){ 99, POLLIN, 0x55 };
    RETURNS(poll(p, 3, 1000), 1);
    CHECK(p[0].revents == 0 && p[1].revents == 0 && p[2].revents == POLLNVAL);
    MADE(write(pair[1], "x", 1));
    RETURNS(poll(p, 2, -1), 1);
    CHECK(p[0].revents == POLLRDNORM);
    RETURNS(poll_one(pair[1], POLLOUT | POLLWRNORM), POLLOUT | POLLWRNORM);
    close(pair[0]);
    RETURNS(poll_one(pair[1], 0), POLLERR);
    close(pair[1]);
    FAILS(poll(p, 100000000, 0), EINVAL);
    RETURNS(poll(NULL, 0, 1), 0);

    fd_set in, out;
    struct timeval bad = { -1, 0 }, zero = { 0, 0 };
    MADE(pipe(pair));
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(pair[0], &in);
    FD_SET(pair[1], &out);
    FAILS(select(-1, &in, NULL, NULL, NULL), EINVAL);
    FAILS(select(pair[1] + 1, &in, &out, NULL, &bad), EINVAL);
    RETURNS(select(pair[1] + 1, &in, &out, NULL, NULL), 1);
    CHECK(!FD_ISSET(pair[0], &in) && FD_ISSET(pair[1], &out));
    MADE(write(pair[1], "x", 1));
    FD_SET(pair[0], &in);
    RETURNS(select(pair[1] + 1, &in, &out, NULL, &zero), 2);
    close(pair[0]);
    FAILS(select(pair[1] + 1, &in, &out, NULL, &zero), EBADF);
    close(pair[1]);
}

int main(void)
{
    list = MADE(epoll_create1(EPOLL_CLOEXEC));
    test_eventfd();
    test_epoll_errors();
    test_epoll_modes();
    test_epoll_close();
    test_epoll_nested();
    test_epoll_waiters();
    test_epoll_exclusive();
    test_masks();
    test_poll();
    return checks_end();
}
