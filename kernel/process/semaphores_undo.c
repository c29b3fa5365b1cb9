// SPDX-License-Identifier: GPL-3.0-or-later
// What processes take back of their changes when they end. A process's list of undos has a spin
// lock (RANK_UNDO), under which a set's lock may be taken; an undo goes when its process ends, or
// when the process needs another one and finds that its set was removed.
#include "kernel/memory/heap.h"
#include "kernel/process/process.h"
#include "kernel/process/semaphores_inside.h"
#include <redox/errno.h>

size_t undo_size(const struct semaphores *s)
{
    return sizeof(struct undo) + s->count * sizeof(int16_t);
}

// One that is in no list any more.
static void undo_free(struct undo *u)
{
    ipc_discharge(u->account, undo_size(u->set));
    semaphores_put(u->set);
    heap_free(u);
}

static struct undos *undos_of(struct process *p)
{
    struct undos *have = __atomic_load_n(&p->undos, __ATOMIC_ACQUIRE), *none = NULL;
    if (have)
        return have;
    struct undos *fresh = heap_alloc(sizeof(*fresh));
    if (!fresh)
        return NULL;
    spin_init(&fresh->lock, RANK_UNDO);
    list_init(&fresh->list);
    if (__atomic_compare_exchange_n(&p->undos, &none, fresh, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return fresh;
    heap_free(fresh);
    return none;
}

static err_t undo_make(struct semaphores *s, struct undo **made)
{
    struct scheme_account *account = ipc_charge(undo_size(s));
    if (!account)
        return -ENOSPC;
    struct undo *u = heap_alloc(undo_size(s));
    if (!u) {
        ipc_discharge(account, undo_size(s));
        return -ENOMEM;
    }
    __atomic_fetch_add(&s->ipc.references, 1, __ATOMIC_RELAXED);
    u->set = s;
    u->account = account;
    list_init(&u->set_link);
    *made = u;
    return 0;
}

// Under the list's lock: the one for the set; NULL: none. Those of removed sets go to `dead`.
static struct undo *find_locked(struct undos *us, const struct semaphores *s, struct list *dead)
{
    struct undo *found = NULL;
    list_for_each_safe (link, &us->list) {
        struct undo *u = list_entry(link, struct undo, process_link);
        if (u->set == s) {
            found = u;
        } else if (__atomic_load_n(&u->dead, __ATOMIC_ACQUIRE)) {
            list_remove(link);
            list_push_back(dead, link);
        }
    }
    return found;
}

static void enter_locked(struct undos *us, struct semaphores *s, struct undo *u)
{
    list_push_back(&us->list, &u->process_link);
    spin_lock(&s->lock);
    u->dead = s->removed;
    if (!u->dead)
        list_push_back(&s->undos, &u->set_link);
    spin_unlock(&s->lock);
}

err_t undo_get(struct semaphores *s, struct undo **undo)
{
    struct list dead = LIST_INIT(dead);
    struct undos *us = undos_of(process_current());
    struct undo *fresh = NULL;
    if (!us)
        return -ENOMEM;
    spin_lock(&us->lock);
    *undo = find_locked(us, s, &dead);
    spin_unlock(&us->lock);
    err_t e = *undo ? 0 : undo_make(s, &fresh);
    if (fresh) {
        spin_lock(&us->lock);
        *undo = find_locked(us, s, &dead);
        if (!*undo) {
            enter_locked(us, s, fresh);
            *undo = fresh;
            fresh = NULL;
        }
        spin_unlock(&us->lock);
    }
    if (fresh)
        undo_free(fresh);
    for (struct list *link; (link = list_pop_front(&dead));)
        undo_free(list_entry(link, struct undo, process_link));
    return e;
}

void undos_clear(struct semaphores *s, unsigned number)
{
    list_for_each (link, &s->undos)
        list_entry(link, struct undo, set_link)->adjust[number] = 0;
}

void undos_clear_all(struct semaphores *s)
{
    list_for_each (link, &s->undos)
        for (unsigned i = 0; i < s->count; i++)
            list_entry(link, struct undo, set_link)->adjust[i] = 0;
}

void undos_end(struct semaphores *s)
{
    for (struct list *link; (link = list_pop_front(&s->undos));)
        __atomic_store_n(&list_entry(link, struct undo, set_link)->dead, true, __ATOMIC_RELEASE);
}

// Takes back what the undo says, within what a semaphore can hold.
static void carry_out(struct undo *u, int32_t process)
{
    struct semaphores *s = u->set;
    spin_lock(&s->lock);
    if (!u->dead) {
        list_remove(&u->set_link);
        for (unsigned i = 0; i < s->count; i++) {
            if (!u->adjust[i])
                continue;
            int32_t value = s->all[i].value + u->adjust[i];
            s->all[i].value = min_of(max_of(value, 0), SEMAPHORE_VALUE_MAX);
            s->all[i].last = process;
        }
        semaphores_settle_all(s);
        s->used_time = ipc_now();
    }
    spin_unlock(&s->lock);
}

void semaphores_exit(struct process *p)
{
    struct undos *us = p->undos;
    if (!us)
        return;
    p->undos = NULL;
    for (struct list *link; (link = list_pop_front(&us->list));) {
        struct undo *u = list_entry(link, struct undo, process_link);
        carry_out(u, p->number);
        undo_free(u);
    }
    heap_free(us);
}
