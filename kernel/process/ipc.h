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
// not soon a new thing's. Locks: all but ipc_table_init() and ipc_hold() with t->lock held, which
// guards the members of what is in the table too. The table holds no references of its own. Users
// of things that are often used come by ipc_hold(), which takes the lock of one part of the table
// for a moment. Thread context.
//
// Who has to wait for such a thing does so by an ipc_wait in a list of its own:
//
//   ipc_wait_begin(&w, &thing->waiting);       with the thing's spin lock, as all of these
//   e = ipc_sleep(&w, &thing->lock, deadline); gives the lock up meanwhile
//   ipc_wake(w, 0);                            somebody else: what it waited for was done for it
#pragma once
#include "kernel/sync/mutex.h"
#include "lib/list.h"
#include "lib/radix.h"

struct scheme_account;

struct ipc {
    int32_t key; // 0: none (any more)
    int id;
    uint32_t user, group, creator, creator_group;
    unsigned mode;       // 0777
    bool removed;        // its users still have it, nobody finds it by key
    uint32_t references; // of things that ipc_hold() finds
};

enum { IPC_PARTS = 32 };

struct ipc_table {
    struct mutex lock;
    struct radix by_key;
    struct ipc **places; // changed with the lock and that of the part
    struct {
        struct spinlock lock; // RANK_LEAF
    } align_to(64) parts[IPC_PARTS];
    unsigned count, limit, next;
    uint32_t sequence;
};

struct ipc_wait {
    struct list link; // in the thing's list; by itself once it was woken
    struct wait_queue queue;
    bool done; // atomic
    err_t result;
};

enum { IPC_READ = 4, IPC_WRITE = 2 };
enum ipc_get_flag { IPC_MAKE = 1, IPC_MAKE_ONLY = 2 };

void ipc_table_init(struct ipc_table *t, unsigned limit);

// Makes it the calling process's. `key` 0: without. -ENOSPC: too many. -ENOMEM.
err_t ipc_add(struct ipc_table *t, struct ipc *o, int32_t key, unsigned mode) must_check;
void ipc_forget_key(struct ipc_table *t, struct ipc *o); // and marks it removed
void ipc_remove(struct ipc_table *t, struct ipc *o);     // its number is free again

struct ipc *ipc_find(struct ipc_table *t, int id);          // NULL: none
struct ipc *ipc_find_key(struct ipc_table *t, int32_t key); // NULL: none
struct ipc *ipc_at(struct ipc_table *t, unsigned place);    // NULL: none
// The first at *place or above, and where it is; NULL: none.
struct ipc *ipc_next(struct ipc_table *t, unsigned *place);
// By number, with one reference more, without the table's lock; NULL: none. Before it may go,
// ipc_remove() has to be called, and the maker's reference be dropped.
struct ipc *ipc_hold(struct ipc_table *t, int id) must_check;
static inline bool ipc_drop(struct ipc *o) // true: it was the last
{
    return __atomic_sub_fetch(&o->references, 1, __ATOMIC_ACQ_REL) == 0;
}
unsigned ipc_last_place(struct ipc_table *t); // the highest in use; 0: none, too
// The calling process's rights: `wanted` of IPC_READ and IPC_WRITE. -EACCES.
err_t ipc_access(const struct ipc *o, unsigned wanted) must_check;
err_t ipc_owns(const struct ipc *o) must_check; // may change and remove it; -EPERM
// IPC_SET: who owns it and who may use it.
struct ipc_owner {
    uint32_t user, group;
    unsigned mode;
};
err_t ipc_set(struct ipc *o, const struct ipc_owner *owner) must_check; // -EPERM

// Memory that the kernel keeps for the user: what waits in queues, semaphores. NULL: the user has
// too much of it, or there is none. The account goes with the memory.
enum { IPC_BYTES_MAX = MIB(64) };
struct scheme_account *ipc_charge(uint64_t bytes) must_check;
void ipc_discharge(struct scheme_account *account, uint64_t bytes);

void ipc_wait_begin(struct ipc_wait *w, struct list *waiting);
// 0: woken (w->result); -EINTR, -ETIMEDOUT: taken off the list.
err_t ipc_sleep(struct ipc_wait *w, struct spinlock *lock, nanos_t deadline) must_check;
void ipc_wake(struct ipc_wait *w, err_t result);
int64_t ipc_now(void); // seconds since 1970
