// SPDX-License-Identifier: GPL-3.0-or-later
// Starting the other CPUs (smp.h). Intel SDM volume 3, 9.4.4 (MP initialization).
//
// States of a slot. Only the one named takes each edge:
//
//              the CPU, set up                boot CPU
//    ASKED ---------------------> ALIVE ------------------> GO
//      |  boot CPU, in vain
//      +------------------> LATE    the CPU, should it come after all, halts
//
// A CPU gets its number with GO, when it is known who is there: numbers have no holes, and ascend
// with the order of firmware's list. Only the boot CPU writes cpu_count and percpu_areas.
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/ipi.h"
#include "kernel/arch/x86_64/needs.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/arch/x86_64/walk.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/layout.h"
#include "lib/string.h"

enum slot_state { SLOT_ASKED, SLOT_ALIVE, SLOT_LATE, SLOT_GO };

struct start_slot {
    uint32_t apic_id;
    uint32_t state; // enum slot_state
    uint64_t stack;
    struct percpu_head *area;
    uint64_t spare;
};
_Static_assert(sizeof(struct start_slot) == 32 && offsetof(struct start_slot, stack) == 8 &&
                   offsetof(struct start_slot, area) == 16,
               "trampoline.S knows these");

struct trampoline_data {
    uint16_t gdt_limit;
    uint32_t gdt_address;
    uint32_t offset_32;
    uint16_t selector_32;
    uint32_t offset_64;
    uint16_t selector_64;
    uint16_t padding;
    uint32_t top_table;
    uint32_t slot_count;
    uint32_t padding2;
    uint64_t slots, entry;
} packed_struct;

extern const char trampoline_start[], trampoline_data[], trampoline_end[];

#define ALIVE_LIMIT      (1000 * NANOS_PER_MILLI) // and ALIVE_EACH for each CPU
#define ALIVE_EACH       (50 * NANOS_PER_MILLI)
#define INIT_DELAY       (10 * NANOS_PER_MILLI) // real CPUs need it between INIT and STARTUP
#define STARTUP_PATIENCE (2 * NANOS_PER_MILLI)  // then a second STARTUP

enum { COMPARISONS = 16 }; // of the time stamps, by each CPU

static struct start_slot slots[CPU_MAX];
static unsigned slot_count;
static uint64_t tables[3][TABLE_ENTRIES] align_to(4096); // low 2 MiB, and the kernel's half
static void (*cpu_entry)(void);
static uint32_t cpus_ready; // of those that were admitted

static uint32_t slot_state(const struct start_slot *s)
{
    return __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
}

static void slot_set(struct start_slot *s, enum slot_state state)
{
    __atomic_store_n(&s->state, state, __ATOMIC_RELEASE);
}

// Where another CPU enters C: its stack and GS base are set, everything else is as at reset. It
// sleeps until it is given its number, by an interrupt that says nothing else.
static void cpu_begin(struct start_slot *s)
{
    cr3_write(memory_kernel_table());
    trap_init_cpu();
    cpu_init_secondary();
    memory_init_cpu();
    fpu_init_cpu();
    apic_init_cpu();
    clock_hw_init_cpu();
    for (unsigned i = 0; i < COMPARISONS; i++)
        clock_hw_compare();
    uint32_t asked = SLOT_ASKED;
    if (!__atomic_compare_exchange_n(&s->state, &asked, SLOT_ALIVE, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        cpu_halt_forever();
    while (slot_state(s) != SLOT_GO)
        cpu_sleep();
    cpu_set_number();
    cpu_entry();
}

static bool slot_fill(struct start_slot *s, uint32_t apic_id)
{
    struct percpu_head *area = vmap_alloc((uint64_t)(percpu_end - percpu_start));
    if (area == NULL)
        return false;
    if (stack_make(&s->stack)) {
        vmap_drop(area);
        return false;
    }
    area->self = area;
    area->apic_id = apic_id;
    area->offset = (uint64_t)area - (uint64_t)percpu_start;
    area->kernel_stack = s->stack;
    s->apic_id = apic_id;
    s->area = area;
    return true;
}

static void slots_fill(const struct platform *p)
{
    for (unsigned i = 0; i < p->cpu_count && slot_count < CPU_MAX - 1; i++) {
        uint32_t id = p->cpus[i].apic_id;
        if (id == percpu_self()->apic_id)
            continue;
        if (id > apic_id_limit())
            log_warn("smp: the CPU with APIC ID %u needs x2APIC: left out", id);
        else if (slot_fill(&slots[slot_count], id))
            slot_count++;
        else
            log_warn("smp: no memory for the CPU with APIC ID %u", id);
    }
}

// The tables must lie below 4 GiB: they are loaded in 32-bit mode. The kernel image always does.
static bool tables_make(phys_t *top)
{
    const entry_t bits = ENTRY_PRESENT | ENTRY_WRITE;
    const uint64_t *kernel = phys_to_virt(memory_kernel_table());
    memcpy(&tables[0][TABLE_ENTRIES / 2], kernel + TABLE_ENTRIES / 2, 2048);
    tables[0][0] = walk_phys(tables[1]) | bits;
    tables[1][0] = walk_phys(tables[2]) | bits;
    tables[2][0] = bits | ENTRY_LARGE;
    *top = walk_phys(tables[0]);
    return *top < GIB(4);
}

static bool trampoline_place(phys_t page)
{
    phys_t top;
    if (page == 0 || !tables_make(&top)) {
        log_warn("smp: no page below 1 MiB to start CPUs from");
        return false;
    }
    char *copy = phys_to_virt(page);
    memcpy(copy, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    struct trampoline_data *d = (void *)(copy + (trampoline_data - trampoline_start));
    d->gdt_address += (uint32_t)page;
    d->offset_32 += (uint32_t)page;
    d->offset_64 += (uint32_t)page;
    d->top_table = (uint32_t)top;
    d->slot_count = slot_count;
    d->slots = (uint64_t)slots;
    d->entry = (uint64_t)cpu_begin;
    return true;
}

// Waits until every slot has `state` or the time is over.
static bool wait_all(enum slot_state state, nanos_t limit)
{
    nanos_t deadline = clock_hw_now() + limit;
    for (;;) {
        unsigned there = 0;
        for (unsigned i = 0; i < slot_count; i++)
            there += slot_state(&slots[i]) == state;
        if (there == slot_count)
            return true;
        if (clock_hw_now() >= deadline)
            return false;
        clock_hw_compare();
        cpu_relax();
    }
}

static void send_all(uint32_t command)
{
    for (unsigned i = 0; i < slot_count; i++)
        if (slot_state(&slots[i]) == SLOT_ASKED)
            apic_send(slots[i].apic_id, command);
}

static void wake_all(phys_t page)
{
    uint32_t startup = APIC_STARTUP | (uint32_t)(page >> PAGE_SHIFT);
    send_all(APIC_INIT);
    if (!cpu_has(CPU_HYPERVISOR))
        (void)wait_all(SLOT_ALIVE, INIT_DELAY);
    send_all(startup);
    if (wait_all(SLOT_ALIVE, STARTUP_PATIENCE))
        return;
    send_all(startup);
    (void)wait_all(SLOT_ALIVE, ALIVE_LIMIT + slot_count * ALIVE_EACH);
}

// Numbers for those that came; the others will find that they are late. Their memory is kept: they
// may yet run on it.
static void admit_all(void)
{
    for (unsigned i = 0; i < slot_count; i++) {
        struct start_slot *s = &slots[i];
        uint32_t asked = SLOT_ASKED;
        if (__atomic_compare_exchange_n(&s->state, &asked, SLOT_LATE, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
            log_warn("smp: the CPU with APIC ID %u does not answer", s->apic_id);
            continue;
        }
        s->area->number = cpu_count;
        percpu_areas[cpu_count] = (char *)s->area;
        __atomic_store_n(&cpu_count, cpu_count + 1, __ATOMIC_RELEASE);
    }
    clock_hw_settle();
    for (unsigned i = 0; i < slot_count; i++)
        if (slot_state(&slots[i]) == SLOT_ALIVE) {
            slot_set(&slots[i], SLOT_GO);
            ipi_send(slots[i].area->number, VECTOR_CALL);
        }
}

void smp_ready(void)
{
    __atomic_add_fetch(&cpus_ready, 1, __ATOMIC_RELEASE);
}

// They have answered before, so there is no limit.
static void wait_ready(void)
{
    while (__atomic_load_n(&cpus_ready, __ATOMIC_ACQUIRE) != cpu_count - 1)
        cpu_relax();
}

void smp_start(const struct platform *p, void (*entry)(void))
{
    nanos_t begun = clock_hw_now();
    cpu_entry = entry;
    ipi_init();
    slots_fill(p);
    phys_t page = memory_low_page();
    if (slot_count != 0 && trampoline_place(page)) {
        wake_all(page);
        admit_all();
        wait_ready();
    }
    log_info("smp: %u of %u CPUs run, started in %lu us", cpu_count, p->cpu_count,
             (uint64_t)((clock_hw_now() - begun) / 1000));
}
