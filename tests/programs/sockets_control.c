// SPDX-License-Identifier: GPL-3.0-or-later
// What travels beside the bytes: descriptors, credentials; and the sockets that only messages keep.
#include "tests/programs/sockets.h"

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
    int s[2], p[2];
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
    close(p[0]);
    close_pair(s);
}

static void wrong_control_is_refused(int type)
{
    int s[2], p[2], many[300];
    char text[16];
    OK(socketpair(AF_UNIX, type, 0, s));
    OK(pipe(p));
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
    close(p[1]);
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

void messages_are_right(void)
{
    descriptors_are_passed(SOCK_STREAM);
    wrong_control_is_refused(SOCK_STREAM);
    descriptors_are_passed(SOCK_DGRAM);
    wrong_control_is_refused(SOCK_DGRAM);
    descriptors_are_passed(SOCK_SEQPACKET);
    wrong_control_is_refused(SOCK_SEQPACKET);
    streams_stop_at_descriptors();
    credentials_are_told(SOCK_STREAM);
    credentials_are_told(SOCK_DGRAM);
    others_have_their_rights();
    few_are_on_the_way();
    rings_are_made();
    lists_show_them();
}
