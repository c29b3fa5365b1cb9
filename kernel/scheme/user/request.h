// SPDX-License-Identifier: GPL-3.0-or-later
// Requests to the server of a user scheme, and what becomes of them.
//
//   struct request *r;
//   e = request_begin(q, MESSAGE_READ, account, &r);      a slot of the scheme's table
//   ... fill r->message, r->loan, r->file ...
//   result = request_call(q, &r);                         sent, answered; r NULL: given up
//   ... use r->loan, r->file, r->positioned ...
//   request_end(q, r);
//
// States. Only the named functions take an edge; all of them under queue.lock.
//
//          request_begin          request_call            request_next (the server reads)
//   FREE ---------------> NEW ----------------> QUEUED ---------------------> SEEN
//    ^                     |                     |  ^                          |  |
//    |     request_end     |                     |  |  request_return          |  |
//    +---------------------+                     |  +--------------------------+  |
//    |                                           |    (the read failed)           |
//    |       request_end    requests_fail, or a  v                                |
//    +--------------------- signal: withdrawn  ANSWERED <-------------------------+
//    |                                             request_answer, requests_fail
//    |
//    +--- request_answer, requests_fail: a QUEUED or SEEN one that nobody waits for (`wait` is
//    NULL:
//         the client was killed, or the scheme removed, after the server had seen it). What the
//         answer brought is given back: a file, a loan; a handle that was opened becomes a
//         CLOSE, a mapping an UNMAP (QUEUED again).
//
// Invariants:
//  1. `link` is in queue.pending exactly when QUEUED, or SEEN with `cancel_queued`.
//  2. `wait` is NULL or a record on the stack of a thread that cannot leave before it was told the
//     outcome and has taken queue.lock once more.
//  3. loan and file belong to the client while NEW, ANSWERED, or `wait`; else to the request.
//  4. An id names one request: its slot's number and a generation that grows with each use.
//  5. After requests_fail() nothing is QUEUED any more, and request_begin() refuses.
//  6. A thread of the server that finds nothing stands in `idle` while it sleeps; who queues a
//     request takes it out and hands the processor over to it.
//
// Messages without an answer that counts (the close of a file, ...) are not in the table: they are
// `struct request` parts of what they end, QUEUED only, and dropped when the server has read them.
// Their ids have slot number REQUEST_NO_SLOT; answers to these are swallowed.
//
// Locks: queue.lock (RANK_QUEUE). request_call() sleeps; all else is for thread context without
// locks. Tests: tests/boot/test_user_schemes.py.
#pragma once
#include "kernel/scheme/user/buffer.h"
#include "kernel/scheme/user/packet.h"
#include "kernel/sync/wait.h"
#include "lib/list.h"

struct file;
struct thread;
struct scheme_account;

enum request_state {
    REQUEST_FREE,
    REQUEST_NEW,
    REQUEST_QUEUED,
    REQUEST_SEEN,
    REQUEST_ANSWERED,
};

enum {
    REQUEST_SLOT_BITS = 12, // of an id; above: the generation
    REQUEST_NO_SLOT = (1 << REQUEST_SLOT_BITS) - 1,
    REQUESTS_CHUNK = 16,
    REQUESTS_MAX = 1024, // of one scheme
};

enum request_outcome { REQUEST_WAITS, REQUEST_HAS_ANSWER, REQUEST_IS_GONE };

struct request_wait { // on the waiting client's stack
    struct thread *thread;
    uint8_t outcome; // enum request_outcome, atomic
    int64_t result;
};

struct request {
    struct list link; // in queue.free or queue.pending
    struct message message;
    uint64_t generation;
    uint16_t slot;
    uint8_t state; // enum request_state, read without the lock by who waits
    bool cancelled, cancel_queued, positioned;
    bool own_account;          // has a reference on `account`
    struct request_wait *wait; // NULL: nobody waits
    int64_t result;
    struct file *file; // SEND: what is sent. OPEN, DUP: what the server gave
    struct loan loan;
    struct window *window;          // the scheme's, with a reference
    struct scheme_account *account; // who is charged; NULL: nobody. Else borrowed from who waits
    // A message that is not in the table: the server has read it (or never will).
    void (*drop)(struct request *r);
};

struct request_queue {
    struct spinlock lock;
    struct list pending, free;
    struct list idle; // the server's threads that wait: struct request_reader.link
    struct request *chunks[REQUESTS_MAX / REQUESTS_CHUNK];
    uint16_t count; // slots there are
    bool dead;
    struct window *window;     // NULL when dead: a dead server's memory is not kept
    struct wait_queue pollers; // of the server's file
};

static inline uint64_t request_id(const struct request *r)
{
    return r->generation << REQUEST_SLOT_BITS | r->slot;
}

void request_queue_init(struct request_queue *q, struct window *window); // its reference moves in
void request_queue_drop(struct request_queue *q); // after requests_fail() and all clients

// The client's side. -ENODEV: the server is gone. -EAGAIN: too many requests. -ENOMEM. Of the
// message the kind is set; the caller fills in the rest. It keeps `account` until the request is
// over for it, or moves its reference in (own_account). One that it leaves gets its own.
err_t request_begin(struct request_queue *q, enum message_kind kind, struct scheme_account *account,
                    struct request **request) must_check;
// Waits for the answer. A signal asks the server to cancel (a message it has not seen is taken
// back: -EINTR); one that ends the thread does not wait on: *r is NULL then, if the server has it.
int64_t request_call(struct request_queue *q, struct request **r);
void request_end(struct request_queue *q, struct request *r); // NULL: nothing to do
// Sends a message without an answer; `r` is the caller's own memory until r->drop(), which may come
// before this returns: the caller holds the scheme. False: dead.
bool request_post(struct request_queue *q, struct request *r, enum message_kind kind);

// The server's side.
// What the server reads next, as the packet of its version of the protocol.
struct request_read {
    struct request *request;
    uint64_t generation;
    bool cancel; // it asks to cancel the request
    union {
        struct redox_packet packet;
        struct redox_sqe entry;
    };
};
// `wait`: sleeps until there is one. -EAGAIN: there is none; -ENODEV: and there will be none;
// -EINTR.
err_t request_next(struct request_queue *q, bool version2, bool wait, struct request_read *read)
    must_check;
void request_read_done(struct request_queue *q, struct request_read *read);
void request_return(struct request_queue *q, struct request_read *read); // could not be read
// Ends the request that a->id names, which the server has seen, with a->result, or with `file` for
// ANSWER_FILE (open and dup only; the reference moves in unless it fails). -EINVAL: there is none.
err_t request_answer(struct request_queue *q, const struct answer *a, struct file *file) must_check;
// The file that SEND request a->id brings, with its reference; and back, when it was not wanted.
err_t request_take_file(struct request_queue *q, const struct answer *a, struct file **file)
    must_check;
void request_return_file(struct request_queue *q, const struct answer *a, struct file *file);
// Everything that waits ends with -ENODEV, now and from now on; what nobody waits for is dropped
// unless `keep_seen` (the server may still use its buffers).
void requests_fail(struct request_queue *q, bool keep_seen);
