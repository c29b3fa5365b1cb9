// SPDX-License-Identifier: GPL-3.0-or-later
// What the three files of the line discipline share with each other only.
#pragma once
#include "kernel/process/terminal/line.h"

enum {
    LINE_MARK_END = 1 << 8, // the last entry of a line
    LINE_MARK_EOF = 1 << 9, // no byte: the end of file was typed here
};

// True when `c` is that control character (and the character is not switched off).
bool line_is(const struct line *l, enum line_char which, uint8_t c);

// line_edit.c: erase, kill, word erase, reprint, literal next; true when `c` was one of them.
bool line_edit(struct line *l, uint8_t c);

// Echoes a character as ECHO and ECHOCTL say; a newline as ECHO and ECHONL say.
void line_echo(struct line *l, uint8_t c);
void line_echo_newline(struct line *l);
void line_bell(struct line *l);

// line_output.c: one character through the output flags, from the echo's reserve; dropped when it
// does not fit. The raw form bypasses the flags.
void line_put_echo(struct line *l, uint8_t c);
