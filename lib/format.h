// SPDX-License-Identifier: GPL-3.0-or-later
// Text from numbers and strings, as C's snprintf does it, without floating point.
//
//   char line[80];
//   int n = snprintf(line, sizeof(line), "%-8s %5u KiB %#lx", name, size, address);
//
// Conversions: d i u x X o c s p %, with the flags - 0 + space #, a width and a precision (also
// `*`), and the lengths hh h l ll z t j. Returns the length of the whole text; what does not fit
// is cut, and the result ends with NUL when room > 0. An unknown conversion is copied as it is.
// Any context. Tests: lib/test/format.c.
#pragma once
#include "lib/base.h"
#include <stdarg.h>

int format_text(char *to, size_t room, const char *format, ...) printf_like(3, 4);
int format_text_list(char *to, size_t room, const char *format, va_list list) printf_like(3, 0);

#if __STDC_HOSTED__
#include <stdio.h>
#else
int snprintf(char *restrict to, size_t room, const char *restrict format, ...) printf_like(3, 4);
int vsnprintf(char *restrict to, size_t room, const char *restrict format, va_list list)
    printf_like(3, 0);
#endif

// Text that grows in a fixed buffer; for files of /proc and the like.
//
//   struct text t = { buffer, sizeof(buffer), 0 };
//   text_add(&t, "%u\n", n); ...          t.length <= t.room - 1; t.cut says whether some was lost
struct text {
    char *to;
    size_t room;
    size_t length;
    bool cut;
};
void text_add(struct text *t, const char *format, ...) printf_like(2, 3);
