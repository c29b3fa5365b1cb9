// SPDX-License-Identifier: GPL-3.0-or-later
// The C library's memory and string functions, for where there is no C library: same names, same
// promises (GCC also emits calls of the first four). On the host they are the C library's own.
//
//   memcpy(to, from, size);   size_t n = strnlen(name, sizeof(name));
//   if (string_starts_with(line, "root=")) ...
//
// Any context. Tests: lib/test/string.c.
#pragma once
#include "lib/base.h"

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *in, int byte, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);
#endif

// Copies as much of `from` as fits and always ends with NUL (room > 0); true when all of it fit.
bool string_copy(char *to, const char *from, size_t room);

static inline bool string_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static inline bool string_starts_with(const char *s, const char *start)
{
    return strncmp(s, start, strlen(start)) == 0;
}
