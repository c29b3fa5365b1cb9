// SPDX-License-Identifier: GPL-3.0-or-later
// Options on the kernel's command line: words separated by blanks, `name` or `name=value`. A value
// with blanks stands in double quotes: name="a b". Of several the last one counts.
//
//   if (command_line_has(line, "nokaslr")) ...
//   char mode[16];
//   if (command_line_get(line, "panic", mode, sizeof(mode)) && string_equal(mode, "reboot")) ...
//
// `line` is any NUL-terminated text. command_line() is the kernel's own, valid from start.c on.
// Any context. Tests: lib/test/command_line.c.
#pragma once
#include "lib/base.h"

// The kernel's own command line (kernel/boot provides this).
const char *command_line(void);

// True when the option is there, with or without a value.
bool command_line_has(const char *line, const char *name);

// Copies the value (cut to `room` with its NUL; empty for a bare `name`); false: not there.
bool command_line_get(const char *line, const char *name, char *value, size_t room);

// A number with the suffixes of number_parse_size, or `otherwise` when absent or malformed.
uint64_t command_line_number(const char *line, const char *name, uint64_t otherwise);

// True when `word` is one of the comma-separated words of name=WORD,WORD..
bool command_line_lists(const char *line, const char *name, const char *word);
