// SPDX-License-Identifier: GPL-3.0-or-later
// Hands every system call bad pointers in every pointer argument, one at a time, each in a child of
// its own: the kernel must answer with an error, or kill the child, and go on. The list of calls is
// the kernel's own table.
//
//   bad_pointers        prints "CALL: argument N: ADDRESS: RESULT" for what looks wrong, then a
//   count
//
// Runs the same on Linux, which tells whether the test itself is right.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    int number;
    const char *name, *kinds;
} calls[] = {
#define CALL(number, name, kinds, restart) { number, #name, kinds },
#include "kernel/abi/linux/calls.h"
#undef CALL
};

// Calls that end the caller or the machine, or for which any address is as good as another.
static const char *const left_out[] = { "exit",   "exit_group", "reboot",   "rt_sigreturn",
                                        "vfork",  "pause",      "kill",     "tkill",
                                        "tgkill", "setsid",     "munmap",   "mmap",
                                        "brk",    "madvise",    "mprotect", "mremap" };

// Calls that must say EFAULT when this argument is bad; counted from 0.
static const struct {
    const char *name;
    int argument;
} must_fault[] = {
    { "read", 1 },        { "write", 1 },      { "open", 0 },          { "stat", 0 },
    { "fstat", 1 },       { "poll", 0 },       { "rt_sigaction", 1 },  { "rt_sigprocmask", 1 },
    { "pread64", 1 },     { "pwrite64", 1 },   { "readv", 1 },         { "writev", 1 },
    { "access", 0 },      { "pipe", 0 },       { "nanosleep", 0 },     { "execve", 0 },
    { "uname", 0 },       { "getdents64", 1 }, { "getcwd", 0 },        { "chdir", 0 },
    { "rename", 0 },      { "rename", 1 },     { "mkdir", 0 },         { "unlink", 0 },
    { "symlink", 0 },     { "symlink", 1 },    { "readlink", 0 },      { "chmod", 0 },
    { "getrlimit", 1 },   { "getrusage", 1 },  { "sysinfo", 0 },       { "getresuid", 0 },
    { "statfs", 0 },      { "statfs", 1 },     { "clock_gettime", 1 }, { "openat", 1 },
    { "newfstatat", 2 },  { "statx", 4 },      { "pipe2", 0 },         { "getrandom", 0 },
    { "clone3", 0 },      { "bind", 1 },       { "connect", 1 },       { "sendto", 1 },
    { "sendto", 4 },      { "recvfrom", 1 },   { "sendmsg", 1 },       { "recvmsg", 1 },
    { "sendmmsg", 1 },    { "recvmmsg", 1 },   { "getsockname", 1 },   { "getsockname", 2 },
    { "getpeername", 1 }, { "socketpair", 3 }, { "setsockopt", 3 },    { "getsockopt", 3 },
    { "getsockopt", 4 },
};

static char *page, *edge;   // a good page; the last byte before an unmapped one
static int for_sockets[16]; // a good argument of calls on sockets: a family, or a generous length
static int descriptor, directory, socket_end, other_end, listener;

static int is_left_out(const char *name)
{
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
        if (!strcmp(left_out[i], name))
            return 1;
    }
    return 0;
}

static int faults(const char *name, int argument)
{
    for (size_t i = 0; i < sizeof(must_fault) / sizeof(must_fault[0]); i++) {
        if (!strcmp(must_fault[i].name, name) && must_fault[i].argument == argument)
            return 1;
    }
    return 0;
}

// Calls on sockets get one that has a peer and something to read, or one that listens.
static int socket_for(const char *name)
{
    static const char *const calls_on_sockets[] = { "sendto",  "recvfrom",    "sendmsg",
                                                    "recvmsg", "sendmmsg",    "recvmmsg",
                                                    "connect", "getsockname", "getpeername",
                                                    "bind",    "setsockopt",  "getsockopt" };
    if (strstr(name, "accept"))
        return listener;
    for (size_t i = 0; i < sizeof(calls_on_sockets) / sizeof(calls_on_sockets[0]); i++) {
        if (!strcmp(name, calls_on_sockets[i]))
            return socket_end;
    }
    return -1;
}

// A harmless value for each kind of argument; `n` is its place.
static long harmless(char kind, const char *name, int n)
{
    int sock = socket_for(name);
    if (sock >= 0 && kind == 'd') // a length, SOL_SOCKET, SO_SNDBUF, one message
        return strstr(name, "sockopt") ? (n == 1   ? 1
                                          : n == 2 ? 7
                                                   : 4)
               : strstr(name, "mmsg")  ? 1
                                       : 16;
    if (sock >= 0 && kind == 'f')
        return sock;
    if (!strcmp(name, "sendto") && n == 4)
        return 0; // to the peer
    if (sock >= 0 && kind == 'p')
        return (long)for_sockets;
    if (!strcmp(name, "socketpair") && kind == 'd')
        return n < 2;
    switch (kind) {
    case 'f':
        return strstr(name, "getdents") ? directory : descriptor;
    case 'a':
        return AT_FDCWD;
    case 'p':
        return (long)page;
    case 's':
        return (long)strcpy(page + 2048, strstr(name, "stat") ? "/" : "/tmp/bad_pointers.none");
    case 'z':
        return strstr(name, "rt_sig") ? 8 : strcmp(name, "clone3") ? 64 : 88;
    case 'g':
        return SIGUSR1;
    default:
        return !strcmp(name, "poll") || strstr(name, "readv") || strstr(name, "writev") ||
               !strcmp(name, "getgroups");
    }
}

static void child(int index, int argument, unsigned long bad)
{
    long a[6] = { 0 };
    signal(SIGUSR1, SIG_IGN);
    alarm(3);
    for (int i = 0; calls[index].kinds[i]; i++)
        a[i] = i == argument ? (long)bad : harmless(calls[index].kinds[i], calls[index].name, i);
    if (socket_for(calls[index].name) == socket_end && write(other_end, page, 64) != 64)
        _exit(1);
    long result = syscall(calls[index].number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result == 0 && strstr(calls[index].name, "fork"))
        _exit(0);
    // Part of it may be done before the bad address is met.
    int good =
        !faults(calls[index].name, argument) || result > 0 || (result == -1 && errno == EFAULT);
    _exit(good ? 0 : 1);
}

static pid_t try_one(int index, int argument, unsigned long bad)
{
    pid_t pid = fork();
    if (pid == 0)
        child(index, argument, bad);
    return pid;
}

static const char *outcome(pid_t pid)
{
    static char text[64];
    int status;
    if (pid < 0)
        return "cannot fork";
    if (waitpid(pid, &status, 0) != pid)
        return "cannot wait";
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
        return "no EFAULT";
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGSEGV && WTERMSIG(status) != SIGALRM) {
        snprintf(text, sizeof(text), "killed by signal %d", WTERMSIG(status));
        return text;
    }
    return NULL;
}

int main(void)
{
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(two + 4096, 4096);
    edge = two + 4095;
    *edge = 'x';
    descriptor = open("/tmp/bad_pointers", O_RDWR | O_CREAT, 0600);
    directory = open("/", O_RDONLY | O_DIRECTORY);
    if (page == MAP_FAILED || descriptor < 0 || directory < 0 ||
        write(descriptor, page, 4096) != 4096)
        return 2;
    lseek(descriptor, 0, SEEK_SET);
    int ends[2];
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    for_sockets[0] = 0x400000 | AF_UNIX;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) ||
        bind(listener, (void *)for_sockets, 2) || listen(listener, 5))
        return 2;
    socket_end = ends[0];
    other_end = ends[1];

    // Strings may well end at the edge of a page; nothing else fits there.
    const unsigned long bad[] = { 8,
                                  0x7fffffffefff,
                                  0x7ffffffff000,
                                  0x800000000000,
                                  0xffff800000000000,
                                  0xffffffff80000000,
                                  ~0ul - 7,
                                  0xdead0000beef0000,
                                  (unsigned long)edge };
    enum { BAD = sizeof(bad) / sizeof(bad[0]) };
    int tried = 0, wrong = 0;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (is_left_out(calls[i].name))
            continue;
        for (int n = 0; calls[i].kinds[n]; n++) {
            if (calls[i].kinds[n] != 'p' && calls[i].kinds[n] != 's')
                continue;
            pid_t pids[BAD]; // all at once: a call that waits is ended by its alarm
            for (int b = 0; b < BAD; b++)
                pids[b] = try_one((int)i, n, bad[b]);
            for (int b = 0; b < BAD; b++, tried++) {
                const char *trouble = outcome(pids[b]);
                if (!trouble)
                    continue;
                wrong++;
                printf("%s: argument %d: %#lx: %s\n", calls[i].name, n, bad[b], trouble);
            }
        }
    }
    printf("%d tried, %d wrong\n", tried, wrong);
    return wrong != 0;
}
