// SPDX-License-Identifier: GPL-3.0-or-later
// ptrace(2) as its manual page says: stops, what wait tells of them, registers, memory, signals.
// Runs the same on Linux.
#include "tests/programs/traces.h"

static volatile long shared_word = 1;

static int child_calls(void *data)
{
    RETURNS(ptrace(PTRACE_TRACEME, 0, 0, 0), 0);
    raise(SIGSTOP);
    getppid();
    return (int)syscall(SYS_getpid) == 4711 ? 7 : 8;
}

// The beginning and the end of each call; a call that is changed, one that is left out.
static void test_calls(void)
{
    struct user_regs_struct r;
    int pid = traced_begin(child_calls, SIGSTOP);
    RETURNS(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
    FAILS(ptrace(PTRACE_SETOPTIONS, pid, 0, 1 << 12), EINVAL);
    int calls = 0;
    for (int begin = 1;; begin = !begin) {
        CHECK(ptrace(PTRACE_SYSCALL, pid, 0, 0) == 0);
        if (next_stop(pid) != (SIGTRAP | 0x80))
            break;
        CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
        struct call_info info = { 0 };
        CHECK(ptrace(GET_SYSCALL_INFO, pid, sizeof(info), &info) == (begin ? 80 : 33));
        CHECK(info.op == (begin ? 1 : 2) && info.arch == 0xc000003e && info.ip == r.rip);
        if (begin)
            CHECK((long)r.rax == -ENOSYS && info.nr == r.orig_rax);
        if (begin && r.orig_rax == SYS_getppid)
            calls++;
        if (!begin && calls == 1 && r.orig_rax == SYS_getppid)
            CHECK((long)r.rax == getpid() && ++calls);
        if (begin && r.orig_rax == SYS_getpid && ++calls) {
            r.orig_rax = (unsigned long)-1;
            r.rax = 4711;
            CHECK(ptrace(PTRACE_SETREGS, pid, 0, &r) == 0);
        }
    }
    RETURNS(calls, 3);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 7);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    shared_word = info->si_value.sival_int + signal;
}

static int child_signals(void *data)
{
    struct sigaction a = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
    sigaction(SIGUSR1, &a, NULL);
    signal(SIGWINCH, SIG_IGN);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGUSR1);
    raise(SIGWINCH);
    raise(SIGTERM);
    raise(SIGUSR2);
    return shared_word == SIGUSR1 + 5 ? 3 : 4;
}

// Signals are told before they act, the ignored as well; left out, changed, or put in place.
static void test_signals(void)
{
    siginfo_t info;
    int pid = traced_begin(child_signals, SIGUSR1);
    RETURNS(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    CHECK(info.si_signo == SIGUSR1 && info.si_code == SI_TKILL && info.si_pid == pid);
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = 5;
    RETURNS(ptrace(PTRACE_SETSIGINFO, pid, 0, &info), 0);
    FAILS(ptrace(PTRACE_CONT, pid, 0, 100), EIO);
    RETURNS(go_on(PTRACE_CONT, pid, SIGUSR1), SIGWINCH);
    RETURNS(go_on(PTRACE_CONT, pid, SIGWINCH), SIGTERM);
    RETURNS(go_on(PTRACE_CONT, pid, 0), SIGUSR2);
    RETURNS(go_on(PTRACE_CONT, pid, 0), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 3);
    FAILS(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);

    pid = traced_begin(child_signals, SIGUSR1);
    RETURNS(go_on(PTRACE_CONT, pid, SIGTERM), -1);
    CHECK(WIFSIGNALED(last_status) && WTERMSIG(last_status) == SIGTERM);
}

static int child_memory(void *data)
{
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    return shared_word == 77 ? 0 : 1;
}

static void transfers(int pid)
{
    long word = 55;
    struct iovec mine = { &word, sizeof(word) }, theirs = { (void *)&shared_word, sizeof(long) };
    RETURNS(process_vm_writev(pid, &mine, 1, &theirs, 1, 0), 8);
    word = 0;
    RETURNS(process_vm_readv(pid, &mine, 1, &theirs, 1, 0), 8);
    CHECK(word == 55 && shared_word == 1);
    FAILS(process_vm_readv(pid, &mine, 1, &theirs, 1, 1), EINVAL);
    theirs.iov_base = (void *)8;
    FAILS(process_vm_readv(pid, &mine, 1, &theirs, 1, 0), EFAULT);
    theirs.iov_base = (void *)child_memory; // its own code it may not write
    FAILS(process_vm_writev(pid, &mine, 1, &theirs, 1, 0), EFAULT);
}

// Words, code, the file, and what is not there.
static void test_memory(void)
{
    char path[64];
    int pid = traced_begin(child_memory, SIGSTOP);
    errno = 0;
    CHECK(ptrace(PTRACE_PEEKDATA, pid, &shared_word, 0) == 1 && errno == 0);
    FAILS(ptrace(PTRACE_PEEKDATA, pid, 8, 0), EIO);
    FAILS(ptrace(PTRACE_POKEDATA, pid, 8, 0), EIO);
    transfers(pid);
    long code = ptrace(PTRACE_PEEKTEXT, pid, (void *)child_memory, 0);
    RETURNS(ptrace(PTRACE_POKETEXT, pid, (void *)child_memory, 0x123456789l), 0);
    RETURNS(ptrace(PTRACE_PEEKTEXT, pid, (void *)child_memory, 0), 0x123456789l);
    CHECK(memcmp((void *)child_memory, &code, sizeof(code)) == 0); // ours stays
    RETURNS(ptrace(PTRACE_POKETEXT, pid, (void *)child_memory, code), 0);
    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    int fd = MADE(open(path, O_RDWR));
    long word = 77;
    RETURNS(pwrite(fd, &word, 8, (off_t)&shared_word), 8);
    FAILS(pread(fd, &word, 8, 8), EIO);
    close(fd);
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    CHECK(file_says(path, "TracerPid:\t%d\n", getpid()));
    CHECK(file_says(path, "State:\t%s\n", "t (tracing stop)"));
    RETURNS(go_on(PTRACE_CONT, pid, 0), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 0);
}

static int child_steps(void *data)
{
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    __asm__ volatile("int3; nop; nop" ::: "memory");
    syscall(SYS_getppid);
    shared_word = 9;
    return 5;
}

// Steps, over calls too, and a watchpoint.
static void test_steps(void)
{
    struct user_regs_struct r;
    siginfo_t info;
    int pid = traced_begin(child_steps, SIGTRAP);
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
    unsigned long at = r.rip;
    RETURNS(go_on(PTRACE_SINGLESTEP, pid, 0), SIGTRAP);
    CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0 && r.rip == at + 1 && !(r.eflags & 0x100));
    CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_code == 2);
    int calls = 0;
    for (int i = 0; i < 200 && !calls; i++) {
        long before = ptrace(PTRACE_PEEKTEXT, pid, r.rip, 0);
        unsigned long from = r.rip;
        CHECK(go_on(PTRACE_SINGLESTEP, pid, 0) == SIGTRAP);
        CHECK(ptrace(PTRACE_GETREGS, pid, 0, &r) == 0);
        if ((before & 0xffff) == 0x050f)
            calls += r.rip == from + 2 && (long)r.rax == getpid();
    }
    RETURNS(calls, 1);
    RETURNS(ptrace(PTRACE_POKEUSER, pid, DEBUG_AT(0), &shared_word), 0);
    FAILS(ptrace(PTRACE_POKEUSER, pid, DEBUG_AT(1), 0xffff800000000000), EINVAL);
    RETURNS(ptrace(PTRACE_POKEUSER, pid, DEBUG_AT(7), 0xd0001), 0); // 8 bytes? 4, written
    RETURNS(go_on(PTRACE_CONT, pid, 0), SIGTRAP);
    RETURNS(ptrace(PTRACE_PEEKDATA, pid, &shared_word, 0), 9);
    CHECK(ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_code == 4);
    CHECK((ptrace(PTRACE_PEEKUSER, pid, DEBUG_AT(6), 0) & 0xf) == 1);
    RETURNS(go_on(PTRACE_CONT, pid, 0), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 5);
}

static int child_floats(void *data)
{
    uint64_t before[2] = { 0x1111, 0x2222 }, after[2];
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    __asm__ volatile("movups %1, %%xmm5; int3; movups %%xmm5, %0"
                     : "=m"(after)
                     : "m"(before)
                     : "xmm5");
    return after[0] == 0x3333 && after[1] == 0x4444 ? 6 : 7;
}

// Floating point registers by both sets.
static void test_floats(void)
{
    static char area[16384] __attribute__((aligned(64)));
    struct user_fpregs_struct f;
    struct iovec v = { area, sizeof(area) };
    uint64_t value[2] = { 0x3333, 0x2222 };
    int pid = traced_begin(child_floats, SIGTRAP);
    RETURNS(ptrace(PTRACE_GETFPREGS, pid, 0, &f), 0);
    CHECK(f.xmm_space[20] == 0x1111 && f.xmm_space[22] == 0x2222);
    memcpy(&f.xmm_space[20], value, sizeof(value));
    RETURNS(ptrace(PTRACE_SETFPREGS, pid, 0, &f), 0);
    RETURNS(ptrace(PTRACE_GETREGSET, pid, SET_XSTATE, &v), 0);
    CHECK(v.iov_len >= 576 && v.iov_len < sizeof(area));
    value[1] = 0x4444;
    CHECK(memcmp(area + 160 + 5 * 16, value, 8) == 0);
    memcpy(area + 160 + 5 * 16, value, sizeof(value));
    RETURNS(ptrace(PTRACE_SETREGSET, pid, SET_XSTATE, &v), 0);
    v = (struct iovec){ area, 8 * 27 };
    RETURNS(ptrace(PTRACE_GETREGSET, pid, SET_STATUS, &v), 0);
    RETURNS(v.iov_len, 8 * 27);
    FAILS(ptrace(PTRACE_GETREGSET, pid, 12345, &v), EINVAL);
    RETURNS(go_on(PTRACE_CONT, pid, 0), -1);
    CHECK(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 6);
}

static int idle(void *data)
{
    for (;;)
        pause();
    return 0;
}

// Attached to, interrupted, let go.
static void test_attach(void)
{
    int status, pid = child_begin(idle, NULL);
    FAILS(ptrace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
    FAILS(ptrace(PTRACE_ATTACH, 999999, 0, 0), ESRCH);
    FAILS(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
    RETURNS(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
    FAILS(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM);
    RETURNS(next_stop(pid), SIGSTOP);
    FAILS(ptrace(PTRACE_INTERRUPT, pid, 0, 0), EIO);
    RETURNS(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
    FAILS(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);

    FAILS(ptrace(PTRACE_SEIZE, pid, 1, 0), EIO);
    RETURNS(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    RETURNS(waitpid(pid, &status, WNOHANG), 0);
    RETURNS(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
    RETURNS(next_stop(pid), SIGTRAP | EVENT_STOP << 8);
    FAILS(ptrace(PTRACE_SETOPTIONS, pid, 0, 1 << 12), EINVAL);
    RETURNS(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
    RETURNS(go_on(PTRACE_CONT, pid, 0), SIGTRAP | EVENT_STOP << 8); // it stays asked
    RETURNS(ptrace(PTRACE_DETACH, pid, 0, SIGTERM), 0); // not at a signal: none is delivered
    kill(pid, SIGTERM);
    RETURNS(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

// Stops of the process: told to the tracer; a seized one listens until it is continued.
static void test_group_stop(void)
{
    siginfo_t info;
    int pid = child_begin(idle, NULL);
    RETURNS(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    kill(pid, SIGSTOP);
    RETURNS(next_stop(pid), SIGSTOP);
    RETURNS(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    FAILS(ptrace(PTRACE_LISTEN, pid, 0, 0), EIO);
    RETURNS(go_on(PTRACE_CONT, pid, SIGSTOP), SIGSTOP | EVENT_STOP << 8);
    RETURNS(ptrace(PTRACE_LISTEN, pid, 0, 0), 0);
    FAILS(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
    kill(pid, SIGCONT);
    RETURNS(next_stop(pid), SIGTRAP | EVENT_STOP << 8);
    RETURNS(go_on(PTRACE_CONT, pid, 0), SIGCONT);
    RETURNS(ptrace(PTRACE_CONT, pid, 0, SIGCONT), 0);
    kill(pid, SIGKILL);
    RETURNS(next_stop(pid), -1);
    CHECK(WIFSIGNALED(last_status) && WTERMSIG(last_status) == SIGKILL);

    pid = child_begin(idle, NULL);
    kill(pid, SIGSTOP);
    RETURNS(waitpid(pid, &last_status, WUNTRACED), pid);
    RETURNS(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    RETURNS(next_stop(pid), SIGSTOP | EVENT_STOP << 8);
    kill(pid, SIGKILL); // also ends what is stopped
    RETURNS(next_stop(pid), -1);
    CHECK(WIFSIGNALED(last_status));
}

int main(void)
{
    test_calls();
    test_signals();
    test_memory();
    test_steps();
    test_floats();
    test_attach();
    test_group_stop();
    return checks_end();
}
