// SPDX-License-Identifier: GPL-3.0-or-later
// Edges of calls that programs and other people's test suites came upon: each with the answer of
// its manual page, which Linux gives as well.
#include "check.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
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

// The pages move, the mapping stays, as it was at first.
static void moved_and_kept(void)
{
    char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    at[0] = 'a', at[PAGE] = 'b';
    FAILS(mremap(at, PAGE, PAGE, MREMAP_DONTUNMAP), EINVAL);
    FAILS(mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP), EINVAL);
    char *to = mremap(at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
    CHECK(to != MAP_FAILED && to != at);
    CHECK(to[0] == 'a' && to[PAGE] == 'b');
    CHECK(at[0] == 0 && at[PAGE] == 0);
    at[0] = 'c';
    CHECK(to[0] == 'a');
    char *place = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    RETURNS(mremap(to, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, place),
            place);
    CHECK(place[0] == 'a' && place[PAGE] == 'b' && to[0] == 0);
    munmap(at, 3 * PAGE);
    munmap(to, 2 * PAGE);
    munmap(place, 2 * PAGE);
}

enum { POPULATE_READ = 22, POPULATE_WRITE = 23 };

static void populated(void)
{
    unsigned char state[4] = { 0 };
    char *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    RETURNS(madvise(at, 2 * PAGE, POPULATE_WRITE), 0);
    RETURNS(mincore(at, 4 * PAGE, state), 0);
    CHECK((state[0] & 1) && (state[1] & 1) && !(state[2] & 1));
    RETURNS(madvise(at + 2 * PAGE, PAGE, POPULATE_READ), 0);
    RETURNS(mincore(at, 4 * PAGE, state), 0);
    CHECK((state[2] & 1) && !(state[3] & 1));
    mprotect(at, PAGE, PROT_READ);
    FAILS(madvise(at, 2 * PAGE, POPULATE_WRITE), EINVAL);
    RETURNS(madvise(at, 2 * PAGE, POPULATE_READ), 0);
    mprotect(at, PAGE, PROT_NONE);
    FAILS(madvise(at, 2 * PAGE, POPULATE_READ), EINVAL);
    mprotect(at, PAGE, PROT_WRITE);
    FAILS(madvise(at, PAGE, POPULATE_READ), EINVAL);
    RETURNS(madvise(at, PAGE, POPULATE_WRITE), 0);
    munmap(at + 3 * PAGE, PAGE);
    FAILS(madvise(at + PAGE, 3 * PAGE, POPULATE_WRITE), ENOMEM);
    FAILS(madvise(at + 1, PAGE, POPULATE_READ), EINVAL);
    munmap(at, 3 * PAGE);

    int fd = (int)MADE(memfd_create("short", 0));
    MADE(ftruncate(fd, PAGE));
    at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    RETURNS(madvise(at, PAGE, POPULATE_WRITE), 0);
    FAILS(madvise(at, 2 * PAGE, POPULATE_WRITE), EFAULT);
    munmap(at, 2 * PAGE);
    close(fd);
}

// What /proc/self/smaps says of the mapping at `at`: a size in KiB, or whether a flag is there.
static long of_smaps(const void *at, const char *name, const char *flag)
{
    char line[512], start[32];
    long found = -1;
    bool here = false;
    FILE *f = fopen("/proc/self/smaps", "r");
    snprintf(start, sizeof(start), "%lx-", (unsigned long)(uintptr_t)at);
    while (f && fgets(line, sizeof(line), f)) {
        if (strchr(line, '-') && strchr(line, ':') > strchr(line, ' '))
            here = strncmp(line, start, strlen(start)) == 0;
        else if (here && strncmp(line, name, strlen(name)) == 0)
            found = flag ? strstr(line, flag) != NULL : atol(line + strlen(name) + 1);
    }
    if (f)
        fclose(f);
    return found;
}

static void sizes_of_mappings(void)
{
    char *at = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(at, PAGE, PROT_NONE);
    mprotect(at + 7 * PAGE, PAGE, PROT_NONE);
    at += PAGE;
    madvise(at, 6 * PAGE, MADV_NOHUGEPAGE);
    memset(at, 1, 3 * PAGE);
    RETURNS(of_smaps(at, "Size", NULL), 24);
    RETURNS(of_smaps(at, "Rss", NULL), 12);
    RETURNS(of_smaps(at, "Anonymous", NULL), 12);
    RETURNS(of_smaps(at, "VmFlags", " wr"), 1);
    RETURNS(of_smaps(at, "VmFlags", " lo"), 0);
    mlock(at, 6 * PAGE);
    RETURNS(of_smaps(at, "VmFlags", " lo"), 1);
    RETURNS(of_smaps(at, "Locked", NULL), 24);
    munmap(at - PAGE, 8 * PAGE);
}

// SS_AUTODISARM: in its handler there is no other stack any more, nor its flag.
static stack_t in_handler;

static void note_stack(int signal)
{
    sigaltstack(NULL, &in_handler);
}

static void disarmed_stack(void)
{
    enum { AUTODISARM = (int)(1u << 31) };
    static char memory[16384];
    stack_t armed = { .ss_sp = memory, .ss_size = sizeof(memory), .ss_flags = AUTODISARM }, after;
    struct sigaction a = { .sa_handler = note_stack, .sa_flags = SA_ONSTACK };
    RETURNS(sigaltstack(&armed, NULL), 0);
    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1);
    CHECK(in_handler.ss_flags == SS_DISABLE && in_handler.ss_size == 0);
    RETURNS(sigaltstack(NULL, &after), 0);
    CHECK(after.ss_flags == AUTODISARM && after.ss_sp == memory);
    armed.ss_flags = SS_DISABLE;
    RETURNS(sigaltstack(&armed, NULL), 0);
    signal(SIGUSR1, SIG_DFL);
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

static void unnamed_files(void)
{
    FAILS(open("/nowhere", O_TMPFILE | O_CREAT | O_RDWR, 0600), EINVAL);
    FAILS(open("/tmp", O_TMPFILE, 0600), EINVAL);
    FAILS(open("/tmp", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600), EINVAL);
    int fd = (int)MADE(open("/tmp", O_TMPFILE | O_RDWR, 0600));
    RETURNS(fcntl(fd, F_GETFL) & (O_TMPFILE | O_ACCMODE), O_TMPFILE | O_RDWR);
    close(fd);
}

// getdents as it was before its entries told what they are: the kind is their last byte.
static void old_entries(void)
{
    char bytes[512];
    int seen = 0, fd;
    mkdir("/tmp/old", 0700);
    mkdir("/tmp/old/folder", 0700);
    close(open("/tmp/old/a file", O_CREAT | O_RDWR, 0600));
    fd = (int)MADE(open("/tmp/old", O_RDONLY | O_DIRECTORY));
    FAILS(syscall(SYS_getdents, fd, bytes, 8), EINVAL);
    long size = MADE(syscall(SYS_getdents, fd, bytes, sizeof(bytes)));
    for (long at = 0; at < size;) {
        uint16_t length = *(uint16_t *)(bytes + at + 16);
        char *name = bytes + at + 18, kind = bytes[at + length - 1];
        CHECK(length % 8 == 0 && length >= 20 + strlen(name));
        seen |= !strcmp(name, "folder") && kind == 4 ? 1 : 0;
        seen |= !strcmp(name, "a file") && kind == 8 ? 2 : 0;
        seen |= !strcmp(name, "..") && kind == 4 ? 4 : 0;
        at += length;
    }
    CHECK(seen == 7);
    RETURNS(syscall(SYS_getdents, fd, bytes, sizeof(bytes)), 0);

    struct timeval times[2] = { { 1000, 5 }, { 2000, 7 } };
    struct stat status;
    RETURNS(syscall(SYS_futimesat, fd, "a file", times), 0);
    RETURNS(fstatat(fd, "a file", &status, 0), 0);
    CHECK(status.st_atim.tv_sec == 1000 && status.st_mtim.tv_nsec == 7000);
    RETURNS(syscall(SYS_futimesat, fd, NULL, times), 0);
    RETURNS(fstat(fd, &status), 0);
    CHECK(status.st_mtim.tv_sec == 2000);
    FAILS(syscall(SYS_futimesat, AT_FDCWD, NULL, times), EFAULT);
    times[0].tv_usec = 1000000;
    FAILS(syscall(SYS_futimesat, fd, "a file", times), EINVAL);
    close(fd);
}

enum { CMP_FILE, CMP_VM, CMP_FILES, CMP_FS, CMP_SIGHAND };

static long compare(int one, int other, int kind, long first, long second)
{
    return syscall(SYS_kcmp, one, other, kind, first, second);
}

static void things_compared(void)
{
    int me = getpid(), a = (int)MADE(open("/dev/null", O_RDONLY)), b = dup(a);
    int c = (int)MADE(open("/dev/null", O_RDONLY));
    RETURNS(compare(me, me, CMP_FILE, a, b), 0);
    long order = MADE(compare(me, me, CMP_FILE, a, c));
    CHECK(order == 1 || order == 2);
    RETURNS(compare(me, me, CMP_FILE, c, a), 3 - order);
    for (int kind = CMP_VM; kind <= CMP_SIGHAND; kind++)
        RETURNS(compare(me, me, kind, 0, 0), 0);
    int child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    RETURNS(compare(me, child, CMP_FILE, a, b), 0);
    for (int kind = CMP_VM; kind <= CMP_SIGHAND; kind++)
        CHECK(compare(me, child, kind, 0, 0) > 0);
    FAILS(compare(me, child, CMP_FILE, a, 1000), EBADF);
    FAILS(compare(me, child, 99, 0, 0), EINVAL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    FAILS(compare(me, child, CMP_VM, 0, 0), ESRCH);
    close(a), close(b), close(c);
}

static void clock_set_by_day(void)
{
    struct timeval before, after;
    struct timezone zone = { -60, 1 }, told = { 0 };
    struct {
        int32_t west, kind;
    } far = { 15 * 60 + 1, 0 };
    MADE(syscall(SYS_settimeofday, NULL, &zone));
    MADE(gettimeofday(&before, NULL));
    MADE(syscall(SYS_gettimeofday, NULL, &told));
    CHECK(told.tz_minuteswest == -60 && told.tz_dsttime == 1);
    FAILS(syscall(SYS_settimeofday, NULL, &far), EINVAL);
    before.tv_sec += 1000;
    RETURNS(syscall(SYS_settimeofday, &before, NULL), 0);
    MADE(gettimeofday(&after, NULL));
    CHECK(after.tv_sec >= before.tv_sec && after.tv_sec < before.tv_sec + 500);
    before.tv_usec = 1000000;
    FAILS(syscall(SYS_settimeofday, &before, NULL), EINVAL);
    before.tv_usec = -1;
    FAILS(syscall(SYS_settimeofday, &before, NULL), EINVAL);
}

static void directory_as_pidfd(void)
{
    char path[32];
    int child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    snprintf(path, sizeof(path), "/proc/%d", child);
    int fd = (int)MADE(open(path, O_RDONLY | O_DIRECTORY));
    int place = (int)MADE(open(path, O_PATH | O_DIRECTORY));
    int other = (int)MADE(open("/proc", O_RDONLY | O_DIRECTORY));
    RETURNS(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
    FAILS(syscall(SYS_pidfd_send_signal, place, 0, NULL, 0), EBADF);
    FAILS(syscall(SYS_pidfd_send_signal, other, 0, NULL, 0), EBADF);
    RETURNS(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0), 0);
    int status;
    RETURNS(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    FAILS(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
    CHECK(openat(fd, "stat", O_RDONLY) == -1 && (errno == ESRCH || errno == ENOENT));
    close(fd), close(place), close(other);
}

int main(void)
{
    rights_of_proc();
    pipes_opened_again();
    unnamed_files();
    residency();
    old_entries();
    things_compared();
    directory_as_pidfd();
    clock_set_by_day();
    moved_and_kept();
    populated();
    sizes_of_mappings();
    disarmed_stack();
    call_numbers();
    spoiled_frame();
    return checks_end();
}
