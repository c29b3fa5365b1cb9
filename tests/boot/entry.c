// SPDX-License-Identifier: GPL-3.0-or-later
// Runs inside the booted system and tries the ways in and out of the kernel: what each instruction
// may do from user mode, what a signal frame may ask for, what survives a switch. One line for
// each: "ok NAME" or "FAILED NAME ...". Exits with the number of failures. Linux passes
// all but the 32-bit entries, which it has.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static int failures;

static void report(const char *name, bool ok, const char *detail)
{
    printf("%s %s%s%s\n", ok ? "ok" : "FAILED", name, ok ? "" : ": ", ok ? "" : detail);
    failures += !ok;
}

// Runs function() in a child and expects it to be killed by `signal` (0: to exit with 0).
static void expect(const char *name, void (*function)(void), int signal)
{
    char detail[64];
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        function();
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    snprintf(detail, sizeof(detail), "status %#x", status);
    bool ok = signal ? WIFSIGNALED(status) && WTERMSIG(status) == signal : status == 0;
    report(name, ok, detail);
}

static void do_int80(void)
{
    __asm__ volatile("int $0x80" ::"a"(20) : "memory");
}
static void do_sysenter(void)
{
    __asm__ volatile("sysenter" ::"a"(20) : "memory");
}
static void do_int_shootdown(void)
{
    __asm__ volatile("int $0xe2");
}
static void do_cli(void)
{
    __asm__ volatile("cli");
}
static void do_hlt(void)
{
    __asm__ volatile("hlt");
}
static void do_out(void)
{
    __asm__ volatile("outb %%al, $0x80" ::"a"(0));
}
static void do_rdmsr(void)
{
    __asm__ volatile("rdmsr" ::"c"(0xc0000080) : "eax", "edx");
}
static void do_undefined(void)
{
    __asm__ volatile("ud2");
}
static void do_divide(void)
{
    __asm__ volatile("divb %b1" ::"a"(1), "c"(0));
}
static void do_kernel_read(void)
{
    (void)*(volatile char *)0xffff800000000000;
}
static void do_noncanonical_read(void)
{
    (void)*(volatile char *)0x8000000000000000;
}
static void do_noncanonical_jump(void)
{
    ((void (*)(void))0x8000000000000000)();
}
static void do_execute_data(void)
{
    static char code[] = { (char)0xc3 };
    char *volatile at = code;
    ((void (*)(void))at)();
}
static void do_write_text(void)
{
    *(volatile char *)(uintptr_t)do_write_text = 0;
}
static void do_overflow_trap(void)
{
    __asm__ volatile("int $4");
}
static void do_breakpoint(void)
{
    __asm__ volatile("int3");
}
static void do_bad_stack(void)
{
    __asm__ volatile("mov $8, %rsp\n\tpush %rax");
}
// A system call on a stack pointer that is nowhere: the kernel must not use it.
static void do_call_on_bad_stack(void)
{
    __asm__ volatile("mov %%rsp, %%rbx\n\tmov $0x8000000000000000, %%rsp\n\tsyscall\n\t"
                     "mov %%rbx, %%rsp" ::"a"(SYS_getpid)
                     : "rbx", "rcx", "r11", "memory");
}

// Where the processor's tables lie is not told (UMIP).
static char table_place[16];
static void do_sgdt(void)
{
    __asm__ volatile("sgdt %0" : "=m"(table_place));
}
static void do_sidt(void)
{
    __asm__ volatile("sidt %0" : "=m"(table_place));
}
static void do_sldt(void)
{
    __asm__ volatile("sldt %0" : "=m"(table_place));
}
static void do_str(void)
{
    __asm__ volatile("str %0" : "=m"(table_place));
}
static void do_smsw(void)
{
    __asm__ volatile("smsw %0" : "=m"(table_place));
}

// `signal` 0: the processor has no UMIP.
static void try_tables(int signal)
{
    expect("sgdt", do_sgdt, signal);
    expect("sidt", do_sidt, signal);
    expect("sldt", do_sldt, signal);
    expect("str", do_str, signal);
    expect("smsw", do_smsw, signal);
}

// AMD's CPUs have no SYSENTER in 64-bit mode.
static bool vendor_is_amd(void)
{
    uint32_t a = 0, b, c, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return c == 0x444d4163; // "cAMD"
}

static void try_guards(void)
{
    expect("int 0x80 is refused", do_int80, SIGSEGV);
    expect("sysenter is refused", do_sysenter, vendor_is_amd() ? SIGILL : SIGSEGV);
    expect("interrupts between CPUs cannot be forged", do_int_shootdown, SIGSEGV);
    expect("cli", do_cli, SIGSEGV);
    expect("hlt", do_hlt, SIGSEGV);
    expect("ports", do_out, SIGSEGV);
    expect("rdmsr", do_rdmsr, SIGSEGV);
    expect("invalid instruction", do_undefined, SIGILL);
    expect("division by zero", do_divide, SIGFPE);
    expect("kernel memory", do_kernel_read, SIGSEGV);
    expect("non-canonical read", do_noncanonical_read, SIGSEGV);
    expect("non-canonical jump", do_noncanonical_jump, SIGSEGV);
    expect("data does not run", do_execute_data, SIGSEGV);
    expect("code is not written", do_write_text, SIGSEGV);
    expect("int 4", do_overflow_trap, SIGSEGV);
    expect("breakpoint", do_breakpoint, SIGTRAP);
    expect("bad stack", do_bad_stack, SIGSEGV);
    expect("system call on a bad stack", do_call_on_bad_stack, 0);
}

// What the handler of SIGUSR1 puts into the frame it returns by.
static void (*change)(ucontext_t *u);

static void on_signal(int number, siginfo_t *info, void *context)
{
    change(context);
}

static void return_by_frame(void)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

static void rip_noncanonical(ucontext_t *u)
{
    u->uc_mcontext.gregs[REG_RIP] = (long long)0x8000000000000000;
}
static void rip_kernel(ucontext_t *u)
{
    u->uc_mcontext.gregs[REG_RIP] = (long long)0xffffffff80000000;
}
static void rip_at_the_end(ucontext_t *u)
{
    u->uc_mcontext.gregs[REG_RIP] = 0x7ffffffff000;
}
static void flags_hostile(ucontext_t *u)
{
    u->uc_mcontext.gregs[REG_EFL] |= 3 << 12 | 1 << 14 | 1 << 17; // IOPL 3, NT, VM
    u->uc_mcontext.gregs[REG_EFL] &= ~(1 << 9);                   // interrupts off
}
static void selectors_hostile(ucontext_t *u)
{
    u->uc_mcontext.gregs[REG_CSGSFS] = 0x08 | 0x10ull << 48; // the kernel's
}
static void mxcsr_hostile(ucontext_t *u)
{
    u->uc_mcontext.fpregs->mxcsr = 0xffffffff;
}
static void fpregs_nowhere(ucontext_t *u)
{
    u->uc_mcontext.fpregs = (void *)0xffff800000000000;
}
static void xstate_hostile(ucontext_t *u)
{
    uint32_t *software = (uint32_t *)((char *)u->uc_mcontext.fpregs + 464);
    if (software[0] == 0x46505853)
        memset((char *)u->uc_mcontext.fpregs + 512, 0xff, 64);
}

static void try_frame(const char *name, void (*f)(ucontext_t *u), int signal)
{
    change = f;
    expect(name, return_by_frame, signal);
}

// Either a signal or an exit is right; the machine must live on.
static void survive_frame(const char *name, void (*f)(ucontext_t *u))
{
    change = f;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        return_by_frame();
        _exit(0);
    }
    int status = -1;
    report(name, waitpid(child, &status, 0) == child, "");
}

static void try_frames(void)
{
    try_frame("frame with a non-canonical rip", rip_noncanonical, SIGSEGV);
    try_frame("frame with a kernel rip", rip_kernel, SIGSEGV);
    try_frame("frame with rip at the end of user space", rip_at_the_end, SIGSEGV);
    try_frame("frame with hostile flags", flags_hostile, 0);
    try_frame("frame with fpregs in the kernel", fpregs_nowhere, SIGSEGV);
    survive_frame("frame with kernel selectors", selectors_hostile);
    survive_frame("frame with a hostile MXCSR", mxcsr_hostile);
    survive_frame("frame with a hostile XSAVE header", xstate_hostile);
}

static void fill(uint8_t *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1103515245 + 12345;
        bytes[i] = (uint8_t)(seed >> 16);
    }
}

#define EACH(x) \
    x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)
#define LOAD(n)     "movdqu " #n "*16(%0), %%xmm" #n "\n\t"
#define SAVE(n)     "movdqu %%xmm" #n ", " #n "*16(%0)\n\t"
#define LOAD_AVX(n) "vmovdqu " #n "*32(%0), %%ymm" #n "\n\t"
#define SAVE_AVX(n) "vmovdqu %%ymm" #n ", " #n "*32(%0)\n\t"

static bool have_avx(void)
{
    uint32_t a = 1, b, c, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    if (!(c >> 27 & 1 && c >> 28 & 1)) // OSXSAVE, AVX
        return false;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & 6) == 6; // the kernel keeps SSE and AVX state
}

static void wait_in_registers(const uint8_t *from, uint8_t *to, bool avx, long number,
                              long argument)
{
    if (avx)
        __asm__ volatile(EACH(LOAD_AVX)::"r"(from) : "memory");
    else
        __asm__ volatile(EACH(LOAD)::"r"(from) : "memory");
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(argument), "S"(SIGUSR1)
                     : "rcx", "r11", "memory");
    for (volatile int i = 0; i < 20000; i++)
        ;
    if (avx)
        __asm__ volatile(EACH(SAVE_AVX)::"r"(to) : "memory");
    else
        __asm__ volatile(EACH(SAVE)::"r"(to) : "memory");
}

static _Thread_local unsigned own;
static int bad_registers, bad_tls;

static void *register_thread(void *seed)
{
    uint8_t values[512], found[512];
    own = (unsigned)(uintptr_t)seed;
    bool avx = have_avx();
    for (unsigned round = 0; round < 50; round++) {
        fill(values, sizeof(values), own + round);
        wait_in_registers(values, found, avx, SYS_sched_yield, 0);
        if (memcmp(values, found, avx ? 512 : 256) != 0)
            __atomic_add_fetch(&bad_registers, 1, __ATOMIC_RELAXED);
        if (own != (unsigned)(uintptr_t)seed)
            __atomic_add_fetch(&bad_tls, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void try_threads(void)
{
    pthread_t threads[8];
    for (uintptr_t i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, register_thread, (void *)(i * 77 + 1));
    for (unsigned i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    report("vector registers survive switches", bad_registers == 0, "");
    report("FS base survives switches", bad_tls == 0, "");
}

static void clobber(ucontext_t *u)
{
    uint8_t junk[512];
    memset(junk, 0xa5, sizeof(junk));
    if (have_avx())
        __asm__ volatile(EACH(LOAD_AVX)::"r"(junk) : "memory");
    else
        __asm__ volatile(EACH(LOAD)::"r"(junk) : "memory");
}

static void try_signal_registers(void)
{
    uint8_t values[512], found[512];
    bool avx = have_avx();
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
    change = clobber;
    sigaction(SIGUSR1, &action, NULL);
    fill(values, sizeof(values), 99);
    wait_in_registers(values, found, avx, SYS_tkill, syscall(SYS_gettid));
    report("vector registers survive a signal", memcmp(values, found, avx ? 512 : 256) == 0, "");
}

static void try_gs_base(void)
{
    uint64_t there = 0x1122334455667788, base = 0, value = 0;
    enum { ARCH_SET_GS = 0x1001, ARCH_GET_GS = 0x1004 };
    long e = syscall(SYS_arch_prctl, ARCH_SET_GS, &there);
    sched_yield();
    syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
    __asm__ volatile("mov %%gs:0, %0" : "=r"(value));
    report("GS base", e == 0 && base == (uint64_t)&there && value == there, strerror(errno));
}

static int steps;

static void on_step(int number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    if (++steps == 12)
        u->uc_mcontext.gregs[REG_EFL] &= ~(1 << 8);
}

// Single steps through a system call: one trap an instruction, none in the kernel.
static void try_single_step(void)
{
    struct sigaction action = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };
    sigaction(SIGTRAP, &action, NULL);
    long pid = SYS_getpid;
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
                     "syscall\n\t"
                     ".rept 40\n\tnop\n\t.endr"
                     : "+a"(pid)::"rcx", "r11", "memory", "cc");
    char detail[32];
    snprintf(detail, sizeof(detail), "%d steps", steps);
    report("single step through a system call", steps == 12 && pid == getpid(), detail);
}

// Registers after a call: all but RAX, RCX and R11 as before.
static void try_call_registers(void)
{
    long bad;
    __asm__ volatile("mov $39, %%eax\n\t"
                     "mov $0x101, %%rdi\n\tmov $0x102, %%rsi\n\tmov $0x103, %%rdx\n\t"
                     "mov $0x104, %%r8\n\tmov $0x105, %%r9\n\tmov $0x106, %%r10\n\t"
                     "mov $0x107, %%r12\n\tmov $0x108, %%r13\n\tmov $0x109, %%r14\n\t"
                     "mov $0x10a, %%r15\n\tmov $0x10b, %%rbx\n\t"
                     "syscall\n\t"
                     "add %%rsi, %%rdi\n\tadd %%rdx, %%rdi\n\tadd %%r8, %%rdi\n\t"
                     "add %%r9, %%rdi\n\tadd %%r10, %%rdi\n\tadd %%r12, %%rdi\n\t"
                     "add %%r13, %%rdi\n\tadd %%r14, %%rdi\n\tadd %%r15, %%rdi\n\t"
                     "add %%rbx, %%rdi\n\t"
                     "mov %%rdi, %0"
                     : "=a"(bad)::"rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "r12",
                       "r13", "r14", "r15", "rbx", "memory");
    report("registers survive a system call", bad == 11 * 0x100 + 66, "");
}

// entry [umip|no-umip]
int main(int argc, char **argv)
{
    if (argc > 1) {
        try_tables(strcmp(argv[1], "umip") == 0 ? SIGSEGV : 0);
        printf("%d failed\n", failures);
        return failures;
    }
    try_guards();
    try_frames();
    try_call_registers();
    try_threads();
    try_signal_registers();
    try_gs_base();
    try_single_step();
    printf("%d failed\n", failures);
    return failures;
}
