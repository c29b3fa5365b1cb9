// SPDX-License-Identifier: GPL-3.0-or-later
// `strace=1` on the command line: one log line for each call, decoded from the same table that
// dispatches it.
#include "kernel/abi/linux/linux.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "lib/format.h"

enum { LINE = 200, TEXT_MAX = 48 };

// A string argument, cut and with what is not printable as dots.
static size_t text_format(char *to, size_t room, uaddr_t at)
{
    char text[TEXT_MAX];
    size_t length = 0;
    err_t e = user_string_in(text, at, sizeof(text), &length);
    if (e == -ENAMETOOLONG)
        length = sizeof(text);
    else if (e)
        return (size_t)format_text(to, room, "%#lx", (unsigned long)at);
    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '.';
    }
    return (size_t)format_text(to, room, "\"%.*s\"%s", (int)length, text, e ? ".." : "");
}

static size_t argument_format(char *to, size_t room, char kind, uint64_t value)
{
    switch (kind) {
    case 's':
        return text_format(to, room, value);
    case 'd':
    case 'f':
    case 'g':
        return (size_t)format_text(to, room, "%d", (int)value);
    case 'a':
        return (int)value == AT_CURRENT ? (size_t)format_text(to, room, "AT_FDCWD")
                                        : (size_t)format_text(to, room, "%d", (int)value);
    case 'u':
    case 'z':
        return (size_t)format_text(to, room, "%lu", (unsigned long)value);
    case 'o':
        return (size_t)format_text(to, room, "0%lo", (unsigned long)value);
    default:
        return value ? (size_t)format_text(to, room, "%#lx", (unsigned long)value)
                     : (size_t)format_text(to, room, "0");
    }
}

static void call_format(char line[LINE], const struct linux_call *c, const struct trap_frame *f)
{
    size_t n = (size_t)format_text(line, LINE, "%s(", c->name);
    for (unsigned i = 0; c->arguments[i] && n < LINE - 1; i++) {
        if (i)
            n += (size_t)format_text(line + n, LINE - n, ", ");
        n = min_of(n, (size_t)LINE - 1);
        n += argument_format(line + n, LINE - n, c->arguments[i], trap_argument(f, i));
        n = min_of(n, (size_t)LINE - 1);
    }
    format_text(line + n, LINE - n, ")");
}

void linux_strace_enter(const struct linux_call *c, const struct trap_frame *f)
{
    char line[LINE];
    call_format(line, c, f);
    log_info("strace: %d %s", task_current()->number, line);
}

void linux_strace_exit(const struct linux_call *c, const struct trap_frame *f, int64_t result)
{
    if (result < 0 && result > -4096)
        log_info("strace: %d %s = error %d", task_current()->number, c->name, (int)-result);
    else
        log_info("strace: %d %s = %#lx", task_current()->number, c->name, (unsigned long)result);
}
