// SPDX-License-Identifier: GPL-3.0-or-later
// Runs in the guest: what programs expect of pseudo-terminals. Prints "all passed" and exits with
// 0, or the line that failed and 1.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define check(condition)                                                     \
    do {                                                                     \
        if (!(condition)) {                                                  \
            printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
            exit(1);                                                         \
        }                                                                    \
    } while (0)

static int master, slave;

static void open_pair(void)
{
    master = posix_openpt(O_RDWR | O_NOCTTY);
    check(master >= 0);
    check(open(ptsname(master), O_RDWR | O_NOCTTY) < 0 && errno == EIO);
    check(grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    check(slave >= 0);
}

static void expect(int fd, const char *text)
{
    char got[256];
    size_t length = strlen(text), done = 0;
    while (done < length) {
        ssize_t n = read(fd, got + done, length - done);
        check(n > 0);
        done += (size_t)n;
    }
    got[done] = 0;
    if (strcmp(got, text) != 0)
        printf("got \"%s\" for \"%s\"\n", got, text);
    check(strcmp(got, text) == 0);
}

static void type(const char *text)
{
    check(write(master, text, strlen(text)) == (ssize_t)strlen(text));
}

static void both_ways(void)
{
    open_pair();
    type("hello\x7f\n");
    expect(slave, "hell\n");
    expect(master, "hello\b \b\r\n");
    check(write(slave, "a\nb", 3) == 3);
    expect(master, "a\r\nb");

    struct winsize size = { .ws_row = 33, .ws_col = 99 };
    check(ioctl(master, TIOCSWINSZ, &size) == 0);
    memset(&size, 0, sizeof(size));
    check(ioctl(slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 33 && size.ws_col == 99);
    check(isatty(slave) && isatty(master));
    check(strncmp(ttyname(slave), "/dev/pts/", 9) == 0);
}

static void raw_and_poll(void)
{
    struct termios t;
    check(tcgetattr(slave, &t) == 0);
    cfmakeraw(&t);
    check(tcsetattr(slave, TCSANOW, &t) == 0);
    struct pollfd p = { .fd = slave, .events = POLLIN | POLLOUT };
    check(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
    type("x");
    check(poll(&p, 1, 1000) == 1 && p.revents == (POLLIN | POLLOUT));
    expect(slave, "x");
    check(fcntl(slave, F_SETFL, O_NONBLOCK) == 0);
    char c;
    check(read(slave, &c, 1) == -1 && errno == EAGAIN);
    check(fcntl(slave, F_SETFL, 0) == 0);
}

// Everything written arrives, through buffers that are much smaller.
static void much(void)
{
    enum { MUCH = 200000 };
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        for (int i = 0; i < MUCH; i += 100) {
            char text[101];
            memset(text, 'a' + i / 100 % 26, 100);
            check(write(slave, text, 100) == 100);
        }
        _exit(0);
    }
    close(slave);
    static char all[MUCH];
    size_t done = 0;
    while (done < MUCH) {
        ssize_t n = read(master, all + done, MUCH - done);
        check(n > 0);
        done += (size_t)n;
    }
    for (int i = 0; i < MUCH; i++)
        check(all[i] == 'a' + i / 100 % 26);
    check(read(master, all, 1) == -1 && errno == EIO);
    int status;
    check(waitpid(child, &status, 0) == child && status == 0);
    close(master);
}

static void on_signal(int number)
{
    _exit(number);
}

// A session on the terminal: ^C reaches it, and the end of the master hangs it up.
static void session(const char *typed, int number)
{
    open_pair();
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        close(master);
        signal(number, on_signal);
        check(setsid() > 0);
        check(ioctl(slave, TIOCSCTTY, 0) == 0);
        check(tcgetpgrp(slave) == getpid() && tcgetsid(slave) == getpid());
        check(open("/dev/tty", O_RDWR) >= 0);
        check(write(slave, "!", 1) == 1);
        for (;;)
            pause();
    }
    expect(master, "!");
    close(slave);
    if (typed)
        type(typed);
    else
        close(master);
    int status;
    check(waitpid(child, &status, 0) == child);
    check(WIFEXITED(status) && WEXITSTATUS(status) == number);
    if (typed)
        close(master);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    both_ways();
    raw_and_poll();
    much();
    session("\003", SIGINT);
    session("\034", SIGQUIT);
    session(NULL, SIGHUP);
    puts("all passed");
    return 0;
}
