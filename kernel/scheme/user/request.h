// SPDX-License-Identifier: GPL-3.0-or-later
// Requests to the server of a user scheme, and what becomes of them.
//
//   struct request *r;
//   e = request_begin(q, MESSAGE_READ, account, &r);      a slot of the scheme's table
//   ... fill r->message, r->loan, r->file ...
//   bool ours = request_call(q, r, &result);              sent, answered; false: given up
//   ... use r->loan, r->file, r->positioned ...
//   request_end(q, r);
//
// States. Only the named functions take an edge; all of them under queue.lock.
//
//          request_begin          request_call            request_next (the server reads)
//   FREE ---------------> NEW ----------------> QUEUED ---------------------> SEEN
//    ^                     |      or at once SEEN, when a thread of the server waits
//    |                     |                     |  ^                          |  |
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
//     outcome, which is the last that is done to record and thread.
//  3. loan and file belong to the client while NEW, ANSWERED, or `wait`; else to the request.
//  4. An id names one request: its slot's number and a generation that grows with each use.
//  5. After requests_fail() nothing is QUEUED any more, and request_begin() refuses.
//  6. A thread of the server that finds nothing stands in `idle` while it sleeps. Who has a request
//     takes it out, writes the packet where it wants it, wakes it, and tells it so last of all.
//  7. Every slot has a reference on the window; once the server is dead, only those in use.
//  8. One slot, the spare one, is never charged for: the first request under way has it. All others
//     in use are charged to the account of who began them.
//
// Messages without an answer that counts (the close of a file, ...) are not in the table: they are
// `struct request` parts of what they end, QUEUED only, and dropped when the server has read them.
// Their ids have slot number REQUEST_NO_SLOT; answers to these are swallowed.
//
// Locks: queue.lock (RANK_QUEUE), but for `spare`, which is exchanged atomically: beginning and
// ending need no lock as long as one client calls at a time. request_call() sleeps; all else is for
// thread context without locks. Tests: tests/boot/test_user_schemes.py.
#pragma once
#include "kernel/scheme/user/buffer.h"
#include "kernel/scheme/user/packet.h"
#include "kernel/scheme/user/limits.h"
#include "kernel/sync/wait.h"
#include "lib/list.h"

struct file;
struct thread;

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
    REQUEST_NEXT = 1 << REQUEST_SLOT_BITS, // added to an id for the slot's next use
    REQUESTS_CHUNK = 16,
    REQUESTS_MAX = 1024, // of one scheme
};

enum request_outcome { REQUEST_WAITS, REQUEST_HAS_ANSWER, REQUEST_IS_GONE };

struct request_wait { // on the waiting client's stack
    struct thread *thread;
    int64_t result;
    uint8_t outcome; // enum request_outcome, atomic: written last
};

struct request {
    struct list link; // in queue.free or queue.pending
    struct message message;
    uint64_t id;   // which use of which slot
    uint8_t state; // enum request_state
    bool cancelled, cancel_queued, positioned;
    struct request_wait *wait; // of a QUEUED or SEEN one; NULL: nobody waits
    int64_t result;
    struct file *file; // SEND: what is sent. OPEN, DUP: what the server gave. FREE ones have none
    struct loan loan;  // FREE ones have lent nothing
    struct window *window; // the scheme's, with a reference
    struct scheme_account
        *account; // who is charged, with a reference; NULL: nobody (the spare one)
    void (*drop)(struct request *r); // of messages without an answer
};

struct request_reader;

struct request_queue {
    struct spinlock lock;
    bool dead;             // set under the lock; never reset (atomic)
    struct request *spare; // the slot nobody is charged for, when FREE; else NULL (atomic)
    struct list pending, free;
    struct request_reader *idle; // the server's threads that wait, who came last first
    struct request *latest;      // slot that was sent: likely what is answered next. NULL: none yet
    struct request *chunks[REQUESTS_MAX / REQUESTS_CHUNK];
    uint16_t count;            // slots there are
    struct window *window;     // NULL when dead: a dead server's memory is not kept
    struct wait_queue pollers; // of the server's file
};

void request_queue_init(struct request_queue *q, struct window *window); // its reference moves in
void request_queue_drop(struct request_queue *q); // after requests_fail() and all clients

// A slot beside the spare one, for which `account` is charged: -ENODEV, -EAGAIN, -ENOMEM.
err_t request_slot_take(struct request_queue *q, struct scheme_account *account,
                        struct request **request) must_check;
void request_slot_give(struct request_queue *q, struct request *r);

// The client's side. -ENODEV: the server is gone. -EAGAIN: too many requests. -ENOMEM. Of the
// message the kind is set; the caller fills in all the rest.
static inline must_check err_t request_begin(struct request_queue *q, enum message_kind kind,
                                             struct scheme_account *account,
                                             struct request **request)
{
    struct request *r = __atomic_exchange_n(&q->spare, NULL, __ATOMIC_SEQ_CST);
    if (unlikely(!r)) {
        err_t e = request_slot_take(q, account, &r);
        if (e)
            return e;
    }
    r->state = REQUEST_NEW;
    r->id += REQUEST_NEXT;
    r->message.kind = kind;
    r->cancelled = r->cancel_queued = r->positioned = false;
    *request = r;
    return 0;
}

// Waits for the answer. A signal asks the server to cancel (a message it has not seen is taken
// back: -EINTR); one that ends the thread does not wait on. False: the server still has it.
bool request_call(struct request_queue *q, struct request *r, int64_t *result) must_check;

// Its loan has ended and its file is gone.
static inline void request_end(struct request_queue *q, struct request *r)
{
    r->state = REQUEST_FREE;
    if (unlikely(r->account != NULL)) {
        request_slot_give(q, r);
        return;
    }
    __atomic_store_n(&q->spare, r, __ATOMIC_SEQ_CST);
    // Pairs with requests_fail(): either it finds the spare one, or we see that it was here.
    if (unlikely(__atomic_load_n(&q->dead, __ATOMIC_SEQ_CST)))
        request_slot_give(q, __atomic_exchange_n(&q->spare, NULL, __ATOMIC_SEQ_CST));
}

// Sends a message without an answer; `r` is the caller's own memory until r->drop(), which may come
// before this returns: the caller holds the scheme. False: dead.
bool request_post(struct request_queue *q, struct request *r, enum message_kind kind);

// The server's side.
// What the server reads next, as the packet of its version of the protocol.
struct request_read {
    struct request *request;
    uint64_t id;
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
static inline void request_read_done(struct request_read *read)
{
    if (unlikely(read->id == REQUEST_NO_SLOT))
        read->request->drop(read->request);
}
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
