// SPDX-License-Identifier: GPL-3.0-or-later
// Frames between host and guest on a serial line; tools/runner/guest.py is the other end.
//
// A frame is: kind (1 byte), 0, payload length (2 bytes, little-endian), payload.
//
//   guest to host  HELLO  "cryptos1"     first; what comes before it on the line is noise
//                  CREDIT u32            so many more bytes (headers counted) may be sent to the
//                  guest STDOUT, STDERR bytes EXIT   u32            status of the command; nothing
//                  follows
//   host to guest  REQUEST bytes         parts of the request, until GO
//                  GO                    the request is complete: start
//                  STDIN  bytes
//                  EOF                   standard input ends
//
// Nothing gets lost because the host never has more bytes under way than the guest's credit,
// and credit is never more than the smallest terminal buffer (4 KiB) holds. Towards the host the
// line itself waits. A request is u32 count of arguments, u32 count of environment strings, then
// NUL-terminated: working directory, arguments, environment.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
    FRAME_HELLO = 'H',
    FRAME_CREDIT = 'C',
    FRAME_STDOUT = 'O',
    FRAME_STDERR = 'E',
    FRAME_EXIT = 'X',
    FRAME_REQUEST = 'R',
    FRAME_GO = 'G',
    FRAME_STDIN = 'I',
    FRAME_EOF = 'Z',
};

enum { FRAME_HEADER = 4, FRAME_PAYLOAD_MAX = 4096 };

// Reassembles frames from bytes as they come.
struct frame_reader {
    size_t have; // bytes of the current frame in `bytes`
    uint8_t bytes[FRAME_HEADER + FRAME_PAYLOAD_MAX];
};

// Takes up to `size` bytes until a frame is complete; returns how many were taken. Then
// frame_complete() tells, and frame_next() makes room for the following one.
size_t frame_feed(struct frame_reader *reader, const uint8_t *bytes, size_t size);
int frame_complete(const struct frame_reader *reader);
size_t frame_length(const struct frame_reader *reader);
void frame_next(struct frame_reader *reader);

// Sends one frame; waits until the line has taken it. 0, or -1 when the line is gone.
int frame_send(int line, enum frame_kind kind, const void *payload, size_t length);
int frame_send_number(int line, enum frame_kind kind, uint32_t number);
