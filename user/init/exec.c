// SPDX-License-Identifier: GPL-3.0-or-later
// Runs one command for the host over a serial line, tells its status, powers off.
#include "user/init/frame.h"
#include "user/init/init.h"
#include "user/init/pump.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

static struct pump pump = { .input = -1, .output = -1, .error = -1 };

struct request {
    char *directory;
    char **arguments;
    char **environment;
};

static int line_open(const char *tty)
{
    char path[64];
    snprintf(path, sizeof(path), "/dev/%s", tty);
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
        return -1;
    }
    struct termios raw;
    if (tcgetattr(fd, &raw) == 0) {
        cfmakeraw(&raw);
        raw.c_cflag |= CLOCAL | CREAD;
        raw.c_cflag &= ~(tcflag_t)CRTSCTS;
        cfsetspeed(&raw, B115200);
        tcsetattr(fd, TCSANOW, &raw);
    }
    return fd;
}

static uint32_t number_at(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

// Points at `count` NUL-terminated strings from *at on; NULL when they are not all there.
static char **strings_point(char **at, const char *end, uint32_t count)
{
    if (count > (size_t)(end - *at))
        return NULL;
    char **list = calloc((size_t)count + 1, sizeof(*list));
    if (!list)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        size_t left = (size_t)(end - *at);
        size_t length = strnlen(*at, left);
        if (length == left)
            return NULL;
        list[i] = *at;
        *at += length + 1;
    }
    return list;
}

static bool request_parse(struct request *request)
{
    if (pump.request_size < 8)
        return false;
    char *at = (char *)pump.request + 8;
    const char *end = (char *)pump.request + pump.request_size;
    char **directory = strings_point(&at, end, 1);
    if (!directory)
        return false;
    request->directory = directory[0];
    request->arguments = strings_point(&at, end, number_at(pump.request));
    if (!request->arguments || !request->arguments[0])
        return false;
    request->environment = strings_point(&at, end, number_at(pump.request + 4));
    return request->environment != NULL;
}

static void command_become(const struct request *request, const int ends[3])
{
    for (int i = 0; i < 3; i++)
        dup2(ends[i], i);
    init_signals_reset();
    setsid();
    environ = request->environment;
    if (chdir(request->directory) < 0) {
        fprintf(stderr, "exec: %s: %s\n", request->directory, strerror(errno));
        _exit(STATUS_NOT_EXECUTABLE);
    }
    execvp(request->arguments[0], request->arguments);
    int error = errno;
    fprintf(stderr, "exec: %s: %s\n", request->arguments[0], strerror(error));
    _exit(error == ENOENT || error == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

// Starts the command with pipes in place of its standard descriptors; its pid, or -1.
static pid_t command_start(const struct request *request)
{
    int input[2], output[2], error[2];
    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        command_become(request, (int[]){ input[0], output[1], error[1] });
    close(input[0]);
    close(output[1]);
    close(error[1]);
    pump.input = input[1];
    pump.output = output[0];
    pump.error = error[0];
    pump.running = true;
    fcntl(pump.input, F_SETFL, O_NONBLOCK);
    fcntl(pump.output, F_SETFL, O_NONBLOCK);
    fcntl(pump.error, F_SETFL, O_NONBLOCK);
    return pid;
}

static uint32_t status_code(int status)
{
    if (WIFSIGNALED(status))
        return STATUS_SIGNAL + (uint32_t)WTERMSIG(status);
    return (uint32_t)WEXITSTATUS(status);
}

// Reaps children; true when `command` was among them (its status is then in *code).
static bool children_reap(pid_t command, int flags, uint32_t *code)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, flags)) > 0)
        if (pid == command) {
            *code = status_code(status);
            return true;
        }
    return false;
}

// Carries bytes until the command ends, and tells its status.
static uint32_t command_attend(pid_t command)
{
    uint32_t code = STATUS_NOT_EXECUTABLE;
    while (!children_reap(command, WNOHANG, &code)) {
        pump_step(&pump, init_wakeup);
        init_signals_drain();
    }
    pump_drain(&pump);
    return code;
}

void exec_run(const char *tty)
{
    pump.line = line_open(tty);
    if (pump.line < 0)
        init_shutdown(RB_POWER_OFF);
    frame_send(pump.line, FRAME_HELLO, "cryptos1", 8);
    pump_grant(&pump);
    while (!pump.go)
        pump_step(&pump, init_wakeup);

    struct request request;
    uint32_t code = STATUS_NOT_EXECUTABLE;
    if (request_parse(&request)) {
        pid_t command = command_start(&request);
        if (command > 0)
            code = command_attend(command);
    }
    frame_send_number(pump.line, FRAME_EXIT, code);
    // Orphans that end now interrupt the wait; the machine must not go off before the last byte has
    // left.
    while (tcdrain(pump.line) < 0 && errno == EINTR)
        ;
    init_shutdown(RB_POWER_OFF);
}
