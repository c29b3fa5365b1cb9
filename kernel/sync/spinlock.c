// SPDX-License-Identifier: GPL-3.0-or-later
// Ticket locks, and in debug builds the checks that spinlock.h promises.
//
// The lock is free when `next` equals `serving`; both ways of taking it keep to that.
//
// Atomics in pairs: release of `serving` in spin_release() with acquire of it in spin_wait() and
// lock_is_free(), and of `next` in spin_take_free(): what the last holder wrote is seen by the
// next.
//
// Who waits with interrupts off cannot take the interrupt of a TLB request, and the lock's holder
// may be the one waiting for its answer: so the wait loop answers requests itself (smp_poll).
#include "kernel/sync/spinlock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/console/panic.h"
#include "kernel/sync/rank.h"

static bool lock_is_free(const struct spinlock *l)
{
    uint32_t serving = __atomic_load_n(&l->serving, __ATOMIC_RELAXED);
    return __atomic_load_n(&l->next, __ATOMIC_RELAXED) == serving;
}

// In a virtual machine the CPU whose turn it is may not be running, and with tickets all wait for
// it (seen: 70 % of four emulated CPUs' time). So there, whoever is awake takes the lock.
void spin_wait(struct spinlock *l)
{
    if (cpu_has(CPU_HYPERVISOR)) {
        do {
            while (!lock_is_free(l)) {
                smp_poll();
                cpu_relax();
            }
        } while (!spin_take_free(l));
        return;
    }
    uint32_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) != ticket) {
        smp_poll();
        cpu_relax();
    }
}

static force_inline void spin_acquire(struct spinlock *l)
{
    if (unlikely(!spin_take_free(l)))
        spin_wait(l);
}

#ifdef CONFIG_DEBUG
static DEFINE_PERCPU(struct rank_stack, spin_ranks);
static bool checks_ended;

void spin_checks_end(void)
{
    __atomic_store_n(&checks_ended, true, __ATOMIC_RELAXED);
}

// The first report ends all checks: panic() takes locks too.
static bool checks_claim(void)
{
    return !__atomic_exchange_n(&checks_ended, true, __ATOMIC_RELAXED);
}

static void report_order(const struct spinlock *l, const struct rank_entry *held)
{
    if (!checks_claim())
        return;
    if (held->lock == l)
        panic("lock: rank %u at %p taken twice by CPU %u", l->rank, (const void *)l, cpu_number());
    panic("lock: rank %u at %p taken under rank %u at %p", l->rank, (const void *)l, held->rank,
          held->lock);
}

static void report_use(const struct spinlock *l, const char *what)
{
    if (checks_claim())
        panic("lock: rank %u at %p %s", l->rank, (const void *)l, what);
}

// A lock that interrupts take, and a lock that is taken with interrupts on, must not be taken in
// this order: the holder of the second may be interrupted and wait for the first.
static void check_interrupt_order(const struct spinlock *l, const struct rank_stack *s)
{
    if (!l->used_irqs_on)
        return;
    for (unsigned i = 0; i < s->depth; i++) {
        const struct spinlock *held = s->entries[i].lock;
        if (held->used_in_irq && checks_claim())
            panic("lock: rank %u (also taken with interrupts on) taken under rank %u (taken in "
                  "interrupts)",
                  l->rank, held->rank);
    }
}

static void check_before(struct spinlock *l, bool nested, bool waits)
{
    if (__atomic_load_n(&checks_ended, __ATOMIC_RELAXED))
        return;

    const struct rank_stack *s = &this_cpu(spin_ranks);
    if (l->rank == 0)
        report_use(l, "was never initialised");
    if (waits) {
        const struct rank_entry *bad = rank_conflict(s, irq_depth(), l, l->rank, nested);
        if (bad != NULL)
            report_order(l, bad);
    }

    if (in_irq())
        l->used_in_irq = 1;
    else if (!irqs_off())
        l->used_irqs_on = 1;
    if (l->used_in_irq && l->used_irqs_on)
        report_use(l, "is taken in interrupts, and elsewhere with interrupts on");
    if (waits)
        check_interrupt_order(l, s);
}

static void check_taken(struct spinlock *l)
{
    // The stack has one user, but interrupts use it too.
    uint64_t flags = irq_save();
    bool pushed = rank_push(&this_cpu(spin_ranks), irq_depth(), l, l->rank);
    __atomic_store_n(&l->owner, (int32_t)cpu_number() + 1, __ATOMIC_RELAXED);
    irq_restore(flags);
    if (!pushed)
        report_use(l, "is one lock too many on this CPU");
}

static void check_release(struct spinlock *l)
{
    uint64_t flags = irq_save();
    bool held = rank_pop(&this_cpu(spin_ranks), l);
    __atomic_store_n(&l->owner, 0, __ATOMIC_RELAXED);
    irq_restore(flags);
    if (!held && !__atomic_load_n(&checks_ended, __ATOMIC_RELAXED))
        report_use(l, "released by a CPU that does not hold it");
}

bool spin_held(const struct spinlock *l)
{
    return __atomic_load_n(&checks_ended, __ATOMIC_RELAXED) ||
           __atomic_load_n(&l->owner, __ATOMIC_RELAXED) == (int32_t)cpu_number() + 1;
}

unsigned spin_held_count(void)
{
    return this_cpu(spin_ranks).depth;
}
void spin_lock(struct spinlock *l)
{
    preempt_off();
    check_before(l, false, true);
    spin_acquire(l);
    check_taken(l);
}

void spin_unlock(struct spinlock *l)
{
    check_release(l);
    spin_release(l);
    preempt_on();
}

uint64_t spin_lock_irq(struct spinlock *l)
{
    uint64_t flags = irq_save();
    spin_lock(l);
    return flags;
}

// Interrupts come back before preemption does, so that preempt_on() may take the turn that is due.
void spin_unlock_irq(struct spinlock *l, uint64_t flags)
{
    check_release(l);
    spin_release(l);
    irq_restore(flags);
    preempt_on();
}

void spin_lock_off(struct spinlock *l)
{
    debug_assert(irqs_off());
    spin_lock(l);
}

bool spin_try_off(struct spinlock *l)
{
    debug_assert(irqs_off());
    return spin_try(l);
}

void spin_unlock_off(struct spinlock *l)
{
    debug_assert(irqs_off());
    spin_unlock(l);
}
#else
void spin_checks_end(void) {}
static force_inline void check_before(struct spinlock *l, bool nested, bool waits) {}
static force_inline void check_taken(struct spinlock *l) {}
bool spin_held(const struct spinlock *l)
{
    return true;
}
unsigned spin_held_count(void)
{
    return 0;
}
#endif

void spin_init(struct spinlock *l, enum lock_rank rank)
{
    *l = (struct spinlock){ .rank = (uint8_t)rank };
}

void spin_lock_nested(struct spinlock *l)
{
    preempt_off();
    check_before(l, true, true);
    spin_acquire(l);
    check_taken(l);
}

bool spin_try(struct spinlock *l)
{
    preempt_off();
    check_before(l, false, false);
    if (spin_take_free(l)) {
        check_taken(l);
        return true;
    }
    preempt_on();
    return false;
}
