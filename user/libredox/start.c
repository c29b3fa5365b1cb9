// SPDX-License-Identifier: MIT
// The entry, and what a program was started with (redox.h).
#include "user/libredox/redox.h"

void redox_start(uint64_t *stack);

char **environment;
static uint64_t *auxiliary;

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
