// SPDX-License-Identifier: GPL-3.0-or-later
// Variables that each CPU has its own copy of.
//
//   static DEFINE_PERCPU(uint64_t, switches);
//   this_cpu(switches)++;                       preemption off, or the count may go to a neighbour
//   total += *cpu_ptr(switches, n);
//
// The linker gathers them in one section, which serves the boot CPU in place; each other CPU gets
// an area of zeros: so no initialisers, a variable that starts as something else is set up by its
// owner on each CPU. The GS base points at the CPU's `struct percpu_head`, whose first word is the
// area's address. Nothing here needs a lock.
#pragma once
#include "lib/base.h"

enum { CPU_MAX = 64 };

struct thread;
struct space;
struct fpu_state;
struct turn_cpu;

// Start of each CPU's area; entry code and offsets in assembly rely on the first five members.
struct percpu_head {
    struct percpu_head *self; // gs:0
    uint64_t user_stack;      // gs:8   scratch of the system call entry
    uint64_t kernel_stack;    // gs:16  top of the current thread's kernel stack
    struct thread *current;   // gs:24  the running thread
    uint32_t preempt_count;   // gs:32  0: may be preempted (preempt.h)
    bool turn_wanted;         // gs:36  a turn is due as soon as preempt_count reaches 0
    bool ports;               // gs:37  user mode may use the I/O ports (switch.h)
    bool fpu_live;            // gs:38  the registers are newer than fpu_loaded's memory (fpu.h)
    uint32_t number;          // gs:40  0 is the boot CPU
    uint32_t apic_id;         // gs:44
    uint64_t offset;          // gs:48  from the boot CPU's area to this one
    uint64_t system_cycles;   // gs:56  of system calls, all threads'
    // What each switch between programs touches.
    struct space *space;          // gs:64  of the running thread; NULL: a kernel thread
    struct space *space_loaded;   // gs:72  in CR3; NULL: the kernel's own table
    struct fpu_state *fpu_loaded; // gs:80  whose registers they are, used since or not
    void *task_stack;      // gs:88  where the processor finds the stack for user mode's traps
    struct turn_cpu *turn; // gs:96  the scheduler's (kernel/sched/turn.h)
};

#define PERCPU_SECTION             ".percpu"
#define DEFINE_PERCPU(type, name)  in_section(PERCPU_SECTION) type name
#define DECLARE_PERCPU(type, name) extern type name

extern char percpu_start[], percpu_end[]; // linker
extern char *percpu_areas[CPU_MAX];       // by CPU number; NULL: no such CPU
extern uint32_t cpu_count;                // CPUs that are running; numbers are 0 .. cpu_count - 1

// Gives the boot CPU its number and area; GS points there already (boot/start.c). First thing of
// all.
void percpu_init(void);

static force_inline struct percpu_head *percpu_self(void)
{
    struct percpu_head *head;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(head));
    return head;
}

static force_inline uint32_t cpu_number(void)
{
    uint32_t number;
    __asm__ volatile("movl %%gs:40, %0" : "=r"(number));
    return number;
}

static force_inline uint64_t percpu_offset(void)
{
    uint64_t offset;
    __asm__ volatile("mov %%gs:48, %0" : "=r"(offset));
    return offset;
}

#define percpu_at(name, offset) ((__typeof__(name) *)((uint64_t)(&(name)) + (offset)))
#define this_cpu(name)          (*percpu_at(name, percpu_offset()))
#define cpu_ptr(name, n)        percpu_at(name, ((struct percpu_head *)percpu_areas[n])->offset)

// What is read or written by one instruction, so that it need not be known on which CPU.

static force_inline struct space *percpu_space(void)
{
    struct space *s;
    __asm__ volatile("mov %%gs:64, %0" : "=r"(s));
    return s;
}

// Running and loaded.
static force_inline void percpu_set_spaces(struct space *s)
{
    __asm__ volatile("mov %0, %%gs:64\n\tmov %0, %%gs:72" ::"r"(s) : "memory");
}

static force_inline struct turn_cpu *percpu_turn(void)
{
    struct turn_cpu *c;
    __asm__ volatile("mov %%gs:96, %0" : "=r"(c));
    return c;
}

static force_inline void percpu_add_system_cycles(uint64_t cycles)
{
    __asm__ volatile("add %0, %%gs:56" ::"r"(cycles) : "memory");
}
