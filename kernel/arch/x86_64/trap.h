// SPDX-License-Identifier: GPL-3.0-or-later
// What the processor and the entry code save when something interrupts the normal flow, and who
// gets told.
//
// All 256 vectors enter through one stub table (trap_entry.S) that builds a struct trap_frame and
// calls trap_dispatch(). A system call builds the same frame (syscall_entry.S), so signal delivery,
// tracing, fork and the panic report know only one layout. Frames from user mode stand at the very
// top of the thread's kernel stack: trap_user_frame() finds them without a pointer.
//
// Vectors 0-31 are exceptions, 32-47 are kept free for the old PIC's stray interrupts, devices get
// 48-0xdf, and the fixed ones above have a name each. Interrupt handlers run with interrupts off
// between irq_begin() and irq_end() (preempt.h); after the outermost, trap_dispatch() takes a turn
// that became due and, on the way to user mode, calls the user-return hook (signals).
#pragma once
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/preempt.h"

struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx; // what C preserves: at the lowest addresses
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector; // system call: TRAP_SYSCALL
    uint64_t error;  // error code; system call: its number (what rax held); debug exception: DR6
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == 22 * 8, "entry code builds this");

enum {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_NMI = 2,
    TRAP_BREAKPOINT = 3,
    TRAP_OVERFLOW = 4,
    TRAP_BOUND = 5,
    TRAP_INVALID_OPCODE = 6,
    TRAP_NO_FPU = 7,
    TRAP_DOUBLE_FAULT = 8,
    TRAP_INVALID_TSS = 10,
    TRAP_NO_SEGMENT = 11,
    TRAP_STACK = 12,
    TRAP_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_FPU = 16,
    TRAP_ALIGNMENT = 17,
    TRAP_MACHINE_CHECK = 18,
    TRAP_SIMD = 19,

    VECTOR_DEVICE_FIRST = 48,
    VECTOR_DEVICE_LAST = 0xdf,
    VECTOR_TIMER = 0xe0,     // local APIC timer
    VECTOR_TURN = 0xe1,      // the wake-up IPI: the scheduler's turn
    VECTOR_SHOOTDOWN = 0xe2, // TLB requests
    VECTOR_CALL = 0xe3,      // run a function on this CPU
    VECTOR_ERROR = 0xe4,     // local APIC error
    VECTOR_SPURIOUS = 0xff,

    TRAP_SYSCALL = 0x100, // in frame->vector only
};

// Segment selectors; the order is what SYSCALL and SYSRET need.
enum {
    SELECTOR_KERNEL_CODE = 0x08,
    SELECTOR_KERNEL_DATA = 0x10,
    SELECTOR_USER_CODE32 = 0x18,
    SELECTOR_USER_DATA = 0x20 | 3,
    SELECTOR_USER_CODE = 0x28 | 3,
    SELECTOR_TSS = 0x30,
};

static inline bool trap_from_user(const struct trap_frame *f)
{
    return (f->cs & 3) == 3;
}

// Page fault error code bits.
enum {
    FAULT_PRESENT = 1 << 0,
    FAULT_WRITE = 1 << 1,
    FAULT_USER = 1 << 2,
    FAULT_RESERVED = 1 << 3,
    FAULT_EXECUTE = 1 << 4,
};

// Argument n (0..5) of the system call the frame stands for, and where its result goes.
static inline uint64_t trap_argument(const struct trap_frame *f, unsigned n)
{
    switch (n) {
    case 0:
        return f->rdi;
    case 1:
        return f->rsi;
    case 2:
        return f->rdx;
    case 3:
        return f->r10;
    case 4:
        return f->r8;
    default:
        return f->r9;
    }
}

// The same, for a call that stands for another one.
static inline void trap_set_arguments(struct trap_frame *f, const uint64_t arguments[5])
{
    f->rdi = arguments[0];
    f->rsi = arguments[1];
    f->rdx = arguments[2];
    f->r10 = arguments[3];
    f->r8 = arguments[4];
}

// Makes the system call of the frame happen once more: back to its two-byte instruction, with its
// number.
static inline void trap_repeat_call(struct trap_frame *f)
{
    f->rax = f->error;
    f->rip -= 2;
}

static inline uint64_t trap_stack_pointer(const struct trap_frame *f)
{
    return f->rsp;
}

// A new program's registers: all zero but where it starts and its stack.
static inline void trap_start_program(struct trap_frame *f, uint64_t entry, uint64_t stack_pointer)
{
    *f = (struct trap_frame){
        .rip = entry,
        .rsp = stack_pointer,
        .cs = SELECTOR_USER_CODE,
        .ss = SELECTOR_USER_DATA,
        .rflags = RFLAGS_IF,
    };
}

static inline void trap_set_result(struct trap_frame *f, int64_t result)
{
    f->rax = (uint64_t)result;
}

// "page fault", "interrupt", ...
const char *trap_name(uint64_t vector);

// A handler for one vector: interrupts off, must not sleep. Exceptions from user mode and page
// faults whose interrupted code had interrupts on are handled with interrupts on again.
typedef void (*trap_handler_t)(struct trap_frame *f);

// Sets the handler of a vector. One handler a vector; setting it twice is a bug. Exceptions without
// a handler that come from kernel mode panic.
void trap_set_handler(unsigned vector, trap_handler_t handler);

// The memory room's answer to a page fault: 0 when it is settled and the instruction may run again.
// May sleep if the interrupted code could. On an error the exception-table entry of the faulting
// kernel instruction is taken (user_memory.c), or the user thread gets its signal, or the kernel
// panics.
void trap_set_page_fault_handler(err_t (*handler)(struct trap_frame *f, uaddr_t address));

// The process room's hooks.
struct trap_user_hooks {
    // An exception in user mode that nothing else settled.
    void (*exception)(struct trap_frame *f);
    // A page fault in user mode, and why the handler did not settle it.
    void (*page_fault)(struct trap_frame *f, uaddr_t address, err_t reason);
    // On the way back to user mode when the thread's return_work flag is set; interrupts on, may
    // sleep.
    void (*return_work)(struct trap_frame *f);
    // A system call of the calling thread `t`, interrupts on: its result. Who gives the program
    // other registers than that clears f->vector.
    int64_t (*system_call)(struct trap_frame *f, struct thread *t);
    int64_t (*system_call_failed)(struct trap_frame *f, int64_t result); // as the program sees it
};
void trap_set_user_hooks(const struct trap_user_hooks *hooks); // system_call also into syscall.h

// Builds the boot CPU's GDT, TSS and IDT with IST stacks for NMI, double fault, machine check, and
// loads them; trap_init_cpu() does so on each other CPU.
void trap_init(void);
void trap_init_cpu(void);

enum { KERNEL_STACK_SIZE = 16 * 1024 }; // debug builds with KASAN: twice that
enum { KERNEL_STACK_SIZE_DEBUG = 32 * 1024 };
#ifdef CONFIG_DEBUG
#define KERNEL_STACK_BYTES KERNEL_STACK_SIZE_DEBUG
#else
#define KERNEL_STACK_BYTES KERNEL_STACK_SIZE
#endif

// The frame of the current entry from user mode, at the top of the kernel stack that ends at `top`.
static inline struct trap_frame *trap_user_frame(uint64_t top)
{
    return (struct trap_frame *)top - 1;
}

// Leaves for user mode by the frame at the top of the current thread's kernel stack; runs the
// return_work hook first. Never returns. Used by new threads.
void trap_enter_user(void) __attribute__((noreturn));
