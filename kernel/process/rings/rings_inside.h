// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of rings tell each other and nobody else.
#pragma once
#include "kernel/process/rings/rings.h"
#include "kernel/scheme/user/limits.h"
#include "lib/hash.h"
#include "lib/rbtree.h"

enum { RINGS_BUCKETS = 256 };

struct rings_request {
    struct rings_entry entry;
    struct rings *ring;          // with a reference
    struct file *file;           // with a reference; NULL: none
    struct rings_request *next;  // linked to this one
    struct rings_request *guard; // the timeout that bounds it, or the request that this bounds
    struct list link;            // in one list of the ring's, or of who carries it out
    // While parked, in the ring's tables: whoever takes it out of them is the only one to have it.
    bool parked;
    struct hash_link by_serial, by_data;
    struct list every; // struct rings.parked
    uint32_t serial;
    unsigned tries;       // in vain, although the file said that it was ready
    struct rb_node order; // timeouts: by deadline
    nanos_t deadline;
    uint64_t target; // timeouts: as many answers end it, too; 0: no number does
    int32_t result;
    err_t error; // of finding its file: its end when its turn comes
};

struct rings_memory {
    struct memory_object *object;
    struct page **pages; // each with a reference
    uint64_t count;
};

struct rings {
    uint32_t references; // its file, requests, helpers
    const struct rings_border *border;
    struct process *process; // compared only; its number never comes back while this has a helper
    int32_t process_number;
    struct scheme_account *account;
    uint64_t bytes;
    struct rings_memory rings, entries;
    uint32_t entry_count, answer_count;
    uint32_t array_at;
    bool goes_on;

    struct mutex submitting;
    uint32_t head; // of the submission ring
    struct file **files;
    uint32_t file_count;
    struct io_vector *buffers;
    uint32_t buffer_count;

    struct spinlock lock;
    bool closing;
    uint32_t tail; // of the answers
    uint64_t answered;
    struct list overflow; // struct rings_request.link: answers without room
    uint64_t active;      // requests that were let go on and have not answered
    bool draining;
    struct list deferred; // heads of chains that wait for others' end
    struct list parked;
    struct hash_link *serials[RINGS_BUCKETS], *datas[RINGS_BUCKETS];
    struct hash_table by_serial, by_data;
    struct rb_tree timeouts;
    uint32_t next_serial;
    bool driven; // the driver runs
    struct list work;
    unsigned workers, idle;
    struct wait_queue work_wait;
    struct wait_queue changed; // answers came
    struct file *event;
    bool event_later;

    struct file *list; // a watch list: what the driver waits for
    struct file *kick; // a counter in it
};

// Requests to be issued next, by who has just ended others.
typedef struct list rings_todo;

// rings_memory.c
err_t rings_memory_make(struct rings_memory *m, uint64_t size) must_check;
void rings_memory_drop(struct rings_memory *m);
void *rings_memory_at(const struct rings_memory *m, uint64_t offset);
uint32_t rings_load(const struct rings *r, uint32_t place);
void rings_store(const struct rings *r, uint32_t place, uint32_t value);

// rings_answer.c
void rings_get(struct rings *r);
void rings_put(struct rings *r);
// Ends a request that the caller has; what was linked to it goes to `todo`, or ends, too.
void rings_finish(struct rings_request *q, int64_t result, rings_todo *todo);
void rings_request_free(struct rings_request *q);
uint32_t rings_answers_ready(struct rings *r); // puts what overflowed into its place, if it can
// Under the lock: deferred chains that may go on now.
void rings_release_locked(struct rings *r, rings_todo *todo);

// rings_issue.c
void rings_run(rings_todo *todo);
void rings_attempt(struct rings_request *q, rings_todo *todo);
int64_t rings_carry_out(struct rings_request *q, struct file *f);

// rings_park.c
// Until its file is ready, or its time has come.
void rings_park(struct rings_request *q, unsigned wanted, rings_todo *todo);
// Under the lock: takes it out of the tables.
void rings_unpark_locked(struct rings_request *q);
void rings_unwatch(struct rings_request *q); // after that, without the lock
void rings_cancel(struct rings_request *q, rings_todo *todo);
void rings_guard_arm(struct rings_request *q, rings_todo *todo);
void rings_kick(struct rings *r);
err_t rings_timeout_set(struct rings_request *q) must_check;

// rings_work.c
void rings_work(struct rings_request *q, rings_todo *todo);
err_t rings_drive(struct rings *r) must_check; // the driver runs from now on
