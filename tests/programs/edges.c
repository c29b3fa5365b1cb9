// SPDX-License-Identifier: GPL-3.0-or-later
// Edges of calls that programs and other people's test suites came upon: each with the answer of
// its manual page, which Linux gives as well.
#include "check.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <ucontext.h>

enum { PAGE = 4096 };

static int open_number(int fd, int flags)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, flags);
}

// /proc/self/fd/N of a pipe opens it once more, waiting for nobody; of a socket stat can tell.
static void pipes_opened_again(void)
{
    int ends[2], pair[2];
    char text[64] = "", path[64];
    struct stat of_pipe, of_path;
    MADE(pipe(ends));
    int writer = (int)MADE(open_number(ends[0], O_WRONLY));
    int reader = (int)MADE(open_number(ends[1], O_RDONLY | O_NONBLOCK));
    FAILS(read(reader, text, 8), EAGAIN);
    RETURNS(write(writer, "again", 5), 5);
    RETURNS(read(reader, text, 8), 5);
    close(ends[1]);
    FAILS(read(reader, text, 8), EAGAIN);
    close(writer);
    RETURNS(read(reader, text, 8), 0);
    close(reader);
    reader = (int)MADE(open_number(ends[0], O_RDONLY)); // nobody writes
    RETURNS(read(reader, text, 8), 0);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", reader);
    ssize_t n = MADE(readlink(path, text, sizeof(text) - 1));
    CHECK(n > 6 && memcmp(text, "pipe:[", 6) == 0);
    RETURNS(fstat(reader, &of_pipe), 0);
    RETURNS(stat(path, &of_path), 0);
    CHECK(S_ISFIFO(of_path.st_mode) && of_path.st_ino == of_pipe.st_ino);
    close(reader);
    close(ends[0]);

    MADE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", pair[0]);
    RETURNS(stat(path, &of_path), 0);
    CHECK(S_ISSOCK(of_path.st_mode));
    FAILS(open_number(pair[0], O_RDWR), ENXIO);
    close(pair[0]);
    close(pair[1]);
}

static void residency(void)
{
    unsigned char state[4];
    char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    at[PAGE] = 1;
    RETURNS(mincore(at, 2 * PAGE + 1, state), 0);
    CHECK(!(state[0] & 1) && (state[1] & 1) && !(state[2] & 1));
    FAILS(mincore(at + 1, PAGE, state), EINVAL);
    FAILS(mincore(at, (size_t)-1, state), ENOMEM);
    FAILS(mincore(at, PAGE, NULL), EFAULT);
    munmap(at, 3 * PAGE);
    FAILS(mincore(at, PAGE, state), ENOMEM);
}

static long call_number(uint64_t number)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}

// A call's number is 32 bits wide.
static void call_numbers(void)
{
    RETURNS(call_number(SYS_getpid | 0x500000000), getpid());
    RETURNS(call_number(SYS_getpid | 0xffffffff00000000), getpid());
    RETURNS(call_number(UINT64_MAX), -ENOSYS);
    RETURNS(call_number(SYS_getpid | 0x40000000), -ENOSYS);
}

static volatile sig_atomic_t faults;

static void count_fault(int signal)
{
    faults++;
}

static void spoil_state(int signal, siginfo_t *info, void *context)
{
    uint64_t *header = (uint64_t *)((char *)((ucontext_t *)context)->uc_mcontext.fpregs + 512);
    header[2] = 0xfffffff; // reserved
}

// Floating point state that the processor refuses: SIGSEGV, at the place that is returned to.
static void spoiled_frame(void)
{
    struct sigaction spoil = { .sa_sigaction = spoil_state, .sa_flags = SA_SIGINFO };
    sigaction(SIGUSR1, &spoil, NULL);
    signal(SIGSEGV, count_fault);
    raise(SIGUSR1);
    RETURNS(faults, 1);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
}

static void rights_of_proc(void)
{
    struct stat status;
    FAILS(chmod("/proc/self", 0500), EPERM);
    FAILS(chmod("/proc/self/stat", 0666), EPERM);
    FAILS(chown("/proc/self", 1, 1), EPERM);
    RETURNS(stat("/proc/self/net/unix", &status), 0);
    FAILS(link("/proc/self/net", "/tmp/net"), EXDEV);
}

int main(void)
{
    rights_of_proc();
    pipes_opened_again();
    residency();
    call_numbers();
    spoiled_frame();
    return checks_end();
}
