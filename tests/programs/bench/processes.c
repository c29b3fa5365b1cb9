// SPDX-License-Identifier: GPL-3.0-or-later
// Rows: processes made, and programs started.

#include <spawn.h>
#include <sys/wait.h>

#include "tests/programs/bench/rows.h"

#define SELF "/bin/bench_kernel"

static char *const seven[] = { "bench_kernel", "7", NULL };
static char *const shell[] = { "sh", "-c", ":", NULL };
static char *const no_environment[] = { NULL };

static void ended_with(pid_t child, int status)
{
    int found;
    must(child > 0);
    must(waitpid(child, &found, 0) == child);
    must(WIFEXITED(found) && WEXITSTATUS(found) == status);
}

static void fork_turn(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    ended_with(child, 7);
}

static void fork_exec_turn(void)
{
    pid_t child = fork();
    if (child == 0) {
        execve(SELF, seven, no_environment);
        _exit(1);
    }
    ended_with(child, 7);
}

static void vfork_exec_turn(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execve(SELF, seven, no_environment);
        _exit(1);
    }
    ended_with(child, 7);
}

static void spawn_turn(void)
{
    pid_t child;
    must(posix_spawn(&child, SELF, NULL, NULL, seven, no_environment) == 0);
    ended_with(child, 7);
}

static void shell_turn(void)
{
    pid_t child = fork();
    if (child == 0) {
        execve("/bin/sh", shell, no_environment);
        _exit(1);
    }
    ended_with(child, 0);
}

const struct row rows_of_processes[] = {
    { "fork", .turn = fork_turn, .turns = 50 },
    { "fork_exec", .turn = fork_exec_turn, .turns = 30 },
    { "vfork_exec", .turn = vfork_exec_turn, .turns = 30 },
    { "spawn", .turn = spawn_turn, .turns = 30 },
    { "shell", .turn = shell_turn, .turns = 20 },
    { 0 },
};
