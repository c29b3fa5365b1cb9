// SPDX-License-Identifier: GPL-3.0-or-later
// The PS/2 keyboard behind the PC's i8042.
//
//   keyboard_start(on_event, data);            on_event() tells, in interrupts, that keys came
//   n = keyboard_read(buffer, sizeof(buffer)); bytes as a terminal would send them (scancode.h)
//
// Raw bytes of the keyboard's and the mouse's port may be taken instead (ps2_raw): scan codes then
// make no keys. The mouse's port is off but while its raw bytes are taken.
//
// keyboard_start, ps2_raw: thread context. keyboard_read: any. One spin lock (RANK_CONSOLE). When
// nobody reads, further keys are dropped: a keyboard cannot be told to wait.
#pragma once
#include "lib/base.h"

void keyboard_start(void (*on_event)(void *data), void *data);
size_t keyboard_read(uint8_t *to, size_t size) must_check;

enum ps2_port { PS2_KEYBOARD, PS2_MOUSE, PS2_PORTS };
// From now on `take` gets the bytes of a port, in interrupts, without locks; NULL: no longer,
// though one call may still be under way. -ENODEV: there is no controller, or no mouse; -EBUSY: its
// interrupt is taken.
err_t ps2_raw(enum ps2_port port, void (*take)(enum ps2_port port, uint8_t byte)) must_check;
