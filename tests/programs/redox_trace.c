// SPDX-License-Identifier: GPL-3.0-or-later
// A debugger: traces children through proc:PID/trace, looks at and changes their registers and
// memory, and sees them make system calls, take signals, clone and end.
#include "tests/programs/redox_contexts.h"

static volatile uint64_t *shared; // [0] go, [1] and on: what the child has seen
static volatile uint64_t own;     // the child's copy

static int64_t open_of(int64_t pid, const char *operation, uint64_t flags)
{
    char path[64];
    print_into(path, sizeof(path), "proc:%lld/%s", (long long)pid, operation);
    return file_open(path, flags | REDOX_O_CLOEXEC);
}

static int64_t run_until(int64_t trace, uint64_t what)
{
    return redox_write(trace, &what, sizeof(what));
}

// Runs until one of `what` and says which; what stopped it is in *event.
static int64_t next(int64_t trace, uint64_t what, struct redox_ptrace_event *event)
{
    int64_t n = run_until(trace, what);
    if (n == 8)
        n = redox_read(trace, event, sizeof(*event));
    return n == sizeof(*event) ? (int64_t)event->cause : n;
}

static int64_t traced_child(void (*child)(void), int64_t *trace)
{
    shared = shared_page();
    int64_t pid = fork_context();
    if (pid == 0) {
        while (!shared[0])
            ;
        child();
        redox_exit(0);
    }
    *trace = must(open_of(pid, "trace", REDOX_O_RDWR | REDOX_O_TRUNC));
    // Registers are read when it has come out of user mode: from then on it is stopped.
    struct redox_int_registers registers;
    int64_t handle = must(open_of(pid, "regs/int", REDOX_O_RDONLY));
    must(redox_read(handle, &registers, sizeof(registers)));
    must(redox_close(handle));
    shared[0] = 1;
    return pid;
}

static void asks_its_number(void)
{
    own = 5;
    shared[1] = (uint64_t)redox_getpid();
    __asm__ volatile("int3");
    shared[2] = own;
    redox_exit(3);
}

enum { PRE = REDOX_PTRACE_STOP_PRE_SYSCALL, POST = REDOX_PTRACE_STOP_POST_SYSCALL };

static void calls_are_seen_and_changed(void)
{
    int64_t trace, pid = traced_child(asks_its_number, &trace);
    struct redox_ptrace_event event;
    struct redox_int_registers registers;
    int64_t handle = open_of(pid, "regs/int", REDOX_O_RDWR);
    expect(handle >= 0);
    pause_for(5000000);
    expect_is(shared[1], 0); // stopped since the trace was opened
    expect_is(next(trace, PRE | POST, &event), PRE);
    expect_is(redox_read(handle, &registers, sizeof(registers)), 160);
    expect_is(registers.rax, REDOX_SYS_GETPID);
    expect_is(next(trace, PRE | POST, &event), POST);
    expect_is(redox_read(handle, &registers, sizeof(registers)), 160);
    expect_is(registers.rax, pid);
    registers.rax = 777;
    registers.cs = 8;
    registers.rflags |= 0x3000;
    expect_is(redox_write(handle, &registers, sizeof(registers)), 160);
    expect_is(redox_write(handle, &registers, 100), -REDOX_EINVAL);
    expect_is(next(trace, REDOX_PTRACE_STOP_BREAKPOINT, &event), REDOX_PTRACE_STOP_BREAKPOINT);
    expect_is(shared[1], 777);
    int64_t memory = open_of(pid, "mem", REDOX_O_RDWR);
    expect(memory >= 0);
    uint64_t value = 0;
    expect_is(redox_lseek(memory, (int64_t)&own, REDOX_SEEK_SET), (int64_t)&own);
    expect_is(redox_read(memory, &value, 8), 8);
    expect_is(value, 5);
    value = 6;
    expect_is(redox_lseek(memory, (int64_t)&own, REDOX_SEEK_SET), (int64_t)&own);
    expect_is(redox_write(memory, &value, 8), 8);
    expect_is(redox_lseek(memory, 0x1000, REDOX_SEEK_SET), 0x1000);
    expect_is(redox_read(memory, &value, 8), -REDOX_EFAULT);
    expect_is(redox_close(memory), 0);
    expect_is(next(trace, REDOX_PTRACE_STOP_EXIT, &event), REDOX_PTRACE_STOP_EXIT);
    expect_is(event.a, 3 << 8);
    expect_is(shared[2], 6);
    expect_is(run_until(trace, 0), 8);
    uint64_t status;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 3 << 8);
    expect_is(run_until(trace, 0), -REDOX_ESRCH);
    expect_is(redox_read(trace, &event, sizeof(event)), -REDOX_ESRCH);
    expect_is(redox_read(handle, &registers, sizeof(registers)), -REDOX_ESRCH);
    expect_is(redox_close(handle), 0);
    expect_is(redox_close(trace), 0);
}

static void calls_that_are_skipped(void)
{
    int64_t trace, pid = traced_child(asks_its_number, &trace);
    struct redox_ptrace_event event;
    expect_is(next(trace, PRE, &event), PRE);
    // Its number stays what it called with: the call was not made.
    expect_is(next(trace, REDOX_PTRACE_FLAG_IGNORE | REDOX_PTRACE_STOP_BREAKPOINT, &event),
              REDOX_PTRACE_STOP_BREAKPOINT);
    expect_is(shared[1], REDOX_SYS_GETPID);
    expect_is(redox_close(trace), 0); // and it goes on alone
    expect_is(redox_waitpid(pid, NULL, 0), pid);
}

static void signals_itself(void)
{
    redox_kill((uint64_t)redox_getpid(), 10);
    shared[1] = 1;
    redox_kill((uint64_t)redox_getpid(), 12);
    shared[1] = 2;
}

static void signals_are_seen(void)
{
    int64_t trace, pid = traced_child(signals_itself, &trace);
    struct redox_ptrace_event event;
    uint64_t status;
    expect_is(next(trace, REDOX_PTRACE_STOP_SIGNAL, &event), REDOX_PTRACE_STOP_SIGNAL);
    expect_is(event.a, 10);
    expect_is(event.b, 0);
    expect_is(next(trace, REDOX_PTRACE_FLAG_IGNORE | REDOX_PTRACE_STOP_SIGNAL, &event),
              REDOX_PTRACE_STOP_SIGNAL);
    expect_is(event.a, 12);
    expect_is(shared[1], 1);
    expect_is(next(trace, REDOX_PTRACE_STOP_EXIT, &event), REDOX_PTRACE_STOP_EXIT);
    expect_is(event.a, 12);
    expect_is(redox_close(trace), 0);
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 12);
}

static void does_little(void)
{
    for (volatile int i = 0; i < 100; i++)
        shared[1]++;
}

static void steps(void)
{
    int64_t trace, pid = traced_child(does_little, &trace);
    int64_t handle = open_of(pid, "regs/int", REDOX_O_RDONLY);
    struct redox_int_registers before, after;
    struct redox_ptrace_event event;
    expect(handle >= 0);
    for (int i = 0; i < 50; i++) {
        expect_is(next(trace, REDOX_PTRACE_STOP_SINGLESTEP, &event), REDOX_PTRACE_STOP_SINGLESTEP);
        expect_is(redox_read(handle, &after, sizeof(after)), 160);
        expect(i == 0 || after.rip != before.rip);
        before = after;
    }
    uint64_t status;
    expect_is(run_until(trace, REDOX_PTRACE_STOP_SINGLESTEP), 8);
    expect_is(redox_close(handle), 0);
    expect_is(redox_close(trace), 0);
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 0);
    expect_is(shared[1], 100);
}

static void forks(void)
{
    int64_t pid = fork_context();
    if (pid == 0) {
        shared[1] = 1;
        redox_exit(4);
    }
    redox_waitpid((uint64_t)pid, NULL, 0);
}

static void clones_are_held(void)
{
    int64_t trace, pid = traced_child(forks, &trace);
    struct redox_ptrace_event event;
    expect_is(next(trace, REDOX_PTRACE_EVENT_CLONE, &event), REDOX_PTRACE_EVENT_CLONE);
    expect(event.a > (uint64_t)pid);
    int64_t other = open_of((int64_t)event.a, "trace", REDOX_O_RDWR | REDOX_O_TRUNC);
    expect(other >= 0);
    expect_is(run_until(trace, 0), 8);
    pause_for(20000000);
    expect_is(shared[1], 0); // stopped by its own trace now
    expect_is(next(other, REDOX_PTRACE_STOP_EXIT, &event), REDOX_PTRACE_STOP_EXIT);
    expect_is(shared[1], 1);
    expect_is(redox_close(other), 0);
    expect_is(redox_waitpid(pid, NULL, 0), pid);
    expect_is(redox_close(trace), 0);
}

static void executes(void)
{
    exec_code(code_for_exit(19), false);
}

// The first stop of a new program is before its first instruction.
static void exec_is_seen(void)
{
    int64_t trace, pid = traced_child(executes, &trace);
    struct redox_ptrace_event event;
    struct redox_int_registers registers;
    expect_is(next(trace, REDOX_PTRACE_EVENT_ADDRSPACE_SWITCH, &event),
              REDOX_PTRACE_EVENT_ADDRSPACE_SWITCH);
    int64_t handle = open_of(pid, "regs/int", REDOX_O_RDONLY);
    expect_is(redox_read(handle, &registers, sizeof(registers)), 160);
    expect_is(registers.rip, CODE_AT);
    expect_is(registers.rsp, STACK_TOP - 16);
    expect_is(redox_close(handle), 0);
    expect_is(next(trace, REDOX_PTRACE_STOP_EXIT, &event), REDOX_PTRACE_STOP_EXIT);
    expect_is(event.a, 19 << 8);
    expect_is(run_until(trace, 0), 8);
    uint64_t status;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 19 << 8);
    expect_is(redox_close(trace), 0);
}

static void sleeps(void)
{
    for (;;)
        pause_for(1000000000);
}

static void sessions(void)
{
    int64_t trace, pid = traced_child(sleeps, &trace);
    struct redox_ptrace_event event;
    expect_is(open_of(pid, "trace", REDOX_O_RDWR), -REDOX_EBUSY);
    expect_is(open_of(redox_getpid(), "trace", REDOX_O_RDWR), -REDOX_EINVAL);
    expect_is(run_until(trace, 1ull << 40), -REDOX_EINVAL);
    expect_is(redox_read(trace, &event, 8), -REDOX_EINVAL);
    expect_is(redox_close(trace), 0);
    trace = open_of(pid, "trace", REDOX_O_RDWR | REDOX_O_NONBLOCK | REDOX_O_EXCL);
    expect(trace >= 0);
    expect_is(redox_read(trace, &event, sizeof(event)), -REDOX_EAGAIN);
    expect_is(redox_close(trace), 0); // takes the target with it
    uint64_t status;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 9);
}

// Killed while it is stopped.
static void kill_ends_a_stop(void)
{
    int64_t trace, pid = traced_child(asks_its_number, &trace);
    struct redox_ptrace_event event;
    uint64_t status;
    expect_is(next(trace, PRE, &event), PRE);
    expect_is(redox_kill(pid, 9), 0);
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 9);
    expect_is(redox_read(trace, &event, sizeof(event)), -REDOX_ESRCH);
    expect_is(redox_close(trace), 0);
}

static volatile uint64_t *seen;

static void tells(void)
{
    seen[0] = 1;
}

// The one who traces ends: the target goes on.
static void the_end_of_who_traces(void)
{
    seen = shared_page();
    int64_t pid = fork_context();
    if (pid == 0) {
        int64_t trace;
        traced_child(tells, &trace);
        pause_for(5000000);
        redox_exit(seen[0] ? 1 : 0);
    }
    uint64_t status;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 0);
    expect(comes_true(seen[0]));
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(calls_are_seen_and_changed),
        TEST(calls_that_are_skipped),
        TEST(signals_are_seen),
        TEST(steps),
        TEST(clones_are_held),
        TEST(exec_is_seen),
        TEST(sessions),
        TEST(kill_ends_a_stop),
        TEST(the_end_of_who_traces),
    };
    return run_tests(tests, array_len(tests));
}
