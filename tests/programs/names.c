// SPDX-License-Identifier: GPL-3.0-or-later
// A Linux program in name spaces that lack things: what it cannot open any more, and what goes on
// working. Prints what is wrong, ends with how much that is.
#include <cryptos/abi.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int wrong;

static void is(const char *what, long got, long wanted)
{
    if (got != wanted) {
        printf("%s: %ld (errno %d), not %ld\n", what, got, errno, wanted);
        wrong++;
    }
}

static int open_error(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static long make_names(const char *const *names, size_t count)
{
    uint64_t pairs[8][2];
    for (size_t i = 0; i < count; i++) {
        pairs[i][0] = (uintptr_t)names[i];
        pairs[i][1] = strlen(names[i]);
    }
    return prctl(CRYPTOS_PRCTL_MAKE_NAMES, pairs, count);
}

// Runs `test` in a child, which takes its name space with it.
static void in_child(void (*test)(void))
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        wrong = 0;
        test();
        fflush(stdout);
        _exit(wrong);
    }
    waitpid(child, &status, 0);
    is("the child's mistakes", status, 0);
}

static void without_anything(void)
{
    static const char *const paths[] = {
        "/",         "/tmp",         "/etc/passwd",  "/proc/self/status",
        "/dev/null", "/scheme/null", "/scheme/rand", "/scheme",
        ".",         "relative"
    };
    char *const arguments[] = { "sh", NULL };
    int ends[2], dir = open("/tmp", O_RDONLY | O_DIRECTORY);
    int file = open("/tmp/names-file", O_RDWR | O_CREAT, 0600);
    char text[4];
    struct stat s;
    is("enter", prctl(CRYPTOS_PRCTL_SET_NAMES, 0, 0), 0);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        is(paths[i], open_error(paths[i], O_RDONLY), ENOENT);
        is(paths[i], stat(paths[i], &s) < 0 ? errno : 0, ENOENT);
    }
    is("create", open_error("/tmp/names-new", O_RDWR | O_CREAT), ENOENT);
    is("mkdir", mkdir("/tmp/names-new", 0700) < 0 ? errno : 0, ENOENT);
    is("unlink", unlink("/tmp/names-file") < 0 ? errno : 0, ENOENT);
    is("exec", execv("/bin/sh", arguments) < 0 ? errno : 0, ENOENT);
    is("openat", openat(dir, "names-file", O_RDONLY) < 0 ? errno : 0, ENOENT);
    is("chdir", chdir("/tmp") < 0 ? errno : 0, ENOENT);
    // What is open goes on working, and pipes need no name.
    is("fstat", fstat(file, &s), 0);
    is("write", write(file, "abc", 3), 3);
    is("pread", pread(file, text, 3, 0), 3);
    is("pipe", pipe(ends), 0);
    is("back", prctl(CRYPTOS_PRCTL_SET_NAMES, 1, 1) < 0 ? errno : 0, EPERM);
    is("null may", open_error("/scheme/pipe", O_RDONLY), 0);
    if (fork() == 0)
        _exit(open_error("/tmp", O_RDONLY) != ENOENT);
    int status;
    wait(&status);
    is("its child", status, 0);
}

static void with_the_tree_only(void)
{
    static const char *const names[] = { "file" };
    long number = make_names(names, 1);
    is("made", number > 1, 1);
    is("enter", prctl(CRYPTOS_PRCTL_SET_NAMES, number, number), 0);
    is("file", open_error("/etc/passwd", O_RDONLY), 0);
    is("null", open_error("/scheme/null", O_RDONLY), ENOENT);
    is("null made", open_error("/scheme/null", O_RDWR | O_CREAT), ENOENT);
    is("time", open_error("/scheme/time/4", O_RDONLY), 0); // everybody's
    is("file", open_error("/scheme/file/etc/passwd", O_RDONLY), 0);
    static const char *const more[] = { "file", "null" };
    is("more", make_names(more, 2) < 0 ? errno : 0, ENODEV);
    // The effective one goes and comes back.
    is("null for now", prctl(CRYPTOS_PRCTL_SET_NAMES, -1L, 0), 0);
    is("nothing", open_error("/etc/passwd", O_RDONLY), ENOENT);
    is("back", prctl(CRYPTOS_PRCTL_SET_NAMES, -1L, number), 0);
    is("again", open_error("/etc/passwd", O_RDONLY), 0);
}

static void with_some(void)
{
    static const char *const names[] = { "null", "rand" };
    long number = make_names(names, 2);
    is("enter", prctl(CRYPTOS_PRCTL_SET_NAMES, number, number), 0);
    is("null", open_error("/scheme/null", O_RDONLY), 0);
    is("rand", open_error("/scheme/rand", O_RDONLY), 0);
    is("zero", open_error("/scheme/zero", O_RDONLY), ENOENT);
    is("file", open_error("/scheme/file/etc/passwd", O_RDONLY), ENOENT);
    is("dots", open_error("/scheme/null/../../etc/passwd", O_RDONLY), ENOENT);
    is("tree", open_error("/etc/passwd", O_RDONLY), ENOENT);
}

static void as_another_user(void)
{
    static const char *const names[] = { "file" };
    is("setuid", setuid(1000), 0);
    is("make", make_names(names, 1) < 0 ? errno : 0, EACCES);
    is("foreign", prctl(CRYPTOS_PRCTL_SET_NAMES, 2, 2) < 0 ? errno : 0, EPERM);
    is("own", prctl(CRYPTOS_PRCTL_SET_NAMES, 1, 1), 0);
    is("null", prctl(CRYPTOS_PRCTL_SET_NAMES, 0, 0), 0);
    is("tree", open_error("/etc/passwd", O_RDONLY), ENOENT);
}

// Each took a reference from the root of the tree once.
static void paths_that_fail_at_once(void)
{
    for (int i = 0; i < 20000; i++)
        if (open_error("", O_RDONLY) != ENOENT)
            wrong++;
    is("root", open_error("/", O_RDONLY), 0);
}

int main(void)
{
    in_child(paths_that_fail_at_once);
    in_child(without_anything);
    in_child(with_the_tree_only);
    in_child(with_some);
    in_child(as_another_user);
    is("outside", open_error("/etc/passwd", O_RDONLY), 0);
    printf("%d wrong\n", wrong);
    return wrong != 0;
}
