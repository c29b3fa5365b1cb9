// SPDX-License-Identifier: GPL-3.0-or-later
// What portable kernel files need from the kernel, on the build machine: the log and panic.
//
// Log lines go to stderr when TEST_LOG is set in the environment (a fuzzer would drown in them).
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void log_line(enum log_level level, const char *format, ...)
{
    static int wanted = -1;
    if (wanted < 0)
        wanted = getenv("TEST_LOG") != NULL;
    if (!wanted)
        return;

    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void panic(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}
