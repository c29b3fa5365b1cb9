// SPDX-License-Identifier: GPL-3.0-or-later
// See ipc.h.
#include "kernel/process/ipc.h"
#include "kernel/memory/heap.h"
#include "kernel/console/panic.h"
#include "kernel/process/process.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/user/limits.h"
#include <redox/errno.h>

enum { PLACE_BITS = 15, SEQUENCE_MAX = (1 << (31 - PLACE_BITS)) - 1 };

static void *branch_make(void)
{
    return heap_alloc(sizeof(struct radix_node));
}

static const struct radix_nodes nodes = { branch_make, heap_free };

void ipc_table_init(struct ipc_table *t, unsigned limit)
{
    mutex_init(&t->lock, RANK_SLEEP_LEAF);
    radix_init(&t->by_key, &nodes);
    t->places = heap_alloc_array(limit, sizeof(struct ipc *));
    if (!t->places)
        panic("process: no memory for a table of System V IPC");
    for (unsigned i = 0; i < IPC_PARTS; i++)
        spin_init(&t->parts[i].lock, RANK_LEAF);
    t->limit = limit;
}

static unsigned place_of(int id)
{
    return (unsigned)id & ((1u << PLACE_BITS) - 1);
}

// The next free place: places are used in turn.
static unsigned free_place(struct ipc_table *t)
{
    while (t->places[t->next])
        t->next = (t->next + 1) % t->limit;
    return t->next;
}

static void place_put(struct ipc_table *t, unsigned place, struct ipc *o)
{
    struct spinlock *lock = &t->parts[place % IPC_PARTS].lock;
    spin_lock(lock);
    t->places[place] = o;
    spin_unlock(lock);
}

err_t ipc_add(struct ipc_table *t, struct ipc *o, int32_t key, unsigned mode)
{
    if (t->count == t->limit)
        return -ENOSPC;
    unsigned place = free_place(t);
    if (key && !radix_put(&t->by_key, (uint32_t)key, o))
        return -ENOMEM;
    struct credentials *c = credentials_of(process_current());
    o->user = o->creator = c->effective_user;
    o->group = o->creator_group = c->effective_group;
    credentials_put(c);
    o->key = key;
    o->mode = mode;
    o->removed = false;
    o->references = 1;
    o->id = (int)(t->sequence << PLACE_BITS | place);
    t->sequence = t->sequence == SEQUENCE_MAX ? 0 : t->sequence + 1;
    t->count++;
    place_put(t, place, o);
    return 0;
}

void ipc_forget_key(struct ipc_table *t, struct ipc *o)
{
    if (o->key)
        radix_remove(&t->by_key, (uint32_t)o->key);
    o->key = 0;
    o->removed = true;
}

void ipc_remove(struct ipc_table *t, struct ipc *o)
{
    ipc_forget_key(t, o);
    place_put(t, place_of(o->id), NULL);
    t->count--;
}

struct ipc *ipc_at(struct ipc_table *t, unsigned place)
{
    return place < t->limit ? t->places[index_clamp(place, t->limit)] : NULL;
}

struct ipc *ipc_next(struct ipc_table *t, unsigned *place)
{
    for (; *place < t->limit; ++*place)
        if (t->places[*place])
            return t->places[*place];
    return NULL;
}

struct ipc *ipc_hold(struct ipc_table *t, int id)
{
    if (id < 0)
        return NULL;
    struct spinlock *lock = &t->parts[place_of(id) % IPC_PARTS].lock;
    spin_lock(lock);
    struct ipc *o = ipc_find(t, id);
    if (o)
        __atomic_fetch_add(&o->references, 1, __ATOMIC_RELAXED);
    spin_unlock(lock);
    return o;
}

struct ipc *ipc_find(struct ipc_table *t, int id)
{
    struct ipc *o = id < 0 ? NULL : ipc_at(t, place_of(id));
    return o && o->id == id ? o : NULL;
}

struct ipc *ipc_find_key(struct ipc_table *t, int32_t key)
{
    return radix_get(&t->by_key, (uint32_t)key);
}

unsigned ipc_last_place(struct ipc_table *t)
{
    unsigned last = t->limit - 1;
    while (last && !t->places[last])
        last--;
    return last;
}

static bool in_group(const struct credentials *c, uint32_t group)
{
    if (c->effective_group == group)
        return true;
    for (unsigned i = 0; i < c->group_count; i++)
        if (c->groups[i] == group)
            return true;
    return false;
}

err_t ipc_access(const struct ipc *o, unsigned wanted)
{
    struct credentials *c = credentials_of(process_current());
    unsigned mode = o->mode;
    if (c->effective_user == o->user || c->effective_user == o->creator)
        mode >>= 6;
    else if (in_group(c, o->group) || in_group(c, o->creator_group))
        mode >>= 3;
    bool may = !(wanted & ~mode) || credentials_have(c, CAPABILITY_IPC_OWNER);
    credentials_put(c);
    return may ? 0 : -EACCES;
}

err_t ipc_owns(const struct ipc *o)
{
    struct credentials *c = credentials_of(process_current());
    bool owns = c->effective_user == o->user || c->effective_user == o->creator ||
                credentials_have(c, CAPABILITY_SYS_ADMIN);
    credentials_put(c);
    return owns ? 0 : -EPERM;
}

err_t ipc_set(struct ipc *o, const struct ipc_owner *owner)
{
    err_t e = ipc_owns(o);
    if (e)
        return e;
    o->user = owner->user;
    o->group = owner->group;
    o->mode = owner->mode & 0777;
    return 0;
}

struct scheme_account *ipc_charge(uint64_t bytes)
{
    struct scheme_account *a = account_get(caller_ids().user);
    if (!a || account_book(a, ACCOUNT_IPC_BYTES, bytes, IPC_BYTES_MAX))
        return a;
    account_put(a);
    return NULL;
}

void ipc_discharge(struct scheme_account *account, uint64_t bytes)
{
    account_unbook(account, ACCOUNT_IPC_BYTES, bytes);
    account_put(account);
}

void ipc_wait_begin(struct ipc_wait *w, struct list *waiting)
{
    wait_queue_init(&w->queue);
    w->done = false;
    w->result = 0;
    list_push_back(waiting, &w->link);
}

err_t ipc_sleep(struct ipc_wait *w, struct spinlock *lock, nanos_t deadline)
{
    spin_unlock(lock);
    err_t e = wait_until(&w->queue, __atomic_load_n(&w->done, __ATOMIC_ACQUIRE), deadline);
    spin_lock(lock); // who woke us is done with our stack
    if (w->done)
        return 0;
    list_remove(&w->link);
    return e;
}

void ipc_wake(struct ipc_wait *w, err_t result)
{
    list_remove(&w->link);
    w->result = result;
    __atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
    wait_wake_all(&w->queue);
}

int64_t ipc_now(void)
{
    return clock_wall() / NANOS_PER_SECOND;
}
