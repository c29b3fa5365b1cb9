// SPDX-License-Identifier: GPL-3.0-or-later
// Changing how a thread is scheduled: nice, class, affinity.
#include "kernel/sched/claim.h"
#include "kernel/sched/ring_queue.h"
#include "kernel/sched/turn.h"

struct change {
    enum thread_class class;
    unsigned priority;
    int nice;
    uint64_t cpus;
    void (*apply)(struct ring_item *i, const struct change *c);
};

static void apply(struct ring_item *i, void *data)
{
    const struct change *c = data;
    c->apply(i, c);
}

static void change(struct thread *t, struct change *c)
{
    uint64_t flags = spin_lock_irq(&t->lock);
    if (t->state == THREAD_NEW) {
        c->apply(&t->ring, c);
        item_work_out(&t->ring);
    } else {
        ring_item_changed(&ring, &this_turn()->core, &t->ring, apply, c, clock_now());
    }
    spin_unlock_irq(&t->lock, flags);
}

// As above, for what decides the urgency. Those whose mutexes the thread waits for inherit it.
static void change_urgency(struct thread *t, struct change *c)
{
    change(t, c);
    claim_waiter_changed(t);
}

static void apply_nice(struct ring_item *i, const struct change *c)
{
    i->nice = (int8_t)c->nice;
}

void thread_set_nice(struct thread *t, int nice)
{
    nice = max_of(-20, min_of(nice, 19));
    change_urgency(t, &(struct change){ .nice = nice, .apply = apply_nice });
}

static void apply_inherited(struct ring_item *i, const struct change *c)
{
    i->inherited = (uint8_t)c->priority;
}

void thread_lend(struct thread *t, uint8_t urgency)
{
    change(t, &(struct change){ .priority = urgency, .apply = apply_inherited });
}

static void apply_class(struct ring_item *i, const struct change *c)
{
    i->class = (uint8_t)c->class;
    i->priority = (uint8_t)c->priority;
    i->slice_left = RING_SLICE;
}

err_t thread_set_class(struct thread *t, enum thread_class class, unsigned priority)
{
    bool real_time = class == CLASS_FIFO || class == CLASS_ROUND;
    if (class > CLASS_IDLE || (real_time ? priority < 1 || priority > 99 : priority != 0))
        return -EINVAL;
    change_urgency(t,
                   &(struct change){ .class = class, .priority = priority, .apply = apply_class });
    return 0;
}

static void apply_affinity(struct ring_item *i, const struct change *c)
{
    i->allowed.word[0] = c->cpus;
}

err_t thread_set_affinity(struct thread *t, uint64_t cpus)
{
    if (!(cpus & __atomic_load_n(&ring.online.word[0], __ATOMIC_RELAXED)))
        return -EINVAL;
    change(t, &(struct change){ .cpus = cpus, .apply = apply_affinity });
    return 0;
}

uint64_t thread_affinity(const struct thread *t)
{
    return __atomic_load_n(&t->ring.allowed.word[0], __ATOMIC_RELAXED);
}
