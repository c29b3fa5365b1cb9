// SPDX-License-Identifier: GPL-3.0-or-later
// What happens on a trap: the table of gates, and the decision who handles it (trap.h).
//
// Handlers and hooks are set at boot or by drivers, each word once, and read without a lock.
#include "kernel/arch/x86_64/trap.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/extable.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/segments.h"
#include "kernel/arch/x86_64/speculation.h"
#include "kernel/arch/x86_64/syscall.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include <redox/errno.h>

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, kind; // IST number; type, privilege, present
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "the processor's layout");

enum {
    GATE_INTERRUPT = 0x8e, // present, interrupts off on entry
    GATE_FOR_USER = 0x60,  // INT3 and INTO may use it
    EXCEPTIONS = 32,
    OLD_PIC_LAST = 47,
    STUB_SIZE = 16,
};

extern char trap_stubs[], trap_stubs_guarded[]; // the second: speculation.h
static const char *stubs = trap_stubs;

void trap_dispatch(struct trap_frame *f);          // trap_entry.S calls these three
void trap_dispatch_paranoid(struct trap_frame *f); //
void trap_leave(struct trap_frame *f);             //

static struct gate gates[256] align_to(16);
static trap_handler_t handlers[256];
static err_t (*page_fault_handler)(struct trap_frame *f, uaddr_t address);
static struct trap_user_hooks hooks;
static bool nmi_unknown; // the next interrupt logs it

static const char *const exception_names[EXCEPTIONS] = {
    [TRAP_DIVIDE] = "division error",
    [TRAP_DEBUG] = "debug exception",
    [TRAP_NMI] = "non-maskable interrupt",
    [TRAP_BREAKPOINT] = "breakpoint",
    [TRAP_OVERFLOW] = "overflow",
    [TRAP_BOUND] = "bound exceeded",
    [TRAP_INVALID_OPCODE] = "invalid instruction",
    [TRAP_NO_FPU] = "FPU not available",
    [TRAP_DOUBLE_FAULT] = "double fault",
    [TRAP_INVALID_TSS] = "invalid task state",
    [TRAP_NO_SEGMENT] = "segment not present",
    [TRAP_STACK] = "stack fault",
    [TRAP_PROTECTION] = "general protection fault",
    [TRAP_PAGE_FAULT] = "page fault",
    [TRAP_FPU] = "FPU exception",
    [TRAP_ALIGNMENT] = "alignment check",
    [TRAP_MACHINE_CHECK] = "machine check",
    [TRAP_SIMD] = "SIMD exception",
};

const char *trap_name(uint64_t vector)
{
    if (vector == TRAP_SYSCALL)
        return "system call";
    if (vector >= EXCEPTIONS)
        return "interrupt";
    return exception_names[vector] ? exception_names[vector] : "reserved exception";
}

void trap_set_handler(unsigned vector, trap_handler_t handler)
{
    assert(vector < array_len(handlers) && !handlers[vector]);
    __atomic_store_n(&handlers[vector], handler, __ATOMIC_RELEASE);
}

void trap_set_page_fault_handler(err_t (*handler)(struct trap_frame *f, uaddr_t address))
{
    page_fault_handler = handler;
}

void trap_set_user_hooks(const struct trap_user_hooks *h)
{
    hooks = *h;
    syscall_hook = h->system_call;
    syscall_failed_hook = h->system_call_failed;
}

// A kernel instruction that was allowed to fault goes on at its fixup.
static bool take_fixup(struct trap_frame *f)
{
    uint64_t fixup = trap_from_user(f) ? 0 : extable_find(f->rip);
    if (fixup)
        f->rip = fixup;
    return fixup != 0;
}

static void panic_page_fault(const struct trap_frame *f, uint64_t address)
{
    const char *access = f->error & FAULT_EXECUTE ? "execute"
                         : f->error & FAULT_WRITE ? "write"
                                                  : "read";
    panic_trap(f, "the kernel cannot %s address %#lx (%s)", access, address,
               f->error & FAULT_PRESENT ? "not permitted"
               : address < 4096         ? "null pointer"
                                        : "nothing there");
}

static void page_fault(struct trap_frame *f)
{
    uint64_t address = cr2_read();
    if (trap_from_user(f) && address >> 47)
        f->error |= FAULT_PRESENT; // whether the kernel has something there is not the program's
    if (f->rflags & RFLAGS_IF)
        __asm__ volatile("sti" ::: "memory");
    bool answered = page_fault_handler && !panic_active;
    err_t e = answered ? page_fault_handler(f, address) : -EFAULT;
    if (e && trap_from_user(f))
        hooks.page_fault(f, address, e);
    else if (e && !take_fixup(f))
        panic_page_fault(f, address);
    __asm__ volatile("cli" ::: "memory");
}

static void exception(struct trap_frame *f)
{
    trap_handler_t handler = handlers[f->vector];
    if (f->vector == TRAP_DEBUG) {
        f->error = dr6_read();
        dr6_write(DR6_CLEAR); // the processor only adds to it
    }
    if (f->vector == TRAP_PAGE_FAULT) {
        page_fault(f);
    } else if (handler) {
        handler(f);
    } else if (trap_from_user(f)) {
        __asm__ volatile("sti" ::: "memory");
        hooks.exception(f);
        __asm__ volatile("cli" ::: "memory");
    } else if (!take_fixup(f)) {
        panic_trap(f, "%s in the kernel, error code %#lx", trap_name(f->vector), f->error);
    }
}

static void interrupt(struct trap_frame *f)
{
    trap_handler_t handler = handlers[f->vector];
    irq_begin();
    if (handler)
        handler(f);
    else if (f->vector > OLD_PIC_LAST && f->vector != VECTOR_SPURIOUS)
        log_warn_once("trap: interrupt %lu has no handler", f->vector);
    if (f->vector > OLD_PIC_LAST && f->vector != VECTOR_SPURIOUS)
        apic_end_interrupt();
    if (unlikely(__atomic_load_n(&nmi_unknown, __ATOMIC_RELAXED)))
        log_warn_once("trap: a non-maskable interrupt came and nobody knows why");
    irq_end();

    struct percpu_head *head = percpu_self();
    if (head->turn_wanted && head->preempt_count == 0)
        preempt_turn();
}

// On the way to user mode: what the thread has to do first, then a frame that IRETQ cannot refuse.
// Interrupts off at both ends. struct thread begins with its return_work (kernel/sched/thread.h).
void trap_leave(struct trap_frame *f)
{
    while (__atomic_load_n((uint32_t *)thread_current(), __ATOMIC_RELAXED) && hooks.return_work) {
        __asm__ volatile("sti" ::: "memory");
        hooks.return_work(f);
        __asm__ volatile("cli" ::: "memory");
    }
    f->cs = SELECTOR_USER_CODE;
    f->ss = SELECTOR_USER_DATA;
    f->rflags = (f->rflags & ~(uint64_t)RFLAGS_IOPL) | RFLAGS_IF | RFLAGS_ONE;
    if (f->rip >> 47)
        f->rip = 0x00007ffffffff000; // not the user's either: faults, but in user mode
}

void trap_dispatch(struct trap_frame *f)
{
    if (f->vector < EXCEPTIONS)
        exception(f);
    else
        interrupt(f);
    if (trap_from_user(f))
        trap_leave(f);
}

static void double_fault(const struct trap_frame *f)
{
    uint64_t address = cr2_read();
    bool overflow = f->rsp - address < 2 * KERNEL_STACK_BYTES || address - f->rsp < 4096;
    panic_trap(f, "double fault%s, last page fault at %#lx",
               overflow ? ": the kernel stack overflowed" : "", address);
}

// Bank registers of Intel SDM volume 3, 16.3. The first bank that says something is reported.
static void machine_check(const struct trap_frame *f)
{
    unsigned banks = msr_read(MSR_MCG_CAP) & 0xff, bank = 0;
    while (bank + 1 < banks && !(msr_read(MSR_MC0_STATUS + 4 * bank) >> 63))
        bank++;
    panic_trap(f, "machine check: the hardware reports an error, bank %u says %#lx, status %#lx",
               bank, msr_read(MSR_MC0_STATUS + 4 * bank), msr_read(MSR_MCG_STATUS));
}

// On an IST stack, perhaps inside any other code of the kernel: nothing here sleeps, faults, or
// takes a lock; so it does not log either.
void trap_dispatch_paranoid(struct trap_frame *f)
{
    if (f->vector == TRAP_NMI && panic_active)
        panic_stop_cpu(f);
    if (f->vector == TRAP_DOUBLE_FAULT)
        double_fault(f);
    if (f->vector == TRAP_MACHINE_CHECK)
        machine_check(f);
    if (handlers[f->vector])
        handlers[f->vector](f);
    else if (f->vector == TRAP_NMI)
        __atomic_store_n(&nmi_unknown, true, __ATOMIC_RELAXED);
    // A debug exception in the kernel is a program's breakpoint that a MOV SS delayed: ignored.
    if (f->vector == TRAP_DEBUG)
        dr6_write(DR6_CLEAR);
}

static void gate_set(unsigned vector, uint8_t stack, uint8_t kind)
{
    uint64_t entry = (uint64_t)stubs + vector * STUB_SIZE;
    gates[vector] = (struct gate){
        .offset_low = (uint16_t)entry,
        .selector = SELECTOR_KERNEL_CODE,
        .stack = stack,
        .kind = kind,
        .offset_middle = (uint16_t)(entry >> 16),
        .offset_high = (uint32_t)(entry >> 32),
    };
}

static void gates_init(void)
{
    for (unsigned vector = 0; vector < 256; vector++)
        gate_set(vector, 0, GATE_INTERRUPT);
    gate_set(TRAP_BREAKPOINT, 0, GATE_INTERRUPT | GATE_FOR_USER);
    gate_set(TRAP_OVERFLOW, 0, GATE_INTERRUPT | GATE_FOR_USER);
    gate_set(TRAP_DEBUG, TRAP_STACK_DEBUG, GATE_INTERRUPT);
    gate_set(TRAP_NMI, TRAP_STACK_NMI, GATE_INTERRUPT);
    gate_set(TRAP_DOUBLE_FAULT, TRAP_STACK_DOUBLE, GATE_INTERRUPT);
    gate_set(TRAP_MACHINE_CHECK, TRAP_STACK_CHECK, GATE_INTERRUPT);
}

void trap_guard_entries(void)
{
    stubs = trap_stubs_guarded;
    gates_init();
}

void trap_init_cpu(void)
{
    struct {
        uint16_t limit;
        void *base;
    } packed_struct table = { sizeof(gates) - 1, gates };
    segments_init_cpu();
    __asm__ volatile("lidt %0" ::"m"(table) : "memory");

    enum { CPUID1_MACHINE_CHECK = 1 << 7 | 1 << 14 }; // MCE and MCA
    if ((cpuid(1, 0).d & CPUID1_MACHINE_CHECK) == CPUID1_MACHINE_CHECK)
        cr4_write(cr4_read() | CR4_MCE);
}

void trap_init(void)
{
    gates_init();
    trap_init_cpu();
}
