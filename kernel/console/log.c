// SPDX-License-Identifier: GPL-3.0-or-later
// The log: a ring of records, and the sinks that show them as they come.
//
// One lock keeps records and shown lines whole. It is not a spinlock.h lock, because lines must
// come out in any state: a CPU that already holds it (a fault inside a sink) goes on without, and
// in a panic nobody waits for long.
#include "kernel/console/log.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/console/panic.h"
#include "lib/command_line.h"
#include "lib/format.h"
#include "lib/string.h"

enum { LOG_RECORDS = 512, COM1 = 0x3f8, LOG_PATIENCE = 1 << 26, LOG_PANIC_PATIENCE = 1 << 16 };

static struct log_record records[LOG_RECORDS]; // record n at n % LOG_RECORDS
static uint64_t next_sequence;
static struct log_sink *sinks;
static nanos_t (*clock)(void);
static uint32_t holder; // CPU number + 1; 0: free

static struct log_sink *writing; // the sink that the holder is in

struct hold {
    uint64_t flags;
    bool mine, nested; // nested: this CPU held it already
};

static struct hold log_hold(void)
{
    struct hold h = { .flags = irq_save() };
    uint32_t me = cpu_number() + 1;
    h.nested = __atomic_load_n(&holder, __ATOMIC_RELAXED) == me;
    if (h.nested)
        return h;
    for (uint32_t tries = 0; tries < (panic_active ? LOG_PANIC_PATIENCE : LOG_PATIENCE); tries++) {
        uint32_t nobody = 0;
        if (__atomic_compare_exchange_n(&holder, &nobody, me, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            h.mine = true;
            break;
        }
        cpu_relax();
    }
    return h;
}

static void log_unhold(struct hold h)
{
    if (h.mine)
        __atomic_store_n(&holder, 0, __ATOMIC_RELEASE);
    irq_restore(h.flags);
}

// Shows one record as "[    0.123456] text\n".
static void sink_show(struct log_sink *sink, const struct log_record *r)
{
    if (r->level > sink->level)
        return;
    char line[sizeof(r->text) + 32];
    nanos_t micros = r->time / NANOS_PER_MICRO;
    int n = snprintf(line, sizeof(line), "[%5ld.%06ld] %.*s\n", micros / 1000000, micros % 1000000,
                     r->length, r->text);
    sink->write(sink, line, (size_t)n);
}

static void log_list(enum log_level level, const char *format, va_list list)
{
    struct hold h = log_hold();
    struct log_record *r = &records[next_sequence % LOG_RECORDS];
    r->sequence = next_sequence++;
    r->time = clock ? clock() : 0;
    r->level = level;
    int n = vsnprintf(r->text, sizeof(r->text), format, list);
    r->length = (uint16_t)min_of(n, (int)sizeof(r->text) - 1);
    struct log_sink *interrupted = writing;
    for (struct log_sink *s = sinks; s; s = s->next) {
        if (h.nested && s == interrupted) // it faulted: not again
            continue;
        writing = s;
        sink_show(s, r);
    }
    writing = interrupted;
    log_unhold(h);
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    log_list(level, format, list);
    va_end(list);
}

static uint64_t first_sequence(void)
{
    return next_sequence > LOG_RECORDS ? next_sequence - LOG_RECORDS : 0;
}

void log_sink_add(struct log_sink *sink)
{
    struct hold h = log_hold();
    for (uint64_t n = first_sequence(); n < next_sequence; n++)
        sink_show(sink, &records[n % LOG_RECORDS]);
    sink->next = sinks;
    sinks = sink;
    log_unhold(h);
}

bool log_read(uint64_t sequence, struct log_record *record)
{
    struct hold h = log_hold();
    sequence = max_of(sequence, first_sequence());
    bool found = sequence < next_sequence;
    if (found)
        *record = records[sequence % LOG_RECORDS];
    log_unhold(h);
    return found;
}

uint64_t log_next_sequence(void)
{
    return __atomic_load_n(&next_sequence, __ATOMIC_RELAXED);
}

void log_set_clock(nanos_t (*now)(void))
{
    clock = now;
}

enum log_level log_level_shown(void)
{
    if (command_line_has(command_line(), "quiet"))
        return LOG_WARN;
    return (enum log_level)command_line_number(command_line(), "loglevel", LOG_INFO);
}

// The first serial line, polled: 16550 registers by their offsets from the port.
static void serial_put(char c)
{
    for (unsigned tries = 0; tries < 100000 && !(port_in8(COM1 + 5) & 0x20); tries++)
        ;
    port_out8(COM1, (uint8_t)c);
}

static void serial_write(struct log_sink *sink, const char *text, size_t length)
{
    for (; length; length--, text++) {
        if (*text == '\n')
            serial_put('\r');
        serial_put(*text);
    }
}

static struct log_sink serial = { .write = serial_write };

void log_init(void)
{
    port_out8(COM1 + 7, 0x5a); // scratch register: keeps what it is told where there is a chip
    if (port_in8(COM1 + 7) != 0x5a)
        return;
    port_out8(COM1 + 1, 0x00); // no interrupts
    port_out8(COM1 + 3, 0x80); // 115200 baud
    port_out8(COM1 + 0, 0x01);
    port_out8(COM1 + 1, 0x00);
    port_out8(COM1 + 3, 0x03); // 8 bits, no parity
    port_out8(COM1 + 2, 0x07); // FIFOs on, empty
    port_out8(COM1 + 4, 0x03);
    serial.level = log_level_shown();
    log_sink_add(&serial);
}

void log_serial_replace(struct log_sink *sink)
{
    struct hold h = log_hold();
    struct log_sink **at = &sinks;
    while (*at && *at != &serial)
        at = &(*at)->next;
    sink->next = *at ? serial.next : NULL;
    *at = sink;
    log_unhold(h);
}
