// SPDX-License-Identifier: GPL-3.0-or-later
// A Linux program without a C library and without notes, whose first calls have numbers that Redox
// has too: it stays a Linux program. Ends with 9, or with the number of what was wrong.
#include <stdint.h>

__asm__(".globl _start\n"
        "_start: mov %rsp, %rdi\n"
        "        and $-16, %rsp\n"
        "        call start\n"
        "        ud2\n");

enum { WRITE = 1, ALARM = 37, FORK = 57, EXIT = 60, WAIT4 = 61, GETPPID = 110, TIME = 201 };

static int64_t call4(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return (int64_t)number;
}

static void end(uint64_t status)
{
    call4(EXIT, status, 0, 0, 0);
}

void start(uint64_t *stack);

__attribute__((used)) void start(uint64_t *stack)
{
    int status = -1;
    if (call4(WRITE, 1, (uint64_t) "linux\n", 6, 0) != 6)
        end(1);
    if (call4(ALARM, 0, 0, 0, 0) != 0)
        end(2);
    if (call4(GETPPID, 0, 0, 0, 0) <= 0)
        end(3);
    if (call4(TIME, 0, 0, 0, 0) < 1000000000)
        end(4);
    int64_t child = call4(FORK, 0, 0, 0, 0);
    if (child == 0)
        end(40);
    if (child < 0)
        end(5);
    if (call4(WAIT4, (uint64_t)child, (uint64_t)&status, 0, 0) != child || status != 40 << 8)
        end(6);
    uint64_t *p = stack + 1 + stack[0] + 1; // the environment
    while (*p++)
        ;
    const uint32_t elf = 0x464c457f;
    for (; p[0]; p += 2) // Redox's numbers mean other things here: 33 is the vDSO
        if (p[0] >= 32 && p[0] <= 37 && (p[0] != 33 || *(uint32_t *)p[1] != elf))
            end(7);
    end(9);
}
