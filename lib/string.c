// SPDX-License-Identifier: GPL-3.0-or-later
// The memory and string functions. Plain C in words of eight bytes: under an emulator, where most
// of this project is measured, that beats `rep movs`, and it needs no CPU feature. The file is
// compiled without sanitizers and without guessing loops to be calls of these very functions.
#include "lib/string.h"

#ifndef __clang__ // which does not guess when it compiles for no C library
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

// A word at any alignment that may alias anything.
typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;

#if !__STDC_HOSTED__ || defined(STRING_TEST)
typedef uint32_t __attribute__((may_alias, aligned(1))) half_t;
typedef uint16_t __attribute__((may_alias, aligned(1))) quarter_t;

// Fewer than eight bytes, by two moves that overlap: both are loaded before either is stored.
static inline void copy_short(char *t, const char *f, size_t size)
{
    if (size >= 4) {
        uint32_t a = *(const half_t *)f, b = *(const half_t *)(f + size - 4);
        *(half_t *)t = a, *(half_t *)(t + size - 4) = b;
    } else if (size >= 2) {
        uint16_t a = *(const quarter_t *)f, b = *(const quarter_t *)(f + size - 2);
        *(quarter_t *)t = a, *(quarter_t *)(t + size - 2) = b;
    } else if (size) {
        *t = *f;
    }
}

// The last word may overlap the one before it; it is loaded first, because what is copied may lie
// where it comes from.
static inline void copy_forward(char *t, const char *f, size_t size)
{
    if (size < 8) {
        copy_short(t, f, size);
        return;
    }
    char *last = t + size - 8;
    uint64_t tail = *(const word_t *)(f + size - 8);
    for (; size >= 32; size -= 32, t += 32, f += 32) {
        uint64_t a = ((const word_t *)f)[0], b = ((const word_t *)f)[1];
        uint64_t c = ((const word_t *)f)[2], d = ((const word_t *)f)[3];
        ((word_t *)t)[0] = a, ((word_t *)t)[1] = b;
        ((word_t *)t)[2] = c, ((word_t *)t)[3] = d;
    }
    for (; size >= 8; size -= 8, t += 8, f += 8)
        *(word_t *)t = *(const word_t *)f;
    *(word_t *)last = tail;
}

static inline void copy_backward(char *t, const char *f, size_t size)
{
    for (; size >= 8; size -= 8)
        *(word_t *)(t + size - 8) = *(const word_t *)(f + size - 8);
    while (size--)
        t[size] = f[size];
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    copy_forward(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size)
        copy_forward(to, from, size);
    else
        copy_backward(to, from, size);
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    char *t = to;
    uint64_t word = 0x0101010101010101ull * (uint8_t)byte;
    if (size < 8) {
        while (size--)
            *t++ = (char)byte;
        return to;
    }
    *(word_t *)(t + size - 8) = word; // what the last whole word leaves
    for (; size >= 32; size -= 32, t += 32) {
        ((word_t *)t)[0] = word, ((word_t *)t)[1] = word;
        ((word_t *)t)[2] = word, ((word_t *)t)[3] = word;
    }
    for (; size >= 8; size -= 8, t += 8)
        *(word_t *)t = word;
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a, *y = b;
    for (; size >= 8 && *(const word_t *)x == *(const word_t *)y; size -= 8)
        x += 8, y += 8;
    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *in, int byte, size_t size)
{
    for (const uint8_t *p = in; size; size--, p++)
        if (*p == (uint8_t)byte)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

size_t strnlen(const char *s, size_t most)
{
    size_t n = 0;
    while (n < most && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t most)
{
    for (; most; most--, a++, b++)
        if (*a != *b || !*a)
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (!*s)
            return NULL;
    return (char *)s;
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;
    do {
        if (*s == (char)c)
            last = s;
    } while (*s++);
    return (char *)last;
}

char *strstr(const char *s, const char *what)
{
    size_t length = strlen(what);
    for (; *s; s++)
        if (strncmp(s, what, length) == 0)
            return (char *)s;
    return length ? NULL : (char *)s;
}
#endif

bool string_copy(char *to, const char *from, size_t room)
{
    size_t n = strnlen(from, room);
    bool fits = n < room;
    if (!fits)
        n = room - 1;
    memcpy(to, from, n);
    to[n] = '\0';
    return fits;
}
