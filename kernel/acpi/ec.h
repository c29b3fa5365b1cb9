// SPDX-License-Identifier: GPL-3.0-or-later
// The embedded controller's protocol (ACPI 6.4, chapter 12): a small processor on laptops' boards
// with 256 bytes of registers, spoken to through a command and a data register.
//
//   struct ec ec = { .ops = &port_ops, .context = ports };
//   err_t e = ec_read(&ec, 0x2c, &byte);
//   while (ec_query(&ec, &number) == 0 && number) run_method(number);
//
// Portable: the registers and the waiting are the caller's. The controller is not trusted to
// answer: each step has a time limit, after which the call returns -ETIMEDOUT. The caller locks.
// Tests: test/ec.c, against a controller made of software that can be slow, silent or dead.
#pragma once
#include "lib/base.h"

enum ec_register { EC_DATA, EC_COMMAND };

struct ec_ops {
    uint8_t (*read)(void *context, enum ec_register r);
    void (*write)(void *context, enum ec_register r, uint8_t value);
    // Waits a little, longer with each call of one wait (`turn` counts from 0); false: time is up.
    bool (*pause)(void *context, unsigned turn);
};

struct ec {
    const struct ec_ops *ops;
    void *context;
    unsigned timeouts; // seen so far
};

err_t ec_read(struct ec *ec, uint8_t at, uint8_t *value) must_check;
err_t ec_write(struct ec *ec, uint8_t at, uint8_t value) must_check;

// The number of the next event, 0 when there is none.
err_t ec_query(struct ec *ec, uint8_t *number) must_check;

// True when the controller says that an event waits.
bool ec_event_waits(struct ec *ec);
