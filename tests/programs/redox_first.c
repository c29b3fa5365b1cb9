// SPDX-License-Identifier: GPL-3.0-or-later
// A Redox program without a C library: its first system call is one that only Redox has, or the one
// that C libraries start with, or one that means another thing to Linux. Prints what the kernel put
// on its stack.
#include <redox/call.h>
#include <stddef.h>
#include <stdint.h>

__asm__(".globl _start\n"
        "_start: mov %rsp, %rdi\n"
        "        and $-16, %rsp\n"
        "        call start\n"
        "        ud2\n");

static uint64_t call3(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

static size_t length_of(const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

static void print(const char *text)
{
    call3(REDOX_SYS_WRITE, 1, (uint64_t)text, length_of(text));
}

static void print_number(const char *label, uint64_t value)
{
    char digits[24], *at = digits + sizeof(digits);
    *--at = '\0';
    *--at = '\n';
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    print(label);
    print(at);
}

void start(uint64_t *stack);

__attribute__((used, noreturn)) void start(uint64_t *stack)
{
    uint64_t count = stack[0];
    char **arguments = (char **)(stack + 1);
    // "ask": as relibc does, getpid with all bits set in every argument.
    if (count > 1 && arguments[1][0] == 'a')
        call3(REDOX_SYS_GETPID, -1ul, -1ul, -1ul);
    // "umask": for Linux, this ends the program with status 18.
    if (count > 1 && arguments[1][0] == 'u')
        call3(REDOX_SYS_UMASK, 022, 0, 0);
    print("hello\n");
    print_number("aligned ", (uint64_t)stack % 16 == 0);
    print_number("pid ", call3(REDOX_SYS_GETPID, -1ul, -1ul, -1ul));
    for (uint64_t i = 0; i < count; i++) {
        print(arguments[i]);
        print("\n");
    }
    uint64_t *p = stack + 1 + count + 1, directory = 0;
    while (*p++)
        ;
    for (; p[0]; p += 2) {
        if (p[0] == 32)
            directory = p[1];
        if (p[0] == 33) {
            print("directory ");
            call3(REDOX_SYS_WRITE, 1, directory, p[1]);
            print("\n");
        }
        if (p[0] == 3)
            print_number("headers ", *(uint32_t *)(p[1]) == 1 || *(uint32_t *)(p[1]) == 6);
        if (p[0] == 34 || p[0] == 36)
            print_number(p[0] == 34 ? "ignored " : "blocked ", p[1]);
    }
    call3(REDOX_SYS_EXIT, 7, 0, 0);
    __builtin_unreachable();
}
