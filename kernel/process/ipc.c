// SPDX-License-Identifier: GPL-3.0-or-later
// See ipc.h.
#include "kernel/process/ipc.h"
#include "kernel/memory/heap.h"
#include "kernel/process/process.h"
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
    radix_init(&t->by_place, &nodes);
    t->limit = limit;
}

static unsigned place_of(int id)
{
    return (unsigned)id & ((1u << PLACE_BITS) - 1);
}

// The next free place: places are used in turn.
static unsigned free_place(struct ipc_table *t)
{
    while (radix_get(&t->by_place, t->next))
        t->next = (t->next + 1) % t->limit;
    return t->next;
}

err_t ipc_add(struct ipc_table *t, struct ipc *o, int32_t key, unsigned mode)
{
    if (t->count == t->limit)
        return -ENOSPC;
    unsigned place = free_place(t);
    if (!radix_put(&t->by_place, place, o))
        return -ENOMEM;
    if (key && !radix_put(&t->by_key, (uint32_t)key, o)) {
        radix_remove(&t->by_place, place);
        return -ENOMEM;
    }
    struct credentials *c = credentials_of(process_current());
    o->user = o->creator = c->effective_user;
    o->group = o->creator_group = c->effective_group;
    credentials_put(c);
    o->key = key;
    o->mode = mode;
    o->removed = false;
    o->id = (int)(t->sequence << PLACE_BITS | place);
    t->sequence = t->sequence == SEQUENCE_MAX ? 0 : t->sequence + 1;
    t->count++;
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
    radix_remove(&t->by_place, place_of(o->id));
    t->count--;
}

struct ipc *ipc_at(struct ipc_table *t, unsigned place)
{
    return radix_get(&t->by_place, place);
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
    unsigned last = 0;
    uint64_t place = 0;
    for (; radix_next(&t->by_place, &place); place++)
        last = (unsigned)place;
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
