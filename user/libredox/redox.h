// SPDX-License-Identifier: MIT
// The least a program of the Redox ABI needs that has no C library: the entry, which calls `main`
// as usual, memory and text, print(), and the calls that take paths with paths that end in NUL.
//
//   int main(int argc, char **argv, char **envp)
//   {
//       print("%s: process %lld\n", argv[0], (long long)redox_getpid());
//       return 0;
//   }
//
// The first system call of such a program has a number that Linux does not have, so the kernel
// takes it for what it is. Not thread safe but for print(), which makes one call a line.
#pragma once
#include <redox/system.h>
#include <stdarg.h>
#include <stdbool.h>

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

int main(int argc, char **argv, char **envp);

// To descriptor 1, by one write of at most 511 bytes. Conversions: d i u x p s c %, with l, ll, z
// and a width (0 before it: zeros).
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);
__attribute__((format(printf, 3, 4))) size_t print_into(char *buffer, size_t size,
                                                        const char *format, ...);

size_t format_into(char *buffer, size_t size, const char *format, va_list arguments);

// What the program was started with.
extern char **environment;
const char *environment_value(const char *name); // NULL: not set
uint64_t auxiliary_value(uint64_t type, uint64_t otherwise);

// The calls that take a path or a name, with one that ends in NUL.
int64_t file_open(const char *path, uint64_t flags);
int64_t file_unlink(const char *path);
int64_t file_dup(int64_t fd, const char *name);
// All of a file as text with a NUL behind it; the length, or what failed.
int64_t file_text(const char *path, char *buffer, size_t size);
// Fresh pages, readable and writable; a failure ends the program.
void *pages(size_t size);
uint64_t monotonic(void); // nanoseconds
void pause_for(uint64_t nanoseconds);

// What compilers call by themselves, and the little that text needs.
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strstr(const char *text, const char *part);
char *strchr(const char *text, int byte);
uint64_t number_of(const char *text); // decimal, up to the first other character
