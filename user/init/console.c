// SPDX-License-Identifier: GPL-3.0-or-later
// A login shell on each console there is, started again when it ends.
#include "user/init/init.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static struct console {
    const char *device;
    const char *term;
    pid_t shell; // 0: none is running
    bool absent;
    time_t started;
} consoles[] = {
    { .device = "/dev/ttyS0", .term = "vt220" },
    { .device = "/dev/tty1", .term = "linux" },
};

enum { CONSOLES = sizeof(consoles) / sizeof(consoles[0]) };

// A serial line cannot tell how large the terminal at its other end is; the host says it in
// tty_size=ROWSxCOLUMNS, and the terminal's name in tty_term=NAME.
static void serial_describe(int fd)
{
    const char *size = init_option("tty_size");
    struct winsize window = { .ws_row = 24, .ws_col = 80 };
    if (size)
        sscanf(size, "%hux%hu", &window.ws_row, &window.ws_col);
    ioctl(fd, TIOCSWINSZ, &window);
    const char *term = init_option("tty_term");
    if (term)
        setenv("TERM", term, 1);
}

static void shell_become(const struct console *console)
{
    init_signals_reset();
    setsid();
    int fd = open(console->device, O_RDWR);
    if (fd < 0)
        _exit(1);
    ioctl(fd, TIOCSCTTY, 1);
    for (int i = 0; i < 3; i++)
        dup2(fd, i);
    if (fd > 2)
        close(fd);

    setenv("TERM", console->term, 1);
    setenv("HOME", "/root", 1);
    setenv("USER", "root", 1);
    setenv("LOGNAME", "root", 1);
    setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
    if (console == &consoles[0])
        serial_describe(0);
    if (chdir("/root") < 0 && chdir("/") < 0)
        _exit(1);
    setenv("SHELL", "/bin/bash", 1);
    execl("/bin/bash", "-bash", (char *)NULL);
    setenv("SHELL", "/bin/sh", 1);
    execl("/bin/busybox", "-ash", (char *)NULL);
    execl("/bin/sh", "-sh", (char *)NULL);
    _exit(127);
}

// Whether the terminal can be opened: the node of a serial port may stand for no port.
static bool device_present(const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct termios state;
    bool present = tcgetattr(fd, &state) == 0;
    close(fd);
    return present;
}

static void shell_start(struct console *console)
{
    console->started = time(NULL);
    pid_t pid = fork();
    if (pid == 0)
        shell_become(console);
    console->shell = pid > 0 ? pid : 0;
}

// Forgets shells that ended, and reaps orphans.
static void children_reap(void)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < CONSOLES; i++)
            if (consoles[i].shell == pid)
                consoles[i].shell = 0;
}

// Milliseconds until the next shell may start: one that ends at once is not hurried again.
static int shells_start(void)
{
    int wait = -1;
    for (int i = 0; i < CONSOLES; i++) {
        struct console *console = &consoles[i];
        if (console->absent || console->shell)
            continue;
        if (console->started && time(NULL) - console->started < 1)
            wait = 1000;
        else
            shell_start(console);
    }
    return wait;
}

void console_run(void)
{
    for (int i = 0; i < CONSOLES; i++)
        consoles[i].absent = !device_present(consoles[i].device);
    for (;;) {
        children_reap();
        int wait = shells_start();
        struct pollfd wakeup = { .fd = init_wakeup, .events = POLLIN };
        poll(&wakeup, 1, wait);
        init_signals_drain();
    }
}
