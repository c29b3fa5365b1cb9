// SPDX-License-Identifier: GPL-3.0-or-later
// Options of sockets, what poll and its like say of them, and waiting for them.
#include "tests/programs/sockets.h"

static void options_are_kept(void)
{
    int s[2];
    struct timeval t = { 0, 20000 };
    socklen_t n = sizeof(t);
    char text[8];
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    IS(212992, option(s[0], SO_SNDBUF));
    OK(set(s[0], SO_SNDBUF, 10000));
    IS(20000, option(s[0], SO_SNDBUF));
    OK(set(s[0], SO_SNDBUF, 1));
    IS(4608, option(s[0], SO_SNDBUF));
    OK(set(s[0], SO_RCVBUF, 50000));
    IS(100000, option(s[0], SO_RCVBUF));
    OK(set(s[0], SO_REUSEADDR, 5));
    IS(1, option(s[0], SO_REUSEADDR));
    OK(set(s[0], SO_KEEPALIVE, 0));
    IS(0, option(s[0], SO_KEEPALIVE));
    IS(-EINVAL, setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, text, 3));
    IS(-EFAULT, setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, (void *)8, 4));
    IS(-ENOPROTOOPT, set(s[0], SO_TYPE, 1));
    IS(-ENOPROTOOPT, option(s[0], 9999));
    IS(-EOPNOTSUPP, getsockopt(s[0], 6, 1, text, &n));
    OK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
    t.tv_usec = 2000000;
    IS(-EDOM, setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
    n = sizeof(t);
    OK(getsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &t, &n));
    TRUE(t.tv_sec == 0 && t.tv_usec == 20000);
    IS(-EAGAIN, read(s[1], text, 1)); // after its time
    t.tv_usec = 20000;
    OK(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
    static char large[1 << 20];
    long sent = write(s[0], large, sizeof(large));
    TRUE(sent > 0 && sent < (long)sizeof(large));
    IS(-EAGAIN, write(s[0], large, 1));
    close_pair(s);
}

static void readiness_is_told(void)
{
    int s[2], list = epoll_create1(0);
    struct epoll_event e = { EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, { .u64 = 7 } }, told[4];
    static char large[4096];
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
    OK(epoll_ctl(list, EPOLL_CTL_ADD, s[0], &e));
    IS(1, epoll_wait(list, told, 4, 0));
    IS(EPOLLOUT, told[0].events);
    IS(0, epoll_wait(list, told, 4, 0));
    IS(1, write(s[1], "x", 1));
    IS(1, epoll_wait(list, told, 4, 0));
    IS(EPOLLIN | EPOLLOUT, told[0].events);
    while (write(s[0], large, sizeof(large)) > 0)
        ;
    IS(-EAGAIN, write(s[0], large, 1));
    IS(POLLIN, ready(s[0], POLLIN | POLLOUT));
    int queued = 0;
    OK(ioctl(s[0], TIOCOUTQ, &queued));
    TRUE(queued > 0);
    while (read(s[1], large, sizeof(large)) > 0)
        ;
    IS(POLLIN | POLLOUT, ready(s[0], POLLIN | POLLOUT));
    OK(ioctl(s[0], TIOCOUTQ, &queued));
    IS(0, queued);
    epoll_wait(list, told, 4, 0);
    IS(0, epoll_wait(list, told, 4, 0));
    close(s[1]);
    IS(1, epoll_wait(list, told, 4, 0));
    IS(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP, told[0].events);
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(s[0], &in);
    FD_SET(s[0], &out);
    IS(2, select(s[0] + 1, &in, &out, NULL, NULL));
    close(s[0]);
    close(list);
    int l = listener(SOCK_STREAM, "@ready", 3), c = socket(AF_UNIX, SOCK_STREAM, 0);
    list = epoll_create1(0);
    e.events = EPOLLIN;
    OK(epoll_ctl(list, EPOLL_CTL_ADD, l, &e));
    IS(0, epoll_wait(list, told, 4, 0));
    OK(connect_to(c, "@ready"));
    IS(1, epoll_wait(list, told, 4, 0));
    IS(EPOLLIN, told[0].events);
    close(accept(l, NULL, NULL));
    IS(0, epoll_wait(list, told, 4, 0));
    close(l);
    close(c);
    close(list);
}

static void many_at_once(void)
{
    int s[2];
    char bytes[4][8] = { "a", "bb", "ccc", "dddd" };
    struct iovec v[4];
    struct mmsghdr m[4];
    memset(m, 0, sizeof(m));
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    for (unsigned i = 0; i < 4; i++) {
        v[i] = (struct iovec){ bytes[i], i + 1 };
        m[i].msg_hdr.msg_iov = &v[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    IS(4, sendmmsg(s[0], m, 4, 0));
    TRUE(m[2].msg_len == 3);
    for (unsigned i = 0; i < 4; i++)
        v[i].iov_len = 8;
    IS(2, recvmmsg(s[1], m, 2, 0, NULL));
    TRUE(m[0].msg_len == 1 && m[1].msg_len == 2);
    IS(2, recvmmsg(s[1], m, 4, MSG_WAITFORONE, NULL));
    TRUE(m[0].msg_len == 3 && memcmp(bytes[1], "dddd", 4) == 0);
    IS(-EAGAIN, recvmmsg(s[1], m, 4, MSG_DONTWAIT, NULL));
    IS(-EFAULT, syscall(SYS_recvmmsg, s[1], 8, 1, MSG_DONTWAIT, NULL));
    m[0].msg_hdr.msg_iovlen = 1025;
    IS(-EMSGSIZE, sendmsg(s[0], &m[0].msg_hdr, 0));
    close_pair(s);
}

static void *late_writer(void *s)
{
    for (int i = 0; i < 3; i++) {
        sched_yield();
        if (write(*(int *)s, "abc", 3) != 3)
            return NULL;
    }
    return s;
}

static void on_alarm(int number) {}

static void waits_end(void)
{
    int s[2];
    char text[16];
    pthread_t thread;
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(pthread_create(&thread, NULL, late_writer, &s[0]));
    IS(9, recv(s[1], text, 9, MSG_WAITALL));
    TRUE(memcmp(text, "abcabcabc", 9) == 0);
    void *writer;
    OK(pthread_join(thread, &writer));
    TRUE(writer == &s[0]);
    // A signal cuts a wait short; with a time limit also where calls are made again.
    struct sigaction a = { .sa_handler = on_alarm };
    struct itimerval soon = { { 0, 5000 }, { 0, 5000 } }, never = { { 0, 0 }, { 0, 0 } };
    struct timeval limit = { 60, 0 };
    sigaction(SIGALRM, &a, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    IS(-EINTR, read(s[1], text, 1));
    a.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &a, NULL);
    OK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
    IS(-EINTR, read(s[1], text, 1));
    setitimer(ITIMER_REAL, &never, NULL);
    close_pair(s);
}

void waits_are_right(void)
{
    options_are_kept();
    readiness_is_told();
    many_at_once();
    waits_end();
}
