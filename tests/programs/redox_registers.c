// SPDX-License-Identifier: GPL-3.0-or-later
// A call changes rax, rcx and r11 and nothing else: every other register is filled with a pattern,
// a call is made (one that returns at once, sleeps, fails, or does not exist), and all are
// compared.
#include "tests/programs/redox_start.h"

// As the assembly below knows it.
struct machine {
    uint64_t general[16]; // rax rbx rcx rdx rsi rdi rbp r8-r15; the last is not used
    uint8_t fx[512] __attribute__((aligned(64)));
    uint8_t high[16][16]; // of the 256-bit registers
};
enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15 };

void call_with(const struct machine *in, struct machine *out, bool wide);

__asm__("call_with:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    push %rsi; push %rdx\n"
        "    fxrstor64 128(%rdi)\n"
        "    test %dl, %dl\n"
        "    jz 1f\n"
        "    .set n, 0\n"
        "    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    vinsertf128 $1, 640+16*\\n(%rdi), %ymm\\n, %ymm\\n\n"
        "    .endr\n"
        "1:  mov 0(%rdi), %rax; mov 8(%rdi), %rbx; mov 16(%rdi), %rcx; mov 24(%rdi), %rdx\n"
        "    mov 32(%rdi), %rsi; mov 48(%rdi), %rbp; mov 56(%rdi), %r8; mov 64(%rdi), %r9\n"
        "    mov 72(%rdi), %r10; mov 80(%rdi), %r11; mov 88(%rdi), %r12; mov 96(%rdi), %r13\n"
        "    mov 104(%rdi), %r14; mov 112(%rdi), %r15; mov 40(%rdi), %rdi\n"
        "    syscall\n"
        "    mov 8(%rsp), %rcx\n"
        "    mov %rax, 0(%rcx); mov %rbx, 8(%rcx); mov %rdx, 24(%rcx); mov %rsi, 32(%rcx)\n"
        "    mov %rdi, 40(%rcx); mov %rbp, 48(%rcx); mov %r8, 56(%rcx); mov %r9, 64(%rcx)\n"
        "    mov %r10, 72(%rcx); mov %r12, 88(%rcx); mov %r13, 96(%rcx); mov %r14, 104(%rcx)\n"
        "    mov %r15, 112(%rcx)\n"
        "    fxsave64 128(%rcx)\n"
        "    pop %rdx; pop %rsi\n"
        "    test %dl, %dl\n"
        "    jz 2f\n"
        "    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    vextractf128 $1, %ymm\\n, 640+16*\\n(%rcx)\n"
        "    .endr\n"
        "    vzeroupper\n"
        "2:  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    fninit\n"
        "    push $0x1f80\n"
        "    ldmxcsr (%rsp)\n"
        "    pop %rax\n"
        "    ret\n");

static struct machine in, out;
static uint64_t seed = 88172645463325252ull;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

// AVX, and the kernel saves its registers.
static bool wide_registers(void)
{
    uint32_t a = 1, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if ((c >> 27 & 3) != 3)
        return false;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & 6) == 6;
}

static void fill(void)
{
    for (size_t i = 0; i < array_len(in.general); i++)
        in.general[i] = next();
    memset(in.fx, 0, sizeof(in.fx));
    *(uint16_t *)&in.fx[0] = 0x0c7f;  // x87: round to zero, all exceptions masked
    in.fx[4] = 0xff;                  // all of st(0) to st(7) hold something
    *(uint32_t *)&in.fx[24] = 0x7f80; // SSE: round to zero, all exceptions masked
    for (size_t i = 0; i < 8; i++) {  // ordinary numbers: the top bit of the mantissa is set
        *(uint64_t *)&in.fx[32 + 16 * i] = next() | 1ull << 63;
        *(uint16_t *)&in.fx[40 + 16 * i] = 0x3fff;
    }
    for (size_t i = 160; i < 416; i++)
        in.fx[i] = (uint8_t)next();
    for (size_t i = 0; i < sizeof(in.high); i++)
        in.high[i / 16][i % 16] = (uint8_t)next();
}

static void compare(bool wide)
{
    static const uint8_t kept[] = { RBX, RDX, RSI, RDI, RBP, R8, R9, R10, R12, R13, R14, R15 };
    for (size_t i = 0; i < array_len(kept); i++)
        if (in.general[kept[i]] != out.general[kept[i]])
            test_failed(__FILE_NAME__, __LINE__, "register %u is %llx, was %llx", kept[i],
                        (long long)out.general[kept[i]], (long long)in.general[kept[i]]);
    expect(!memcmp(&in.fx[0], &out.fx[0], 2));
    expect(in.fx[4] == out.fx[4]);
    expect(!memcmp(&in.fx[24], &out.fx[24], 4));
    expect(!memcmp(&in.fx[32], &out.fx[32], 8 * 16));
    expect(!memcmp(&in.fx[160], &out.fx[160], 16 * 16));
    expect(!wide || !memcmp(in.high, out.high, sizeof(in.high)));
}

static void calls_keep_registers(uint64_t number, uint64_t first, uint64_t second, uint64_t third,
                                 int64_t result)
{
    bool wide = wide_registers();
    for (unsigned round = 0; round < 20; round++) {
        fill();
        in.general[RAX] = number;
        in.general[RDI] = first;
        in.general[RSI] = second;
        in.general[RDX] = third;
        call_with(&in, &out, wide);
        compare(wide);
        expect_is(out.general[RAX], result);
    }
}

static void when_it_returns_at_once(void)
{
    calls_keep_registers(REDOX_SYS_GETPID, next(), next(), next(), redox_getpid());
}

static void when_it_yields(void)
{
    calls_keep_registers(REDOX_SYS_YIELD, next(), next(), next(), 0);
}

static void when_it_sleeps(void)
{
    static struct redox_timespec time = { .tv_nsec = 1000000 };
    calls_keep_registers(REDOX_SYS_NANOSLEEP, (uint64_t)&time, 0, next(), 0);
}

static void when_it_copies(void)
{
    static struct redox_timespec now;
    calls_keep_registers(REDOX_SYS_CLOCK_GETTIME, REDOX_CLOCK_MONOTONIC, (uint64_t)&now, next(), 0);
}

static void when_it_fails(void)
{
    calls_keep_registers(REDOX_SYS_READ, UINT64_MAX, next(), next(), -REDOX_EBADF);
}

static void when_a_pointer_is_bad(void)
{
    calls_keep_registers(REDOX_SYS_WRITE, 1, 0x1000, 10, -REDOX_EFAULT);
}

static void when_there_is_no_such_call(void)
{
    calls_keep_registers(0x2000fff0, next(), next(), next(), -REDOX_ENOSYS);
}

int main(int argc, char **argv, char **envp)
{
    static const struct test tests[] = {
        TEST(when_it_returns_at_once),
        TEST(when_it_yields),
        TEST(when_it_sleeps),
        TEST(when_it_copies),
        TEST(when_it_fails),
        TEST(when_a_pointer_is_bad),
        TEST(when_there_is_no_such_call),
    };
    return run_tests(tests, array_len(tests));
}
