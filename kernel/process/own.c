// SPDX-License-Identifier: GPL-3.0-or-later
// A process that stops sharing: descriptors and place of its own from here on. Guards: p->lock for
// the pointers. Only a process with one task does that, so nobody else uses what it lets go.
#include "kernel/process/internal.h"

static bool is_alone(struct process *p)
{
    return __atomic_load_n(&p->task_count, __ATOMIC_ACQUIRE) == 1;
}

err_t process_own_descriptors(void)
{
    struct process *p = process_current();
    struct descriptors *fresh, *old = p->descriptors;
    if (!is_alone(p))
        return -EINVAL;
    if (!descriptors_shared(old))
        return 0;
    err_t e = descriptors_copy(old, &fresh);
    if (e)
        return e;
    uint64_t flags = spin_lock_irq(&p->lock);
    p->descriptors = fresh;
    spin_unlock_irq(&p->lock, flags);
    descriptors_put(old);
    return 0;
}

err_t process_own_place(void)
{
    struct process *p = process_current();
    struct place *old = p->place;
    if (!is_alone(p))
        return -EINVAL;
    if (__atomic_load_n(&old->references, __ATOMIC_ACQUIRE) == 1)
        return 0;
    struct place *fresh = place_copy(old);
    if (!fresh)
        return -ENOMEM;
    uint64_t flags = spin_lock_irq(&p->lock);
    p->place = fresh;
    spin_unlock_irq(&p->lock, flags);
    place_put(old);
    return 0;
}
