// SPDX-License-Identifier: GPL-3.0-or-later
// seccomp(2) and PR_SET_SECCOMP as their manual pages say. Runs the same on Linux.
#include "tests/programs/traces.h"
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { ARCHITECTURE = (int)0xc000003e, EVENT_SECCOMP = 7 };

// linux/filter.h and linux/seccomp.h, which the C library does not bring.
struct sock_filter {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};
struct sock_fprog {
    unsigned short len;
    struct sock_filter *filter;
};
enum { LOAD = 0x20, JUMP_EQUAL = 0x15, RETURN = 0x06, NUMBER_AT = 0, ARCHITECTURE_AT = 4 };
enum { SECCOMP_SET_MODE_STRICT, SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL };
enum { SECCOMP_FILTER_FLAG_TSYNC = 1 };
#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#define SECCOMP_RET_KILL_THREAD  0u
#define SECCOMP_RET_TRAP         0x00030000u
#define SECCOMP_RET_ERRNO        0x00050000u
#define SECCOMP_RET_TRACE        0x7ff00000u
#define SECCOMP_RET_LOG          0x7ffc0000u
#define SECCOMP_RET_ALLOW        0x7fff0000u

static int seccomp(unsigned operation, unsigned flags, void *argument)
{
    return (int)syscall(SYS_seccomp, operation, flags, argument);
}

// Answers `action` for call `number`, and lets all others through.
static int filter_one(long number, uint32_t action, unsigned flags)
{
    struct sock_filter code[] = {
        { LOAD, 0, 0, ARCHITECTURE_AT },
        { JUMP_EQUAL, 1, 0, (uint32_t)ARCHITECTURE },
        { RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS },
        { LOAD, 0, 0, NUMBER_AT },
        { JUMP_EQUAL, 0, 1, (uint32_t)number },
        { RETURN, 0, 0, action },
        { RETURN, 0, 0, SECCOMP_RET_ALLOW },
    };
    struct sock_fprog program = { 7, code };
    return seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void privileges_given_up(void)
{
    RETURNS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
}

static int child_errors(void *data)
{
    privileges_given_up();
    RETURNS(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
    RETURNS(filter_one(SYS_getppid, SECCOMP_RET_ERRNO | 77, 0), 0);
    RETURNS(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 2);
    FAILS(syscall(SYS_getppid), 77);
    RETURNS(syscall(SYS_getpid), getpid());
    RETURNS(filter_one(SYS_getppid, SECCOMP_RET_ERRNO | 78, 0), 0);
    FAILS(syscall(SYS_getppid), 78); // of equal ones the newest
    RETURNS(filter_one(SYS_getppid, SECCOMP_RET_LOG, 0), 0);
    FAILS(syscall(SYS_getppid), 78); // the strictest
    FAILS(prctl(PR_SET_SECCOMP, 1, 0, 0, 0), EINVAL);
    CHECK(file_says("/proc/self/status", "Seccomp:\t2\n"));
    int pid = fork();
    if (!pid)
        _exit(syscall(SYS_getppid) == -1 && errno == 78 ? 0 : 1);
    int status;
    RETURNS(waitpid(pid, &status, 0), pid);
    RETURNS(status, 0);
    execl("/proc/self/exe", "filters", "executed", NULL);
    return 1;
}

static int after_exec(void)
{
    return syscall(SYS_getppid) == -1 && errno == 78 ? 0 : 2;
}

static int child_killed(void *data)
{
    privileges_given_up();
    RETURNS(filter_one(SYS_getppid, (uint32_t)(long)data, 0), 0);
    syscall(SYS_getppid);
    return 1;
}

static volatile siginfo_t trapped;

static void on_trap(int signal, siginfo_t *info, void *context)
{
    trapped = *info;
}

static int child_traps(void *data)
{
    struct sigaction a = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
    sigaction(SIGSYS, &a, NULL);
    privileges_given_up();
    RETURNS(filter_one(SYS_getppid, SECCOMP_RET_TRAP | 5, 0), 0);
    RETURNS(syscall(SYS_getppid), SYS_getppid); // the registers are as they were
    CHECK(trapped.si_signo == SIGSYS && trapped.si_code == 1 && trapped.si_errno == 5);
    CHECK(trapped.si_syscall == SYS_getppid && trapped.si_arch == (unsigned)ARCHITECTURE);
    return 0;
}

static int child_strict(void *data)
{
    RETURNS(prctl(PR_SET_SECCOMP, 1, 0, 0, 0), 0);
    if (data)
        syscall(SYS_getppid);
    syscall(SYS_exit, 3);
    return 1;
}

static int end_of(int (*run)(void *data), long data)
{
    int status = -1, pid = child_begin(run, (void *)data);
    RETURNS(waitpid(pid, &status, 0), pid);
    return status;
}

static int child_refused(void *data)
{
    struct sock_filter bad = { LOAD, 0, 0, 64 };
    struct sock_fprog program = { 1, &bad };
    if (setgid(65534) || setuid(65534))
        return 1;
    FAILS(filter_one(SYS_getppid, SECCOMP_RET_ALLOW, 0), EACCES);
    privileges_given_up();
    FAILS(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EINVAL);
    program.len = 0;
    FAILS(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EINVAL);
    FAILS(seccomp(SECCOMP_SET_MODE_FILTER, 0, (void *)8), EFAULT);
    FAILS(seccomp(SECCOMP_SET_MODE_FILTER, 1 << 20, &program), EINVAL);
    FAILS(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
    FAILS(seccomp(99, 0, NULL), EINVAL);
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    RETURNS(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action), 0);
    action = 0x12340000;
    FAILS(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action), EOPNOTSUPP);
    return 0;
}

static volatile int phase;

static void *other_thread(void *data)
{
    if (data)
        RETURNS(filter_one(SYS_getpgrp, SECCOMP_RET_ERRNO | 1, 0), 0);
    __atomic_store_n(&phase, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) < 2)
        sched_yield();
    return (void *)(long)(syscall(SYS_getppid) == -1 ? errno : 0);
}

// All threads at once, unless one of them has filters of its own.
static int child_threads(void *data)
{
    struct helper h;
    privileges_given_up();
    helper_begin(&h, other_thread, data);
    while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) < 1)
        sched_yield();
    int result = filter_one(SYS_getppid, SECCOMP_RET_ERRNO | 66, SECCOMP_FILTER_FLAG_TSYNC);
    RETURNS(result, data ? h.number : 0);
    __atomic_store_n(&phase, 2, __ATOMIC_RELEASE);
    RETURNS(helper_end(&h), data ? 0 : 66);
    RETURNS(syscall(SYS_getppid) == -1 ? errno : 0, data ? 0 : 66);
    return 0;
}

static int child_traced(void *data)
{
    privileges_given_up();
    RETURNS(filter_one(SYS_getppid, SECCOMP_RET_TRACE | 9, 0), 0);
    FAILS(syscall(SYS_getppid), ENOSYS); // nobody traces
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    return syscall(SYS_getppid) == 4712 && syscall(SYS_getppid) == getpid() ? 0 : 1;
}

static void test_traced(void)
{
    struct user_regs_struct r;
    unsigned long message;
    int pid = traced_begin(child_traced, SIGSTOP);
    RETURNS(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP), 0);
    RETURNS(go_on(PTRACE_CONT, pid, 0), SIGTRAP | EVENT_SECCOMP << 8);
    RETURNS(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
    RETURNS(message, 9);
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0 && r.orig_rax == SYS_getppid);
    r.orig_rax = (unsigned long)-1;
    r.rax = 4712;
    RETURNS(ptrace(PTRACE_SETREGS, pid, 0, &r), 0);
    RETURNS(go_on(PTRACE_CONT, pid, 0), SIGTRAP | EVENT_SECCOMP << 8);
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
    r.orig_rax = SYS_getpid;
    RETURNS(ptrace(PTRACE_SETREGS, pid, 0, &r), 0);
    RETURNS(go_on(PTRACE_CONT, pid, 0), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 0);
}

int main(int count, char **arguments)
{
    if (count > 1)
        return after_exec();
    RETURNS(end_of(child_errors, 0), 0);
    RETURNS(end_of(child_killed, (long)SECCOMP_RET_KILL_PROCESS) & 0x7f, SIGSYS);
    RETURNS(end_of(child_killed, SECCOMP_RET_KILL_THREAD) & 0x7f, SIGSYS);
    RETURNS(end_of(child_killed, 0x12340000) & 0x7f, SIGSYS); // no such action
    RETURNS(end_of(child_traps, 0), 0);
    RETURNS(end_of(child_strict, 0), 3 << 8);
    RETURNS(end_of(child_strict, 1), SIGKILL);
    RETURNS(end_of(child_refused, 0), 0);
    RETURNS(end_of(child_threads, 0), 0);
    RETURNS(end_of(child_threads, 1), 0);
    test_traced();
    return checks_end();
}
