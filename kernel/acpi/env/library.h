// SPDX-License-Identifier: GPL-3.0-or-later
// The functions of the C library that ACPICA calls: lib/string.h and lib/format.h where they have
// them, and here the few that no other code of ours should want (copies without a bound, case by
// ASCII). On the host: the C library's own.
#pragma once
#include "lib/format.h"
#include "lib/string.h"

#if __STDC_HOSTED__
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#else

static inline char *strcpy(char *to, const char *from)
{
    memcpy(to, from, strlen(from) + 1);
    return to;
}

static inline char *strcat(char *to, const char *from)
{
    strcpy(to + strlen(to), from);
    return to;
}

static inline char *strncpy(char *to, const char *from, size_t room)
{
    size_t length = strnlen(from, room);
    memcpy(to, from, length);
    memset(to + length, 0, room - length);
    return to;
}

static inline char *strncat(char *to, const char *from, size_t most)
{
    size_t end = strlen(to), length = strnlen(from, most);
    memcpy(to + end, from, length);
    to[end + length] = 0;
    return to;
}

#define sprintf(to, ...) snprintf((to), 4096, __VA_ARGS__)

static inline int isdigit(int c)
{
    return c >= '0' && c <= '9';
}

static inline int isupper(int c)
{
    return c >= 'A' && c <= 'Z';
}

static inline int islower(int c)
{
    return c >= 'a' && c <= 'z';
}

static inline int isalpha(int c)
{
    return isupper(c) || islower(c);
}

static inline int isxdigit(int c)
{
    return isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline int isspace(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline int isprint(int c)
{
    return c >= ' ' && c <= '~';
}

static inline int toupper(int c)
{
    return islower(c) ? c - 'a' + 'A' : c;
}

static inline int tolower(int c)
{
    return isupper(c) ? c - 'A' + 'a' : c;
}
#endif
