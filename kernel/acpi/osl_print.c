// SPDX-License-Identifier: GPL-3.0-or-later
// ACPICA's messages, which come in pieces, as lines of the kernel log (osl.h). A piece may start
// with \1 and a digit, the level of its line (env/acpi/platform/aclinux.h).
//
// `lock` guards the line that is being put together.
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/osl.h"
#include "kernel/console/log.h"
#include "kernel/sync/spinlock.h"
#include "lib/format.h"

enum { LINE_ROOM = 200, PIECE_ROOM = 256 };

static struct spinlock lock = SPINLOCK_INIT(RANK_LEAF);
static char line[LINE_ROOM];
static size_t line_length;
static enum log_level line_level = LOG_DEBUG;

static void line_end(void)
{
    line[line_length] = 0;
    if (line_length)
        log_line(line_level, "acpi: %s", line);
    line_length = 0;
    line_level = LOG_DEBUG;
}

static void piece_add(const char *piece)
{
    for (const char *c = piece; *c; c++) {
        if (c[0] == '\1' && c[1] >= '0' && c[1] <= '9') {
            line_level = (enum log_level)(*++c - '0');
            continue;
        }
        if (*c == '\n' || line_length == LINE_ROOM - 1)
            line_end();
        if (*c != '\n' && *c != '\r')
            line[line_length++] = *c;
    }
}

void acpi_os_vprintf(const char *format, va_list list)
{
    char piece[PIECE_ROOM];
    format_text_list(piece, sizeof(piece), format, list);
    uint64_t flags = spin_lock_irq(&lock);
    piece_add(piece);
    spin_unlock_irq(&lock, flags);
}

void acpi_os_printf(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    acpi_os_vprintf(format, list);
    va_end(list);
}
