// SPDX-License-Identifier: GPL-3.0-or-later
// What the kinds of System V IPC have in common: numbers, keys, owners and rights.
//
//   struct thing { struct ipc ipc; ... };               the first member
//   mutex_lock(&table.lock);
//   err_t e = ipc_add(&table, &thing->ipc, key, 0600);   thing->ipc.id is its number
//   struct ipc *found = ipc_find(&table, id);
//   mutex_unlock(&table.lock);
//
// A number is the place in the table and, above it, how often the table was added to: an old one is
// not soon a new thing's. Locks: all but ipc_table_init() with t->lock held, which guards the
// members of what is in the table too. The table holds no references. Thread context.
#pragma once
#include "kernel/sync/mutex.h"
#include "lib/radix.h"

struct ipc {
    int32_t key; // 0: none (any more)
    int id;
    uint32_t user, group, creator, creator_group;
    unsigned mode; // 0777
    bool removed;  // its users still have it, nobody finds it by key
};

struct ipc_table {
    struct mutex lock;
    struct radix by_key, by_place;
    unsigned count, limit, next;
    uint32_t sequence;
};

enum { IPC_READ = 4, IPC_WRITE = 2 };

void ipc_table_init(struct ipc_table *t, unsigned limit);

// Makes it the calling process's. `key` 0: without. -ENOSPC: too many. -ENOMEM.
err_t ipc_add(struct ipc_table *t, struct ipc *o, int32_t key, unsigned mode) must_check;
void ipc_forget_key(struct ipc_table *t, struct ipc *o); // and marks it removed
void ipc_remove(struct ipc_table *t, struct ipc *o);     // its number is free again

struct ipc *ipc_find(struct ipc_table *t, int id);          // NULL: none
struct ipc *ipc_find_key(struct ipc_table *t, int32_t key); // NULL: none
struct ipc *ipc_at(struct ipc_table *t, unsigned place);    // NULL: none
unsigned ipc_last_place(struct ipc_table *t);               // the highest in use; 0: none, too
// The calling process's rights: `wanted` of IPC_READ and IPC_WRITE. -EACCES.
err_t ipc_access(const struct ipc *o, unsigned wanted) must_check;
err_t ipc_owns(const struct ipc *o) must_check; // may change and remove it; -EPERM
