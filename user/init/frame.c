// SPDX-License-Identifier: GPL-3.0-or-later
// Frames on a serial line: putting together and taking apart.
#include "user/init/frame.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

size_t frame_length(const struct frame_reader *reader)
{
    size_t length = reader->bytes[2] | (size_t)reader->bytes[3] << 8;
    return length < FRAME_PAYLOAD_MAX ? length : FRAME_PAYLOAD_MAX;
}

int frame_complete(const struct frame_reader *reader)
{
    return reader->have >= FRAME_HEADER && reader->have == FRAME_HEADER + frame_length(reader);
}

size_t frame_feed(struct frame_reader *reader, const uint8_t *bytes, size_t size)
{
    size_t taken = 0;
    while (taken < size && !frame_complete(reader)) {
        size_t goal = FRAME_HEADER;
        if (reader->have >= FRAME_HEADER)
            goal += frame_length(reader);
        size_t part = goal - reader->have;
        if (part > size - taken)
            part = size - taken;
        memcpy(reader->bytes + reader->have, bytes + taken, part);
        reader->have += part;
        taken += part;
    }
    return taken;
}

void frame_next(struct frame_reader *reader)
{
    reader->have = 0;
}

static int write_all(int line, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = write(line, bytes, size);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd ready = { .fd = line, .events = POLLOUT };
            poll(&ready, 1, -1);
            continue;
        }
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return -1;
        bytes += sent;
        size -= (size_t)sent;
    }
    return 0;
}

int frame_send(int line, enum frame_kind kind, const void *payload, size_t length)
{
    uint8_t frame[FRAME_HEADER + FRAME_PAYLOAD_MAX];
    frame[0] = (uint8_t)kind;
    frame[1] = 0;
    frame[2] = (uint8_t)length;
    frame[3] = (uint8_t)(length >> 8);
    if (length)
        memcpy(frame + FRAME_HEADER, payload, length);
    return write_all(line, frame, FRAME_HEADER + length);
}

int frame_send_number(int line, enum frame_kind kind, uint32_t number)
{
    uint8_t bytes[4] = { (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
                         (uint8_t)(number >> 24) };
    return frame_send(line, kind, bytes, sizeof(bytes));
}
