// SPDX-License-Identifier: GPL-3.0-or-later
// Shared memory with keys: segments that processes attach (System V; shmget(2) and its kin).
//
//   int id;  err_t e = segment_get(key, size, IPC_MAKE, 0600, &id);
//   uaddr_t at = 0;  e = segment_attach(id, SEGMENT_WRITE, &at);
//   e = segment_detach(at);
//   e = segment_remove(id);        it goes when nobody has it attached
//
// A segment is an open file without a name that its mappings keep alive, so that fork, exec and
// exit count as they do for any file: attached are its mappings. Thread context; may sleep. Tests:
// tests/programs/shared_segments.c.
#pragma once
#include "kernel/memory/layout.h"
#include "kernel/process/ipc.h"

enum segment_attach_flag {
    SEGMENT_WRITE = 1, // else it can only be read
    SEGMENT_EXECUTE = 2,
    SEGMENT_REPLACE = 4, // what is mapped at the address goes; else it makes -EINVAL
};
enum { SEGMENTS_MAX = 4096 };

struct segment_status {
    struct ipc ipc;
    uint64_t size, attached, resident;             // resident: pages
    int64_t attach_time, detach_time, change_time; // seconds since 1970; 0: never
    int32_t maker, last;                           // processes
};

struct segment_totals {
    unsigned count, last_place;
    uint64_t pages, resident;
};

void segment_init(void);

// Finds or makes. `key` 0 makes one without. -ENOENT, -EEXIST, -EACCES, -EINVAL, -ENOSPC, -ENOMEM.
err_t segment_get(int32_t key, uint64_t size, unsigned flags, unsigned mode, int *id) must_check;
// *address 0: anywhere. -EINVAL: no such one, -EACCES, -ENOMEM, -EIDRM.
err_t segment_attach(int id, unsigned flags, uaddr_t *address) must_check;
err_t segment_detach(uaddr_t address) must_check;                    // -EINVAL
err_t segment_remove(int id) must_check;                             // -EINVAL, -EPERM
err_t segment_set(int id, const struct ipc_owner *owner) must_check; // as remove
// By number, or (`by_place`) by place in the table; `any`: without asking for the right to read.
err_t segment_status(int id, bool by_place, bool any, struct segment_status *status) must_check;
void segment_totals(struct segment_totals *totals);
