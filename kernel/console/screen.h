// SPDX-License-Identifier: GPL-3.0-or-later
// The screen: a video terminal (vt.h) drawn into the framebuffer, or into VGA text mode where there
// is none. Shows the log from its first line, and is tty1.
//
//   screen_init(&handoff->framebuffer);     after heap and mappings work; adds itself to the log
//   screen_write(text, length);             escape sequences and all
//
// Only cells that look different from what is shown are drawn, and the framebuffer is never read.
// Any context. One spin lock (RANK_CONSOLE) guards grid and picture; screen_write() gives it up
// between rows, the log does not. In a panic nobody waits for it.
#pragma once
#include "kernel/console/framebuffer.h"

void screen_init(const struct framebuffer *f);

// False when there is no screen at all.
bool screen_size(unsigned *rows, unsigned *columns, unsigned *width, unsigned *height);

void screen_write(const char *text, size_t length);

// What programs asked the terminal for, as if typed.
size_t screen_answer(uint8_t *to, size_t size) must_check;

// Cursor keys are to send their application form.
bool screen_application_keys(void);
