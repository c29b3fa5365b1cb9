// SPDX-License-Identifier: GPL-3.0-or-later
// The entry of a test program of the Redox ABI, and running its tests: see redox_start.h.
#include "tests/programs/redox_start.h"

int main(int argc, char **argv, char **envp);
void redox_start(uint64_t *stack);

char **environment;
static uint64_t *auxiliary;
static bool failed;

__asm__(".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call redox_start\n");

// The stack holds argc, argv, NULL, envp, NULL, pairs of type and value. The first call has a
// number that Linux does not have: close of no descriptor.
void redox_start(uint64_t *stack)
{
    redox_close(REDOX_FD_NONE);
    int argc = (int)stack[0];
    char **argv = (char **)&stack[1];
    environment = argv + argc + 1;
    char **end = environment;
    while (*end)
        end++;
    auxiliary = (uint64_t *)(end + 1);
    redox_exit((uint64_t)main(argc, argv, environment));
}

const char *environment_value(const char *name)
{
    size_t length = strlen(name);
    for (char **e = environment; *e; e++)
        if (!strncmp(*e, name, length) && (*e)[length] == '=')
            return *e + length + 1;
    return NULL;
}

uint64_t auxiliary_value(uint64_t type, uint64_t otherwise)
{
    for (uint64_t *pair = auxiliary; pair[0]; pair += 2)
        if (pair[0] == type)
            return pair[1];
    return otherwise;
}

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
