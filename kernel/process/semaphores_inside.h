// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of semaphores share: the sets, their waiters, and the undos of processes.
#pragma once
#include "kernel/process/semaphores.h"

struct semaphore {
    int32_t value;
    int32_t last;
    struct list more, zero; // struct change.wait: of one step, which only this one can let go on
};

struct semaphores {
    struct ipc ipc; // must stay first
    struct spinlock lock;
    bool removed;
    unsigned count;
    int64_t used_time, change_time;
    struct list several; // struct change.wait: of several steps
    struct list undos;   // struct undo.set_link
    struct scheme_account *account;
    struct semaphore all[];
};

// What one process would take back of one set when it ends.
struct undo {
    struct list process_link; // in struct undos.list
    struct list set_link;
    struct semaphores *set; // with a reference
    bool dead;              // the set was removed
    struct scheme_account *account;
    int16_t adjust[];
};

// Of one process; made with its first undo, as long as the process.
struct undos {
    struct spinlock lock; // RANK_UNDO: the list; a set's lock may be taken under it
    struct list list;
};

// A change that is under way.
struct change {
    struct ipc_wait wait; // must stay first
    const struct semaphore_step *steps;
    size_t count, blocked_by; // blocked_by: the step that has to wait
    struct undo *undo;
    int32_t process;
};

// semaphores_change.c, all under the set's lock.
// 1: it has to wait; 0: done; -EAGAIN, -ERANGE.
int semaphores_try(struct semaphores *s, struct change *c);
// Something changed: lets go on who can, of these steps' semaphores and of several.
void semaphores_settle(struct semaphores *s, const struct semaphore_step *steps, size_t count);
void semaphores_settle_all(struct semaphores *s);
void semaphores_end_waits(struct semaphores *s); // it was removed

// semaphores_undo.c
size_t undo_size(const struct semaphores *s);
// The calling process's undo for the set, made where it has none.
err_t undo_get(struct semaphores *s, struct undo **undo) must_check;
// Under the set's lock: no undo says anything of this semaphore any more, or of any.
void undos_clear(struct semaphores *s, unsigned number);
void undos_clear_all(struct semaphores *s);
void undos_end(struct semaphores *s); // it was removed

void semaphores_put(struct semaphores *s);
