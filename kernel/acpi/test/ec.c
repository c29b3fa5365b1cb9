// SPDX-License-Identifier: GPL-3.0-or-later
// The embedded controller's protocol (ec.h) against a controller made of software: prompt, slow,
// silent after each possible number of bytes, and with a stale answer from before.
#include "kernel/acpi/ec.h"
#include <redox/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { OUTPUT_FULL = 1, INPUT_FULL = 2, EVENT = 0x20, PATIENCE = 100 };

static struct machine {
    uint8_t registers[256];
    uint8_t events[4];       // numbers that wait, 0 ends them
    unsigned latency;        // pauses until a byte is taken or an answer given
    int bytes_taken_at_most; // then it is silent; -1: never
    // The state of the controller.
    uint8_t status, output, input;
    bool input_is_command;
    unsigned busy;
    uint8_t sequence[3];
    unsigned length;
    unsigned pauses;
} machine;

static void answer(struct machine *m, uint8_t value)
{
    m->output = value;
    m->status |= OUTPUT_FULL;
    m->length = 0;
}

static void step(struct machine *m)
{
    if (m->sequence[0] == 0x80 && m->length == 2) {
        answer(m, m->registers[m->sequence[1]]);
    } else if (m->sequence[0] == 0x81 && m->length == 3) {
        m->registers[m->sequence[1]] = m->sequence[2];
        m->length = 0;
    } else if (m->sequence[0] == 0x84 && m->length == 1) {
        answer(m, m->events[0]);
        memmove(m->events, m->events + 1, sizeof(m->events) - 1);
    }
}

// Takes a byte that was written once its latency is over.
static void advance(struct machine *m)
{
    if (!(m->status & INPUT_FULL) || m->bytes_taken_at_most == 0)
        return;
    if (m->busy) {
        m->busy--;
        return;
    }
    if (m->bytes_taken_at_most > 0)
        m->bytes_taken_at_most--;
    m->status &= (uint8_t)~INPUT_FULL;
    if (m->input_is_command)
        m->length = 0;
    if (m->length < 3)
        m->sequence[m->length++] = m->input;
    step(m);
}

static uint8_t machine_read(void *context, enum ec_register r)
{
    struct machine *m = context;
    if (r == EC_COMMAND)
        return (uint8_t)(m->status | (m->events[0] ? EVENT : 0));
    m->status &= (uint8_t)~OUTPUT_FULL;
    return m->output;
}

static void machine_write(void *context, enum ec_register r, uint8_t value)
{
    struct machine *m = context;
    assert_false(m->status & INPUT_FULL); // the protocol's first rule
    m->input = value;
    m->input_is_command = r == EC_COMMAND;
    m->status |= INPUT_FULL;
    m->busy = m->latency;
    if (!m->latency)
        advance(m);
}

static bool machine_pause(void *context, unsigned turn)
{
    struct machine *m = context;
    m->pauses++;
    advance(m);
    return turn < PATIENCE;
}

static const struct ec_ops ops = { machine_read, machine_write, machine_pause };

static struct ec fresh(unsigned latency)
{
    machine = (struct machine){ .latency = latency, .bytes_taken_at_most = -1 };
    machine.registers[0x2c] = 77;
    return (struct ec){ .ops = &ops, .context = &machine };
}

static void reads_and_writes_at_any_speed(void **state)
{
    for (unsigned latency = 0; latency < 20; latency++) {
        struct ec ec = fresh(latency);
        uint8_t value = 0;
        assert_int_equal(ec_read(&ec, 0x2c, &value), 0);
        assert_int_equal(value, 77);
        assert_int_equal(ec_write(&ec, 0xff, 3), 0);
        assert_int_equal(ec_read(&ec, 0xff, &value), 0);
        assert_int_equal(value, 3);
        assert_int_equal(ec.timeouts, 0);
    }
}

static void events_come_one_by_one(void **state)
{
    struct ec ec = fresh(2);
    uint8_t number;
    assert_false(ec_event_waits(&ec));
    machine.events[0] = 0x11;
    machine.events[1] = 0x80;
    assert_true(ec_event_waits(&ec));
    assert_int_equal(ec_query(&ec, &number), 0);
    assert_int_equal(number, 0x11);
    assert_int_equal(ec_query(&ec, &number), 0);
    assert_int_equal(number, 0x80);
    assert_false(ec_event_waits(&ec));
    assert_int_equal(ec_query(&ec, &number), 0);
    assert_int_equal(number, 0);
}

static void silence_ends_in_a_timeout_and_does_not_last(void **state)
{
    for (int taken = 0; taken < 3; taken++) {
        struct ec ec = fresh(1);
        uint8_t value = 1;
        machine.bytes_taken_at_most = taken;
        assert_int_equal(ec_write(&ec, 9, 9), -ETIMEDOUT);
        assert_int_equal(ec.timeouts, 1);
        assert_true(machine.pauses <= 3 * (PATIENCE + 2));
        machine.bytes_taken_at_most = -1; // it answers again
        machine_pause(&machine, 0);
        machine_pause(&machine, 0);
        assert_int_equal(ec_read(&ec, 0x2c, &value), 0);
        assert_int_equal(value, 77);
    }
}

static void a_stale_answer_is_not_taken_for_ours(void **state)
{
    struct ec ec = fresh(1);
    uint8_t value;
    machine.output = 0xee;
    machine.status |= OUTPUT_FULL;
    assert_int_equal(ec_read(&ec, 0x2c, &value), 0);
    assert_int_equal(value, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_at_any_speed),
        cmocka_unit_test(events_come_one_by_one),
        cmocka_unit_test(silence_ends_in_a_timeout_and_does_not_last),
        cmocka_unit_test(a_stale_answer_is_not_taken_for_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
