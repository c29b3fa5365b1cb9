// SPDX-License-Identifier: GPL-3.0-or-later
// Interrupts between CPUs: functions to run, TLB requests, the stop for a panic (smp.h).
//
// A TLB request lies in its sender's area; a bit in the receiver's `request_from` points at it.
//   stores of the request   pair with   the locked or of request_from, the receiver's exchange
//   the receiver's flush    pairs with  the locked and of `pending`, the sender's acquire load
// A CPU sends one request at a time, with preemption off and not from interrupts, so one is enough.
// Whoever finds bits in request_from already set need not send an interrupt: one is on its way.
#include "kernel/arch/x86_64/ipi.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/panic.h"

enum { COUNTED_VECTORS = 32, COUNTED_FIRST = 0xe0 };

struct tlb_request {
    phys_t top_table;
    uint64_t start, end;
    uint64_t pending; // CPUs that have not answered
};

struct call_request {
    void (*function)(void *data);
    void *data;
    uint64_t pending;
};

static DEFINE_PERCPU(uint64_t, sent[COUNTED_VECTORS]);
static DEFINE_PERCPU(struct tlb_request, tlb_request);
static DEFINE_PERCPU(uint64_t, request_from);
static struct call_request call; // of the CPU that has call_taken
static bool call_taken;

static uint64_t cpu_bit(uint32_t cpu)
{
    return 1ull << cpu;
}

static uint64_t all_cpus(void)
{
    uint32_t count = __atomic_load_n(&cpu_count, __ATOMIC_ACQUIRE);
    return count == CPU_MAX ? UINT64_MAX : cpu_bit(count) - 1;
}

static struct percpu_head *head_of(uint32_t cpu)
{
    return (struct percpu_head *)percpu_areas[cpu];
}

void ipi_send(uint32_t cpu, uint8_t vector)
{
    if (vector >= COUNTED_FIRST)
        __atomic_add_fetch(&this_cpu(sent)[vector - COUNTED_FIRST], 1, __ATOMIC_RELAXED);
    apic_send(head_of(cpu)->apic_id, APIC_FIXED | vector);
}

uint64_t ipi_sent(uint8_t vector)
{
    uint64_t total = 0;
    if (vector >= COUNTED_FIRST)
        for (uint32_t cpu = 0; cpu < cpu_count; cpu++)
            total += (*cpu_ptr(sent, cpu))[vector - COUNTED_FIRST];
    return total;
}

// What the TLB may hold of a space that is not loaded (under process-context identifiers), the
// memory room finds out about when it loads it again (space_load.c).
static void flush_local(phys_t top_table, uint64_t start, uint64_t end)
{
    if (top_table != 0 && (cr3_read() & ENTRY_ADDRESS) != top_table)
        return;
    if (end != UINT64_MAX)
        tlb_flush_range(start, end);
    else if (top_table != 0)
        tlb_flush_user();
    else
        tlb_flush_all();
}

static no_inline void answer_requests(uint64_t *from)
{
    uint64_t flags = irq_save();
    uint64_t senders = __atomic_exchange_n(from, 0, __ATOMIC_ACQ_REL);
    while (senders != 0) {
        uint32_t sender = (uint32_t)__builtin_ctzll(senders);
        senders &= senders - 1;
        struct tlb_request *r = cpu_ptr(tlb_request, sender);
        flush_local(r->top_table, r->start, r->end);
        __atomic_and_fetch(&r->pending, ~cpu_bit(cpu_number()), __ATOMIC_RELEASE);
    }
    irq_restore(flags);
}

void smp_poll(void)
{
    uint64_t *from = &this_cpu(request_from);
    if (unlikely(__atomic_load_n(from, __ATOMIC_RELAXED) != 0))
        answer_requests(from);
}

static void tlb_post(struct tlb_request *r, uint64_t others)
{
    __atomic_store_n(&r->pending, others, __ATOMIC_RELEASE);
    while (others != 0) {
        uint32_t cpu = (uint32_t)__builtin_ctzll(others);
        others &= others - 1;
        if (__atomic_fetch_or(cpu_ptr(request_from, cpu), cpu_bit(cpu_number()),
                              __ATOMIC_ACQ_REL) == 0)
            ipi_send(cpu, VECTOR_SHOOTDOWN);
    }
}

void tlb_shootdown(uint64_t cpus, phys_t top_table, uaddr_t start, uaddr_t end)
{
    debug_assert(!in_irq());
    preempt_off();
    uint64_t own = cpu_bit(cpu_number()), others = cpus & all_cpus() & ~own;
    struct tlb_request *r = &this_cpu(tlb_request);
    if (others != 0) {
        r->top_table = top_table;
        r->start = start;
        r->end = end;
        tlb_post(r, others);
    }
    if (cpus & own)
        flush_local(top_table, start, end);
    if (others != 0)
        while (__atomic_load_n(&r->pending, __ATOMIC_ACQUIRE) != 0 && !panic_active) {
            smp_poll();
            cpu_relax();
        }
    preempt_on();
}

// Interrupts stay on while waiting, so two CPUs that call each other both get on.
void ipi_call(uint64_t cpus, void (*function)(void *data), void *data)
{
    assert(!irqs_off() && !in_irq());
    preempt_off();
    uint64_t own = cpu_bit(cpu_number()), others = cpus & all_cpus() & ~own;
    if (others != 0) {
        while (__atomic_test_and_set(&call_taken, __ATOMIC_ACQUIRE))
            cpu_relax();
        call.function = function;
        call.data = data;
        __atomic_store_n(&call.pending, others, __ATOMIC_RELEASE);
        for (uint64_t left = others; left != 0; left &= left - 1)
            ipi_send((uint32_t)__builtin_ctzll(left), VECTOR_CALL);
    }
    if (cpus & own)
        function(data);
    if (others != 0) {
        while (__atomic_load_n(&call.pending, __ATOMIC_ACQUIRE) != 0)
            cpu_relax();
        __atomic_clear(&call_taken, __ATOMIC_RELEASE);
    }
    preempt_on();
}

static void call_interrupt(struct trap_frame *f)
{
    uint64_t own = cpu_bit(cpu_number());
    if (!(__atomic_load_n(&call.pending, __ATOMIC_ACQUIRE) & own))
        return;
    call.function(call.data);
    __atomic_and_fetch(&call.pending, ~own, __ATOMIC_RELEASE);
}

static void shootdown_interrupt(struct trap_frame *f)
{
    smp_poll();
}

void ipi_init(void)
{
    trap_set_handler(VECTOR_CALL, call_interrupt);
    trap_set_handler(VECTOR_SHOOTDOWN, shootdown_interrupt);
}

void ipi_stop_others(void)
{
    for (uint32_t cpu = 0; cpu < cpu_count; cpu++)
        if (cpu != cpu_number())
            apic_send(head_of(cpu)->apic_id, APIC_NMI);
}
