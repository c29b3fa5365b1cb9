// SPDX-License-Identifier: GPL-3.0-or-later
// The PS/2 keyboard behind the PC's i8042.
//
//   keyboard_start(on_event, data);            on_event() tells, in interrupts, that keys came
//   n = keyboard_read(buffer, sizeof(buffer)); bytes as a terminal would send them (scancode.h)
//
// keyboard_start: thread context. keyboard_read: any. One spin lock (RANK_CONSOLE). When nobody
// reads, further keys are dropped: a keyboard cannot be told to wait.
#pragma once
#include "lib/base.h"

void keyboard_start(void (*on_event)(void *data), void *data);
size_t keyboard_read(uint8_t *to, size_t size) must_check;
