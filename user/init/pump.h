// SPDX-License-Identifier: GPL-3.0-or-later
// Carries a running command's input and output between its pipes and the serial line.
//
//   struct pump pump = { .line = fd, .input = .., .output = .., .error = .. };
//   while (pump_wait(&pump)) ...reap...;      then pump_drain(&pump)
//
// One thread, one process: nothing is shared. Credit: the host may have PUMP_WINDOW bytes under
// way, and no more than the queue has room for.
#pragma once
#include "user/init/frame.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PUMP_WINDOW = 3072, PUMP_QUEUE = 64 * 1024 };

struct pump {
    int line;                 // serial line, raw, non-blocking
    int input, output, error; // our ends of the command's pipes; -1: closed
    struct frame_reader reader;
    bool running;     // the command has its pipes: input that it refuses may be dropped
    uint32_t credit;  // bytes that the host may still send
    bool input_ends;  // EOF came: close `input` once the queue is empty
    uint8_t *request; // REQUEST parts so far
    size_t request_size;
    bool go; // GO came
    size_t queue_start, queue_size;
    uint8_t queue[PUMP_QUEUE]; // standard input that the command has not taken yet
};

// Reads what has come on the line and takes its frames apart.
void pump_read_line(struct pump *pump);

// Grants the host as much credit as there is room for.
void pump_grant(struct pump *pump);

// Waits for whatever comes first (also a signal, through `wakeup`) and handles it.
void pump_step(struct pump *pump, int wakeup);

// Sends what is left in the output pipes, without waiting for more.
void pump_drain(struct pump *pump);
