// SPDX-License-Identifier: MIT
// What programs without a C library have instead: text, memory, short cuts to calls (redox.h).
#include "user/libredox/redox.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}

void *memmove(void *to, const void *from, size_t size)
{
    char *t = to;
    const char *f = from;
    if (t <= f || t >= f + size)
        return memcpy(to, from, size);
    while (size--)
        ((volatile char *)t)[size] = f[size];
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const volatile unsigned char *x = a, *y = b;
    for (size_t i = 0; i < size; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

size_t strlen(const char *text)
{
    const volatile char *end = text;
    while (*end)
        end++;
    return (size_t)(end - text);
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i] || !a[i])
            return (unsigned char)a[i] - (unsigned char)b[i];
    return 0;
}

char *strchr(const char *text, int byte)
{
    for (; *text != (char)byte; text++)
        if (!*text)
            return NULL;
    return (char *)text;
}

char *strstr(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; strncmp(text, part, length); text++)
        if (!*text)
            return NULL;
    return (char *)text;
}

uint64_t number_of(const char *text)
{
    uint64_t n = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        n = n * 10 + (uint64_t)(*text - '0');
    return n;
}

int64_t file_open(const char *path, uint64_t flags)
{
    return redox_open(path, strlen(path), flags);
}

int64_t file_unlink(const char *path)
{
    return redox_unlink(path, strlen(path));
}

int64_t file_dup(int64_t fd, const char *name)
{
    return redox_dup(fd, name, strlen(name));
}

int64_t file_text(const char *path, char *buffer, size_t size)
{
    int64_t fd = file_open(path, REDOX_O_RDONLY | REDOX_O_CLOEXEC);
    if (fd < 0)
        return fd;
    size_t length = 0;
    int64_t n = 1;
    while (n > 0 && length < size - 1) {
        n = redox_read(fd, buffer + length, size - 1 - length);
        length += n > 0 ? (size_t)n : 0;
    }
    buffer[length] = 0;
    redox_close(fd);
    return n < 0 ? n : (int64_t)length;
}

void *pages(size_t size)
{
    struct redox_map map = {
        .size = (size + REDOX_PAGE_SIZE - 1) & ~(size_t)(REDOX_PAGE_SIZE - 1),
        .flags = REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_MAP_PRIVATE,
    };
    int64_t address = redox_fmap(REDOX_FD_NONE, &map);
    if (address < 0) {
        print("FAILED no memory: %lld\n", (long long)address);
        redox_exit(1);
    }
    return (void *)address;
}

uint64_t monotonic(void)
{
    struct redox_timespec now = { 0 };
    redox_clock_gettime(REDOX_CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void pause_for(uint64_t nanoseconds)
{
    struct redox_timespec time = { .tv_sec = (int64_t)(nanoseconds / 1000000000),
                                   .tv_nsec = (int32_t)(nanoseconds % 1000000000) };
    redox_nanosleep(&time, NULL);
}
