// SPDX-License-Identifier: GPL-3.0-or-later
// Start of the first process: file systems, signals, then consoles or one command.
#include "user/init/init.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

int init_wakeup = -1;
static int wakeup_write = -1;
static volatile sig_atomic_t shutdown_signal;
static char kernel_arguments[4096];

static const struct {
    const char *what, *where, *kind, *data;
    unsigned long flags;
} mounts[] = {
    { "proc", "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
    { "sysfs", "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
    { "devtmpfs", "/dev", "devtmpfs", "mode=0755", MS_NOSUID },
    { "devpts", "/dev/pts", "devpts", "mode=0620,ptmxmode=0666", MS_NOSUID | MS_NOEXEC },
    { "tmpfs", "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV },
    { "tmpfs", "/tmp", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV },
};

// What this kernel does not have, or has mounted itself, is left out: no reason to stop.
static void mount_all(void)
{
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        mkdir(mounts[i].where, 0755);
        mount(mounts[i].what, mounts[i].where, mounts[i].kind, mounts[i].flags, mounts[i].data);
    }
    symlink("/proc/self/fd", "/dev/fd");
    symlink("/proc/self/fd/0", "/dev/stdin");
    symlink("/proc/self/fd/1", "/dev/stdout");
    symlink("/proc/self/fd/2", "/dev/stderr");
}

// The kernel opens the console for init; where it did not, any three descriptors will do.
static void descriptors_open(void)
{
    int fd;
    do
        fd = open("/dev/console", O_RDWR | O_NOCTTY);
    while (fd >= 0 && fd < 3);
    if (fd < 0)
        do
            fd = open("/dev/null", O_RDWR);
        while (fd >= 0 && fd < 3);
    if (fd > 2)
        close(fd);
}

static void arguments_read(void)
{
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t length = read(fd, kernel_arguments, sizeof(kernel_arguments) - 1);
    close(fd);
    kernel_arguments[length > 0 ? length : 0] = 0;
}

const char *init_option(const char *name)
{
    static char value[256];
    size_t length = strlen(name);
    for (const char *word = kernel_arguments; *word;) {
        size_t size = strcspn(word, " \n");
        if (size > length && word[length] == '=' && strncmp(word, name, length) == 0) {
            snprintf(value, sizeof(value), "%.*s", (int)(size - length - 1), word + length + 1);
            return value;
        }
        word += size + strspn(word + size, " \n");
    }
    return getenv(name);
}

static void on_signal(int number)
{
    int saved = errno;
    if (number != SIGCHLD)
        shutdown_signal = number;
    if (write(wakeup_write, "", 1) < 0) {
        // full: there is a wake-up in it already
    }
    errno = saved;
}

static const int handled[] = { SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT };

static void signals_begin(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
        init_wakeup = ends[0];
        wakeup_write = ends[1];
    }
    struct sigaction action = { .sa_handler = on_signal };
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
        sigaction(handled[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    reboot(RB_DISABLE_CAD); // ctrl-alt-del becomes SIGINT
}

void init_signals_reset(void)
{
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
        signal(handled[i], SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void init_signals_drain(void)
{
    char bytes[64];
    while (read(init_wakeup, bytes, sizeof(bytes)) > 0)
        ;
    if (shutdown_signal == SIGUSR1)
        init_shutdown(RB_HALT_SYSTEM);
    if (shutdown_signal == SIGUSR2)
        init_shutdown(RB_POWER_OFF);
    if (shutdown_signal)
        init_shutdown(RB_AUTOBOOT);
}

void init_shutdown(int how)
{
    if (kill(-1, SIGTERM) == 0) {
        poll(NULL, 0, 100); // time to save what they have
        kill(-1, SIGKILL);
    }
    sync();
    reboot(how);
    for (;;) // the machine has no power switch: nothing is left to do
        pause();
}

int main(void)
{
    descriptors_open();
    mount_all();
    arguments_read();
    signals_begin();
    umask(022);
    sethostname("cryptos", 7);

    const char *tty = init_option("exec_tty");
    if (tty)
        exec_run(tty);
    console_run();
}
