// SPDX-License-Identifier: GPL-3.0-or-later
// Serial lines: 16550 chips at the PC's four places (COM1..COM4).
//
//   uart_init();                                  probes, takes the log over from log_init()
//   struct uart *u = uart_get(0);                 NULL: there is no COM1
//   uart_start(u, on_event, data);                interrupts on: on_event() tells of input and room
//   n = uart_read(u, buffer, sizeof(buffer));     what came in
//   n = uart_write(u, bytes, count);              takes what finds room
//
// Received bytes wait in a ring; when it is full they stay in the chip (its interrupt is masked)
// until uart_read() made room, so that a sender that minds RTS, as QEMU's does, loses nothing.
// Written bytes wait in a second ring that the chip's interrupt empties. Log lines go out at once,
// polled, between them.
//
// Any context, but one reader and one writer at a time. One lock a chip (RANK_CONSOLE); on_event()
// is called without it, in interrupts.
#pragma once
#include "lib/base.h"

enum { UART_COUNT = 4 };

struct uart;

// Boot CPU, once port I/O may be used. Chips work polled until uart_start().
void uart_init(void);
struct uart *uart_get(unsigned number);

// Interrupts on. -errno when the line is not to be had.
err_t uart_start(struct uart *u, void (*on_event)(void *data), void *data) must_check;

size_t uart_read(struct uart *u, uint8_t *to, size_t size) must_check;
size_t uart_write(struct uart *u, const uint8_t *from, size_t size) must_check;
bool uart_drained(struct uart *u); // ring and chip are empty
bool uart_broken(struct uart *u);  // a break came since the last call

// Speed in bits per second (50 .. 115200), character of 5 to 8 bits. Speed 0 drops DTR and RTS.
struct uart_format {
    uint32_t speed;
    uint8_t bits;
    bool two_stops, parity, odd;
};
void uart_set_format(struct uart *u, const struct uart_format *format);
void uart_send_break(struct uart *u, bool on);
