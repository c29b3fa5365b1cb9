// SPDX-License-Identifier: GPL-3.0-or-later
// Running the tests of a program of the Redox ABI: see redox_start.h.
#include "tests/programs/redox_start.h"

static bool failed;

bool test_has_failed(void)
{
    return failed;
}

void test_failed(const char *file, int line, const char *format, ...)
{
    if (failed)
        return;
    failed = true;
    char why[400];
    size_t length = print_into(why, sizeof(why), "FAILED %s line %d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    format_into(why + length, sizeof(why) - length, format, arguments);
    va_end(arguments);
    print("%s\n", why);
}

int run_tests(const struct test *tests, size_t count)
{
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        failed = false;
        print("%s: ", tests[i].name);
        tests[i].run();
        if (failed)
            result = 1;
        else
            print("ok\n");
    }
    return result;
}
