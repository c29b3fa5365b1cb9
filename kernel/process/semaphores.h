// SPDX-License-Identifier: GPL-3.0-or-later
// Sets of semaphores with keys (System V; semget(2) and its kin).
//
//   int id;  err_t e = semaphores_get(key, 3, IPC_MAKE, 0600, &id);
//   struct semaphore_step down = { .number = 0, .change = -1, .flags = SEMAPHORE_UNDO };
//   e = semaphores_change(id, &down, 1, WAIT_FOREVER);
//   e = semaphores_remove(id);
//
// The steps of a change happen all at once or not at all. A process has an undo for each set where
// it asked for that: what its changes come to, which its end takes back. Each set has a spin lock
// (RANK_QUEUE) for its values, who waits, and what the undos say. Who waits for one semaphore is in
// that semaphore's lists, so that a change costs by who can go on; changes of several semaphores
// are in a list of the set. Thread context; may sleep. Tests: tests/programs/semaphores.c.
#pragma once
#include "kernel/process/ipc.h"

struct process;

enum {
    SEMAPHORE_SETS_MAX = 4096,
    SEMAPHORES_MAX = 32000, // in one set
    SEMAPHORE_STEPS_MAX = 500,
    SEMAPHORE_VALUE_MAX = 32767,
    SEMAPHORES_TOTAL = 1024000,
};

enum semaphore_flag { SEMAPHORE_NO_WAIT = 1, SEMAPHORE_UNDO = 2 };
struct semaphore_step {
    uint16_t number;
    int16_t change; // 0: waits until it is 0
    unsigned flags;
};

struct semaphores_status {
    struct ipc ipc;
    unsigned count;
    int64_t used_time, change_time;
};

struct semaphore_status {
    int32_t value, last; // last: the process that changed it
    unsigned wait_more, wait_zero;
};

struct semaphores_totals {
    unsigned sets, semaphores, last_place;
};

void semaphores_init(void);
// -ENOENT, -EEXIST, -EACCES, -EINVAL: `count`, -ENOSPC, -ENOMEM. `flags`: enum ipc_get_flag.
err_t semaphores_get(int32_t key, uint64_t count, unsigned flags, unsigned mode, int *id)
    must_check;
// -EINVAL: no such set, -EACCES, -EFBIG: no such semaphore, -EAGAIN: it would wait, -ERANGE,
// -EIDRM: removed meanwhile, -ENOMEM, -ENOSPC, -EINTR; -EAGAIN at the deadline, too.
err_t semaphores_change(int id, const struct semaphore_step *steps, size_t count, nanos_t deadline)
    must_check;
err_t semaphores_remove(int id) must_check;                                   // -EINVAL, -EPERM
err_t semaphores_set_owner(int id, const struct ipc_owner *owner) must_check; // as remove
// By number, or (`by_place`) by place in the table; `any`: without asking for the right to read.
err_t semaphores_status(int id, bool by_place, bool any, struct semaphores_status *status)
    must_check;
void semaphores_totals(struct semaphores_totals *totals);

// One semaphore, or all of them (the array holds as many as the set: semaphores_status()). -EINVAL,
// -EACCES, -ERANGE, -EIDRM.
err_t semaphore_look(int id, unsigned number, struct semaphore_status *status) must_check;
err_t semaphore_set(int id, unsigned number, int32_t value) must_check;
err_t semaphores_read(int id, uint16_t *values, unsigned count) must_check;
err_t semaphores_write(int id, const uint16_t *values, unsigned count) must_check;

void semaphores_exit(struct process *p); // it ends: its undos happen
