// SPDX-License-Identifier: GPL-3.0-or-later
// `strace=1` on the command line: a log line when a call begins and one when it ends, decoded from
// the list that dispatches it.
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/log.h"
#include "lib/command_line.h"
#include "lib/format.h"

enum { LINE = 200, TEXT_MAX = 48 };

bool redox_strace;

void redox_strace_init(const char *command_line)
{
    redox_strace = command_line_number(command_line, "strace", 0) == 1;
}

// A path or name of `size` bytes, cut and with what is not printable as dots.
static size_t text_format(char *to, size_t room, uaddr_t at, uint64_t size)
{
    char text[TEXT_MAX];
    size_t length = min_of(size, (uint64_t)sizeof(text));
    if (!size || user_copy_in(text, at, length))
        return (size_t)format_text(to, room, "%#lx, %lu", (unsigned long)at, (unsigned long)size);
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '.';
    return (size_t)format_text(to, room, "\"%.*s\"%s", (int)length, text,
                               length < size ? ".." : "");
}

// One argument from `*next` on, of which a path takes two.
static size_t argument_format(char *to, size_t room, char kind, const struct trap_frame *f,
                              unsigned *next)
{
    uint64_t value = ARG((*next)++);
    switch (kind) {
    case 's':
        return text_format(to, room, value, ARG((*next)++));
    case 'd':
    case 'f':
    case 'g':
        return (size_t)format_text(to, room, "%ld", (long)value);
    case 'z':
        return (size_t)format_text(to, room, "%lu", (unsigned long)value);
    default:
        return (size_t)format_text(to, room, value ? "%#lx" : "%lx", (unsigned long)value);
    }
}

void redox_strace_enter(const struct redox_call *c, const struct trap_frame *f)
{
    char line[LINE];
    unsigned next = 0;
    size_t n = (size_t)format_text(line, LINE, "%s(", c->name);
    for (const char *kind = c->arguments; *kind && n < LINE - 1; kind++) {
        if (kind != c->arguments)
            n += (size_t)format_text(line + n, LINE - n, ", ");
        n = min_of(n, (size_t)LINE - 1);
        n += argument_format(line + n, LINE - n, *kind, f, &next);
        n = min_of(n, (size_t)LINE - 1);
    }
    format_text(line + n, LINE - n, ")");
    log_info("strace: redox %d %s", task_current()->number, line);
}

void redox_strace_exit(const struct redox_call *c, int64_t result)
{
    if (result < 0 && result >= -ESKMSG)
        log_info("strace: redox %d %s = error %d", task_current()->number, c->name, (int)-result);
    else
        log_info("strace: redox %d %s = %#lx", task_current()->number, c->name,
                 (unsigned long)result);
}
