// SPDX-License-Identifier: GPL-3.0-or-later
// Set-user-id files: who becomes whom, and that nobody who governs a process, or could have, gets
// rights by what it executes. Run as root; the parts of schemes only where there are schemes.
#include "tests/programs/check.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum { NOBODY = 65534, GAINED = 42, PLAIN = 43 };
static const char file[] = "/gain-suid";

static void copy_self(void)
{
    static char bytes[1 << 20];
    int from = MADE(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    ssize_t size = MADE(read(from, bytes, sizeof(bytes)));
    int to = MADE(open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755));
    RETURNS(write(to, bytes, (size_t)size), size);
    RETURNS(fchmod(to, 04755), 0);
    close(from);
    close(to);
}

static void become_nobody(void)
{
    RETURNS(setresgid(NOBODY, NOBODY, NOBODY), 0);
    RETURNS(setresuid(NOBODY, NOBODY, NOBODY), 0);
    prctl(PR_SET_DUMPABLE, 1);
}

static void run_file(void)
{
    execl(file, "gain-suid", "who", NULL);
    _exit(4);
}

static int plain_exec(void *data)
{
    become_nobody();
    run_file();
    return 5;
}

static int exec_without_new_rights(void *data)
{
    become_nobody();
    RETURNS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    run_file();
    return 5;
}

static int sharer(void *data)
{
    pause();
    return 0;
}

// Another process shares the working directory and the umask.
static int exec_while_sharing(void *data)
{
    static char stack[16384];
    become_nobody();
    int other = MADE(clone(sharer, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL));
    int pid = fork();
    if (pid == 0) // its own
        run_file();
    RETURNS(child_end(pid), GAINED);
    pid = MADE(clone(plain_exec, stack + sizeof(stack) / 2, CLONE_FS | SIGCHLD, NULL));
    RETURNS(child_end(pid), PLAIN);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    return 0;
}

// Handles of a process on its child, got before the child executes the file, and after.
static int ready[2], go[2];

static int child_of_governor(void)
{
    int pid = fork();
    if (pid)
        return pid;
    char byte = 0;
    write(ready[1], &byte, 1);
    read(go[0], &byte, 1);
    run_file();
    return 0;
}

static int handle_on(int pid, const char *what, int flags)
{
    char path[64];
    snprintf(path, sizeof(path), "/scheme/proc/%d/%s", pid, what);
    return open(path, flags | O_CLOEXEC);
}

static int govern(void *data)
{
    const char *what = data;
    char byte;
    become_nobody();
    RETURNS(pipe(ready), 0);
    RETURNS(pipe(go), 0);
    int pid = child_of_governor();
    RETURNS(read(ready[0], &byte, 1), 1);
    int handle = MADE(handle_on(pid, what, O_RDWR));
    RETURNS(write(go[1], &byte, 1), 1);
    RETURNS(child_end(pid), PLAIN);
    close(handle);
    pid = child_of_governor(); // the handle is closed: the bit counts again
    RETURNS(read(ready[0], &byte, 1), 1);
    RETURNS(write(go[1], &byte, 1), 1);
    RETURNS(child_end(pid), GAINED);
    return 0;
}

// Handles on who has gained rights: none.
static int look_at_gained(void *data)
{
    static const char *const names[] = {
        "regs/int",  "regs/float",        "regs/env",  "mem",        "trace",
        "addrspace", "current-addrspace", "filetable", "sigactions", "sighandler"
    };
    char byte, path[64];
    become_nobody();
    RETURNS(pipe(ready), 0);
    int pid = fork();
    if (pid == 0) {
        dup2(ready[1], 1);
        execl(file, "gain-suid", "wait", NULL);
        _exit(4);
    }
    RETURNS(read(ready[0], &byte, 1), 1);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && data; i++)
        FAILS(handle_on(pid, names[i], O_RDWR), EPERM);
    static const char *const linux_names[] = { "environ", "maps", "exe", "fd/0", "io" };
    for (size_t i = 0; i < sizeof(linux_names) / sizeof(linux_names[0]); i++) {
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, linux_names[i]);
        int fd = open(path, O_RDONLY);
        CHECK(fd < 0 || read(fd, &byte, 1) < 0);
        close(fd);
    }
    kill(pid, SIGKILL); // whose real id it still has
    RETURNS(child_end(pid), -SIGKILL);
    return 0;
}

static int as_gained(char **argv)
{
    if (!strcmp(argv[1], "wait")) {
        write(1, "", 1);
        pause();
    }
    return geteuid() == 0 ? GAINED : geteuid() == NOBODY ? PLAIN : 1;
}

int main(int argc, char **argv)
{
    static const char *const handles[] = { "regs/int",   "mem",        "trace", "filetable",
                                           "sighandler", "sigactions", "name" };
    if (argc > 1)
        return as_gained(argv);
    bool schemes = access("/scheme", F_OK) == 0;
    copy_self();
    RETURNS(child_end(child_begin(plain_exec, NULL)), GAINED);
    RETURNS(child_end(child_begin(exec_without_new_rights, NULL)), PLAIN);
    RETURNS(child_end(child_begin(exec_while_sharing, NULL)), 0);
    RETURNS(child_end(child_begin(look_at_gained, schemes ? "" : NULL)), 0);
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]) && schemes; i++)
        RETURNS(child_end(child_begin(govern, (void *)(uintptr_t)handles[i])), 0);
    unlink(file);
    return checks_end();
}
