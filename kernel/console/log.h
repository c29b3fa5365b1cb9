// SPDX-License-Identifier: GPL-3.0-or-later
// The kernel log: one line for each thing found or gone wrong, with a time stamp and a level.
//
//   log_info("acpi: %u tables, OEM %s", count, oem);
//
// A line goes into a ring buffer (for dmesg) and to every registered sink (serial line,
// framebuffer). Any context, also interrupts and under any lock; never sleeps, never allocates.
// Formats are those of lib/format.h. Lines end themselves: no "\n".
#pragma once
#include "lib/base.h"

enum log_level { // the numbers of syslog(2)
    LOG_PANIC = 0,
    LOG_ERROR = 3,
    LOG_WARN = 4,
    LOG_NOTICE = 5,
    LOG_INFO = 6,
    LOG_DEBUG = 7,
};

void log_line(enum log_level level, const char *format, ...) printf_like(2, 3);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

// As log_warn, but only the first time this line of code runs.
#define log_warn_once(...)                                       \
    do {                                                         \
        static bool said;                                        \
        if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED)) \
            log_warn(__VA_ARGS__);                               \
    } while (0)

// Where lines are shown. `write` gets whole lines with "\n"; any context. Sinks are never removed.
struct log_sink {
    void (*write)(struct log_sink *sink, const char *text, size_t length);
    enum log_level level; // lines above this level are left out
    struct log_sink *next;
};

// Adds a sink and shows it everything logged so far.
void log_sink_add(struct log_sink *sink);

// Records of the log for /dev/kmsg, syslog(2) and dmesg.
struct log_record {
    uint64_t sequence;
    nanos_t time; // since boot
    enum log_level level;
    uint16_t length; // of text
    char text[256];  // no NUL, no "\n"
};

// Copies the first record whose sequence number is at least `sequence`; false when there is none.
bool log_read(uint64_t sequence, struct log_record *record);

// Sequence number that the next record will get. (Those before it may have been overwritten.)
uint64_t log_next_sequence(void);

// Boot CPU, right after percpu_init(): shows lines on COM1, polled, if there is such a chip.
// `loglevel=N` or `quiet` on the command line choose what sinks show by log_level_shown().
void log_init(void);
enum log_level log_level_shown(void);

// The serial driver's sink takes the place of log_init()'s, without showing old lines again.
void log_serial_replace(struct log_sink *sink);

// The clock is higher up; it tells the log how to read the time since boot. Before: 0.
void log_set_clock(nanos_t (*now)(void));
