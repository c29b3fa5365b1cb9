// SPDX-License-Identifier: GPL-3.0-or-later
// The one door to user memory: a few instructions that may fault, each with its place to go on.
//
// A fault that the address space settles is not seen here. One that it cannot settle goes on at the
// fixup, which counts what is left. The door (SMAP) is open only within one asm statement.
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/arch/x86_64/extable.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/user_access.h"
#include <redox/errno.h>

// An address that passed user_range_ok(), for use: where the processor goes ahead before it knows
// the outcome of that check (Spectre 1), the address is none of the kernel's either, whose bit 47
// is 1.
static force_inline uint64_t user_only(uaddr_t at)
{
    __asm__("btr $47, %0" : "+r"(at) : : "cc");
    return at;
}

// The processor's string instructions take some thirty cycles before they begin.
enum { STRING_STEP = 64, SHORT = 16 };

// Up to SHORT bytes, by ordinary moves: eight at a time, four, and (also after a fault before)
// single ones. Returns the number of bytes not copied.
static size_t copy_short(void *to, const void *from, size_t size)
{
    uint64_t word;
    __asm__ volatile(USER_ACCESS_OPEN "sub $8, %[left]\n"
                                      "jb 2f\n"
                                      "1: mov (%[from]), %[word]\n"
                                      "11: mov %[word], (%[to])\n"
                                      "add $8, %[from]\n"
                                      "add $8, %[to]\n"
                                      "sub $8, %[left]\n"
                                      "jae 1b\n"
                                      "2: add $4, %[left]\n"
                                      "jnc 4f\n"
                                      "3: movl (%[from]), %k[word]\n"
                                      "13: movl %k[word], (%[to])\n"
                                      "add $4, %[from]\n"
                                      "add $4, %[to]\n"
                                      "sub $4, %[left]\n"
                                      "4: add $4, %[left]\n"
                                      "jz 6f\n"
                                      "5: movb (%[from]), %b[word]\n"
                                      "15: movb %b[word], (%[to])\n"
                                      "inc %[from]\n"
                                      "inc %[to]\n"
                                      "dec %[left]\n"
                                      "jnz 5b\n"
                                      "6:\n" USER_ACCESS_CLOSE EXTABLE("1b", "2b")
                                          EXTABLE("11b", "2b") EXTABLE("3b", "4b")
                                              EXTABLE("13b", "4b") EXTABLE("5b", "6b")
                                                  EXTABLE("15b", "6b")
                     : [to] "+r"(to), [from] "+r"(from), [left] "+r"(size), [word] "=&r"(word)
                     :
                     : "memory", "cc");
    return size;
}

static size_t zero_short(void *to, size_t size)
{
    __asm__ volatile(USER_ACCESS_OPEN "sub $8, %[left]\n"
                                      "jb 2f\n"
                                      "1: movq $0, (%[to])\n"
                                      "add $8, %[to]\n"
                                      "sub $8, %[left]\n"
                                      "jae 1b\n"
                                      "2: add $8, %[left]\n"
                                      "jz 4f\n"
                                      "3: movb $0, (%[to])\n"
                                      "inc %[to]\n"
                                      "dec %[left]\n"
                                      "jnz 3b\n"
                                      "4:\n" USER_ACCESS_CLOSE EXTABLE("1b", "2b")
                                          EXTABLE("3b", "4b")
                     : [to] "+r"(to), [left] "+r"(size)
                     :
                     : "memory", "cc");
    return size;
}

// Copies eight bytes at a time, then single bytes; after a fault in the first part the second goes
// on to the very byte that cannot be touched. Returns the number of bytes not copied.
static force_inline size_t copy_bytes(void *to, const void *from, size_t size)
{
    if (size <= SHORT)
        return copy_short(to, from, size);
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

static force_inline size_t zero_bytes(void *to, size_t size)
{
    if (size <= SHORT)
        return zero_short(to, size);
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

static force_inline size_t copy_words(void *to, const void *from, size_t words)
{
    size_t left = words;
    __asm__ volatile(USER_ACCESS_OPEN "1: rep movsq\n"
                                      "2:\n" USER_ACCESS_CLOSE EXTABLE("1b", "2b")
                     : "+D"(to), "+S"(from), "+c"(left)
                     :
                     : "memory");
    return left;
}

err_t user_words_in(uint64_t *to, uaddr_t from, size_t words)
{
    return user_range_ok(from, words * 8) && !copy_words(to, (const void *)from, words) ? 0
                                                                                        : -EFAULT;
}

err_t user_words_out(uaddr_t to, const uint64_t *from, size_t words)
{
    return user_range_ok(to, words * 8) && !copy_words((void *)to, from, words) ? 0 : -EFAULT;
}

size_t user_copy_in_part(void *to, uaddr_t from, size_t size)
{
    return user_range_ok(from, size) ? copy_bytes(to, (const void *)user_only(from), size) : size;
}

size_t user_copy_out_part(uaddr_t to, const void *from, size_t size)
{
    return user_range_ok(to, size) ? copy_bytes((void *)user_only(to), from, size) : size;
}

size_t user_zero_part(uaddr_t to, size_t size)
{
    return user_range_ok(to, size) ? zero_bytes((void *)user_only(to), size) : size;
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
                         : [from] "r"(user_only(from))                                 \
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
                         : [to] "r"(user_only(to)), [value] "r"(value)                 \
                         : "memory", "cc");                                            \
        return e;                                                                      \
    }

err_t user_put_pair(uaddr_t to, uint64_t first, uint64_t second)
{
    err_t e = -EFAULT;
    if (!user_range_ok(to, 2 * sizeof(uint64_t)))
        return e;
    __asm__ volatile(USER_ACCESS_OPEN "1: movq %[first], (%[to])\n"
                                      "2: movq %[second], 8(%[to])\n"
                                      "   xor %[e], %[e]\n"
                                      "3:\n" USER_ACCESS_CLOSE EXTABLE("1b", "3b")
                                          EXTABLE("2b", "3b")
                     : [e] "+r"(e)
                     : [to] "r"(user_only(to)), [first] "r"(first), [second] "r"(second)
                     : "memory", "cc");
    return e;
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
                     : [at] "r"(user_only(at)), [wanted] "r"(wanted)
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

err_t user_exchange_u32_nofault(uaddr_t at, uint32_t expected, uint32_t wanted, uint32_t *seen)
{
    preempt_off();
    err_t e = user_exchange_u32(at, expected, wanted, seen);
    preempt_on();
    return e;
}

#define USER_AREA(name, instruction, error)                                            \
    err_t name(uaddr_t area, uint64_t features)                                        \
    {                                                                                  \
        err_t e = error;                                                               \
        __asm__ volatile(USER_ACCESS_OPEN "1: " instruction " (%[area])\n"             \
                                          "   xor %[e], %[e]\n"                        \
                                          "2:\n" USER_ACCESS_CLOSE EXTABLE("1b", "2b") \
                         : [e] "+r"(e)                                                 \
                         : [area] "r"(user_only(area)), "a"((uint32_t)features),       \
                           "d"((uint32_t)(features >> 32))                             \
                         : "memory", "cc");                                            \
        return e;                                                                      \
    }

USER_AREA(user_xsave, "xsave64", -EFAULT)
USER_AREA(user_xrstor, "xrstor64", -EINVAL)
