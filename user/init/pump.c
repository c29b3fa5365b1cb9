// SPDX-License-Identifier: GPL-3.0-or-later
// The carrying of bytes between a command and the serial line.
#include "user/init/pump.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void queue_put(struct pump *pump, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && pump->queue_size < PUMP_QUEUE; i++) {
        pump->queue[(pump->queue_start + pump->queue_size) % PUMP_QUEUE] = bytes[i];
        pump->queue_size++;
    }
}

static void request_put(struct pump *pump, const uint8_t *bytes, size_t size)
{
    uint8_t *larger = realloc(pump->request, pump->request_size + size + 1);
    if (!larger)
        return; // the request then comes out short and is refused
    memcpy(larger + pump->request_size, bytes, size);
    pump->request = larger;
    pump->request_size += size;
    larger[pump->request_size] = 0;
}

static void frame_handle(struct pump *pump)
{
    const uint8_t *payload = pump->reader.bytes + FRAME_HEADER;
    size_t length = frame_length(&pump->reader);
    switch (pump->reader.bytes[0]) {
    case FRAME_REQUEST:
        request_put(pump, payload, length);
        break;
    case FRAME_GO:
        pump->go = true;
        break;
    case FRAME_STDIN:
        queue_put(pump, payload, length);
        break;
    case FRAME_EOF:
        pump->input_ends = true;
        break;
    }
}

void pump_read_line(struct pump *pump)
{
    uint8_t bytes[PUMP_WINDOW];
    ssize_t got = read(pump->line, bytes, sizeof(bytes));
    if (got <= 0)
        return;
    pump->credit -= (uint32_t)got < pump->credit ? (uint32_t)got : pump->credit;
    for (size_t at = 0; at < (size_t)got;) {
        at += frame_feed(&pump->reader, bytes + at, (size_t)got - at);
        if (frame_complete(&pump->reader)) {
            frame_handle(pump);
            frame_next(&pump->reader);
        }
    }
}

void pump_grant(struct pump *pump)
{
    size_t room = PUMP_QUEUE - pump->queue_size;
    if (room < PUMP_WINDOW || pump->credit > PUMP_WINDOW / 2)
        return;
    uint32_t more = PUMP_WINDOW - pump->credit;
    pump->credit += more;
    frame_send_number(pump->line, FRAME_CREDIT, more);
}

// Hands queued input to the command. A command that no longer reads gets none; the rest is dropped.
static void input_write(struct pump *pump)
{
    size_t part = PUMP_QUEUE - pump->queue_start;
    if (part > pump->queue_size)
        part = pump->queue_size;
    ssize_t put = pump->input < 0 ? -1 : write(pump->input, pump->queue + pump->queue_start, part);
    if (put < 0 && (errno == EAGAIN || errno == EINTR) && pump->input >= 0)
        return;
    if (put < 0) {
        close_end(&pump->input);
        put = (ssize_t)pump->queue_size;
    }
    pump->queue_start = (pump->queue_start + (size_t)put) % PUMP_QUEUE;
    pump->queue_size -= (size_t)put;
}

// Sends what one output pipe holds, up to a frame; false when there was nothing.
static bool output_read(struct pump *pump, int *fd, enum frame_kind kind)
{
    uint8_t bytes[FRAME_PAYLOAD_MAX];
    ssize_t got = *fd < 0 ? -1 : read(*fd, bytes, sizeof(bytes));
    if (got > 0) {
        frame_send(pump->line, kind, bytes, (size_t)got);
        return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_end(fd);
    return false;
}

void pump_step(struct pump *pump, int wakeup)
{
    bool has_input = pump->queue_size > 0;
    struct pollfd wait[] = {
        { .fd = wakeup, .events = POLLIN },
        { .fd = pump->line, .events = POLLIN },
        { .fd = has_input ? pump->input : -1, .events = POLLOUT },
        { .fd = pump->output, .events = POLLIN },
        { .fd = pump->error, .events = POLLIN },
    };
    if (poll(wait, 5, -1) < 0)
        return;
    if (wait[1].revents)
        pump_read_line(pump);
    if (wait[3].revents)
        output_read(pump, &pump->output, FRAME_STDOUT);
    if (wait[4].revents)
        output_read(pump, &pump->error, FRAME_STDERR);
    if (wait[2].revents || (pump->running && pump->queue_size && pump->input < 0))
        input_write(pump);
    if (pump->input_ends && pump->queue_size == 0)
        close_end(&pump->input);
    pump_grant(pump);
}

void pump_drain(struct pump *pump)
{
    while (output_read(pump, &pump->output, FRAME_STDOUT))
        ;
    while (output_read(pump, &pump->error, FRAME_STDERR))
        ;
}
