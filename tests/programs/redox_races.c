// SPDX-License-Identifier: GPL-3.0-or-later
// Contexts that end, are killed, or change their program while others work on them through handles:
// whatever the handles answer, the system goes on, and nothing is left. And the limit on contexts.
#include "tests/programs/redox_contexts.h"

static const char *const operations[] = {
    "addrspace",
    "current-addrspace",
    "filetable",
    "current-filetable",
    "sigactions",
    "regs/int",
    "regs/float",
    "regs/env",
    "sighandler",
    "sigprocmask",
    "sigignmask",
    "start",
    "name",
    "exe",
    "session_id",
    "mmap-min-addr",
    "sched-affinity",
    "trace",
    "mem",
    "current-sigactions",
    "open_via_dup",
    "sigstack",
    "uid",
    "gid",
};

static const char *const names[] = {
    "copy", "empty", "exclusive", "mmap-min-addr", "name", "start"
};

static uint32_t seed = 1;

static uint32_t chance(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

// One operation of a context, used in ways that change nothing it needs to live, or do.
static void prod(int64_t handle, bool gently)
{
    uint64_t words[52] = { 0 };
    int64_t made;
    switch (chance(gently ? 3 : 5)) {
    case 0:
        redox_read(handle, words, chance(sizeof(words)));
        break;
    case 1:
        made = file_dup(handle, names[chance(array_len(names))]);
        if (made >= 0)
            redox_close(made);
        break;
    case 2:
        if (redox_read(handle, words, 160) == 16)
            redox_write(handle, words, 16);
        break;
    case 3:
        words[0] = chance(8);
        redox_write(handle, words, 8u << chance(4));
        break;
    default:
        words[1] = 0x10000;
        words[2] = 0x1000;
        words[0] = (uint64_t)handle;
        redox_write(handle, words, 24);
    }
}

static void open_and_prod(int64_t pid, bool gently)
{
    char path[64];
    const char *operation = operations[chance(array_len(operations))];
    if (gently && (strcmp(operation, "trace") == 0 || strncmp(operation, "cur", 3) == 0))
        return;
    print_into(path, sizeof(path), "proc:%lld/%s", (long long)pid, operation);
    int64_t handle = file_open(path, REDOX_O_RDWR | REDOX_O_NONBLOCK | REDOX_O_CLOEXEC);
    if (handle < 0)
        return;
    prod(handle, gently);
    redox_close(handle);
}

static void prod_for(int64_t pid, uint64_t milliseconds, bool gently)
{
    uint64_t end = monotonic() + milliseconds * 1000000;
    while (monotonic() < end)
        open_and_prod(pid, gently);
}

static volatile uint64_t *shared;

static void sleeps_and_computes(void)
{
    for (;;) {
        for (volatile int i = 0; i < 1000; i++)
            ;
        pause_for(100000);
        shared[0]++;
    }
}

// Gently: it lives on unharmed.
static void prodded_without_harm(void)
{
    shared = shared_page();
    int64_t pid = fork_context();
    if (pid == 0)
        sleeps_and_computes();
    prod_for(pid, 150, true);
    uint64_t count = shared[0];
    expect(comes_true(shared[0] != count));
    expect_is(redox_kill(pid, 9), 0);
    expect_is(redox_waitpid(pid, NULL, 0), pid);
}

static void prodded_to_death(void)
{
    shared = shared_page();
    for (int i = 0; i < 8; i++) {
        seed = (uint32_t)i;
        int64_t pid = fork_context();
        if (pid == 0)
            sleeps_and_computes();
        prod_for(pid, 20, false);
        redox_kill(pid, 9);
        expect_is(redox_waitpid(pid, NULL, 0), pid);
    }
}

// fork_context leaves a handle on the parent's table in the child's: who holds it could give the
// parent's table to the context that is prodded, which then fails for another reason than a race.
static void close_inherited(void)
{
    for (int64_t number = 3; number < 16; number++)
        redox_close(number);
}

// Several at once on contexts that come and go.
static void prodded_by_many(void)
{
    shared = shared_page();
    int64_t others[3];
    for (size_t i = 0; i < array_len(others); i++) {
        others[i] = fork_context();
        if (others[i] == 0) {
            close_inherited();
            seed = (uint32_t)i + 77;
            while (!shared[2])
                if (shared[1])
                    open_and_prod((int64_t)shared[1], false);
            redox_exit(0);
        }
    }
    for (int i = 0; i < 40; i++) {
        int64_t pid = fork_context();
        if (pid == 0) {
            uint64_t end = monotonic() + 3000000;
            while (monotonic() < end)
                pause_for(100000);
            if (i % 2)
                exec_code(code_for_exit(0), false);
            redox_exit(0);
        }
        shared[1] = (uint64_t)pid;
        pause_for(4000000);
        redox_kill(pid, 9);
        expect_is(redox_waitpid(pid, NULL, 0), pid);
    }
    shared[2] = 1;
    for (size_t i = 0; i < array_len(others); i++)
        expect_is(redox_waitpid(others[i], NULL, 0), others[i]);
}

// Two who start the same context: one does.
static void started_twice(void)
{
    for (int i = 0; i < 20; i++) {
        shared = shared_page();
        int64_t child = new_context(), own = own_context();
        int64_t mine = file_dup(own, "addrspace"), space = file_dup(mine, "empty");
        uint64_t words[] = { (uint64_t)space, 0x1000, 0x1000 };
        write_words(child, "current-addrspace", words, 3);
        int64_t pid = context_number(child), start = file_dup(child, "start");
        int64_t other = fork_context();
        if (other == 0) {
            while (!shared[0])
                ;
            redox_exit(redox_write(start, "", 1) == 1);
        }
        shared[0] = 1;
        uint64_t here = redox_write(start, "", 1) == 1, status;
        expect_is(redox_waitpid(other, &status, 0), other);
        expect_is(here + (status >> 8), 1);
        expect_is(redox_waitpid(pid, &status, 0), pid); // nothing is mapped in it
        expect_is(status, 11);
        int64_t all[] = { child, own, mine, space, start };
        for (size_t n = 0; n < array_len(all); n++)
            expect_is(redox_close(all[n]), 0);
    }
}

static void contexts_are_limited(void)
{
    int64_t pid = fork_context();
    if (pid == 0) {
        must(redox_setreuid(78, 78));
        int64_t last = 0, count = 0;
        while (count < 900 && (last = new_context()) >= 0)
            count++;
        redox_exit(last == -REDOX_EAGAIN && count > 5 ? 0 : last == -REDOX_EMFILE ? 2 : 3);
    }
    uint64_t status;
    expect_is(redox_waitpid(pid, &status, 0), pid);
    expect_is(status, 0);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(prodded_without_harm), TEST(prodded_to_death),     TEST(prodded_by_many),
        TEST(started_twice),        TEST(contexts_are_limited),
    };
    return run_tests(tests, array_len(tests));
}
