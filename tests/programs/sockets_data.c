// SPDX-License-Identifier: GPL-3.0-or-later
// What goes through sockets: bytes, records, datagrams; and what is left when an end is shut.
#include "tests/programs/sockets.h"

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

void transfers_are_right(void)
{
    bytes_go_through();
    ends_are_shut();
    records_stay_whole();
    datagrams_find_their_way();
}
