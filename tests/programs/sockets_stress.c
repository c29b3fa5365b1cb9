// SPDX-License-Identifier: GPL-3.0-or-later
// Processes that pass each other sockets, pipes and files at random, while some are killed in the
// middle of it: nothing hangs, and afterwards no socket is left.
//
//   sockets_stress ROUNDS SEED      prints "N rounds", or which sockets are left
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 4, HELD = 12, STEPS = 300, STEPS_TOLD = 20, SHARED = 3 };

static unsigned seed;
static int held[HELD]; // what a worker works with; -1: nothing
static int told[2];    // a byte for every few steps

static unsigned chance(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

static int *any(void)
{
    return &held[chance(HELD)];
}

static void hold(int f)
{
    int *at = any();
    if (f < 0)
        return;
    if (*at >= 0)
        close(*at);
    *at = f;
}

static struct sockaddr_un address;

static socklen_t some_name(void)
{
    address.sun_family = AF_UNIX;
    int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "stress%u", chance(6));
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int some_type(void)
{
    static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
    return types[chance(3)] | SOCK_NONBLOCK;
}

union control {
    struct cmsghdr h;
    char space[CMSG_SPACE(8 * sizeof(int))];
};

static void send_some(int s)
{
    static char bytes[6000];
    union control c;
    unsigned count = chance(5);
    struct iovec v = { bytes, chance(3) ? 1 + chance(9) : chance(sizeof(bytes)) };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    int files[8], n = 0;
    for (unsigned i = 0; i < count; i++) {
        int f = *any();
        if (f >= 0)
            files[n++] = f;
    }
    if (n) {
        memset(&c, 0, sizeof(c));
        c.h.cmsg_level = SOL_SOCKET;
        c.h.cmsg_type = SCM_RIGHTS;
        c.h.cmsg_len = (socklen_t)CMSG_LEN((size_t)n * sizeof(int));
        memcpy(CMSG_DATA(&c.h), files, (size_t)n * sizeof(int));
        m.msg_control = &c;
        m.msg_controllen = (socklen_t)CMSG_SPACE((size_t)n * sizeof(int));
    }
    if (chance(4) == 0) {
        m.msg_namelen = some_name();
        m.msg_name = &address;
    }
    sendmsg(s, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void receive_some(int s)
{
    static char bytes[4000];
    union control c;
    struct iovec v = { bytes, chance(2) ? 4 : sizeof(bytes) };
    struct msghdr m = { .msg_iov = &v,
                        .msg_iovlen = 1,
                        .msg_control = &c,
                        .msg_controllen = chance(4) ? sizeof(c) : CMSG_LEN(sizeof(int)) };
    if (chance(5) == 0) {
        (void)!recv(s, bytes, sizeof(bytes), MSG_DONTWAIT);
        return;
    }
    if (recvmsg(s, &m, MSG_DONTWAIT | (chance(4) ? 0 : MSG_PEEK)) < 0)
        return;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
        size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; h->cmsg_type == SCM_RIGHTS && i < count; i++) {
            int f;
            memcpy(&f, CMSG_DATA(h) + i * sizeof(f), sizeof(f));
            fcntl(f, F_SETFL, O_NONBLOCK);
            hold(f);
        }
    }
}

static void make_some(void)
{
    int ends[2];
    switch (chance(4)) {
    case 0:
        if (pipe(ends))
            return;
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        break;
    case 1:
        hold(socket(AF_UNIX, some_type(), 0));
        return;
    default:
        if (socketpair(AF_UNIX, some_type(), 0, ends))
            return;
    }
    hold(ends[0]);
    hold(ends[1]);
}

static void use_name(int s)
{
    socklen_t n = some_name();
    switch (chance(4)) {
    case 0:
        bind(s, (struct sockaddr *)&address, n);
        listen(s, (int)chance(3));
        break;
    case 1:
        hold(accept4(s, NULL, NULL, SOCK_NONBLOCK));
        break;
    default:
        connect(s, (struct sockaddr *)&address, n);
    }
}

static void step(void)
{
    int *s = any(), one = 1;
    if (*s < 0) {
        make_some();
        return;
    }
    switch (chance(16)) {
    case 0:
        if (s >= held + SHARED) { // the others' way to this worker stays
            close(*s);
            *s = -1;
        }
        break;
    case 1:
        shutdown(*s, (int)chance(3));
        break;
    case 2:
        setsockopt(*s, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
        break;
    case 3:
    case 4:
        use_name(*s);
        break;
    case 5: {
        struct pollfd p = { *s, POLLIN | POLLOUT, 0 };
        poll(&p, 1, 0);
        break;
    }
    case 6:
    case 7:
    case 8:
    case 9:
        receive_some(*s);
        break;
    case 10:
        make_some();
        break;
    default:
        send_some(*s);
    }
}

// Works, and then waits for bytes that may never come: whoever still does is killed.
static void work(unsigned with)
{
    seed = with;
    for (unsigned i = 0; i < STEPS; i++) {
        step();
        if (i % STEPS_TOLD == 0)
            (void)!write(told[1], "", 1);
    }
    int *s = any();
    if (chance(2) && *s >= 0) {
        char byte;
        close(told[1]); // who waits to hear from it hears the end
        fcntl(*s, F_SETFL, 0);
        (void)!recv(*s, &byte, 1, MSG_WAITALL);
    }
    _exit(0);
}

// Workers that share some sockets; one after the other is killed as they go on.
static void play_round(void)
{
    pid_t workers[WORKERS];
    int shared[4];
    char byte;
    memset(held, 0xff, sizeof(held));
    if (pipe(told) || socketpair(AF_UNIX, some_type(), 0, shared) ||
        socketpair(AF_UNIX, some_type(), 0, shared + 2))
        exit(2);
    memcpy(held, shared, sizeof(shared));
    for (unsigned i = 0; i < WORKERS; i++) {
        unsigned with = chance(1u << 30);
        workers[i] = fork();
        if (workers[i] == 0)
            work(with);
    }
    for (unsigned i = 0; i < 4; i++)
        close(shared[i]);
    close(told[1]);
    for (unsigned i = 0; i < WORKERS; i++) {
        for (unsigned wait = chance(2 * STEPS / STEPS_TOLD); wait && read(told[0], &byte, 1) == 1;)
            wait--;
        kill(workers[i], SIGKILL);
        waitpid(workers[i], NULL, 0);
    }
    close(told[0]);
}

static unsigned left(int show)
{
    static char text[1 << 16];
    int f = open("/proc/net/unix", O_RDONLY);
    size_t n = 0;
    long more;
    while ((more = read(f, text + n, sizeof(text) - 1 - n)) > 0)
        n += (size_t)more;
    close(f);
    text[n] = '\0';
    unsigned lines = 0;
    for (char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    if (show)
        printf("%s", text);
    return lines - 1;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    unsigned rounds = (unsigned)atoi(argv[1]), before = left(0);
    struct rlimit few = { 200, 200 };
    setrlimit(RLIMIT_NOFILE, &few);
    signal(SIGPIPE, SIG_IGN);
    seed = (unsigned)atoi(argv[2]);
    for (unsigned i = 0; i < rounds; i++)
        play_round();
    if (left(0) != before) {
        printf("%u sockets are left of %u rounds\n", left(1) - before, rounds);
        return 1;
    }
    printf("%u rounds\n", rounds);
    return 0;
}
