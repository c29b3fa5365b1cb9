// SPDX-License-Identifier: GPL-3.0-or-later
// ptrace(2) of those who make others: fork, vfork, threads, exec, ends; tracers who are not the
// parent. Runs the same on Linux.
#include "tests/programs/traces.h"
#include <sched.h>
#include <sys/mman.h>

enum { EVENT_FORK = 1, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_VFORK_DONE, EVENT_EXIT };
#define TRAP(event) (SIGTRAP | (event) << 8)

static const char *self;

static int idle(void *data)
{
    for (;;)
        pause();
    return 0;
}

static int child_forks(void *data)
{
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    int pid = fork();
    if (!pid)
        _exit(11);
    waitpid(pid, NULL, 0);
    if (!vfork())
        _exit(12);
    return 13;
}

static long message_of(int pid)
{
    unsigned long message = 0;
    CHECK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message) == 0);
    return (long)message;
}

static void test_children(void)
{
    const long options =
        PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT;
    int pid = traced_begin(child_forks, SIGSTOP);
    RETURNS(ptrace(PTRACE_SETOPTIONS, pid, 0, options), 0);
    RETURNS(go_on(PTRACE_CONT, pid, 0), TRAP(EVENT_FORK));
    int child = (int)message_of(pid);
    RETURNS(next_stop(child), SIGSTOP); // it is traced as well, and begins so
    RETURNS(go_on(PTRACE_CONT, child, 0), TRAP(EVENT_EXIT));
    RETURNS(message_of(child), 11 << 8);
    RETURNS(go_on(PTRACE_CONT, child, 0), -1); // first to us
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 11);
    RETURNS(go_on(PTRACE_CONT, pid, 0), SIGCHLD); // and then to its parent
    RETURNS(go_on(PTRACE_CONT, pid, SIGCHLD), TRAP(EVENT_VFORK));
    child = (int)message_of(pid);
    RETURNS(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    RETURNS(next_stop(child), SIGSTOP);
    RETURNS(ptrace(PTRACE_DETACH, child, 0, 0), 0);
    RETURNS(next_stop(pid), TRAP(EVENT_VFORK_DONE));
    RETURNS(message_of(pid), child);
    int stop = go_on(PTRACE_CONT, pid, 0);
    if (stop == SIGCHLD)
        stop = go_on(PTRACE_CONT, pid, 0);
    RETURNS(stop, TRAP(EVENT_EXIT));
    RETURNS(go_on(PTRACE_CONT, pid, 0), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 13);
}

static int child_execs(void *data)
{
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execl(self, self, "leave", NULL);
    return 99;
}

static void test_exec(void)
{
    int pid = traced_begin(child_execs, SIGSTOP);
    RETURNS(go_on(PTRACE_CONT, pid, 0), SIGTRAP); // no option: a signal
    RETURNS(go_on(PTRACE_CONT, pid, 0), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 21);

    struct user_regs_struct r;
    pid = traced_begin(child_execs, SIGSTOP);
    RETURNS(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD), 0);
    RETURNS(go_on(PTRACE_CONT, pid, 0), TRAP(EVENT_EXEC));
    RETURNS(message_of(pid), pid);
    RETURNS(go_on(PTRACE_SYSCALL, pid, 0), SIGTRAP | 0x80); // the end of the call
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0 && r.rax == 0);
    RETURNS(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
    RETURNS(next_stop(pid), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 21);
}

static void *thread_leaves(void *data)
{
    return NULL;
}

static int child_threads(void *data)
{
    pthread_t t;
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    pthread_create(&t, NULL, thread_leaves, NULL);
    return idle(NULL);
}

// A thread is told of by its own number, its end as well.
static void test_threads(void)
{
    int pid = traced_begin(child_threads, SIGSTOP);
    RETURNS(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE), 0);
    RETURNS(go_on(PTRACE_CONT, pid, 0), TRAP(EVENT_CLONE));
    int thread = (int)message_of(pid);
    CHECK(thread != pid);
    RETURNS(next_stop(thread), SIGSTOP);
    RETURNS(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    RETURNS(go_on(PTRACE_CONT, thread, 0), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 0);
    FAILS(waitpid(thread, NULL, __WALL), ECHILD);
    kill(pid, SIGKILL);
    RETURNS(next_stop(pid), -1);
    CHECK(WIFSIGNALED(last_status) && WTERMSIG(last_status) == SIGKILL);
}

static int traces_other(void *data)
{
    int pid = (int)(long)data;
    if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL) || ptrace(PTRACE_INTERRUPT, pid, 0, 0) ||
        next_stop(pid) != TRAP(EVENT_STOP))
        return 1;
    if (ptrace(PTRACE_CONT, pid, 0, SIGTERM) || kill(pid, SIGTERM) || next_stop(pid) != SIGTERM)
        return 2;
    return 0; // and its end is the other's
}

static int traces_to_end(void *data)
{
    int pid = (int)(long)data;
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) || kill(pid, SIGKILL))
        return 1;
    siginfo_t info = { 0 };
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) || info.si_status != SIGKILL)
        return 2;
    if (next_stop(pid) != -1 || !WIFSIGNALED(last_status))
        return 3;
    return waitpid(pid, NULL, __WALL) == -1 && errno == ECHILD ? 0 : 4;
}

// The tracer hears of an end before the parent does; when the tracer ends, the others go on or end.
static void test_other_tracer(void)
{
    int status, pid = child_begin(idle, NULL),
                tracer = child_begin(traces_other, (void *)(long)pid);
    RETURNS(waitpid(tracer, &status, 0), tracer);
    RETURNS(status, 0);
    RETURNS(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    pid = child_begin(idle, NULL);
    tracer = child_begin(traces_to_end, (void *)(long)pid);
    RETURNS(waitpid(tracer, &status, 0), tracer);
    RETURNS(status, 0);
    RETURNS(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int reads_once(void *data)
{
    char c;
    return read((int)(long)data, &c, 1) == 1 ? c : 1;
}

// A call that an interruption cuts short is made again.
static void test_restart(void)
{
    int fds[2];
    RETURNS(pipe(fds), 0);
    int pid = child_begin(reads_once, (void *)(long)fds[0]);
    asleep(pid);
    RETURNS(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    for (int i = 0; i < 5; i++) {
        RETURNS(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
        RETURNS(next_stop(pid), TRAP(EVENT_STOP));
        struct user_regs_struct r;
        CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0 && r.orig_rax == SYS_read);
        CHECK((long)r.rax == -512);
        RETURNS(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        asleep(pid);
    }
    RETURNS(write(fds[1], "x", 1), 1);
    RETURNS(next_stop(pid), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 'x');
    close(fds[0]);
    close(fds[1]);
}

enum { PROCESS_MADVISE = 440, NO_ADVICE = 12345, ADVICE_COLD = 20 };

// Advice to another process.
static void test_advice(void)
{
    int status, pid = child_begin(idle, NULL), fd = MADE(syscall(SYS_pidfd_open, pid, 0));
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec v = { page, 4096 };
    kill(pid, SIGKILL);
    RETURNS(waitpid(pid, &status, 0), pid);
    FAILS(syscall(PROCESS_MADVISE, fd, &v, 1, ADVICE_COLD, 0), ESRCH);
    close(fd);
    fd = MADE(syscall(SYS_pidfd_open, getpid(), 0));
    RETURNS(syscall(PROCESS_MADVISE, fd, &v, 1, ADVICE_COLD, 0), 4096);
    FAILS(syscall(PROCESS_MADVISE, fd, &v, 1, ADVICE_COLD, 1), EINVAL);
    FAILS(syscall(PROCESS_MADVISE, fd, &v, 1, NO_ADVICE, 0), EINVAL);
    v.iov_base = page + 1;
    FAILS(syscall(PROCESS_MADVISE, fd, &v, 1, ADVICE_COLD, 0), EINVAL);
    close(fd);
    v.iov_base = page;
    FAILS(syscall(PROCESS_MADVISE, fd, &v, 1, ADVICE_COLD, 0), EBADF);
    munmap(page, 4096);
}

static int is_refused(void *data)
{
    int pid = (int)(long)data;
    char path[64];
    if (setgid(65534) || setuid(65534))
        return 1;
    if (ptrace(PTRACE_ATTACH, pid, 0, 0) != -1 || errno != EPERM)
        return 2;
    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    if (open(path, O_RDONLY) != -1 || errno != EACCES)
        return 3;
    struct iovec v = { path, 1 };
    return process_vm_readv(pid, &v, 1, &v, 1, 0) == -1 && errno == EPERM ? 0 : 4;
}

static void test_rights(void)
{
    int status, tracer = child_begin(is_refused, (void *)(long)getpid());
    RETURNS(waitpid(tracer, &status, 0), tracer);
    RETURNS(status, 0);
}

int main(int count, char **arguments)
{
    self = arguments[0][0] == '/' ? arguments[0] : "/proc/self/exe";
    if (count > 1)
        return 21;
    test_children();
    test_exec();
    test_threads();
    test_other_tracer();
    test_restart();
    test_advice();
    test_rights();
    return checks_end();
}
