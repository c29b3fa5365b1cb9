// SPDX-License-Identifier: GPL-3.0-or-later
// Panic: the report, then what `panic=` says.
#include "kernel/console/panic.h"
#include "kernel/console/log.h"
#include "lib/format.h"

bool panic_active;

void panic(const char *format, ...)
{
    char text[224];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    panic_active = true;
    log_line(LOG_PANIC, "panic: %s", text);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

void __stack_chk_fail(void) __attribute__((noreturn));
void __stack_chk_fail(void)
{
    panic("a stack frame was overwritten (stack protector)");
}
