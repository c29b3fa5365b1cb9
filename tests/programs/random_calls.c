// SPDX-License-Identifier: GPL-3.0-or-later
// Random system calls with random arguments from several processes at once: nothing is checked here
// but that the system lives on.
//
//   random_calls SECONDS SEED
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 4, CALLS_EACH = 400 };

static uint64_t state;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// Ends of ranges, small numbers, addresses that are good and bad.
static uint64_t argument(char *page)
{
    static const uint64_t edges[] = { 0,
                                      1,
                                      2,
                                      3,
                                      7,
                                      8,
                                      4095,
                                      4096,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x7fffffffffff,
                                      0x800000000000,
                                      0xffff800000000000,
                                      ~0ull };
    switch (next() % 5) {
    case 0:
        return edges[next() % (sizeof(edges) / sizeof(edges[0]))];
    case 1:
        return (uint64_t)page + next() % 8192;
    case 2:
        return next() % 64;
    case 3:
        return next() & 0xfffff;
    default:
        return next();
    }
}

// What would end the test rather than the system's composure.
static int harmful(uint64_t number)
{
    switch (number) {
    case SYS_reboot:
    case SYS_exit:
    case SYS_exit_group:
    case SYS_fork:
    case SYS_vfork:
    case SYS_clone:
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_pause:
    case SYS_umount2:
    case SYS_mount:
    case SYS_chroot:
    case SYS_setrlimit:
    case SYS_prlimit64:
    case SYS_rt_sigsuspend:
    case SYS_unlink:
    case SYS_rename:
    case SYS_sched_setscheduler:
        return 1;
    default:
        return 0;
    }
}

static void child(uint64_t seed)
{
    state = seed | 1;
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 8192; i++)
        page[i] = (char)next();
    strcpy(page, "/tmp/random");
    alarm(2);
    for (int i = 0; i < CALLS_EACH; i++) {
        uint64_t number = next() % 450;
        if (harmful(number))
            continue;
        syscall((long)number, argument(page), argument(page), argument(page), argument(page),
                argument(page), argument(page));
    }
    _exit(0);
}

static pid_t pids[PROCESSES];

// A child may have taken its own alarm away, and wait for what never comes.
static void kill_all(int number)
{
    for (int i = 0; i < PROCESSES; i++)
        if (pids[i] > 0)
            kill(pids[i], SIGKILL);
}

int main(int count, char **arguments)
{
    int seconds = count > 1 ? atoi(arguments[1]) : 5;
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
    time_t end = time(NULL) + seconds;
    unsigned long rounds = 0;
    signal(SIGALRM, kill_all);
    while (time(NULL) < end) {
        for (int i = 0; i < PROCESSES; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                signal(SIGALRM, SIG_DFL);
                setpgid(0, 0);
                int null = open("/dev/null", O_RDWR);
                dup2(null, 0);
                dup2(null, 1);
                dup2(null, 2);
                int stream[2], datagram[2]; // calls on sockets find some
                if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, stream) ||
                    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, datagram))
                    _exit(1);
                child(seed * 1000003 + rounds * PROCESSES + (unsigned)i);
            }
        }
        alarm(5);
        for (int i = 0; i < PROCESSES; i++) {
            int status;
            if (pids[i] > 0)
                waitpid(pids[i], &status, 0);
            pids[i] = 0;
        }
        alarm(0);
        rounds++;
    }
    printf("%lu rounds\n", rounds);
    return rounds == 0;
}
