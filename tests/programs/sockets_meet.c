// SPDX-License-Identifier: GPL-3.0-or-later
// A Linux program and a Redox program (redox_sockets.c, which this one runs) pass descriptors to
// each other: through a socket that is kept across exec, and through names that both reach. Prints
// what went wrong.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;

#define MUST(condition)                                                      \
    do {                                                                     \
        if (!(condition)) {                                                  \
            printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
            failed = 1;                                                      \
            return;                                                          \
        }                                                                    \
    } while (0)

static int child_end;

static long send_with(int s, int file, const char *text)
{
    char space[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec v = { (void *)text, strlen(text) };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)
    };
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &file, sizeof(file));
    return sendmsg(s, &m, 0);
}

// The bytes there are, at most `size`, and the descriptor that came with them (-1: none).
static long receive_with(int s, char *text, size_t size, int *file)
{
    char space[CMSG_SPACE(sizeof(int))];
    struct iovec v = { text, size };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)
    };
    *file = -1;
    long n = recvmsg(s, &m, 0);
    struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
    if (h && h->cmsg_type == SCM_RIGHTS)
        memcpy(file, CMSG_DATA(h), sizeof(*file));
    return n;
}

static int hears(int s, const char *text)
{
    char got[32];
    long n = read(s, got, sizeof(got));
    return n == (long)strlen(text) && memcmp(got, text, (size_t)n) == 0;
}

static struct sockaddr_un address;

static const struct sockaddr *named(const char *path)
{
    address.sun_family = AF_UNIX;
    memset(address.sun_path, 0, sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    return (const struct sockaddr *)&address;
}

static void through_the_inherited(int s)
{
    int p[2], file;
    char text[16];
    MUST(pipe(p) == 0);
    MUST(send_with(s, p[1], "take") == 4);
    close(p[1]);
    MUST(hears(p[0], "by pipe"));
    MUST(read(p[0], text, 1) == 0); // the Redox program closed its copy
    MUST(receive_with(s, text, sizeof(text), &file) == 0 && file >= 0); // a file and no bytes
    MUST(read(file, text, 5) == 5 && memcmp(text, "Redox", 5) == 0);
    close(file);
    close(p[0]);
    MUST(write(s, "got it", 6) == 6);
}

static void to_its_listener(int s)
{
    int c = socket(AF_UNIX, SOCK_STREAM, 0), p[2], l;
    char text[4];
    struct stat status;
    MUST(hears(s, "listens"));
    MUST(connect(c, named("/scheme/chan/meeting/redox"), sizeof(address)) == 0);
    MUST(pipe(p) == 0 && write(p[1], "written", 7) == 7);
    MUST(send_with(c, p[0], "with a file") == 11);
    close(p[0]);
    close(p[1]);
    MUST(receive_with(c, text, sizeof(text), &l) == 0 && l >= 0);
    MUST(fstat(l, &status) == 0 && S_ISSOCK(status.st_mode));
    close(c);
    // Its listener is ours now, with its name.
    c = socket(AF_UNIX, SOCK_STREAM, 0);
    MUST(connect(c, named("/scheme/chan/meeting/redox"), sizeof(address)) == 0);
    int e = accept(l, NULL, NULL);
    MUST(e >= 0 && write(c, "x", 1) == 1 && read(e, text, 4) == 1);
    close(e);
    close(c);
    close(l);
}

static void from_our_listener(int s)
{
    int l = socket(AF_UNIX, SOCK_STREAM, 0), file;
    char text[8];
    MUST(bind(l, named("/scheme/chan/meeting/linux"), sizeof(address)) == 0 && listen(l, 4) == 0);
    MUST(write(s, "connect", 7) == 7);
    int e = accept(l, NULL, NULL);
    MUST(e >= 0);
    long n = receive_with(e, text, sizeof(text), &file); // the file may come before the bytes
    MUST(n == 0 || n == 4);
    MUST(n == 4 || hears(e, "null"));
    MUST(file >= 0 && read(file, text, 1) == 0);
    MUST(send_with(e, file, "seen") == 4);
    MUST(hears(s, "done"));
    close(file);
    close(e);
    close(l);
}

int main(int argc, char **argv)
{
    int s[2], status;
    alarm(60);
    if (argc != 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
        return 2;
    pid_t child = fork();
    if (child == 0) {
        child_end = s[1];
        close(s[0]);
        if (child_end != 3 && dup2(child_end, 3) != 3)
            _exit(3);
        execl(argv[1], argv[1], (char *)NULL);
        _exit(4);
    }
    close(s[1]);
    through_the_inherited(s[0]);
    if (!failed)
        to_its_listener(s[0]);
    if (!failed)
        from_our_listener(s[0]);
    close(s[0]);
    if (waitpid(child, &status, 0) != child || status)
        failed = 1, printf("the Redox program ended with %x\n", status);
    printf("%s\n", failed ? "FAILED" : "met");
    return failed;
}
