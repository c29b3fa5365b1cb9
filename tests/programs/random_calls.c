// SPDX-License-Identifier: GPL-3.0-or-later
// Random system calls with random arguments from several processes at once: nothing is checked here
// but that the system lives on. Beside each a thread changes the memory that arguments point at all
// the time, so that what the kernel reads twice differs.
//
//   random_calls SECONDS SEED [nobody]
//
// As root, calls that would end the test are left out; as nobody nothing is but what waits or ends.
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 4, CALLS_EACH = 400, NOBODY = 65534, TASKS_MOST = 64 };

static _Thread_local uint64_t state;
static int as_nobody;

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
    case SYS_exit:
    case SYS_exit_group:
    case SYS_pause:
    case SYS_rt_sigsuspend:
        return 1;
    case SYS_reboot:
    case SYS_fork:
    case SYS_vfork:
    case SYS_clone:
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_umount2:
    case SYS_mount:
    case SYS_chroot:
    case SYS_setrlimit:
    case SYS_prlimit64:
    case SYS_unlink:
    case SYS_rename:
    case SYS_sched_setscheduler:
        return !as_nobody;
    default:
        return 0;
    }
}

// Words of the page, all the time.
static void *change(void *data)
{
    char *page = data;
    state = (uint64_t)page | 1;
    for (;;)
        ((volatile uint64_t *)page)[next() % 1024] = argument(page);
    return NULL;
}

static void become_nobody(void)
{
    struct rlimit tasks = { TASKS_MOST, TASKS_MOST };
    if (setrlimit(RLIMIT_NPROC, &tasks) || setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
        _exit(2);
}

static void child(uint64_t seed)
{
    pthread_t changer;
    state = seed | 1;
    if (as_nobody)
        become_nobody();
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 8192; i++)
        page[i] = (char)next();
    strcpy(page, "/tmp/random");
    (void)!pthread_create(&changer, NULL, change, page);
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

static void end_all_of_nobody(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        syscall(SYS_setuid, NOBODY);
        kill(-1, SIGKILL);
        _exit(0);
    }
}

// A child may have taken its own alarm away, and wait for what never comes.
static void kill_all(int number)
{
    for (int i = 0; i < PROCESSES; i++)
        if (pids[i] > 0)
            kill(pids[i], SIGKILL);
    if (as_nobody) // and what they have made
        end_all_of_nobody();
}

int main(int count, char **arguments)
{
    int seconds = count > 1 ? atoi(arguments[1]) : 5;
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
    as_nobody = count > 3;
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
        if (as_nobody)
            end_all_of_nobody();
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        rounds++;
    }
    printf("%lu rounds\n", rounds);
    return rounds == 0;
}
