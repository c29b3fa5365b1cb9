// SPDX-License-Identifier: GPL-3.0-or-later
// Unix sockets as their manual pages say: names, connections, datagrams, records, control messages,
// options, readiness. Each line is a call and what it must answer. Runs the same on Linux, which
// tells whether the test itself is right. ARGUMENT: an empty directory that can be written.
#include "tests/programs/sockets.h"

int passed, failed;

void check(int line, const char *text, long result, long expected)
{
    if (result == expected) {
        passed++;
        return;
    }
    failed++;
    printf("%d: %s: %ld, not %ld\n", line, text, result, expected);
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

// `s` has the name "one".
static void lengths_of_names(int s)
{
    struct sockaddr_un a;
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    // A name may fill the room and have no NUL.
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
    close(d);
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
    lengths_of_names(s);
    close(s);
    IS(-EADDRINUSE, (s = socket(AF_UNIX, SOCK_STREAM, 0), bind_to(s, "one"))); // the node stays
    OK(unlink("one"));
    OK(bind_to(s, "one"));
    OK(unlink("one"));
    close(s);
    close(t);
    close(u);
    umask(022);
}

// The listener `s` has nobody in its queue of one.
static void queues_are_bounded(int s)
{
    char text[1];
    // It holds two; more wait.
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
    close(first);
    for (int i = 0; i < 3; i++)
        close(more[i]);
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
    queues_are_bounded(s);
    close(c);
    close(e);
}

static void wrong_peers_are_refused(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    IS(-ECONNREFUSED, connect_to(s, "server")); // its listener has gone
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
    close(d);
    close(l);
}

void connections_are_right(void)
{
    sockets_are_made();
    names_are_bound();
    connections_are_made();
    wrong_peers_are_refused();
}

int main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]))
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(60); // a call that waits for ever ends the test
    connections_are_right();
    transfers_are_right();
    messages_are_right();
    waits_are_right();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
