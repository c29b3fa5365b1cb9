// SPDX-License-Identifier: GPL-3.0-or-later
// Contexts as C libraries use them: fork, threads, exec and spawn are put together from handles of
// thisproc: and proc:, step by step in the order in which libraries take these steps; and what the
// handles refuse.
#include "tests/programs/redox_contexts.h"

static void env_registers(void)
{
    uint64_t env[2], before[2], value = 0x1122334455667788, seen = 0;
    int64_t handle = file_open("thisproc:current/regs/env", REDOX_O_RDWR | REDOX_O_CLOEXEC);
    expect(handle >= 0);
    expect_is(redox_read(handle, before, sizeof(before)), 16);
    env[0] = (uint64_t)&value;
    env[1] = before[1];
    expect_is(redox_write(handle, env, sizeof(env)), 16);
    __asm__ volatile("mov %%fs:0, %0" : "=r"(seen));
    expect_is(seen, value);
    expect_is(redox_read(handle, env, sizeof(env)), 16);
    expect_is(env[0], (uint64_t)&value);
    env[0] = 1ull << 47;
    expect_is(redox_write(handle, env, sizeof(env)), -REDOX_EINVAL);
    env[0] = 0x8000000000000000;
    expect_is(redox_write(handle, env, sizeof(env)), -REDOX_EINVAL);
    expect_is(redox_write(handle, before, 8), -REDOX_EINVAL);
    expect_is(redox_write(handle, before, sizeof(before)), 16);
    expect_is(redox_close(handle), 0);
}

static void paths(void)
{
    static const struct {
        const char *path;
        int64_t error;
    } cases[] = {
        { "thisproc:current", REDOX_EINVAL },
        { "thisproc:current/", REDOX_EINVAL },
        { "thisproc:current/nothing", REDOX_EINVAL },
        { "thisproc:", REDOX_EINVAL },
        { "thisproc:somebody/name", REDOX_EINVAL },
        { "thisproc:1/name", REDOX_EACCES },
        { "proc:999999/name", REDOX_ESRCH },
        { "proc:0/name", REDOX_ESRCH },
        { "proc:-1/name", REDOX_EINVAL },
        { "proc:99999999999999999999/name", REDOX_EINVAL },
        { "thisproc:current/regs/int", REDOX_EBADF },
        { "/scheme/thisproc/current/regs/int", REDOX_EBADF },
        { "/scheme/proc/999999/regs/int", REDOX_ESRCH },
    };
    for (size_t i = 0; i < array_len(cases); i++)
        if (file_open(cases[i].path, REDOX_O_RDWR) != -cases[i].error)
            test_failed(__FILE_NAME__, __LINE__, "%s does not give %lld", cases[i].path,
                        (long long)cases[i].error);
    char text[64] = { 0 }, wanted[64];
    int64_t handle = file_open("/scheme/thisproc/current/regs/env", REDOX_O_RDONLY);
    expect(handle >= 0);
    expect(redox_fpath(handle, text, sizeof(text)) > 0);
    print_into(wanted, sizeof(wanted), "proc:%lld/regs/env", (long long)redox_getpid());
    expect_is(strcmp(text, wanted), 0);
    struct redox_stat status;
    expect_is(redox_fstat(handle, &status), 0);
    expect_is(status.st_mode, REDOX_MODE_FILE | 0666);
    expect_is(redox_close(handle), 0);
    handle = file_open("proc:1/name", REDOX_O_RDONLY);
    expect(handle >= 0);
    expect_is(redox_close(handle), 0);
}

static void new_contexts_go_with_their_handles(void)
{
    int64_t child = new_context();
    expect(child >= 0);
    int64_t pid = context_number(child);
    expect(pid > 0);
    char path[64];
    print_into(path, sizeof(path), "proc:%lld/name", (long long)pid);
    int64_t name = file_open(path, REDOX_O_RDONLY);
    expect(name >= 0);
    expect_is(redox_kill(pid, 0), 0);
    expect_is(redox_waitpid(0, NULL, REDOX_WNOHANG), -REDOX_ECHILD);
    expect_is(redox_waitpid(pid, NULL, REDOX_WNOHANG), -REDOX_ECHILD);
    // Without a space it cannot run.
    int64_t start = file_dup(child, "start");
    expect(start >= 0);
    expect_is(redox_write(start, "", 1), -REDOX_EINVAL);
    expect_is(redox_close(start), 0);
    expect_is(redox_close(child), 0);
    expect_is(redox_kill(pid, 0), 0); // `name` still holds it
    expect_is(redox_close(name), 0);
    expect(wait_for_end(pid));
    expect_is(redox_waitpid(0, NULL, 0), -REDOX_ECHILD);
}

static void fork_returns_twice(void)
{
    int64_t pid = fork_context();
    if (pid == 0)
        redox_exit(redox_getpid() == redox_getppid() ? 1 : 5);
    expect(pid > 0);
    uint64_t status = 0;
    expect_is(redox_waitpid(0, &status, 0), pid);
    expect_is(status, 5 << 8);
}

static void fork_copies_memory_and_shares_what_is_shared(void)
{
    volatile uint64_t *own = pages(4096);
    struct redox_map map = { .size = 8192,
                             .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_SHARED };
    int64_t shared_at = redox_fmap(REDOX_FD_NONE, &map);
    expect(shared_at > 0);
    volatile uint64_t *shared = (uint64_t *)shared_at;
    own[0] = shared[0] = 1;
    int64_t pid = fork_context();
    if (pid == 0) {
        uint64_t sum = own[0] + shared[0];
        own[0] = shared[0] = 7;
        redox_exit((int)sum);
    }
    uint64_t status = 0;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 2 << 8);
    expect_is(own[0], 1);
    expect_is(shared[0], 7);
}

static void fork_gives_numbers_that_go_apart(void)
{
    int64_t reader = file_open("pipe:", REDOX_O_RDONLY), writer = file_dup(reader, "write");
    expect(reader >= 0 && writer >= 0);
    int64_t pid = fork_context();
    if (pid == 0) {
        redox_close(reader);
        redox_write(writer, "x", 1);
        redox_exit(0);
    }
    expect_is(redox_close(writer), 0);
    char text[4];
    expect_is(redox_read(reader, text, sizeof(text)), 1);
    expect_is(redox_read(reader, text, sizeof(text)), 0); // and the child's end is gone with it
    expect_is(redox_waitpid(pid, NULL, 0), pid);
    expect_is(redox_close(reader), 0);
}

static volatile uint64_t counter, thread_number;
static volatile uint32_t thread_done;

static int64_t count(void)
{
    counter++;
    thread_number = (uint64_t)redox_getpid();
    thread_done = 1;
    redox_futex((uint32_t *)&thread_done, REDOX_FUTEX_WAKE, 1, NULL, NULL);
    return 3;
}

static void threads_share_everything(void)
{
    counter = 0;
    thread_done = 0;
    int64_t reader = file_open("pipe:", REDOX_O_RDONLY);
    expect(reader >= 0);
    int64_t pid = start_thread(count);
    expect(pid > 0);
    while (!thread_done)
        redox_futex((uint32_t *)&thread_done, REDOX_FUTEX_WAIT, 0, NULL, NULL);
    expect_is(counter, 1);
    expect_is(thread_number, pid);
    expect(wait_for_end(pid)); // by itself: nobody waits for threads
    expect_is(redox_waitpid(0, NULL, 0), -REDOX_ECHILD);
    expect_is(redox_close(reader), 0);
}

__attribute__((noreturn)) static int64_t waits_for_ever(void)
{
    for (;;)
        pause_for(1000000000);
}

static void the_first_ends_all(void)
{
    int64_t pid = fork_context();
    if (pid == 0) {
        if (start_thread(waits_for_ever) < 0 || start_thread(waits_for_ever) < 0)
            redox_exit(1);
        redox_exit(9);
    }
    uint64_t status = 0;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 9 << 8);
    expect(wait_for_end(pid + 1));
    expect(wait_for_end(pid + 2));
    expect_is(redox_waitpid(0, NULL, REDOX_WNOHANG), -REDOX_ECHILD);
}

static int64_t breaks(void)
{
    __asm__ volatile("ud2");
    return 0;
}

static void a_fatal_signal_ends_the_program(void)
{
    int64_t pid = fork_context();
    if (pid == 0) {
        start_thread(breaks);
        waits_for_ever();
    }
    uint64_t status = 0;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 4);
}

static volatile int64_t childs_number;

static int64_t makes_a_child(void)
{
    int64_t pid = fork_context();
    if (pid == 0)
        redox_exit(6);
    childs_number = pid;
    thread_done = 1;
    redox_futex((uint32_t *)&thread_done, REDOX_FUTEX_WAKE, 1, NULL, NULL);
    return 0;
}

static void children_of_threads_are_waited_for(void)
{
    thread_done = 0;
    expect(start_thread(makes_a_child) > 0);
    while (!thread_done)
        redox_futex((uint32_t *)&thread_done, REDOX_FUTEX_WAIT, 0, NULL, NULL);
    uint64_t status = 0;
    expect_is(redox_waitpid(childs_number, &status, 0), childs_number);
    expect_is(status, 6 << 8);
}

static volatile uint64_t *counts;

__attribute__((noreturn)) static int64_t count_for_ever(void)
{
    for (;;)
        counts[1]++;
}

static void count_with_thread(volatile uint64_t *shared)
{
    counts = shared;
    start_thread(count_for_ever);
    for (;;)
        counts[0]++;
}

static void stops_and_goes_on_together(void)
{
    volatile uint64_t *shared = shared_page();
    int64_t pid = fork_context();
    if (pid == 0)
        count_with_thread(shared);
    expect(pid > 0);
    while (!shared[0] || !shared[1])
        redox_yield();
    expect_is(redox_kill(pid, 19), 0);
    uint64_t status = 0;
    expect_is(redox_waitpid(pid, &status, REDOX_WUNTRACED), pid);
    expect_is(status, 19 << 8 | 0x7f);
    expect(comes_true(doing(pid + 1) == 'T')); // each context is told by itself, the first one's
    uint64_t first = shared[0], second = shared[1];
    pause_for(20000000);
    expect_is(shared[0], first);
    expect_is(shared[1], second);
    expect_is(redox_kill(pid, 18), 0);
    expect_is(redox_waitpid(pid, &status, REDOX_WCONTINUED), pid);
    expect_is(status, 0xffff);
    while (shared[0] == first || shared[1] == second)
        redox_yield();
    expect_is(redox_kill(pid, 9), 0);
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 9);
}

static void exec_goes_on_in_the_new_program(void)
{
    int64_t pid = fork_context();
    if (pid == 0) {
        int64_t e = exec_code(code_for_exit(23), false);
        print("exec gave %lld\n", (long long)e);
        redox_exit(1);
    }
    uint64_t status = 0;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 23 << 8);
}

static void exec_ends_the_other_threads(void)
{
    int64_t pid = fork_context();
    if (pid == 0) {
        start_thread(waits_for_ever);
        exec_code(code_for_exit(24), false);
        redox_exit(1);
    }
    uint64_t status = 0;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 24 << 8);
    expect(wait_for_end(pid + 1));
}

// It closes what is marked in the table that both have: not before the other is done with that.
static int64_t execs(void)
{
    while (!thread_done)
        redox_yield();
    exec_code(code_for_exit(25), false);
    return 1;
}

static void exec_of_a_thread_makes_it_a_program(void)
{
    thread_done = 0;
    int64_t pid = start_thread(execs);
    expect(pid > 0);
    thread_done = 1;
    uint64_t status = 0;
    // As long as it is a thread of ours there is nobody to wait for.
    int64_t got;
    while ((got = redox_waitpid(pid, &status, 0)) == -REDOX_ECHILD && redox_kill(pid, 0) == 0)
        redox_yield();
    expect_is(got, pid);
    expect_is(status, 25 << 8);
}

static void spawn_without_fork(void)
{
    int64_t pid = exec_code(code_for_exit(26), true);
    expect(pid > 0);
    uint64_t status = 0;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 26 << 8);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(env_registers),
        TEST(paths),
        TEST(new_contexts_go_with_their_handles),
        TEST(fork_returns_twice),
        TEST(fork_copies_memory_and_shares_what_is_shared),
        TEST(fork_gives_numbers_that_go_apart),
        TEST(threads_share_everything),
        TEST(the_first_ends_all),
        TEST(a_fatal_signal_ends_the_program),
        TEST(children_of_threads_are_waited_for),
        TEST(stops_and_goes_on_together),
        TEST(exec_goes_on_in_the_new_program),
        TEST(exec_ends_the_other_threads),
        TEST(exec_of_a_thread_makes_it_a_program),
        TEST(spawn_without_fork),
    };
    return run_tests(tests, array_len(tests));
}
