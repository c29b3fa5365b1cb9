// SPDX-License-Identifier: GPL-3.0-or-later
// What the parts of the test of Unix sockets share: checks, and short names for what each of them
// does all the time. sockets.c says what the test is.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern int passed, failed;
void check(int line, const char *text, long result, long expected);

// What a call answers: its result, or the negative error.
#define IS(expected, call)                                                \
    do {                                                                  \
        errno = 0;                                                        \
        long result = (long)(call);                                       \
        check(__LINE__, #call, result < 0 ? -errno : result, (expected)); \
    } while (0)
#define OK(call)        IS(0, call)
#define TRUE(condition) check(__LINE__, #condition, !!(condition), 1)

static struct sockaddr_un address;

// Fills `address`; the length of it. A first '@' stands for the NUL of a name without a place.
static inline socklen_t named(const char *path)
{
    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path, strlen(path));
    size_t n = strlen(path);
    if (path[0] != '@')
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
    address.sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static inline int bind_to(int s, const char *path)
{
    socklen_t n = named(path);
    return bind(s, (struct sockaddr *)&address, n);
}

static inline int connect_to(int s, const char *path)
{
    socklen_t n = named(path);
    return connect(s, (struct sockaddr *)&address, n);
}

static inline long send_to(int s, const char *path, const char *text)
{
    socklen_t n = named(path);
    return sendto(s, text, strlen(text), 0, (struct sockaddr *)&address, n);
}

static inline int listener(int type, const char *path, int backlog)
{
    int s = socket(AF_UNIX, type, 0);
    if (bind_to(s, path) || listen(s, backlog))
        printf("no listener at %s: %d\n", path, errno);
    return s;
}

static inline int option(int s, int name)
{
    int value = -1;
    socklen_t n = sizeof(value);
    if (getsockopt(s, SOL_SOCKET, name, &value, &n))
        return -errno;
    return value;
}

static inline int set(int s, int name, int value)
{
    return setsockopt(s, SOL_SOCKET, name, &value, sizeof(value));
}

static inline int ready(int s, int events)
{
    struct pollfd p = { s, (short)events, 0 };
    return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

static inline int nonblock(int s)
{
    return fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_NONBLOCK);
}

static inline int readable(int s)
{
    int n = -1;
    return ioctl(s, FIONREAD, &n) ? -errno : n;
}

static inline void close_pair(int s[2])
{
    close(s[0]);
    close(s[1]);
}

// The parts.
void connections_are_right(void); // names, listeners, connections: sockets.c
void transfers_are_right(void);   // bytes, records, datagrams, ends: sockets_data.c
void messages_are_right(void);    // descriptors and credentials: sockets_control.c
void waits_are_right(void);       // options, readiness, waiting: sockets_state.c
