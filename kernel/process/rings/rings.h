// SPDX-License-Identifier: GPL-3.0-or-later
// Rings: a program puts requests into memory that it shares with the kernel and finds answers
// there.
//
//   struct file *f;  err_t e = rings_make(&border, &sizes, &f);     then it maps the ring's memory
//   n = rings_submit(f, 8);                   takes up to 8 entries from the submission ring
//   e = rings_wait(f, 1, deadline);           until there are answers
//
// What an entry looks like and what carries it out is a border's business (struct rings_border). An
// entry is copied in once, every index is masked by the kernel's own numbers and read once: the
// program may change all of the memory at any time.
//
// A request is carried out by who submits it, as far as it does not have to wait: files that tell
// of their readiness are asked by a copy of the open file that does not wait (file_view_now()).
// What had to wait is parked: the ring's driver, a helper of the process, watches its file (a watch
// list) and tries again. What may wait without saying so (paths, servers' files) is for workers,
// helpers too. Requests may be linked to one that goes before them, may wait for all before them
// (drain), be bounded in time, cancelled. A ring serves the process that made it.
//
// Locks: ring->submitting (RANK_RING, mutex) orders who submits and guards registered files and
// buffers; ring->lock (RANK_QUEUE, spin) all the rest. Limits: for each user. Tests:
// tests/programs/rings.c, tests/fuzz/rings_entry.c.
#pragma once
#include "kernel/process/rings/entry.h"
#include "kernel/scheme/file.h"

struct rings;

enum {
    RINGS_ENTRIES_MAX = 32768,
    RINGS_ANSWERS_MAX = 65536,
    RINGS_WORKERS_MAX = 8,
    RINGS_FILES_MAX = 32768,
    RINGS_BUFFERS_MAX = 16384,
    RINGS_REQUESTS_MAX = 65536, // of one user, under way or answered and not yet taken
};
#define RINGS_BYTES_MAX MIB(64) // of one user: shared memory

// Where things lie in the memory that is mapped at RINGS_MAP_RINGS; the entries are at
// RINGS_MAP_ENTRIES. Each number has a cache line where one side writes it.
enum rings_place {
    RINGS_SQ_HEAD = 0,
    RINGS_SQ_TAIL = 64,
    RINGS_CQ_HEAD = 128,
    RINGS_CQ_TAIL = 192,
    RINGS_SQ_MASK = 256,
    RINGS_SQ_ENTRIES = 260,
    RINGS_SQ_FLAGS = 264,
    RINGS_SQ_DROPPED = 268,
    RINGS_CQ_MASK = 272,
    RINGS_CQ_ENTRIES = 276,
    RINGS_CQ_OVERFLOW = 280,
    RINGS_CQ_FLAGS = 284,
    RINGS_ANSWERS = 4096,
};
enum {
    RINGS_MAP_RINGS = 0,
    RINGS_MAP_ANSWERS = 0x8000000, // the same memory
    RINGS_MAP_ENTRIES = 0x10000000,
    RINGS_SQ_OVERFLOWN = 2, // in RINGS_SQ_FLAGS: answers wait for room
};

struct rings_answer {
    uint64_t user_data;
    int32_t result;
    uint32_t flags;
};
_Static_assert(sizeof(struct rings_answer) == 16, "shared with programs");

struct rings_border {
    err_t (*parse)(const void *bytes, struct rings_entry *e); // RINGS_ENTRY_SIZE of them
    // In the process's context. The file, if there is one, is DESCRIPTOR_LENT.
    int64_t (*carry_out)(const struct rings_entry *e, struct file *f);
    err_t (*deadline)(const struct rings_entry *e, nanos_t *deadline); // of timeouts
    int32_t (*result)(int64_t result);                                 // as the program reads it
};

struct rings_sizes {
    uint32_t entries, answers; // powers of two
    uint32_t array;            // where the array of entries' indexes lies (out)
    bool goes_on;              // also after an entry that is not understood
};

err_t rings_make(const struct rings_border *border, struct rings_sizes *sizes, struct file **file)
    must_check;
bool rings_is(const struct file *f);
// How many entries were taken; -EEXIST: another process's ring, -EBUSY: answers wait for room,
// -EAGAIN: too many requests. What is wrong with an entry is its answer.
int64_t rings_submit(struct file *f, uint32_t most) must_check;
// Until there are `least` answers. 0, -EINTR, -ETIMEDOUT.
err_t rings_wait(struct file *f, uint32_t least, nanos_t deadline) must_check;

// Files by their place in a table, so that requests need no number for them; descriptors may be -1:
// none. -EBUSY: there is a table; -EBADF, -ENXIO: there is none.
err_t rings_files_set(struct file *f, const int32_t *numbers, uint32_t count) must_check;
err_t rings_files_change(struct file *f, uint32_t first, const int32_t *numbers, uint32_t count)
    must_check;
err_t rings_files_drop(struct file *f) must_check;
// Memory that RINGS_BUFFER requests may use; the array moves in. -EBUSY, -ENXIO.
err_t rings_buffers_set(struct file *f, struct io_vector *buffers, uint32_t count) must_check;
err_t rings_buffers_drop(struct file *f) must_check;
// A counter file that counts answers; with `later`, only those not made while submitting. NULL:
// none any more. -EBUSY, -ENXIO.
err_t rings_event_set(struct file *f, struct file *event, bool later) must_check;

void rings_init(void);
