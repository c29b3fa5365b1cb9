// SPDX-License-Identifier: GPL-3.0-or-later
// Unix sockets as their manual pages say: names, connections, datagrams, records, control messages,
// options, readiness. Each line is a call and what it must answer. Runs the same on Linux, which
// tells whether the test itself is right. ARGUMENT: an empty directory that can be written.
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

static int passed, failed;

static void check(int line, const char *text, long result, long expected)
{
    if (result == expected) {
        passed++;
        return;
    }
    failed++;
    printf("%d: %s: %ld, not %ld\n", line, text, result, expected);
}

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
static socklen_t named(const char *path)
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

static int bind_to(int s, const char *path)
{
    socklen_t n = named(path);
    return bind(s, (struct sockaddr *)&address, n);
}

static int connect_to(int s, const char *path)
{
    socklen_t n = named(path);
    return connect(s, (struct sockaddr *)&address, n);
}

static long send_to(int s, const char *path, const char *text)
{
    socklen_t n = named(path);
    return sendto(s, text, strlen(text), 0, (struct sockaddr *)&address, n);
}

static int listener(int type, const char *path, int backlog)
{
    int s = socket(AF_UNIX, type, 0);
    if (bind_to(s, path) || listen(s, backlog))
        printf("no listener at %s: %d\n", path, errno);
    return s;
}

static int option(int s, int name)
{
    int value = -1;
    socklen_t n = sizeof(value);
    if (getsockopt(s, SOL_SOCKET, name, &value, &n))
        return -errno;
    return value;
}

static int set(int s, int name, int value)
{
    return setsockopt(s, SOL_SOCKET, name, &value, sizeof(value));
}

static int ready(int s, int events)
{
    struct pollfd p = { s, (short)events, 0 };
    return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

static int nonblock(int s)
{
    return fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_NONBLOCK);
}

static int readable(int s)
{
    int n = -1;
    return ioctl(s, FIONREAD, &n) ? -errno : n;
}

static void close_pair(int s[2])
{
    close(s[0]);
    close(s[1]);
}

static void sockets_are_made(void)
{
    int s[2];
    struct stat status;
    IS(-EAFNOSUPPORT, socket(AF_MAX, SOCK_STREAM, 0));
    IS(-EINVAL, socket(AF_UNIX, SOCK_STREAM | 0x1000, 0));
    IS(-EPROTONOSUPPORT, socket(AF_UNIX, SOCK_STREAM, 7));
    IS(-ESOCKTNOSUPPORT, socket(AF_UNIX, SOCK_RDM, 0));
    IS(-EFAULT, syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8));
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s));
    IS(FD_CLOEXEC, fcntl(s[0], F_GETFD));
    IS(O_RDWR | O_NONBLOCK, fcntl(s[1], F_GETFL));
    OK(fstat(s[0], &status));
    IS(S_IFSOCK | 0777, status.st_mode);
    IS(-ESPIPE, lseek(s[0], 0, SEEK_CUR));
    IS(-ESPIPE, pread(s[0], &status, 1, 0));
    IS(-EINVAL, fsync(s[0]));
    IS(-EINVAL, ftruncate(s[0], 0));
    IS(AF_UNIX, option(s[0], SO_DOMAIN));
    IS(0, option(s[0], SO_PROTOCOL));
    IS(SOCK_STREAM, option(s[0], SO_TYPE));
    IS(0, option(s[0], SO_ACCEPTCONN));
    char link[64] = { 0 }, path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", s[0]);
    TRUE(readlink(path, link, sizeof(link) - 1) > 0 && strncmp(link, "socket:[", 8) == 0);
    IS(-ENXIO, open(path, O_RDWR));
    close_pair(s);
    int f = open(".", O_RDONLY);
    IS(-ENOTSOCK, bind_to(f, "x"));
    IS(-ENOTSOCK, listen(f, 1));
    IS(-ENOTSOCK, accept(f, NULL, NULL));
    IS(-ENOTSOCK, send(f, "", 1, 0));
    IS(-ENOTSOCK, recv(f, path, 1, 0));
    IS(-ENOTSOCK, shutdown(f, 0));
    IS(-ENOTSOCK, option(f, SO_TYPE));
    IS(-EBADF, listen(999, 1));
    close(f);
}

static long name_of(int s, int peer, struct sockaddr_un *a)
{
    socklen_t n = sizeof(*a);
    memset(a, 0x55, sizeof(*a));
    int e =
        peer ? getpeername(s, (struct sockaddr *)a, &n) : getsockname(s, (struct sockaddr *)a, &n);
    return e ? -1 : (long)n;
}

static void names_are_bound(void)
{
    struct sockaddr_un a;
    struct stat status;
    int s = socket(AF_UNIX, SOCK_STREAM, 0), t = socket(AF_UNIX, SOCK_STREAM, 0);
    umask(027);
    IS(2, name_of(s, 0, &a));
    IS(AF_UNIX, a.sun_family);
    IS(-ENOTCONN, name_of(s, 1, &a));
    IS(-EINVAL, bind(s, (struct sockaddr *)&address, 1));
    IS(-EINVAL, bind(s, (struct sockaddr *)&address, sizeof(address) + 1));
    address.sun_family = AF_INET;
    IS(-EINVAL, bind(s, (struct sockaddr *)&address, sizeof(address)));
    IS(-EFAULT, bind(s, (struct sockaddr *)8, sizeof(address)));
    IS(-ENOENT, bind_to(s, "no/place"));
    OK(bind_to(s, "one"));
    IS(2 + 4, name_of(s, 0, &a));
    TRUE(strcmp(a.sun_path, "one") == 0);
    OK(stat("one", &status));
    IS(S_IFSOCK | 0750, status.st_mode);
    IS(-EINVAL, bind_to(s, "two"));
    IS(-ENOENT, stat("two", &status));
    IS(-EADDRINUSE, bind_to(t, "one"));
    IS(-ENXIO, open("one", O_RDWR));
    OK(bind_to(t, "@one"));
    IS(2 + 4, name_of(t, 0, &a));
    TRUE(memcmp(a.sun_path, "\0one", 4) == 0);
    int u = socket(AF_UNIX, SOCK_STREAM, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
    IS(-EADDRINUSE, bind_to(u, "@one"));
    OK(bind_to(d, "@one")); // one name for each type
    OK(bind_to(u, "@one more"));
    close(t);
    close(d);
    t = socket(AF_UNIX, SOCK_STREAM, 0);
    OK(bind_to(t, "@one")); // free again
    close(t);
    t = socket(AF_UNIX, SOCK_STREAM, 0);
    sa_family_t family = AF_UNIX;
    OK(bind(t, (struct sockaddr *)&family, sizeof(family))); // made up
    IS(2 + 6, name_of(t, 0, &a));
    IS(0, a.sun_path[0]);
    // A name may fill the room and have no NUL.
    d = socket(AF_UNIX, SOCK_DGRAM, 0);
    named("");
    memset(address.sun_path, 'x', sizeof(address.sun_path));
    OK(bind(d, (struct sockaddr *)&address, sizeof(address)));
    IS(2 + 109, name_of(d, 0, &a));
    unlink(address.sun_path);
    // The length says how much there is, also where less fits.
    socklen_t n = 4;
    memset(&a, 0x55, sizeof(a));
    OK(getsockname(s, (struct sockaddr *)&a, &n));
    IS(6, n);
    TRUE(a.sun_path[1] == 'n' && a.sun_path[2] == 0x55);
    n = (socklen_t)-1;
    IS(-EINVAL, getsockname(s, (struct sockaddr *)&a, &n));
    close(s);
    IS(-EADDRINUSE, (s = socket(AF_UNIX, SOCK_STREAM, 0), bind_to(s, "one"))); // the node stays
    OK(unlink("one"));
    OK(bind_to(s, "one"));
    OK(unlink("one"));
    close(s);
    close(t);
    close(u);
    close(d);
    umask(022);
}

static void connections_are_made(void)
{
    struct sockaddr_un a;
    char text[16];
    int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    IS(-EINVAL, listen(s, 1));
    IS(-ENOENT, connect_to(c, "server"));
    OK(bind_to(s, "server"));
    IS(-ECONNREFUSED, connect_to(c, "server"));
    IS(-EINVAL, accept(s, NULL, NULL));
    IS(-EINVAL, recv(c, text, 1, 0));
    IS(-ENOTCONN, send(c, "x", 1, MSG_NOSIGNAL));
    OK(listen(s, 1));
    IS(1, option(s, SO_ACCEPTCONN));
    IS(0, ready(s, POLLIN | POLLOUT));
    IS(POLLOUT | POLLHUP, ready(c, POLLIN | POLLOUT));
    OK(connect_to(c, "server"));
    IS(POLLIN, ready(s, POLLIN | POLLOUT));
    IS(POLLOUT, ready(c, POLLIN | POLLOUT));
    IS(-EISCONN, connect_to(c, "server"));
    IS(-EINVAL, listen(c, 1));
    IS(5, write(c, "early", 5));
    memset(&a, 0, sizeof(a));
    socklen_t n = sizeof(a);
    int e = accept4(s, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    TRUE(e >= 0);
    IS(2, n); // the client has no name
    IS(O_RDWR | O_NONBLOCK, fcntl(e, F_GETFL));
    IS(FD_CLOEXEC, fcntl(e, F_GETFD));
    IS(-EINVAL, syscall(SYS_accept4, s, NULL, NULL, 1)); // musl would go on to accept
    IS(5, readable(e));
    IS(5, read(e, text, sizeof(text)));
    IS(-EAGAIN, read(e, text, sizeof(text)));
    IS(2 + 7, name_of(e, 0, &a));
    TRUE(strcmp(a.sun_path, "server") == 0);
    IS(2 + 7, name_of(c, 1, &a));
    IS(2, name_of(e, 1, &a));
    IS(-EISCONN, send_to(c, "server", "x"));
    IS(-EINVAL, readable(s));
    IS(-EINVAL, recv(s, text, 1, 0));
    // A queue of one holds two; more wait.
    OK(nonblock(s));
    IS(-EAGAIN, accept(s, NULL, NULL));
    int more[3];
    for (int i = 0; i < 3; i++) {
        more[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        IS(i < 2 ? 0 : -EAGAIN, connect_to(more[i], "server"));
    }
    int first = accept(s, NULL, NULL);
    TRUE(first >= 0);
    IS(O_RDWR, fcntl(first, F_GETFL)); // not as the listener
    OK(connect_to(more[2], "server"));
    // Those in the queue are cut when the listener goes.
    close(s);
    IS(POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP,
       ready(more[2], POLLIN | POLLOUT | POLLRDHUP));
    IS(-ECONNRESET, read(more[2], text, 1));
    IS(0, read(more[2], text, 1));
    IS(-ECONNREFUSED, (s = socket(AF_UNIX, SOCK_STREAM, 0), connect_to(s, "server")));
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    IS(-EOPNOTSUPP, listen(d, 1));
    IS(-EOPNOTSUPP, accept(d, NULL, NULL));
    int l = listener(SOCK_SEQPACKET, "records", 5);
    IS(-EPROTOTYPE, connect_to(s, "records"));
    IS(-EPROTOTYPE, connect_to(d, "records"));
    close(open("plain", O_CREAT | O_RDWR, 0644));
    IS(-ECONNREFUSED, connect_to(s, "plain"));
    IS(-ECONNREFUSED, connect_to(s, "@nobody"));
    OK(shutdown(l, SHUT_RD));
    IS(-EINVAL, accept(l, NULL, NULL));
    unlink("server");
    unlink("records");
    unlink("plain");
    close(s);
    close(c);
    close(d);
    close(e);
    close(l);
    close(first);
    for (int i = 0; i < 3; i++)
        close(more[i]);
}

static void bytes_go_through(void)
{
    int s[2];
    char text[64];
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    struct iovec parts[] = { { "he", 2 }, { NULL, 0 }, { "llo", 3 } };
    IS(5, writev(s[0], parts, 3));
    IS(3, send(s[0], " yo", 3, MSG_DONTWAIT));
    IS(8, readable(s[1]));
    IS(2, recv(s[1], text, 2, MSG_PEEK));
    IS(8, recv(s[1], text, sizeof(text), MSG_PEEK));
    TRUE(memcmp(text, "hello yo", 8) == 0);
    IS(3, read(s[1], text, 3));
    struct iovec room[] = { { text, 1 }, { text + 1, 1 }, { text + 2, 9 } };
    IS(5, readv(s[1], room, 3));
    TRUE(memcmp(text, "lo yo", 5) == 0);
    IS(-EAGAIN, recv(s[1], text, 1, MSG_DONTWAIT));
    IS(-EAGAIN, recv(s[1], text, 1, MSG_DONTWAIT | MSG_PEEK));
    IS(0, read(s[1], text, 0));
    IS(0, write(s[0], text, 0));
    IS(-EAGAIN, recv(s[1], text, 1, MSG_DONTWAIT)); // nothing was sent
    IS(-EFAULT, write(s[0], (void *)8, 1));
    IS(1, write(s[0], "x", 1));
    IS(-EFAULT, read(s[1], (void *)8, 1));
    IS(1, read(s[1], text, 1)); // still there
    IS(1, sendto(s[0], "x", 1, 0, NULL, 0));
    IS(1, read(s[1], text, 1));
    // The end: what was sent arrives, then nothing more.
    IS(3, write(s[0], "end", 3));
    close(s[0]);
    IS(POLLIN | POLLOUT | POLLHUP | POLLRDHUP, ready(s[1], POLLIN | POLLOUT | POLLRDHUP));
    IS(3, recv(s[1], text, sizeof(text), MSG_WAITALL));
    IS(0, read(s[1], text, 1));
    IS(-EPIPE, send(s[1], "x", 1, MSG_NOSIGNAL));
    close(s[1]);
    // What was not read is told to the other side.
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    IS(4, write(s[0], "lost", 4));
    IS(4, write(s[1], "kept", 4));
    close(s[1]);
    IS(4, read(s[0], text, sizeof(text)));
    IS(ECONNRESET, option(s[0], SO_ERROR));
    IS(0, option(s[0], SO_ERROR));
    IS(0, read(s[0], text, 1));
    close(s[0]);
}

static volatile int pipes_broken;

static void on_pipe(int number)
{
    pipes_broken++;
}

static void ends_are_shut(void)
{
    int s[2];
    char text[8];
    signal(SIGPIPE, on_pipe);
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    IS(-EINVAL, shutdown(s[0], 3));
    IS(2, write(s[0], "ab", 2));
    OK(shutdown(s[0], SHUT_WR));
    IS(-EPIPE, write(s[0], "x", 1));
    IS(1, pipes_broken);
    IS(-EPIPE, send(s[0], "x", 1, MSG_NOSIGNAL));
    IS(1, pipes_broken);
    IS(POLLIN | POLLOUT | POLLRDHUP, ready(s[1], POLLIN | POLLOUT | POLLRDHUP | POLLPRI));
    IS(2, read(s[1], text, 8));
    IS(0, read(s[1], text, 8));
    IS(2, write(s[1], "cd", 2)); // the other way goes on
    IS(2, read(s[0], text, 8));
    OK(shutdown(s[0], SHUT_RD));
    IS(0, read(s[0], text, 8));
    IS(-EPIPE, write(s[1], "x", 1));
    IS(2, pipes_broken);
    IS(POLLIN | POLLOUT | POLLHUP | POLLRDHUP, ready(s[1], POLLIN | POLLOUT | POLLRDHUP));
    close_pair(s);
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    OK(shutdown(s[1], SHUT_RD));
    IS(-EPIPE, write(s[0], "x", 1));
    IS(2, pipes_broken); // only streams raise it
    IS(0, read(s[1], text, 8));
    close_pair(s);
    OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
    close(s[1]);
    IS(-EPIPE, write(s[0], "x", 1));
    IS(2, pipes_broken);
    IS(0, read(s[0], text, 8));
    close(s[0]);
    signal(SIGPIPE, SIG_DFL);
}

static void records_stay_whole(void)
{
    int s[2];
    char text[8];
    struct iovec v = { text, 3 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
    IS(5, write(s[0], "first", 5));
    IS(6, write(s[0], "second", 6));
    IS(0, send(s[0], "", 0, 0));
    IS(2, write(s[0], "xy", 2));
    IS(13, readable(s[1]));
    IS(3, recvmsg(s[1], &m, MSG_PEEK));
    IS(MSG_TRUNC, m.msg_flags);
    IS(5, recv(s[1], text, 2, MSG_TRUNC));
    IS(6, read(s[1], text, 8));
    IS(0, read(s[1], text, 8));
    IS(2, recvmsg(s[1], &m, 0));
    IS(0, m.msg_flags);
    IS(-EAGAIN, recv(s[1], text, 1, MSG_DONTWAIT));
    close(s[0]);
    IS(0, recv(s[1], text, 1, MSG_DONTWAIT));
    close(s[1]);
    int c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    IS(-ENOTCONN, send(c, "x", 1, 0));
    IS(-ENOTCONN, recv(c, text, 1, 0));
    close(c);
    int l = listener(SOCK_SEQPACKET, "@records", 3);
    c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    OK(connect_to(c, "@records"));
    int e = accept(l, NULL, NULL);
    IS(1, send_to(c, "@nobody", "x")); // the name does not count
    IS(1, read(e, text, 8));
    close(c);
    close(e);
    close(l);
}

static void datagrams_find_their_way(void)
{
    struct sockaddr_un a;
    socklen_t n = sizeof(a);
    char text[8];
    int s = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_DGRAM, 0);
    IS(-ENOTCONN, send(c, "x", 1, 0));
    OK(bind_to(s, "here"));
    IS(3, send_to(c, "here", "one"));
    IS(-ECONNREFUSED, send_to(c, "@there", "one"));
    IS(-ENOENT, send_to(c, "there", "one"));
    IS(3, recvfrom(s, text, sizeof(text), 0, (struct sockaddr *)&a, &n));
    IS(0, n); // the sender has no name
    OK(bind_to(c, "@sender"));
    OK(connect_to(c, "here"));
    IS(4, write(c, "text", 4));
    IS(0, send(c, NULL, 0, 0));
    n = sizeof(a);
    IS(4, readable(s));
    IS(4, recvfrom(s, text, 2, MSG_TRUNC, (struct sockaddr *)&a, &n));
    IS(2 + 7, n);
    TRUE(memcmp(a.sun_path, "\0sender", 7) == 0);
    IS(0, recv(s, text, sizeof(text), 0));
    // Who is connected hears only its peer.
    int other = socket(AF_UNIX, SOCK_DGRAM, 0);
    IS(-EPERM, send_to(other, "@sender", "x"));
    IS(-EPERM, connect_to(other, "@sender"));
    IS(1, send_to(s, "@sender", "y"));
    IS(1, read(c, text, 8));
    address.sun_family = AF_UNSPEC;
    OK(connect(c, (struct sockaddr *)&address, sizeof(sa_family_t)));
    IS(-ENOTCONN, write(c, "x", 1));
    IS(1, send_to(other, "@sender", "x"));
    IS(1, read(c, text, 8));
    // Few wait for one that does not read; its readers make room.
    int sent = 0;
    nonblock(other);
    while (sent < 100 && send_to(other, "here", "x") == 1)
        sent++;
    IS(11, sent);
    IS(-EAGAIN, send_to(other, "here", "x"));
    OK(connect_to(other, "here"));
    IS(0, ready(other, POLLOUT));
    IS(1, read(s, text, 8));
    IS(POLLOUT, ready(other, POLLOUT));
    // A peer that went.
    close(s);
    IS(-ECONNREFUSED, write(other, "x", 1));
    IS(-ENOTCONN, write(other, "x", 1));
    unlink("here");
    close(c);
    close(other);
    int pair[2];
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    for (sent = 0; sent < 30 && send(pair[0], "x", 1, MSG_DONTWAIT) == 1;)
        sent++;
    IS(30, sent); // peers of each other have no such limit
    set(pair[0], SO_SNDBUF, 5000);
    static char large[20000];
    IS(-EMSGSIZE, send(pair[0], large, sizeof(large), 0));
    close_pair(pair);
}

static long send_control(int s, const void *control, size_t size, const char *text)
{
    struct iovec v = { (void *)text, strlen(text) };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = (void *)control, .msg_controllen = size
    };
    return syscall(SYS_sendmsg, s, &m, 0); // without the limits of the C library
}

// As the kernel sees it; C libraries differ in how they declare it.
struct header {
    size_t length;
    int level, type;
};

static long send_files(int s, const int *files, unsigned count, const char *text)
{
    union {
        struct header h;
        char space[CMSG_SPACE(300 * sizeof(int))];
    } c = { .h = { CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
    memcpy(&c.h + 1, files, count * sizeof(int));
    return send_control(s, &c, CMSG_SPACE(count * sizeof(int)), text);
}

static int told_flags, got[300];
static unsigned got_count;
static struct ucred got_credentials;
static size_t told_length;

static long receive(int s, char *text, size_t size, size_t control, int flags)
{
    static union {
        struct cmsghdr h;
        char space[2048];
    } c;
    struct iovec v = { text, size };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = control
    };
    memset(&c, 0, sizeof(c));
    memset(&got_credentials, 0xff, sizeof(got_credentials));
    got_count = 0;
    long n = syscall(SYS_recvmsg, s, &m, flags);
    told_flags = m.msg_flags;
    told_length = m.msg_controllen;
    if (n < 0)
        return n;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
        if (h->cmsg_type == SCM_RIGHTS) {
            got_count = (unsigned)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(got, CMSG_DATA(h), got_count * sizeof(int));
        } else {
            memcpy(&got_credentials, CMSG_DATA(h), sizeof(got_credentials));
        }
    }
    return n;
}

static void close_got(void)
{
    for (unsigned i = 0; i < got_count; i++)
        close(got[i]);
}

static ino_t inode(int f)
{
    struct stat s;
    return fstat(f, &s) ? 0 : s.st_ino;
}

static void descriptors_are_passed(int type)
{
    int s[2], p[2], many[300];
    char text[16];
    OK(socketpair(AF_UNIX, type, 0, s));
    OK(pipe(p));
    IS(1, send_files(s[0], p, 2, "x"));
    IS(1, receive(s[1], text, sizeof(text), 64, MSG_CMSG_CLOEXEC));
    IS(2, got_count);
    IS(MSG_CMSG_CLOEXEC, told_flags);
    IS(FD_CLOEXEC, fcntl(got[0], F_GETFD));
    TRUE(inode(got[0]) == inode(p[0]) && inode(got[0]));
    IS(2, write(got[1], "hi", 2));
    IS(2, read(p[0], text, 16));
    close_got();
    // What does not fit is closed.
    IS(1, send_files(s[0], p, 2, "y"));
    IS(1, receive(s[1], text, sizeof(text), CMSG_LEN(sizeof(int)), 0));
    IS(1, got_count);
    IS(MSG_CTRUNC, told_flags);
    close_got();
    IS(1, send_files(s[0], p, 1, "y"));
    IS(1, receive(s[1], text, sizeof(text), 0, 0));
    IS(MSG_CTRUNC, told_flags);
    // Without a place for them, they are dropped.
    IS(1, send_files(s[0], p, 2, "z"));
    IS(1, read(s[1], text, sizeof(text)));
    // Peeking makes descriptors each time.
    IS(1, send_files(s[0], p, 1, "p"));
    IS(1, receive(s[1], text, sizeof(text), 64, MSG_PEEK));
    IS(1, got_count);
    close_got();
    IS(1, receive(s[1], text, sizeof(text), 64, 0));
    IS(1, got_count);
    close_got();
    // The pipe ends when the last copy on the way is gone.
    IS(1, send_files(s[0], p + 1, 1, "e"));
    close(p[1]);
    nonblock(p[0]);
    IS(-EAGAIN, read(p[0], text, 1));
    IS(1, read(s[1], text, 1));
    IS(0, read(p[0], text, 1));
    // What is wrong.
    int bad = 999;
    IS(-EBADF, send_files(s[0], &bad, 1, "x"));
    for (int i = 0; i < 300; i++)
        many[i] = p[0];
    IS(-EINVAL, send_files(s[0], many, 254, "x"));
    IS(1, send_files(s[0], many, 253, "x"));
    IS(1, receive(s[1], text, sizeof(text), CMSG_SPACE(253 * sizeof(int)), 0));
    IS(253, got_count);
    close_got();
    struct header h = { 4, SOL_SOCKET, SCM_RIGHTS };
    IS(-EINVAL, send_control(s[0], &h, sizeof(h), "x"));
    h.length = 100;
    IS(-EINVAL, send_control(s[0], &h, sizeof(h), "x"));
    h = (struct header){ sizeof(h), SOL_SOCKET, 99 };
    IS(-EINVAL, send_control(s[0], &h, sizeof(h), "x"));
    h.level = 99;
    IS(1, send_control(s[0], &h, sizeof(h), "x"));
    IS(1, send_control(s[0], &h, 3, "x"));
    IS(-EFAULT, send_control(s[0], (void *)8, 64, "x"));
    close(p[0]);
    close_pair(s);
}

static void streams_stop_at_descriptors(void)
{
    int s[2], f = open(".", O_RDONLY);
    char text[16];
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    IS(2, write(s[0], "ab", 2));
    IS(2, send_files(s[0], &f, 1, "cd"));
    IS(2, write(s[0], "ef", 2));
    IS(4, receive(s[1], text, sizeof(text), 64, 0));
    IS(1, got_count);
    close_got();
    IS(2, receive(s[1], text, sizeof(text), 64, 0));
    IS(0, got_count);
    IS(0, told_length);
    // Those of a message that is read in pieces come with the first.
    IS(4, send_files(s[0], &f, 1, "long"));
    IS(1, receive(s[1], text, 1, 64, 0));
    IS(1, got_count);
    close_got();
    IS(3, receive(s[1], text, sizeof(text), 64, 0));
    IS(0, got_count);
    close_pair(s);
    close(f);
}

static void credentials_are_told(int type)
{
    int s[2];
    char text[16];
    struct ucred c;
    socklen_t n = sizeof(c);
    OK(socketpair(AF_UNIX, type, 0, s));
    OK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &c, &n));
    TRUE(c.pid == getpid() && c.uid == geteuid() && c.gid == getegid());
    IS(12, n);
    IS(-ENOPROTOOPT, setsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &c, n));
    IS(1, write(s[0], "u", 1)); // before anybody asked
    OK(set(s[1], SO_PASSCRED, 1));
    IS(1, option(s[1], SO_PASSCRED));
    IS(1, receive(s[1], text, 1, 256, 0));
    IS(0, got_credentials.pid);
    IS(65534, got_credentials.uid);
    IS(1, write(s[0], "x", 1));
    IS(1, receive(s[1], text, 1, 256, 0));
    TRUE(got_credentials.pid == getpid() && got_credentials.uid == getuid());
    IS(1, write(s[0], "x", 1));
    IS(1, receive(s[1], text, 1, 20, 0)); // cut
    IS(MSG_CTRUNC, told_flags);
    struct {
        struct header h;
        struct ucred c;
    } out = { { CMSG_LEN(sizeof(c)), SOL_SOCKET, SCM_CREDENTIALS },
              { getpid(), getuid(), getgid() } };
    IS(1, send_control(s[0], &out, sizeof(out), "y"));
    IS(1, receive(s[1], text, 1, 256, 0));
    IS(getpid(), got_credentials.pid);
    if (geteuid() == 0) {
        out.c = (struct ucred){ 1, 77, 78 }; // root may say anything that exists
        IS(1, send_control(s[0], &out, sizeof(out), "y"));
        IS(1, receive(s[1], text, 1, 256, 0));
        TRUE(got_credentials.pid == 1 && got_credentials.uid == 77 && got_credentials.gid == 78);
        out.c.pid = 4194000;
        IS(-ESRCH, send_control(s[0], &out, sizeof(out), "y"));
    }
    out.h.length--;
    IS(-EINVAL, send_control(s[0], &out, sizeof(out), "y"));
    close_pair(s);
    int u = socket(AF_UNIX, type, 0);
    n = sizeof(c);
    OK(getsockopt(u, SOL_SOCKET, SO_PEERCRED, &c, &n));
    TRUE(c.pid == 0 && c.uid == (uid_t)-1);
    close(u);
}

// A child that is somebody else. What it finds is its exit status.
static void others_have_their_rights(void)
{
    if (geteuid() != 0)
        return;
    int l = listener(SOCK_STREAM, "guarded", 5), status;
    OK(chmod("guarded", 0700));
    OK(chmod(".", 0755));
    pid_t child = fork();
    if (child == 0) {
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        if (setgid(1000) || setuid(1000))
            _exit(1);
        if (connect_to(c, "guarded") != -1 || errno != EACCES)
            _exit(2);
        if (bind_to(c, "mine") != -1 || errno != EACCES)
            _exit(3);
        struct {
            struct header h;
            struct ucred c;
        } out = { { CMSG_LEN(sizeof(struct ucred)), SOL_SOCKET, SCM_CREDENTIALS },
                  { getpid(), 0, 1000 } };
        int s[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
            _exit(4);
        if (send_control(s[0], &out, sizeof(out), "x") != -1 || errno != EPERM)
            _exit(5);
        out.c = (struct ucred){ 1, 1000, 1000 };
        if (send_control(s[0], &out, sizeof(out), "x") != -1 || errno != EPERM)
            _exit(6);
        _exit(0);
    }
    IS(child, waitpid(child, &status, 0));
    IS(0, status);
    OK(chmod("guarded", 0722));
    child = fork();
    if (child == 0) {
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        if (setgid(1000) || setuid(1000))
            _exit(1);
        if (connect_to(c, "guarded"))
            _exit(2);
        char text[1];
        _exit(read(c, text, 1) == 1 ? 0 : 3);
    }
    int e = accept(l, NULL, NULL);
    struct ucred c;
    socklen_t n = sizeof(c);
    OK(getsockopt(e, SOL_SOCKET, SO_PEERCRED, &c, &n));
    TRUE(c.pid == child && c.uid == 1000 && c.gid == 1000);
    IS(1, write(e, "x", 1));
    IS(child, waitpid(child, &status, 0));
    IS(0, status);
    close(e);
    close(l);
    unlink("guarded");
}

// As many descriptors as a process may have open can be on the way, of one user.
static void few_are_on_the_way(void)
{
    if (geteuid() != 0)
        return;
    int status;
    pid_t child = fork();
    if (child == 0) {
        int s[2], sent = 0;
        char text[8];
        struct rlimit few = { 40, 40 };
        if (setrlimit(RLIMIT_NOFILE, &few) || setgid(1000) || setuid(1000) ||
            socketpair(AF_UNIX, SOCK_DGRAM, 0, s))
            _exit(1);
        while (sent < 100 && send_files(s[0], s, 1, "x") == 1)
            sent++;
        if (errno != ETOOMANYREFS || sent != 41)
            _exit(2);
        for (int i = 0; i < 41; i++) {
            if (receive(s[1], text, sizeof(text), 64, 0) != 1 || got_count != 1)
                _exit(3);
            close_got();
        }
        _exit(send_files(s[0], s, 1, "x") == 1 ? 0 : 4);
    }
    IS(child, waitpid(child, &status, 0));
    IS(0, status);
}

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

// Sockets that only messages in each other's queues keep.
static void rings_are_made(void)
{
    for (int i = 0; i < 200; i++) {
        int s[2], t[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || socketpair(AF_UNIX, SOCK_DGRAM, 0, t))
            break;
        send_files(s[0], s, 2, "self");
        send_files(s[0], t, 2, "next");
        send_files(t[0], s, 2, "back");
        close_pair(s);
        close_pair(t);
    }
    passed++;
}

static void lists_show_them(void)
{
    static char text[1 << 16];
    int l = listener(SOCK_STREAM, "@listed here", 3), f = open("/proc/net/unix", O_RDONLY);
    TRUE(f >= 0);
    size_t n = 0;
    long got_now;
    while ((got_now = read(f, text + n, sizeof(text) - 1 - n)) > 0)
        n += (size_t)got_now;
    TRUE(strncmp(text, "Num       RefCount Protocol Flags    Type St Inode Path\n", 56) == 0);
    char *line = strstr(text, " @listed here\n"), wanted[64];
    TRUE(line);
    snprintf(wanted, sizeof(wanted), " 00010000 0001 01 %5lu @listed here",
             (unsigned long)inode(l));
    TRUE(strstr(text, wanted));
    close(f);
    close(l);
}

int main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]))
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(60); // a call that waits for ever ends the test
    sockets_are_made();
    names_are_bound();
    connections_are_made();
    bytes_go_through();
    ends_are_shut();
    records_stay_whole();
    datagrams_find_their_way();
    descriptors_are_passed(SOCK_STREAM);
    descriptors_are_passed(SOCK_DGRAM);
    descriptors_are_passed(SOCK_SEQPACKET);
    streams_stop_at_descriptors();
    credentials_are_told(SOCK_STREAM);
    credentials_are_told(SOCK_DGRAM);
    others_have_their_rights();
    few_are_on_the_way();
    options_are_kept();
    readiness_is_told();
    many_at_once();
    waits_end();
    rings_are_made();
    lists_show_them();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
