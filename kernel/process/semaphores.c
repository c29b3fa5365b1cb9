// SPDX-License-Identifier: GPL-3.0-or-later
// Sets of semaphores (semaphores.h): the table of them, and what is asked of one.
#include "kernel/memory/heap.h"
#include "kernel/process/process.h"
#include "kernel/process/semaphores_inside.h"
#include "lib/string.h"
#include <redox/errno.h>

static struct ipc_table sets;
static uint32_t semaphore_count; // of all sets; atomic

void semaphores_init(void)
{
    ipc_table_init(&sets, SEMAPHORE_SETS_MAX);
}

static struct semaphores *set_of(struct ipc *o)
{
    return (struct semaphores *)o;
}

static size_t set_size(unsigned count)
{
    return sizeof(struct semaphores) + count * sizeof(struct semaphore);
}

void semaphores_put(struct semaphores *s)
{
    if (!s || !ipc_drop(&s->ipc))
        return;
    __atomic_fetch_sub(&semaphore_count, s->count, __ATOMIC_RELAXED);
    ipc_discharge(s->account, set_size(s->count));
    heap_free(s);
}

static err_t set_make(unsigned count, struct semaphores **made)
{
    struct scheme_account *account = ipc_charge(set_size(count));
    if (!account)
        return -ENOSPC;
    struct semaphores *s = heap_alloc(set_size(count));
    if (!s) {
        ipc_discharge(account, set_size(count));
        return -ENOMEM;
    }
    s->ipc.references = 1;
    s->account = account;
    s->count = count;
    s->change_time = ipc_now();
    spin_init(&s->lock, RANK_QUEUE);
    list_init(&s->several);
    list_init(&s->undos);
    for (unsigned i = 0; i < count; i++) {
        list_init(&s->all[i].more);
        list_init(&s->all[i].zero);
    }
    if (__atomic_add_fetch(&semaphore_count, count, __ATOMIC_RELAXED) > SEMAPHORES_TOTAL) {
        semaphores_put(s);
        return -ENOSPC;
    }
    *made = s;
    return 0;
}

static err_t check_found(const struct semaphores *s, uint64_t count, unsigned flags, unsigned mode)
{
    if ((flags & IPC_MAKE) && (flags & IPC_MAKE_ONLY))
        return -EEXIST;
    if (count > s->count)
        return -EINVAL;
    return ipc_access(&s->ipc, (mode | mode >> 3 | mode >> 6) & 7);
}

err_t semaphores_get(int32_t key, uint64_t count, unsigned flags, unsigned mode, int *id)
{
    struct semaphores *fresh = NULL;
    bool may_make = !key || (flags & IPC_MAKE);
    if (count > SEMAPHORES_MAX)
        return -EINVAL;
    err_t e = may_make && count ? set_make((unsigned)count, &fresh) : 0;
    if (e == -ENOMEM)
        return e;
    mutex_lock(&sets.lock);
    struct semaphores *s = key ? set_of(ipc_find_key(&sets, key)) : NULL;
    if (s) {
        e = check_found(s, count, flags, mode);
    } else if (!may_make) {
        e = -ENOENT;
    } else if (!fresh) {
        e = e ? e : -EINVAL;
    } else {
        e = ipc_add(&sets, &fresh->ipc, key, mode & 0777);
        s = fresh;
    }
    if (!e)
        *id = s->ipc.id;
    if (!e && s == fresh)
        fresh = NULL;
    mutex_unlock(&sets.lock);
    semaphores_put(fresh);
    return e;
}

// With a reference and the right to do that. -EINVAL, -EACCES.
static err_t set_hold(int id, unsigned wanted, struct semaphores **set)
{
    struct semaphores *s = set_of(ipc_hold(&sets, id));
    if (!s)
        return -EINVAL;
    err_t e = ipc_access(&s->ipc, wanted);
    if (e)
        semaphores_put(s);
    *set = s;
    return e;
}

// The list of who waits where this change does.
static struct list *place_of(struct semaphores *s, const struct change *c)
{
    struct semaphore *m = &s->all[c->steps[0].number];
    return c->count > 1 ? &s->several : c->steps[0].change ? &m->more : &m->zero;
}

static err_t change_or_wait(struct semaphores *s, struct change *c, nanos_t deadline)
{
    spin_lock(&s->lock);
    int e = s->removed ? -EIDRM : semaphores_try(s, c);
    if (!e) {
        semaphores_settle(s, c->steps, c->count);
    } else if (e > 0) {
        ipc_wait_begin(&c->wait, place_of(s, c));
        e = ipc_sleep(&c->wait, &s->lock, deadline);
        if (!e)
            e = c->wait.result;
        else if (e == -ETIMEDOUT)
            e = -EAGAIN;
    }
    spin_unlock(&s->lock);
    return e;
}

err_t semaphores_change(int id, const struct semaphore_step *steps, size_t count, nanos_t deadline)
{
    struct change c = { .steps = steps, .count = count, .process = process_current()->number };
    struct semaphores *s;
    bool alters = false, undoes = false;
    unsigned most = 0;
    for (size_t i = 0; i < count; i++) {
        alters |= steps[i].change != 0;
        undoes |= steps[i].flags & SEMAPHORE_UNDO;
        most = max_of(most, (unsigned)steps[i].number);
    }
    err_t e = set_hold(id, 0, &s);
    if (e)
        return e;
    e = most >= s->count ? -EFBIG : ipc_access(&s->ipc, alters ? IPC_WRITE : IPC_READ);
    if (!e && undoes)
        e = undo_get(s, &c.undo);
    if (!e)
        e = change_or_wait(s, &c, deadline);
    semaphores_put(s);
    return e;
}

err_t semaphores_remove(int id)
{
    mutex_lock(&sets.lock);
    struct semaphores *s = set_of(ipc_find(&sets, id));
    err_t e = s ? ipc_owns(&s->ipc) : -EINVAL;
    if (!e)
        ipc_remove(&sets, &s->ipc);
    mutex_unlock(&sets.lock);
    if (e)
        return e;
    spin_lock(&s->lock);
    s->removed = true;
    semaphores_end_waits(s);
    undos_end(s);
    spin_unlock(&s->lock);
    semaphores_put(s);
    return 0;
}

err_t semaphores_set_owner(int id, const struct ipc_owner *owner)
{
    mutex_lock(&sets.lock);
    struct semaphores *s = set_of(ipc_find(&sets, id));
    err_t e = s ? ipc_set(&s->ipc, owner) : -EINVAL;
    if (!e)
        s->change_time = ipc_now();
    mutex_unlock(&sets.lock);
    return e;
}

err_t semaphores_status(int id, bool by_place, bool any, struct semaphores_status *status)
{
    mutex_lock(&sets.lock);
    struct semaphores *s = set_of(!by_place ? ipc_find(&sets, id)
                                  : id >= 0 ? ipc_at(&sets, (unsigned)id)
                                            : NULL);
    err_t e = !s ? -EINVAL : any ? 0 : ipc_access(&s->ipc, IPC_READ);
    if (!e)
        *status = (struct semaphores_status){ .ipc = s->ipc,
                                              .count = s->count,
                                              .used_time = s->used_time,
                                              .change_time = s->change_time };
    mutex_unlock(&sets.lock);
    return e;
}

void semaphores_totals(struct semaphores_totals *totals)
{
    mutex_lock(&sets.lock);
    *totals = (struct semaphores_totals){
        .sets = sets.count,
        .semaphores = __atomic_load_n(&semaphore_count, __ATOMIC_RELAXED),
        .last_place = ipc_last_place(&sets),
    };
    mutex_unlock(&sets.lock);
}

// How many wait for this semaphore to grow, or to be 0 (the last two of a status).
static void count_waiting(struct list *waiting, unsigned number, struct semaphore_status *status)
{
    list_for_each (link, waiting) {
        const struct change *c = list_entry(link, struct change, wait.link);
        const struct semaphore_step *step = &c->steps[c->blocked_by];
        if (step->number == number)
            ++*(step->change ? &status->wait_more : &status->wait_zero);
    }
}

// With the set's lock, which is given up where it fails. -EIDRM, -EINVAL: no such semaphore.
static err_t lock_one(struct semaphores *s, unsigned number)
{
    spin_lock(&s->lock);
    err_t e = s->removed ? -EIDRM : number >= s->count ? -EINVAL : 0;
    if (e)
        spin_unlock(&s->lock);
    return e;
}

err_t semaphore_look(int id, unsigned number, struct semaphore_status *status)
{
    struct semaphores *s;
    err_t e = set_hold(id, IPC_READ, &s);
    if (e)
        return e;
    e = lock_one(s, number);
    if (!e) {
        struct semaphore *m = &s->all[index_clamp(number, s->count)];
        *status = (struct semaphore_status){ .value = m->value, .last = m->last };
        count_waiting(&m->more, number, status);
        count_waiting(&m->zero, number, status);
        count_waiting(&s->several, number, status);
        spin_unlock(&s->lock);
    }
    semaphores_put(s);
    return e;
}

err_t semaphore_set(int id, unsigned number, int32_t value)
{
    struct semaphores *s;
    if (value < 0 || value > SEMAPHORE_VALUE_MAX)
        return -ERANGE;
    err_t e = set_hold(id, IPC_WRITE, &s);
    if (e)
        return e;
    e = lock_one(s, number);
    if (!e) {
        number = (unsigned)index_clamp(number, s->count);
        struct semaphore_step step = { .number = (uint16_t)number };
        s->all[number].value = value;
        s->all[number].last = process_current()->number;
        undos_clear(s, number);
        semaphores_settle(s, &step, 1);
        s->change_time = ipc_now();
        spin_unlock(&s->lock);
    }
    semaphores_put(s);
    return e;
}

err_t semaphores_read(int id, uint16_t *values, unsigned count)
{
    struct semaphores *s;
    err_t e = set_hold(id, IPC_READ, &s);
    if (e)
        return e;
    e = lock_one(s, 0);
    if (!e) {
        for (unsigned i = 0; i < min_of(count, s->count); i++)
            values[i] = (uint16_t)s->all[i].value;
        spin_unlock(&s->lock);
    }
    semaphores_put(s);
    return e;
}

err_t semaphores_write(int id, const uint16_t *values, unsigned count)
{
    struct semaphores *s;
    for (unsigned i = 0; i < count; i++)
        if (values[i] > SEMAPHORE_VALUE_MAX)
            return -ERANGE;
    err_t e = set_hold(id, IPC_WRITE, &s);
    if (e)
        return e;
    e = lock_one(s, 0);
    if (!e) {
        for (unsigned i = 0; i < min_of(count, s->count); i++) {
            s->all[i].value = values[i];
            s->all[i].last = process_current()->number;
        }
        undos_clear_all(s);
        semaphores_settle_all(s);
        s->change_time = ipc_now();
        spin_unlock(&s->lock);
    }
    semaphores_put(s);
    return e;
}
