// SPDX-License-Identifier: GPL-3.0-or-later
// Which space a CPU has loaded, and whose TLBs must be told of a change.
//
// A kernel thread runs in whatever space was loaded last: leaving and coming back costs nothing.
// Such a CPU is lazy: it is told only when page tables are freed (it might walk them ahead of
// time), and on its return to the space it finds by the count of requests whether it missed some.
//
// With process-context identifiers each CPU remembers the last few spaces it had, each with the
// space's count of TLB requests at the time it was loaded.
// Pairs: space_load() sets its bit in cpus_loaded, or clears it in cpus_lazy, then reads
// tlb_generation; space_flush() raises tlb_generation, then reads both (all sequentially
// consistent): one sees the other.
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/speculation.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/space_inside.h"

enum { PCID_SLOTS = 6 };

struct space_cpu {
    uint64_t lazy_since; // count of TLB requests when it became lazy
    unsigned next_slot;
    uint32_t last_user; // of the space loaded last
    struct {
        uint64_t id, generation;
    } slots[PCID_SLOTS]; // what the TLB may hold under PCID slot + 1
};

static DEFINE_PERCPU(struct space_cpu, space_cpu);

static uint64_t this_bit(void)
{
    return 1ull << cpu_number();
}

// The PCID slot for a space; *keep: what the TLB holds under it is right.
static unsigned slot_for(struct space_cpu *c, const struct space *s, bool *keep)
{
    uint64_t generation = __atomic_load_n(&s->tlb_generation, __ATOMIC_SEQ_CST);
    unsigned slot = 0;
    while (slot < PCID_SLOTS && c->slots[slot].id != s->id)
        slot++;
    *keep = slot < PCID_SLOTS && c->slots[slot].generation == generation;
    if (slot == PCID_SLOTS)
        slot = c->next_slot++ % PCID_SLOTS;
    c->slots[slot].id = s->id;
    c->slots[slot].generation = generation;
    return slot;
}

static inline void switch_to(struct space_cpu *c, struct space *s)
{
    struct space *old = percpu_self()->space_loaded;
    uint64_t bit = this_bit();
    if (s) {
        __atomic_or_fetch(&s->cpus_loaded, bit, __ATOMIC_SEQ_CST);
        bool keep = false;
        unsigned pcid = paging_has_pcid() ? slot_for(c, s, &keep) + 1 : 0;
        paging_load(s->top_table, pcid, keep);
    } else {
        paging_load(memory_kernel_table(), 0, false);
    }
    percpu_self()->space_loaded = s;
    if (unlikely(speculation_barriers) && s) {
        speculation_switch(s->user != c->last_user);
        c->last_user = s->user;
    }
    if (!old)
        return;
    if (!space_current()) // it was lazy
        __atomic_and_fetch(&old->cpus_lazy, ~bit, __ATOMIC_SEQ_CST);
    __atomic_and_fetch(&old->cpus_loaded, ~bit, __ATOMIC_SEQ_CST);
}

static void lazy_begin(struct space_cpu *c)
{
    struct space *loaded = percpu_self()->space_loaded;
    c->lazy_since = __atomic_load_n(&loaded->tlb_generation, __ATOMIC_SEQ_CST);
    __atomic_or_fetch(&loaded->cpus_lazy, this_bit(), __ATOMIC_SEQ_CST);
}

static void lazy_end(struct space_cpu *c)
{
    struct space *loaded = percpu_self()->space_loaded;
    __atomic_and_fetch(&loaded->cpus_lazy, ~this_bit(), __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&loaded->tlb_generation, __ATOMIC_SEQ_CST) != c->lazy_since)
        tlb_flush_user();
}

void space_switch(struct space *s)
{
    struct space_cpu *c = &this_cpu(space_cpu);
    if (likely(s && s != percpu_self()->space_loaded))
        switch_to(c, s);
    else if (s && !space_current())
        lazy_end(c);
    else if (!s && space_current())
        lazy_begin(c);
    percpu_self()->space = s;
}

void space_load(struct space *s)
{
    uint64_t flags = irq_save();
    space_switch(s);
    irq_restore(flags);
}

// With interrupts off.
static void leave_here(void *space)
{
    uint64_t flags = irq_save();
    if (percpu_self()->space_loaded == space)
        switch_to(&this_cpu(space_cpu), NULL);
    irq_restore(flags);
}

void space_leave_all(struct space *s)
{
    leave_here(s);
    uint64_t others = __atomic_load_n(&s->cpus_loaded, __ATOMIC_SEQ_CST);
    if (others)
        ipi_call(others, leave_here, s);
}

void space_flush(struct space *s, uaddr_t start, uaddr_t end, bool tables_freed)
{
    __atomic_add_fetch(&s->tlb_generation, 1, __ATOMIC_SEQ_CST);
    preempt_off();
    uint64_t cpus = __atomic_load_n(&s->cpus_loaded, __ATOMIC_SEQ_CST);
    if (!tables_freed)
        cpus &= ~__atomic_load_n(&s->cpus_lazy, __ATOMIC_SEQ_CST);
    if (cpus & this_bit())
        tlb_flush_range(start, end);
    if (cpus & ~this_bit())
        tlb_shootdown(cpus & ~this_bit(), s->top_table, start, end);
    preempt_on();
}
