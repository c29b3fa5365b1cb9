// SPDX-License-Identifier: GPL-3.0-or-later
// Kit for test programs of the Redox ABI: static files without a C library and without one Linux
// call, so that the kernel takes them for what they are. `main` is called as usual.
//
//   static void pipe_ends(void)
//   {
//       int64_t end = file_open("pipe:", REDOX_O_RDONLY);
//       expect(end >= 0);
//       expect_is(redox_write(end, "x", 1), -REDOX_EBADF);
//       expect_is(redox_close(end), 0);
//   }
//
//   int main(int argc, char **argv, char **envp)
//   {
//       static const struct test tests[] = { TEST(pipe_ends) };
//       return run_tests(tests, array_len(tests));
//   }
//
// prints "pipe_ends: ok" or "pipe_ends: FAILED redox_x.c line 5: ... is -9, not 0" and returns 1
// when a test failed. The name goes into the list redox_programs of meson.build; test_redox.py
// shows how a boot test runs it. One thread only, but for print(), which makes one call a line.
#pragma once
#include <redox/system.h>
#include <stdarg.h>
#include <stdbool.h>

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

struct test {
    const char *name;
    void (*run)(void);
};
#define TEST(function)      \
    {                       \
#function, function \
    }

int run_tests(const struct test *tests, size_t count);

// Leaves the test when the condition does not hold; or when the two integers differ.
#define expect(condition)                                           \
    do {                                                            \
        if (!(condition)) {                                         \
            test_failed(__FILE_NAME__, __LINE__, "%s", #condition); \
            return;                                                 \
        }                                                           \
    } while (0)
#define expect_is(expression, wanted)                                                  \
    do {                                                                               \
        long long got_ = (long long)(expression), wanted_ = (long long)(wanted);       \
        if (got_ != wanted_) {                                                         \
            test_failed(__FILE_NAME__, __LINE__, "%s is %lld (0x%llx), not %lld (%s)", \
                        #expression, got_, got_, wanted_, #wanted);                    \
            return;                                                                    \
        }                                                                              \
    } while (0)
// In a helper of a test: marks the test as failed and goes on. The first reason is kept.
__attribute__((format(printf, 3, 4))) void test_failed(const char *file, int line,
                                                       const char *format, ...);
bool test_has_failed(void);

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
