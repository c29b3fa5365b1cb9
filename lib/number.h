// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers from text that came from outside.
//
//   uint64_t cpus;
//   if (!number_parse(text, strlen(text), 0, &cpus)) return -EINVAL;
//
// Strict: the whole text must be one number, at least one digit, no sign, no spaces, no overflow.
// Any context. Tests: lib/test/number.c.
#pragma once
#include "lib/base.h"

// Base 2..36, or 0: by prefix 0x (16), 0 (8), else 10.
bool number_parse(const char *text, size_t length, unsigned base, uint64_t *value) must_check;

// As number_parse, base 0, with an optional suffix K, M, G or T (powers of 1024).
bool number_parse_size(const char *text, size_t length, uint64_t *value) must_check;
