// SPDX-License-Identifier: GPL-3.0-or-later
// pidfds, clone3, waitid and close_range as their manual pages say. Runs the same on Linux.
#include "tests/programs/check.h"
#include <sched.h>
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#include <sys/epoll.h>
#include <sys/mman.h>

enum { P_PIDFD_KIND = 3 };

// linux/sched.h, which the C library does not bring.
struct clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
        set_tid_size, cgroup;
};
#define CLEAR_HANDLERS 0x100000000ull

static int pidfd_open(int pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int send(int pidfd, int signal, siginfo_t *info)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, info, 0);
}

static int pause_for_ever(void *data)
{
    for (;;)
        pause();
    return 0;
}

static int leave(void *data)
{
    return (int)(long)data;
}

static short ready(int fd)
{
    struct pollfd p = { fd, POLLIN, 0 };
    return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

static int wait_on(int pidfd, siginfo_t *info, int options)
{
    memset(info, 0, sizeof(*info));
    return waitid((idtype_t)P_PIDFD_KIND, (id_t)pidfd, info, options);
}

static void test_open_and_wait(void)
{
    siginfo_t info;
    int pid = child_begin(pause_for_ever, NULL);
    int fd = MADE(pidfd_open(pid, 0));
    RETURNS(fcntl(fd, F_GETFD), FD_CLOEXEC);
    RETURNS(ready(fd), 0);
    RETURNS(wait_on(fd, &info, WEXITED | WNOHANG), 0);
    RETURNS(info.si_pid, 0);
    RETURNS(send(fd, 0, NULL), 0);
    FAILS(send(fd, 99, NULL), EINVAL);
    FAILS(send(0, 0, NULL), EBADF);
    FAILS(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 1), EINVAL);
    info.si_signo = SIGUSR1;
    FAILS(send(fd, SIGUSR2, &info), EINVAL);
    info.si_code = SI_USER;
    FAILS(send(fd, SIGUSR1, &info), EPERM);
    FAILS(send(fd, SIGUSR1, (siginfo_t *)8), EFAULT);
    RETURNS(send(fd, SIGTERM, NULL), 0);

    struct pollfd p = { fd, POLLIN, 0 };
    RETURNS(poll(&p, 1, -1), 1);
    RETURNS(wait_on(fd, &info, WEXITED | WNOWAIT), 0);
    CHECK(info.si_pid == pid && info.si_code == CLD_KILLED && info.si_status == SIGTERM);
    RETURNS(ready(fd), POLLIN);
    RETURNS(send(fd, 0, NULL), 0); // a zombie is still there
    RETURNS(wait_on(fd, &info, WEXITED), 0);
    RETURNS(info.si_pid, pid);
    RETURNS(ready(fd), POLLIN);
    FAILS(send(fd, 0, NULL), ESRCH);
    FAILS(wait_on(fd, &info, WEXITED), ECHILD);
    FAILS(pidfd_open(pid, 0), ESRCH);
    close(fd);
    FAILS(pidfd_open(0, 0), EINVAL);
    FAILS(pidfd_open(-1, 0), EINVAL);
    FAILS(pidfd_open(getpid(), 1), EINVAL);
    FAILS(wait_on(0, &info, WEXITED), EBADF);
}

static void test_nonblocking(void)
{
    siginfo_t info;
    int pid = child_begin(pause_for_ever, NULL);
    int fd = MADE(pidfd_open(pid, O_NONBLOCK));
    FAILS(wait_on(fd, &info, WEXITED), EAGAIN);
    struct epoll_event e = { .events = EPOLLIN };
    int list = MADE(epoll_create1(0));
    RETURNS(epoll_ctl(list, EPOLL_CTL_ADD, fd, &e), 0);
    RETURNS(epoll_wait(list, &e, 1, 0), 0);
    RETURNS(send(fd, SIGKILL, NULL), 0);
    RETURNS(epoll_wait(list, &e, 1, -1), 1);
    RETURNS(wait_on(fd, &info, WEXITED), 0);
    close(list);
    close(fd);

    int self = MADE(pidfd_open(getpid(), 0));
    FAILS(syscall(SYS_process_mrelease, self, 0), EINVAL);
    FAILS(syscall(SYS_process_mrelease, self, 1), EINVAL);
    FAILS(wait_on(self, &info, WEXITED), ECHILD);
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self);
    int f = MADE(open(path, O_RDONLY));
    text[MADE(read(f, text, sizeof(text) - 1))] = '\0';
    snprintf(path, sizeof(path), "\nPid:\t%d\n", getpid());
    CHECK(strstr(text, path));
    close(f);
    close(self);
}

static int hold_a_pipe(void *data)
{
    int *ends = data;
    dup2(ends[0], 77);
    if (write(ends[1], "r", 1) != 1)
        return 1;
    return pause_for_ever(NULL);
}

static void test_getfd(void)
{
    int ends[2], more[2];
    char byte;
    MADE(pipe(ends));
    int pid = child_begin(hold_a_pipe, ends);
    int fd = MADE(pidfd_open(pid, 0));
    RETURNS(read(ends[0], &byte, 1), 1);
    MADE(pipe(more));
    int theirs = MADE(syscall(SYS_pidfd_getfd, fd, 77, 0));
    RETURNS(fcntl(theirs, F_GETFD), FD_CLOEXEC);
    RETURNS(write(ends[1], "x", 1), 1);
    RETURNS(read(theirs, &byte, 1), 1);
    CHECK(byte == 'x');
    FAILS(syscall(SYS_pidfd_getfd, fd, 78, 0), EBADF);
    FAILS(syscall(SYS_pidfd_getfd, fd, 77, 1), EINVAL);
    FAILS(syscall(SYS_pidfd_getfd, ends[0], 77, 0), EBADF);
    RETURNS(send(fd, SIGKILL, NULL), 0);
    struct pollfd p = { fd, POLLIN, 0 };
    RETURNS(poll(&p, 1, -1), 1);
    FAILS(syscall(SYS_pidfd_getfd, fd, 77, 0), ESRCH);
    child_end(pid);
    close(fd);
    close(theirs);
    for (int i = 0; i < 2; i++) {
        close(ends[i]);
        close(more[i]);
    }
}

static long clone3(struct clone_args *a, size_t size)
{
    return syscall(SYS_clone3, a, size);
}

static void test_clone3(void)
{
    siginfo_t info;
    int pidfd = -1, parent = -1;
    struct clone_args a = { .flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
                            .pidfd = (uint64_t)&pidfd,
                            .parent_tid = (uint64_t)&parent,
                            .exit_signal = SIGCHLD };
    long pid = clone3(&a, sizeof(a));
    if (pid == 0)
        _exit(pidfd == -1 ? 3 : 4); // written to the parent's memory, and not inherited
    CHECK(pid > 0 && pidfd >= 0 && parent == pid);
    RETURNS(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
    RETURNS(wait_on(pidfd, &info, WEXITED), 0);
    CHECK(info.si_pid == pid && info.si_code == CLD_EXITED &&
          (info.si_status == 3 || info.si_status == 4));
    close(pidfd);

    int before = MADE(dup(0));
    close(before);
    a.pidfd = 8;
    FAILS(clone3(&a, sizeof(a)), EFAULT);
    int after = MADE(dup(0));
    CHECK(before == after); // nothing is left of it
    close(after);
    FAILS(waitpid(-1, NULL, WNOHANG), ECHILD);

    struct clone_args none = { .exit_signal = SIGCHLD };
    FAILS(clone3(&none, 63), EINVAL);
    FAILS(clone3(&none, 5000), E2BIG);
    FAILS(clone3((struct clone_args *)8, sizeof(none)), EFAULT);
    char *bytes = calloc(1, 256);
    memcpy(bytes, &none, sizeof(none));
    bytes[200] = 1;
    FAILS(clone3((struct clone_args *)bytes, 256), E2BIG);
    bytes[200] = 0;
    pid = clone3((struct clone_args *)bytes, 256);
    if (pid == 0)
        _exit(7);
    RETURNS(child_end(pid), 7);
    free(bytes);
    struct clone_args bad[] = {
        { .flags = CLONE_THREAD, .exit_signal = 0 },
        { .flags = CLONE_SIGHAND },
        { .flags = CLONE_SIGHAND | CLONE_VM | CLEAR_HANDLERS },
        { .exit_signal = 65 },
        { .exit_signal = SIGCHLD, .stack = 4096 },
        { .exit_signal = SIGCHLD, .stack_size = 4096 },
        { .flags = CLONE_DETACHED, .exit_signal = SIGCHLD },
        { .flags = SIGCHLD },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        FAILS(clone3(&bad[i], sizeof(bad[i])), EINVAL);
    FAILS(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &parent, NULL, 0),
          EINVAL);
    pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, 0);
    if (pid == 0)
        _exit(5);
    RETURNS(wait_on(pidfd, &info, WEXITED), 0);
    CHECK(info.si_pid == pid && info.si_status == 5);
    close(pidfd);
}

static char child_stack[32768];

static int close_and_tell(void *data)
{
    int *ends = data;
    if (syscall(SYS_close_range, ends[1], ~0u, 2)) // CLOSE_RANGE_UNSHARE
        return 1;
    return fcntl(ends[1], F_GETFD) == -1 && fcntl(ends[0], F_GETFD) == 0 ? 0 : 2;
}

static void test_close_range(void)
{
    for (int i = 0; i < 4; i++)
        CHECK(fcntl(0, F_DUPFD, 50 + i) == 50 + i);
    RETURNS(syscall(SYS_close_range, 51, 52, 0), 0);
    CHECK(fcntl(50, F_GETFD) == 0 && fcntl(51, F_GETFD) == -1 && fcntl(52, F_GETFD) == -1 &&
          fcntl(53, F_GETFD) == 0);
    RETURNS(syscall(SYS_close_range, 50, ~0u, 4), 0); // CLOSE_RANGE_CLOEXEC
    CHECK(fcntl(50, F_GETFD) == FD_CLOEXEC && fcntl(53, F_GETFD) == FD_CLOEXEC);
    FAILS(syscall(SYS_close_range, 53, 50, 0), EINVAL);
    FAILS(syscall(SYS_close_range, 50, 53, 1), EINVAL);
    RETURNS(syscall(SYS_close_range, 50, ~0u, 0), 0);
    CHECK(fcntl(50, F_GETFD) == -1 && fcntl(53, F_GETFD) == -1);

    int ends[2];
    MADE(pipe(ends));
    int pid = MADE(clone(close_and_tell, child_stack + sizeof(child_stack),
                         CLONE_VM | CLONE_FILES | SIGCHLD, ends));
    RETURNS(child_end(pid), 0);
    RETURNS(fcntl(ends[1], F_GETFD), 0); // ours is as it was
    close(ends[0]);
    close(ends[1]);
    RETURNS(unshare(CLONE_FILES | CLONE_FS), 0);
    FAILS(unshare(0x1), EINVAL);
}

static void *in_a_thread(void *data)
{
    long tid = syscall(SYS_gettid);
    FAILS(pidfd_open((int)tid, 0), EINVAL);
    return NULL;
}

int main(void)
{
    struct helper h;
    test_open_and_wait();
    test_nonblocking();
    test_getfd();
    test_clone3();
    test_close_range();
    helper_begin(&h, in_a_thread, NULL);
    helper_end(&h);
    RETURNS(child_end(child_begin(leave, (void *)9)), 9);
    return checks_end();
}
