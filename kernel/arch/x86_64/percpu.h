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

// Start of each CPU's area; entry code and offsets in assembly rely on the first five members.
struct percpu_head {
    struct percpu_head *self; // gs:0
    uint64_t user_stack;      // gs:8   scratch of the system call entry
    uint64_t kernel_stack;    // gs:16  top of the current thread's kernel stack
    struct thread *current;   // gs:24  the running thread
    uint32_t preempt_count;   // gs:32  0: may be preempted (preempt.h)
    bool turn_wanted;         // gs:36  a turn is due as soon as preempt_count reaches 0
    uint32_t number;          // gs:40  0 is the boot CPU
    uint32_t apic_id;         // gs:44
    uint64_t offset;          // gs:48  from the boot CPU's area to this one
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
