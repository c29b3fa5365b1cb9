// SPDX-License-Identifier: GPL-3.0-or-later
// Timers: for each CPU a tree ordered by deadline, and one hardware timer armed for the earliest of
// its first timer, the ring's hop, and the end of its time slot where there are slots (slot.h).
// Owns the trees; each tree's lock guards it.
//
// A timer's `cpu` says who may touch the rest: -1 nobody has it, n the holder of tree n's lock,
// -2 the CPU that took it out (interrupts off until it puts it back or sets -1).
//
// The hardware is armed lazily: when the earliest deadline moves later, the interrupt is left to
// come and finds nothing due. timer_settle() corrects that before a CPU sleeps.
#include "kernel/sched/timer.h"
#include "kernel/arch/x86_64/clock_hw.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/console/panic.h"
#include "kernel/sched/slot.h"

enum { TIMER_NONE = -1, TIMER_CLAIMED = -2 };
#define NEVER ((nanos_t)INT64_MAX)

struct timer_tree {
    struct spinlock lock; // RANK_TIMER
    struct rb_tree tree;
    struct timer *running; // its callback runs (atomic)
    nanos_t ring_at;       // only this CPU, interrupts off, as the next two
    nanos_t slot_at;       // NEVER: asleep, or no slots
    nanos_t armed;         // what the hardware is armed for
};

static DEFINE_PERCPU(struct timer_tree, timer_trees);
static void (*ring_hook)(nanos_t now);

nanos_t clock_now(void)
{
    return clock_hw_now();
}

static bool before(const struct rb_node *a, const struct rb_node *b)
{
    return container_of(a, struct timer, node)->deadline <
           container_of(b, struct timer, node)->deadline;
}

static nanos_t tree_first(const struct timer_tree *t)
{
    struct rb_node *n = rb_first(&t->tree);
    return n ? container_of(n, struct timer, node)->deadline : NEVER;
}

static nanos_t earliest(const struct timer_tree *t)
{
    return min_of(tree_first(t), min_of(t->ring_at, t->slot_at));
}

// Arms the hardware when something is due earlier than what it is armed for.
static void program(struct timer_tree *t)
{
    nanos_t first = earliest(t);
    if (first >= t->armed)
        return;
    t->armed = first;
    timer_hw_arm(first);
}

void timer_settle(void)
{
    struct timer_tree *t = &this_cpu(timer_trees);
    t->slot_at = NEVER;
    spin_lock(&t->lock);
    nanos_t first = earliest(t);
    if (first != t->armed) {
        t->armed = first;
        timer_hw_arm(first);
    }
    spin_unlock(&t->lock);
}

void timer_arm_ring(nanos_t at)
{
    struct timer_tree *t = &this_cpu(timer_trees);
    t->ring_at = at;
    if (t->slot_at == NEVER)
        t->slot_at = slot_end();
    at = min_of(at, t->slot_at);
    if (at < t->armed) {
        t->armed = at;
        timer_hw_arm(at);
    }
}

void timer_set_ring_hook(void (*fired)(nanos_t now))
{
    ring_hook = fired;
}

void timer_init(struct timer *t, void (*fire)(struct timer *t), void *data)
{
    *t = (struct timer){ .fire = fire, .data = data, .cpu = TIMER_NONE };
}

// Takes the timer out of whatever tree it is in and keeps it claimed. Interrupts off. Returns
// whether it was armed.
static bool claim(struct timer *t)
{
    for (;;) {
        int32_t cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);
        if (cpu == TIMER_NONE) {
            if (__atomic_compare_exchange_n(&t->cpu, &cpu, TIMER_CLAIMED, false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_RELAXED))
                return false;
        } else if (cpu != TIMER_CLAIMED) {
            struct timer_tree *tree = cpu_ptr(timer_trees, cpu);
            spin_lock(&tree->lock);
            bool here = __atomic_load_n(&t->cpu, __ATOMIC_RELAXED) == cpu;
            if (here) {
                rb_remove(&tree->tree, &t->node);
                __atomic_store_n(&t->cpu, TIMER_CLAIMED, __ATOMIC_RELAXED);
            }
            spin_unlock(&tree->lock);
            if (here)
                return true;
        }
        cpu_relax();
    }
}

void timer_arm(struct timer *t, nanos_t deadline)
{
    assert(t->fire);
    uint64_t flags = irq_save();
    claim(t);
    t->deadline = deadline;
    struct timer_tree *tree = &this_cpu(timer_trees);
    spin_lock(&tree->lock);
    rb_insert(&tree->tree, &t->node, before);
    __atomic_store_n(&t->cpu, (int32_t)cpu_number(), __ATOMIC_RELEASE);
    program(tree);
    spin_unlock(&tree->lock);
    irq_restore(flags);
}

bool timer_cancel(struct timer *t)
{
    uint64_t flags = irq_save();
    bool armed = claim(t);
    __atomic_store_n(&t->cpu, TIMER_NONE, __ATOMIC_RELEASE);
    irq_restore(flags);
    return armed;
}

bool timer_cancel_sync(struct timer *t)
{
    bool armed = timer_cancel(t);
    if (armed)
        return true;
    uint32_t cpu = __atomic_load_n(&t->fired_on, __ATOMIC_ACQUIRE);
    while (__atomic_load_n(&cpu_ptr(timer_trees, cpu)->running, __ATOMIC_ACQUIRE) == t)
        cpu_relax();
    return false;
}

// Takes out the first timer that is due and marks it running; NULL: none.
static struct timer *take_due(struct timer_tree *tree, nanos_t now)
{
    struct timer *t = NULL;
    spin_lock(&tree->lock);
    if (tree_first(tree) <= now) {
        t = container_of(rb_first(&tree->tree), struct timer, node);
        rb_remove(&tree->tree, &t->node);
        t->fired_on = cpu_number();
        __atomic_store_n(&tree->running, t, __ATOMIC_RELAXED);
        __atomic_store_n(&t->cpu, TIMER_NONE, __ATOMIC_RELEASE);
    } else {
        __atomic_store_n(&tree->running, NULL, __ATOMIC_RELEASE);
    }
    spin_unlock(&tree->lock);
    return t;
}

static void interrupt(struct trap_frame *f)
{
    struct timer_tree *tree = &this_cpu(timer_trees);
    tree->armed = NEVER;
    nanos_t now = clock_now();
    for (struct timer *t = take_due(tree, now); t; t = take_due(tree, now))
        t->fire(t);
    if (tree->ring_at <= now) {
        tree->ring_at = NEVER;
        ring_hook(now);
    }
    bool slot_over = tree->slot_at <= now;
    if (slot_over)
        tree->slot_at = slot_end();

    spin_lock(&tree->lock);
    program(tree);
    spin_unlock(&tree->lock);
    if (slot_over)
        slot_yield(cpu_count);
}

void timer_init_cpu(void)
{
    struct timer_tree *t = &this_cpu(timer_trees);
    *t = (struct timer_tree){
        .tree = RB_TREE_INIT, .ring_at = NEVER, .slot_at = NEVER, .armed = NEVER
    };
    spin_init(&t->lock, RANK_TIMER);
    if (cpu_number() != 0)
        return;
    slot_init();
    trap_set_handler(VECTOR_TIMER, interrupt);
}
