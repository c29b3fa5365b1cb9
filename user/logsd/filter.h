// SPDX-License-Identifier: GPL-3.0-or-later
// Which lines are kept, and the last of them. No system calls: its test runs on the build machine.
//
// A line is "<N>prefix: text": N from 0 (the most urgent) to 7, 6 where it is missing; the prefix
// may be missing, too. A line is kept when N is not above the level of its prefix, or the general
// level where the prefix has none. Commands, one on each line:
//
//   level N           the general level; -1 keeps nothing
//   level PREFIX N    this prefix's
//   forget PREFIX     has the general level again
//   clear             throws the kept lines away
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_MAX = 1024, PREFIX_MAX = 31, RULES_MAX = 64, RING_SIZE = 1 << 16 };

struct rule {
    char prefix[PREFIX_MAX + 1];
    size_t length;
    int level;
};

struct logs {
    int level;
    size_t rule_count;
    struct rule rules[RULES_MAX];
    uint64_t kept, dropped; // lines
    uint64_t begin, end;    // of the text, counted in bytes ever kept
    char ring[RING_SIZE];   // byte n at n % RING_SIZE
};

// A line without its newline; `prefix` is put before its text when it is not empty. Kept?
bool logs_line(struct logs *l, const char *prefix, size_t prefix_length, const char *line,
               size_t length);
// The line as it was kept, for passing on: from logs_line() until the next one.
const char *logs_last(size_t *length);
// One command: 0, -REDOX_EINVAL, -REDOX_ENOSPC (too many rules).
int64_t logs_command(struct logs *l, const char *command, size_t length);
// The settings as text, cut at `size`; the length of it all.
size_t logs_settings(const struct logs *l, char *text, size_t size);
// Text from *place on, which moves; a place that is gone moves to the oldest line.
size_t logs_read(const struct logs *l, uint64_t *place, char *buffer, size_t size);
