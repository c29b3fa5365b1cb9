// SPDX-License-Identifier: GPL-3.0-or-later
// The panic report: the CPU that panics first prints for all; the others leave their registers in
// `reports` when its NMI stops them. Nothing here allocates or waits without an end.
#include "kernel/console/panic.h"
#include "kernel/arch/x86_64/backtrace.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/io.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/reset.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/log.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/spinlock.h"
#include "lib/command_line.h"
#include "lib/format.h"
#include "lib/string.h"

enum { TRACE_MAX = 24 };
// Some seconds: a busy host may hold a virtual CPU up for one.
#define STOP_PATIENCE_CYCLES 10000000000ull

struct report {
    bool ready;
    bool from_trap; // trace[0] is where it was, not where it returns to
    struct thread *thread;
    uint64_t trace[TRACE_MAX];
    unsigned depth;
};

bool panic_active;
static struct report reports[CPU_MAX];
static uint32_t reporter; // CPU number + 1
static void (*power_off)(void);
static void (*restart)(void);

void panic_set_power(void (*off)(void), void (*again)(void))
{
    power_off = off;
    restart = again;
}

// The processor's own ways to reset, the gentlest first.
static void reset_by_force(void)
{
    port_out8(0xcf9, 0x06); // chipset
    port_out8(0x64, 0xfe);  // keyboard controller
    for (unsigned i = 0; i < 100000; i++)
        cpu_relax();
    cpu_reset();
}

static void report_fill(struct report *r, const struct trap_frame *f, uint64_t frame_pointer)
{
    r->thread = thread_current();
    r->depth = 0;
    r->from_trap = f != NULL;
    if (f && !trap_from_user(f))
        r->trace[r->depth++] = f->rip;
    if (!f || !trap_from_user(f))
        r->depth += backtrace_collect(f ? f->rbp : frame_pointer, r->trace + r->depth,
                                      TRACE_MAX - r->depth);
    __atomic_store_n(&r->ready, true, __ATOMIC_RELEASE);
}

void panic_stop_cpu(const struct trap_frame *f)
{
    report_fill(&reports[cpu_number()], f, 0);
    cpu_halt_forever();
}

#define say(...) log_line(LOG_PANIC, __VA_ARGS__)

static void say_registers(const struct trap_frame *f)
{
    char name[80];
    backtrace_name(f->rip, false, name, sizeof(name));
    say("  at %s, vector %lu (%s), error %#lx", trap_from_user(f) ? "user code" : name, f->vector,
        trap_name(f->vector), f->error);
    say("  rip %016lx  cs %04lx  rflags %08lx  rsp %016lx  ss %04lx", f->rip, f->cs, f->rflags,
        f->rsp, f->ss);
    say("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    say("  rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
    say("  r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx", f->r9, f->r10, f->r11, f->r12);
    say("  r13 %016lx  r14 %016lx  r15 %016lx", f->r13, f->r14, f->r15);
    say("  cr0 %08lx  cr2 %016lx  cr3 %012lx  cr4 %08lx", cr0_read(), cr2_read(), cr3_read(),
        cr4_read());
}

static void say_cpu(unsigned number, const struct report *r)
{
    if (r->thread)
        say("CPU %u, thread %d \"%.*s\":", number, (int)r->thread->number,
            (int)sizeof(r->thread->name), r->thread->name);
    else
        say("CPU %u, no thread:", number);
    for (unsigned i = 0; i < r->depth; i++) {
        char name[80];
        backtrace_name(r->trace[i], i > 0 || !r->from_trap, name, sizeof(name));
        say("  %016lx  %s", r->trace[i], name);
    }
    if (r->depth == 0)
        say("  in user code");
}

static void say_others(void)
{
    ipi_stop_others();
    uint64_t start = __builtin_ia32_rdtsc();
    for (unsigned i = 0; i < cpu_count; i++) {
        if (i == cpu_number())
            continue;
        while (!__atomic_load_n(&reports[i].ready, __ATOMIC_ACQUIRE) &&
               __builtin_ia32_rdtsc() - start < STOP_PATIENCE_CYCLES)
            cpu_relax();
        if (reports[i].ready)
            say_cpu(i, &reports[i]);
        else
            say("CPU %u does not answer", i);
    }
}

// Says how to go on, and does it.
static void __attribute__((noreturn)) finish(void)
{
    char mode[16] = "halt";
    if (!command_line_get(command_line(), "panic", mode, sizeof(mode)))
        string_copy(mode, "halt", sizeof(mode));
    say("What to do: this is a bug in the kernel; nothing more is written to disk. Keep these "
        "lines");
    say("(photograph, serial line), then restart the machine. On the kernel command line,");
    say("panic=reboot restarts by itself, panic=poweroff turns off, nokaslr keeps addresses.");
    say("panic: end of report (panic=%s)", mode);
    bool at_once = mode[0] == '-' || (mode[0] >= '1' && mode[0] <= '9'); // as Linux writes it
    if (string_equal(mode, "reboot") || at_once) {
        if (restart)
            restart();
        reset_by_force();
    } else if (string_equal(mode, "poweroff") && power_off) {
        power_off();
    }
    cpu_halt_forever();
}

static void __attribute__((noreturn))
panic_list(const struct trap_frame *f, uint64_t frame_pointer, const char *format, va_list list)
{
    uint32_t me = cpu_number() + 1, nobody = 0;
    (void)irq_save();
    if (!__atomic_compare_exchange_n(&reporter, &nobody, me, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED)) {
        if (nobody != me) { // another CPU is at it: its NMI will come
            report_fill(&reports[me - 1], f, frame_pointer);
            cpu_halt_forever();
        }
        say("panic: and another one while reporting it%s", f ? ":" : "");
        if (f)
            say_registers(f);
        cpu_halt_forever();
    }
    panic_active = true;
    spin_checks_end();

    char text[224];
    vsnprintf(text, sizeof(text), format, list);
    say("panic: %s", text);
    if (f)
        say_registers(f);
    report_fill(&reports[me - 1], f, frame_pointer);
    say_cpu(me - 1, &reports[me - 1]);
    say_others();
    finish();
}

void panic(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    panic_list(NULL, (uint64_t)__builtin_frame_address(0), format, list);
}

void panic_trap(const struct trap_frame *f, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    panic_list(f, 0, format, list);
}

// GCC's stack protector calls this (its guard is in boot/start.c).
void __stack_chk_fail(void) __attribute__((noreturn));
void __stack_chk_fail(void)
{
    panic("a stack frame was overwritten (stack protector)");
}
