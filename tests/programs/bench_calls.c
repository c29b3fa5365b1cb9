// SPDX-License-Identifier: GPL-3.0-or-later
// What calls of the Linux ABI cost, in cycles of the time stamp counter (instructions under
// --icount): prints "NAME CYCLES" lines. bench/schemes.py runs it under both kernels.
//
//   bench_calls                     everything
//   bench_calls loop NAME           one of null, dup, read_zero, event, pipe_64 for ever; prints
//                                   "loop" when it is warm: `bench --profile`
//   bench_calls on CPU PROGRAM ...  runs another program on one processor

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static char *buffer;

static unsigned long long cycles(void)
{
    unsigned low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (unsigned long long)high << 32 | low;
}

// Without a C library's wrapper around it.
static long call(long number, long a, const void *b, long c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

static void report(const char *name, unsigned long long all, unsigned count)
{
    printf("%s %.1f\n", name, (double)all / count);
    fflush(stdout);
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        perror("sched_setaffinity");
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void calls(void)
{
    enum { COUNT = 2000 };
    unsigned long long begin = cycles(), spent = 0;
    for (unsigned i = 0; i < COUNT; i++)
        call(SYS_getppid, 0, NULL, 0);
    report("null", cycles() - begin, COUNT);

    for (unsigned i = 0; i < COUNT; i++) {
        begin = cycles();
        long fd = call(SYS_dup, 0, NULL, 0);
        spent += cycles() - begin;
        call(SYS_close, fd, NULL, 0);
    }
    report("dup", spent, COUNT);

    int zero = open("/dev/zero", O_RDONLY);
    begin = cycles();
    for (unsigned i = 0; i < COUNT; i++)
        call(SYS_read, zero, buffer, 16);
    report("read_zero", cycles() - begin, COUNT);
    close(zero);
}

static void tell_loop(void)
{
    printf("loop\n");
    fflush(stdout);
}

static void loop(const char *name)
{
    int zero = open("/dev/zero", O_RDONLY);
    tell_loop();
    for (;;) {
        if (name[0] == 'n')
            call(SYS_getppid, 0, NULL, 0);
        else if (name[0] == 'd')
            call(SYS_close, call(SYS_dup, 0, NULL, 0), NULL, 0);
        else
            call(SYS_read, zero, buffer, 16);
    }
}

static void whole(long (*move)(int, void *, size_t), int fd, size_t size)
{
    for (size_t done = 0; done < size;) {
        long n = move(fd, buffer + done, size - done);
        if (n <= 0)
            die("transfer");
        done += (size_t)n;
    }
}

static long get(int fd, void *to, size_t size)
{
    return call(SYS_read, fd, to, (long)size);
}

static long put(int fd, void *from, size_t size)
{
    return call(SYS_write, fd, from, (long)size);
}

// A child answers each message of `size` bytes with one of `back` bytes. Count 0: for ever.
static void ping_pong(const char *name, int mine[2], int its[2], size_t size, size_t back, int cpu,
                      unsigned count)
{
    pin(0);
    pid_t child = fork();
    if (child == 0) {
        pin(cpu);
        for (;;) {
            whole(get, its[0], size);
            whole(put, its[1], back);
        }
    }
    unsigned long long begin = 0;
    for (unsigned i = 0; i < count + 20 || !count; i++) {
        if (i == 20 && !count)
            tell_loop();
        if (i == 20)
            begin = cycles();
        whole(put, mine[1], size);
        whole(get, mine[0], back);
    }
    report(name, cycles() - begin, count);
    kill(child, 9);
    waitpid(child, NULL, 0);
}

static void with_pipes(const char *name, size_t size, size_t back, int cpu, unsigned count)
{
    int there[2], here[2];
    if (pipe(there) || pipe(here))
        die("pipe");
    int mine[2] = { here[0], there[1] }, its[2] = { there[0], here[1] };
    ping_pong(name, mine, its, size, back, cpu, count);
    for (int i = 0; i < 2; i++)
        close(there[i]), close(here[i]);
}

static void with_sockets(const char *name, size_t size, size_t back, int cpu, unsigned count)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return; // not every kernel has them
    int mine[2] = { ends[0], ends[0] }, its[2] = { ends[1], ends[1] };
    ping_pong(name, mine, its, size, back, cpu, count);
    close(ends[0]);
    close(ends[1]);
}

// A child waits for an event file by epoll and answers by another one.
static void events(int cpu, unsigned count)
{
    int there = eventfd(0, 0), here = eventfd(0, 0);
    pin(0);
    pid_t child = fork();
    int mine = child ? here : there;
    int list = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN };
    unsigned long long word = 1, begin = 0;
    epoll_ctl(list, EPOLL_CTL_ADD, mine, &event);
    if (child == 0) {
        pin(cpu);
        for (;;) {
            epoll_wait(list, &event, 1, -1);
            get(mine, &word, 8);
            put(here, &word, 8);
        }
    }
    for (unsigned i = 0; i < count + 20 || !count; i++) {
        if (i == 20 && !count)
            tell_loop();
        if (i == 20)
            begin = cycles();
        put(there, &word, 8);
        epoll_wait(list, &event, 1, -1);
        get(mine, &word, 8);
    }
    report("event", cycles() - begin, count);
    kill(child, 9);
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "on") == 0) {
        pin(atoi(argv[2]));
        execvp(argv[3], argv + 3);
        die(argv[3]);
    }
    long cpus = sysconf(_SC_NPROCESSORS_ONLN); // of those it may use: before pin()
    if (posix_memalign((void **)&buffer, 4096, MIB))
        die("memory");
    memset(buffer, 1, MIB);
    if (argc == 3 && strcmp(argv[1], "loop") == 0) {
        if (strcmp(argv[2], "event") == 0)
            events(0, 0);
        if (strcmp(argv[2], "pipe_64") == 0)
            with_pipes("pipe_64", 64, 8, 0, 0);
        loop(argv[2]);
    }
    calls();
    with_pipes("pipe_64", 64, 8, 0, 500);
    with_pipes("pipe_4k", 4096, 8, 0, 500);
    with_pipes("pipe_1m", MIB, 8, 0, 5);
    with_sockets("socket_64", 64, 8, 0, 500);
    with_sockets("socket_4k", 4096, 8, 0, 500);
    with_sockets("socket_1m", MIB, 8, 0, 5);
    if (cpus > 1) {
        with_pipes("pipe_64_cores", 64, 8, 1, 500);
        with_pipes("pipe_4k_cores", 4096, 8, 1, 500);
        with_pipes("pipe_1m_cores", MIB, 8, 1, 5);
    }
    events(0, 500);
    return 0;
}
