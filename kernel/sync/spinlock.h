// SPDX-License-Identifier: GPL-3.0-or-later
// Spin locks: short sections that never sleep. Fair (first come, first served),
// but in a virtual machine, where the one whose turn it is may be stopped.
//
//   static struct spinlock lock = SPINLOCK_INIT(RANK_LEAF);
//   spin_lock(&lock); ... spin_unlock(&lock);                        threads only
//   uint64_t flags = spin_lock_irq(&lock); ... spin_unlock_irq(&lock, flags);
//                                                                    any context
//   spin_lock_off(&lock); ... spin_unlock_off(&lock);                interrupts are off anyway
//
// A lock that an interrupt handler takes is taken with interrupts off everywhere. Preemption is
// off while a lock is held. Debug builds check rank, owner, and that a lock used in interrupts is
// never taken with interrupts on; the first violation panics and names both ranks. Tests:
// kernel/sync/test.
#pragma once
#include "kernel/arch/x86_64/atomic.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/sync/lock_rank.h"

struct spinlock {
    uint32_t next, serving; // ticket drawn last, ticket served now
    uint8_t rank;           // enum lock_rank
#ifdef CONFIG_DEBUG
    uint8_t used_in_irq, used_irqs_on; // seen so far; both set is a bug
    int32_t owner;                     // CPU number + 1; 0: free
#endif
};

#define SPINLOCK_INIT(lock_rank) \
    {                            \
        .rank = (lock_rank)      \
    }

// Takes a lock that nobody holds or waits for.
static force_inline bool spin_take_free(struct spinlock *l)
{
    uint32_t serving = __atomic_load_n(&l->serving, __ATOMIC_ACQUIRE);
    return __atomic_compare_exchange_n(&l->next, &serving, serving + 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

// Only the holder writes `serving`, so it needs no locked instruction; one plain one releases.
static force_inline void spin_release(struct spinlock *l)
{
    atomic_step_release(&l->serving);
}

void spin_wait(struct spinlock *l); // until it is taken; for spin_lock() only

void spin_init(struct spinlock *l, enum lock_rank rank);
#if defined(CONFIG_DEBUG) || defined(HOST_TEST)
void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);
uint64_t spin_lock_irq(struct spinlock *l) must_check; // interrupts off; returns the old flags
void spin_unlock_irq(struct spinlock *l, uint64_t flags);
void spin_lock_off(struct spinlock *l);
bool spin_try_off(struct spinlock *l) must_check;
void spin_unlock_off(struct spinlock *l);
#else // a few instructions each, and there is hardly a system call without some
static force_inline void spin_lock(struct spinlock *l)
{
    preempt_off();
    if (unlikely(!spin_take_free(l)))
        spin_wait(l);
}

static force_inline void spin_unlock(struct spinlock *l)
{
    spin_release(l);
    preempt_on();
}

static force_inline must_check uint64_t spin_lock_irq(struct spinlock *l)
{
    uint64_t flags = irq_save();
    spin_lock(l);
    return flags;
}

// Interrupts come back before preemption does, so that preempt_on() may take the turn that is due.
static force_inline void spin_unlock_irq(struct spinlock *l, uint64_t flags)
{
    spin_release(l);
    irq_restore(flags);
    preempt_on();
}

// Who has interrupts off cannot be preempted either: nothing is counted.
static force_inline void spin_lock_off(struct spinlock *l)
{
    if (unlikely(!spin_take_free(l)))
        spin_wait(l);
}

static force_inline must_check bool spin_try_off(struct spinlock *l)
{
    return spin_take_free(l);
}

static force_inline void spin_unlock_off(struct spinlock *l)
{
    spin_release(l);
}
#endif
bool spin_try(struct spinlock *l) must_check;
void spin_lock_nested(struct spinlock *l); // a second lock of the same rank; order by address

// True when this CPU holds the lock (always true in release builds). For assertions.
bool spin_held(const struct spinlock *l);

// How many spin locks this CPU holds (0 in release builds). For may-sleep checks.
unsigned spin_held_count(void);

// panic() ends all checks: its way out may break every order.
void spin_checks_end(void);
