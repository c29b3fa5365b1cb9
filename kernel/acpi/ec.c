// SPDX-License-Identifier: GPL-3.0-or-later
// The embedded controller's protocol (ec.h; ACPI 6.4, 12.2, 12.3). No state but the caller's.
#include "kernel/acpi/ec.h"
#include <redox/errno.h>

enum { OUTPUT_FULL = 1 << 0, INPUT_FULL = 1 << 1, EVENT_WAITS = 1 << 5 };
enum { COMMAND_READ = 0x80, COMMAND_WRITE = 0x81, COMMAND_QUERY = 0x84 };

static err_t wait_for(struct ec *ec, uint8_t mask, uint8_t value)
{
    for (unsigned turn = 0;; turn++) {
        if ((ec->ops->read(ec->context, EC_COMMAND) & mask) == value)
            return 0;
        if (!ec->ops->pause(ec->context, turn)) {
            ec->timeouts++;
            return -ETIMEDOUT;
        }
    }
}

static err_t send(struct ec *ec, enum ec_register r, uint8_t value)
{
    err_t e = wait_for(ec, INPUT_FULL, 0);
    if (!e)
        ec->ops->write(ec->context, r, value);
    return e;
}

static err_t receive(struct ec *ec, uint8_t *value)
{
    err_t e = wait_for(ec, OUTPUT_FULL, OUTPUT_FULL);
    if (!e)
        *value = ec->ops->read(ec->context, EC_DATA);
    return e;
}

// What a transaction that was cut short left in the output register is not this one's answer.
static err_t command(struct ec *ec, uint8_t code)
{
    if (ec->ops->read(ec->context, EC_COMMAND) & OUTPUT_FULL)
        (void)ec->ops->read(ec->context, EC_DATA);
    return send(ec, EC_COMMAND, code);
}

err_t ec_read(struct ec *ec, uint8_t at, uint8_t *value)
{
    err_t e = command(ec, COMMAND_READ);
    if (!e)
        e = send(ec, EC_DATA, at);
    return e ? e : receive(ec, value);
}

err_t ec_write(struct ec *ec, uint8_t at, uint8_t value)
{
    err_t e = command(ec, COMMAND_WRITE);
    if (!e)
        e = send(ec, EC_DATA, at);
    if (!e)
        e = send(ec, EC_DATA, value);
    return e ? e : wait_for(ec, INPUT_FULL, 0);
}

err_t ec_query(struct ec *ec, uint8_t *number)
{
    err_t e = command(ec, COMMAND_QUERY);
    return e ? e : receive(ec, number);
}

bool ec_event_waits(struct ec *ec)
{
    return ec->ops->read(ec->context, EC_COMMAND) & EVENT_WAITS;
}
