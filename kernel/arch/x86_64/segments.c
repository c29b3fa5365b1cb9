// SPDX-License-Identifier: GPL-3.0-or-later
// Each CPU's descriptor table and task state segment, and the stacks that the processor switches to
// by itself (IST). Only the CPU itself touches its own, so there is no lock.
//
// Above the top of each IST stack stands the address of the CPU's area: the paranoid entry code
// cannot trust the GS base and finds it there (trap_entry.S).
#include "kernel/arch/x86_64/segments.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/switch.h"
#include "kernel/arch/x86_64/trap.h"

struct task_state {
    uint32_t reserved0;
    uint64_t stacks[3]; // for entry to ring 0, 1, 2
    uint64_t reserved1;
    uint64_t interrupt_stacks[7];
    uint64_t reserved2;
    uint16_t reserved3, io_bitmap;
} packed_struct;
_Static_assert(sizeof(struct task_state) == 104, "the processor's layout");

enum { PORT_COUNT = 65536 };

// The task state as it is loaded: with the map of ports behind it, in which every port is the
// user's, and a byte of ones that the processor wants at its end. Which of two places `io_bitmap`
// names decides whether the running thread has the ports: this map, or one beyond the limit.
struct task_segment {
    struct task_state state;
    uint8_t ports[PORT_COUNT / 8];
    uint8_t end;
} packed_struct;

enum {
    IO_BITMAP_ALL = offsetof(struct task_segment, ports),
    IO_BITMAP_NONE = sizeof(struct task_segment),
};

enum {
    IST_STACK_SIZE = KERNEL_STACK_BYTES / 2,
    GDT_ENTRIES = 8, // null, five segments, the TSS in two
};

struct interrupt_stack {
    char bytes[IST_STACK_SIZE];
    void *area;
    uint64_t spare;
} align_to(16);

static DEFINE_PERCPU(struct task_segment, task_segment);
static DEFINE_PERCPU(struct interrupt_stack, interrupt_stacks[TRAP_STACK_COUNT]);
static DEFINE_PERCPU(uint64_t, descriptors[GDT_ENTRIES]);

struct table_register {
    uint16_t limit;
    void *base;
} packed_struct;

static void task_segment_init(struct task_segment *segment)
{
    struct task_state *t = &segment->state;
    for (unsigned i = 0; i < TRAP_STACK_COUNT; i++) {
        struct interrupt_stack *s = &this_cpu(interrupt_stacks)[i];
        s->area = percpu_self();
        t->interrupt_stacks[i] = (uint64_t)&s->area;
    }
    t->io_bitmap = IO_BITMAP_NONE;
    percpu_self()->task_stack = (char *)t + offsetof(struct task_state, stacks);
    segment->end = 0xff;
}

// Bits of a segment descriptor: present, code or data, long mode, user.
static void descriptors_init(uint64_t *gdt, const struct task_segment *t)
{
    uint64_t base = (uint64_t)t, limit = sizeof(*t) - 1;
    gdt[SELECTOR_KERNEL_CODE / 8] = 0x00af9b000000ffff;
    gdt[SELECTOR_KERNEL_DATA / 8] = 0x00cf93000000ffff;
    gdt[SELECTOR_USER_CODE32 / 8] = 0x00cffb000000ffff;
    gdt[SELECTOR_USER_DATA / 8] = 0x00cff3000000ffff;
    gdt[SELECTOR_USER_CODE / 8] = 0x00affb000000ffff;
    gdt[SELECTOR_TSS / 8] =
        limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

void segments_init_cpu(void)
{
    uint64_t *gdt = this_cpu(descriptors);
    task_segment_init(&this_cpu(task_segment));
    descriptors_init(gdt, &this_cpu(task_segment));

    struct table_register r = { .limit = GDT_ENTRIES * 8 - 1, .base = gdt };
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1: mov %2, %%ds\n\t"
                     "mov %2, %%es\n\t"
                     "mov %2, %%ss\n\t"
                     "ltr %w3\n\t"
                     "lldt %w4" // none: programs may name its entries
                     :
                     : "m"(r), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA),
                       "r"(SELECTOR_TSS), "r"(0)
                     : "rax", "memory");
}

void arch_ports_load(bool all)
{
    percpu_self()->ports = all;
    this_cpu(task_segment).state.io_bitmap = all ? IO_BITMAP_ALL : IO_BITMAP_NONE;
}
