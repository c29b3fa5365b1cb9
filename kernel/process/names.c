// SPDX-License-Identifier: GPL-3.0-or-later
// A process's name spaces: the one in force and the one it may come back to. Guards: process.lock
// for the pointers; each holds a reference. Only the process itself changes them, and only while it
// has one task, so a caller's effective one stays while it is in the kernel.
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/process/internal.h"
#include "kernel/scheme/namespace.h"

#define KEEP UINT64_MAX

void names_inherit(struct process *p, struct process *from)
{
    uint64_t flags = spin_lock_irq(&from->lock);
    struct namespace *real = from->names_real, *effective = from->names_effective;
    namespace_get(real);
    namespace_get(effective);
    spin_unlock_irq(&from->lock, flags);
    p->names_real = real;
    p->names_effective = effective;
}

static void names_replace(struct process *p, struct namespace *real, struct namespace *effective)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    struct namespace *old_real = p->names_real, *old_effective = p->names_effective;
    p->names_real = real;
    p->names_effective = effective;
    spin_unlock_irq(&p->lock, flags);
    namespace_put(old_real);
    namespace_put(old_effective);
}

void names_drop(struct process *p)
{
    names_replace(p, NULL, NULL);
    if (p->number)
        namespace_maker_ended(p->number);
}

// The name space a process may change to, with a reference. Who is in the null one for good stays.
static err_t names_choose(struct process *p, uint64_t number, struct namespace *now,
                          struct namespace **chosen)
{
    struct credentials c;
    *chosen = number == namespace_number(p->names_real) ? p->names_real : now;
    if (number == KEEP || number == namespace_number(*chosen)) {
        namespace_get(*chosen);
        return 0;
    }
    credentials_look(p, &c);
    bool may = c.effective_user == 0 && namespace_number(p->names_real) != NAMESPACE_NULL;
    return number == NAMESPACE_NULL || may ? namespace_by_number(number, chosen) : -EPERM;
}

err_t process_set_names(uint64_t real, uint64_t effective)
{
    struct process *p = process_current();
    struct namespace *new_real, *new_effective;
    if (__atomic_load_n(&p->task_count, __ATOMIC_RELAXED) > 1)
        return -EBUSY;
    err_t e = names_choose(p, real, p->names_real, &new_real);
    if (e)
        return e;
    e = names_choose(p, effective, p->names_effective, &new_effective);
    if (e) {
        namespace_put(new_real);
        return e;
    }
    names_replace(p, new_real, new_effective);
    return 0;
}

// Names as pointer and length each, from user memory. *text holds them all.
static err_t names_in(uaddr_t at, size_t count, struct namespace_name *names, char **text)
{
    *text = heap_alloc(count * SCHEME_NAME_MAX + 1);
    if (!*text)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        uint64_t pair[2];
        char *to = *text + i * SCHEME_NAME_MAX;
        err_t e = user_copy_in(pair, at + i * sizeof(pair), sizeof(pair));
        if (!e && pair[1] > SCHEME_NAME_MAX)
            e = -EINVAL;
        if (!e)
            e = user_copy_in(to, pair[0], pair[1]);
        if (e)
            return e;
        names[i] = (struct namespace_name){ to, pair[1] };
    }
    return 0;
}

err_t process_make_names(uaddr_t at, uint64_t count, uint64_t *number)
{
    struct process *p = process_current();
    struct credentials c;
    credentials_look(p, &c);
    if (c.effective_user)
        return -EACCES;
    if (count > NAMESPACE_NAMES_MAX)
        return -EINVAL;
    char *text = NULL;
    struct namespace_name *names = heap_alloc_array(max_of(count, 1ull), sizeof(*names));
    err_t e = names ? names_in(at, count, names, &text) : -ENOMEM;
    if (!e)
        e = namespace_make(p->names_effective, names, count, p->number, number);
    heap_free(text);
    heap_free(names);
    return e;
}
