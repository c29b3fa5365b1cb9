// SPDX-License-Identifier: GPL-3.0-or-later
// What the programs that test ptrace(2) share: a traced child, and its next stop.
#pragma once
#include "tests/programs/check.h"
#include <stdarg.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

enum {
    GET_SYSCALL_INFO = 0x420e,
    EVENT_STOP = 128,
    SET_STATUS = 1, // NT_PRSTATUS
    SET_XSTATE = 0x202,
};
#define DEBUG_AT(n) (offsetof(struct user, u_debugreg) + 8 * (n))

struct call_info { // struct ptrace_syscall_info
    uint8_t op, padding[3];
    uint32_t arch;
    uint64_t ip, sp, nr, arguments[6], more;
};

static int last_status;

// What stopped it: the signal, and above it the event; -1: it has ended.
static inline int next_stop(int pid)
{
    if (waitpid(pid, &last_status, __WALL) != pid)
        return -2;
    return WIFSTOPPED(last_status) ? last_status >> 8 : -1;
}

static inline int go_on(int how, int pid, int signal)
{
    return ptrace(how, pid, 0, (long)signal) ? -3 : next_stop(pid);
}

// A child that asks to be traced and comes to a stop by `first`.
static inline int traced_begin(int (*run)(void *data), int first)
{
    int pid = child_begin(run, NULL);
    RETURNS(next_stop(pid), first);
    return pid;
}

// Whether a file has that text in it.
static inline bool file_says(const char *path, const char *format, ...)
{
    char text[4096], wanted[256];
    va_list list;
    va_start(list, format);
    vsnprintf(wanted, sizeof(wanted), format, list);
    va_end(list);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, wanted);
}
