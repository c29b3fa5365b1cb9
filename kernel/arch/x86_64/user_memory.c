// SPDX-License-Identifier: GPL-3.0-or-later
// The one door to user memory: a few instructions that may fault, each with its place to go on.
//
// A fault that the address space settles is not seen here. One that it cannot settle goes on at the
// fixup, which counts what is left. The door (SMAP) is open only within one asm statement.
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/arch/x86_64/extable.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/user_access.h"
#include "kernel/memory/layout.h"
#include <redox/errno.h>

enum { STRING_STEP = 64 };

bool user_range_ok(uaddr_t start, uint64_t size)
{
    return range_fits(start, size, USER_END);
}

// Copies eight bytes at a time, then single bytes; after a fault in the first part the second goes
// on to the very byte that cannot be touched. Returns the number of bytes not copied.
static size_t copy_bytes(void *to, const void *from, size_t size)
{
    size_t left = size / 8, tail = size % 8;
    __asm__ volatile(USER_ACCESS_OPEN "1: rep movsq\n"
                                      "   mov %[tail], %%rcx\n"
                                      "2: rep movsb\n"
                                      "3:\n" USER_ACCESS_CLOSE ".pushsection .text.fixup, \"ax\"\n"
                                      "4: lea (%[tail], %%rcx, 8), %%rcx\n"
                                      "   jmp 2b\n"
                                      ".popsection\n" EXTABLE("1b", "4b") EXTABLE("2b", "3b")
                     : "+D"(to), "+S"(from), "+c"(left)
                     : [tail] "r"(tail)
                     : "memory");
    return left;
}

static size_t zero_bytes(void *to, size_t size)
{
    size_t left = size / 8, tail = size % 8;
    __asm__ volatile(USER_ACCESS_OPEN "1: rep stosq\n"
                                      "   mov %[tail], %%rcx\n"
                                      "2: rep stosb\n"
                                      "3:\n" USER_ACCESS_CLOSE ".pushsection .text.fixup, \"ax\"\n"
                                      "4: lea (%[tail], %%rcx, 8), %%rcx\n"
                                      "   jmp 2b\n"
                                      ".popsection\n" EXTABLE("1b", "4b") EXTABLE("2b", "3b")
                     : "+D"(to), "+c"(left)
                     : [tail] "r"(tail), "a"(0)
                     : "memory");
    return left;
}

size_t user_copy_in_part(void *to, uaddr_t from, size_t size)
{
    return user_range_ok(from, size) ? copy_bytes(to, (const void *)from, size) : size;
}

size_t user_copy_out_part(uaddr_t to, const void *from, size_t size)
{
    return user_range_ok(to, size) ? copy_bytes((void *)to, from, size) : size;
}

err_t user_copy_in(void *to, uaddr_t from, size_t size)
{
    return user_copy_in_part(to, from, size) ? -EFAULT : 0;
}

err_t user_copy_out(uaddr_t to, const void *from, size_t size)
{
    return user_copy_out_part(to, from, size) ? -EFAULT : 0;
}

err_t user_zero(uaddr_t to, size_t size)
{
    return user_range_ok(to, size) && !zero_bytes((void *)to, size) ? 0 : -EFAULT;
}

// Reads up to the next multiple of STRING_STEP at a time: never into a page that the string does
// not reach.
err_t user_string_in(char *to, uaddr_t from, size_t room, size_t *length)
{
    for (size_t done = 0; done < room;) {
        size_t step = min_of(STRING_STEP - (from + done) % STRING_STEP, room - done);
        size_t missing = user_copy_in_part(to + done, from + done, step);
        for (size_t i = done; i < done + step - missing; i++) {
            if (!to[i]) {
                *length = i;
                return 0;
            }
        }
        if (missing)
            return -EFAULT;
        done += step;
    }
    return -ENAMETOOLONG;
}

#define USER_GET(name, type, move)                                                     \
    err_t name(uaddr_t from, type *value)                                              \
    {                                                                                  \
        err_t e = -EFAULT;                                                             \
        type got = 0;                                                                  \
        if (!user_range_ok(from, sizeof(type)))                                        \
            return e;                                                                  \
        __asm__ volatile(USER_ACCESS_OPEN "1: " move " (%[from]), %[got]\n"            \
                                          "   xor %[e], %[e]\n"                        \
                                          "2:\n" USER_ACCESS_CLOSE EXTABLE("1b", "2b") \
                         : [e] "+r"(e), [got] "+r"(got)                                \
                         : [from] "r"(from)                                            \
                         : "memory", "cc");                                            \
        *value = got;                                                                  \
        return e;                                                                      \
    }

#define USER_PUT(name, type, move)                                                     \
    err_t name(uaddr_t to, type value)                                                 \
    {                                                                                  \
        err_t e = -EFAULT;                                                             \
        if (!user_range_ok(to, sizeof(type)))                                          \
            return e;                                                                  \
        __asm__ volatile(USER_ACCESS_OPEN "1: " move " %[value], (%[to])\n"            \
                                          "   xor %[e], %[e]\n"                        \
                                          "2:\n" USER_ACCESS_CLOSE EXTABLE("1b", "2b") \
                         : [e] "+r"(e)                                                 \
                         : [to] "r"(to), [value] "r"(value)                            \
                         : "memory", "cc");                                            \
        return e;                                                                      \
    }

USER_GET(user_get_u32, uint32_t, "movl")
USER_GET(user_get_u64, uint64_t, "movq")
USER_PUT(user_put_u32, uint32_t, "movl")
USER_PUT(user_put_u64, uint64_t, "movq")

err_t user_exchange_u32(uaddr_t at, uint32_t expected, uint32_t wanted, uint32_t *seen)
{
    err_t e = -EFAULT;
    if (!user_range_ok(at, sizeof(uint32_t)))
        return e;
    __asm__ volatile(USER_ACCESS_OPEN "1: lock cmpxchgl %[wanted], (%[at])\n"
                                      "   mov $0, %[e]\n"
                                      "2:\n" USER_ACCESS_CLOSE EXTABLE("1b", "2b")
                     : [e] "+r"(e), "+a"(expected)
                     : [at] "r"(at), [wanted] "r"(wanted)
                     : "memory", "cc");
    *seen = expected;
    return e;
}

// With preemption off the page fault handler does not sleep, and so settles nothing.
err_t user_get_u32_nofault(uaddr_t from, uint32_t *value)
{
    preempt_off();
    err_t e = user_get_u32(from, value);
    preempt_on();
    return e;
}

err_t user_get_u64_nofault(uaddr_t from, uint64_t *value)
{
    preempt_off();
    err_t e = user_get_u64(from, value);
    preempt_on();
    return e;
}

err_t user_copy_in_nofault(void *to, uaddr_t from, size_t size)
{
    preempt_off();
    err_t e = user_copy_in(to, from, size);
    preempt_on();
    return e;
}
