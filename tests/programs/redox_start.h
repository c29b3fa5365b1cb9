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
// shows how a boot test runs it. What else a program can use stands in user/libredox/redox.h.
#pragma once
#include "user/libredox/redox.h"

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
// Whether a condition comes true. A busy host may hold the whole machine up for seconds; half a
// minute is never.
#define comes_true(condition)                                \
    ({                                                       \
        uint64_t end_ = monotonic() + 30ull * 1000000000;    \
        bool true_;                                          \
        while (!(true_ = (condition)) && monotonic() < end_) \
            pause_for(1000000);                              \
        true_;                                               \
    })
// In a helper of a test: marks the test as failed and goes on. The first reason is kept.
__attribute__((format(printf, 3, 4))) void test_failed(const char *file, int line,
                                                       const char *format, ...);
bool test_has_failed(void);

// What fstat and fpath say of a file.
static inline bool has_mode(int64_t fd, unsigned mode)
{
    struct redox_stat s;
    return redox_fstat(fd, &s) == 0 && s.st_mode == mode;
}

static inline bool has_path(int64_t fd, const char *path)
{
    char text[128];
    int64_t n = redox_fpath(fd, text, sizeof(text));
    return n == (int64_t)strlen(path) && memcmp(text, path, (size_t)n) == 0;
}
