// SPDX-License-Identifier: GPL-3.0-or-later
// Commits each kind of processor exception in a child of its own and prints what it died of, or
// what its handler was told. Run under CryptOS and Linux; the output must be the same.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int zero;

static void null_read(void)
{
    __asm__ volatile("mov 0, %%eax" ::: "eax");
}

static void null_write(void)
{
    __asm__ volatile("movl $1, 0x10" ::: "memory");
}

static void kernel_read(void)
{
    __asm__ volatile("mov (%0), %%eax" ::"r"(0xffffffff80000000ul) : "eax");
}

static void not_canonical_read(void)
{
    __asm__ volatile("mov (%0), %%eax" ::"r"(0x8000000000000000ul) : "eax");
}

static void jump_to_null(void)
{
    __asm__ volatile("jmp *%0" ::"r"(0ul));
}

static void jump_not_canonical(void)
{
    __asm__ volatile("jmp *%0" ::"r"(0x8000000000000000ul));
}

static void run_data(void)
{
    static char code[] = { '\xc3' };
    __asm__ volatile("call *%0" ::"r"(code));
}

static void write_text(void)
{
    *(volatile char *)(uintptr_t)write_text = 1;
}

static void divide(void)
{
    __asm__ volatile("idivl %0" ::"r"(zero), "a"(1), "d"(0));
}

static void invalid(void)
{
    __asm__ volatile("ud2");
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

static void old_system_call(void)
{
    __asm__ volatile("int $0x81");
}

static void privileged(void)
{
    __asm__ volatile("hlt");
}

static void port(void)
{
    __asm__ volatile("in $0x60, %%al" ::: "eax");
}

static void single_step(void)
{
    __asm__ volatile("pushf\n\torl $0x100, (%%rsp)\n\tpopf\n\tnop\n\tnop" ::: "memory", "cc");
}

static void alignment(void)
{
    static long words[2];
    __asm__ volatile("pushf\n\torl $0x40000, (%%rsp)\n\tpopf\n\tmov 1(%0), %%rax" ::"r"(words)
                     : "memory", "cc", "rax");
}

static void bad_segment(void)
{
    __asm__ volatile("mov %0, %%ds" ::"r"(0x1234));
}

static int recurse(int n)
{
    volatile char room[4096];
    room[0] = (char)n;
    return n ? recurse(n + 1) + room[0] : 0;
}

static void stack_overflow(void)
{
    zero = recurse(1);
}

static void floating_point(void)
{
    unsigned control = 0x1f80 & ~0x200u; // division by zero is not masked
    __asm__ volatile("ldmxcsr %0\n\tdivsd %%xmm1, %%xmm0" ::"m"(control));
}

static void protect_none(void)
{
    char *p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *(volatile char *)p = 1;
}

static const struct {
    const char *name;
    void (*commit)(void);
    int shows_address; // the address is the same everywhere
} faults[] = {
    { "null read", null_read, 1 },
    { "null write", null_write, 1 },
    { "kernel read", kernel_read, 1 },
    { "not canonical read", not_canonical_read, 1 },
    { "jump to null", jump_to_null, 1 },
    { "jump not canonical", jump_not_canonical, 0 },
    { "run data", run_data, 0 },
    { "write text", write_text, 0 },
    { "divide", divide, 0 },
    { "invalid", invalid, 0 },
    { "breakpoint", breakpoint, 0 },
    { "interrupt 0x81", old_system_call, 0 },
    { "privileged", privileged, 0 },
    { "port", port, 0 },
    { "single step", single_step, 0 },
    { "alignment", alignment, 0 },
    { "bad segment", bad_segment, 0 },
    { "floating point", floating_point, 0 },
    { "protected page", protect_none, 0 },
    { "stack overflow", stack_overflow, 0 },
};

static int shows_address;

static void handler(int number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    char line[128];
    int n = snprintf(line, sizeof(line), "signal %d code %d trap %ld", number, info->si_code,
                     (long)u->uc_mcontext.gregs[REG_TRAPNO]);
    if (shows_address)
        n += snprintf(line + n, sizeof(line) - (size_t)n, " address %p error %#lx", info->si_addr,
                      (long)u->uc_mcontext.gregs[REG_ERR]);
    line[n++] = '\n';
    (void)!write(1, line, (size_t)n);
    _exit(0);
}

static void commit(unsigned i, int handled)
{
    static char stack[65536];
    stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    sigaltstack(&alternative, NULL);
    shows_address = faults[i].shows_address;
    for (unsigned n = 0; handled && n < sizeof(signals) / sizeof(signals[0]); n++)
        sigaction(signals[n], &action, NULL);
    faults[i].commit();
    _exit(99);
}

int main(void)
{
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        for (int handled = 0; handled < 2; handled++) {
            int status;
            printf("%s%s: ", faults[i].name, handled ? ", handled" : "");
            fflush(stdout);
            pid_t child = fork();
            if (child == 0)
                commit(i, handled);
            waitpid(child, &status, 0);
            if (WIFSIGNALED(status))
                printf("killed by %d\n", WTERMSIG(status));
            else if (WEXITSTATUS(status))
                printf("status %d\n", WEXITSTATUS(status));
        }
    return 0;
}
