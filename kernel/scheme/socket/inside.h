// SPDX-License-Identifier: GPL-3.0-or-later
// Inside of sockets: the structures, and who guards what. Others include socket.h.
//
// Locks, outermost first:
//   setup    (RANK_SOCKET_SETUP, sleeping) one socket's name, state and peer while they change
//   reading  (RANK_SOCKET, sleeping)       one socket's head message: whoever receives; held over
//                                          copies to user memory, never while waiting for a message
//   flight_lock (RANK_FLIGHT)              which sockets are on the way in whose messages
//   lock     (RANK_QUEUE)                  one socket's queue, backlog, ends, peer; never two at
//   once bucket   (RANK_SOCKET_NAMES)           one part of the table of names
//
// A stream or records socket gets its peer once and keeps it until it closes, so its own calls read
// `peer` without a lock. A datagram socket's peer changes: peer_get(). Nobody holds a lock of two
// sockets: what goes from one to the other goes by values and references.
#pragma once
#include "kernel/scheme/node.h"
#include "kernel/scheme/socket/socket.h"
#include "lib/hash.h"
#include "lib/list.h"

enum socket_state { STATE_FRESH, STATE_LISTENS, STATE_CONNECTED };
enum { SHUT_BOTH = SOCKET_END_READ | SOCKET_END_WRITE };
enum { MESSAGE_SMALL = 112, LOOSE_MAX = 16, DATAGRAMS_MAX = 10 };

enum address_kind { ADDRESS_BYTES, ADDRESS_CHAN, ADDRESS_NODE };

// A name that a socket has. Shared with the connections its owner accepted.
struct address {
    uint32_t references;
    enum address_kind kind;
    uint8_t type;          // ADDRESS_BYTES: one name for each type of socket
    struct hash_link link; // in the table while `owner` is open
    struct socket *owner;  // under the bucket's lock, without a reference
    struct node *node;     // ADDRESS_NODE
    struct socket_name name;
};

// Open files in a message, or sent without one (chan).
struct passed {
    struct list link;  // in the carrier's `carriers`: flight_lock
    struct list loose; // in the carrier's `loose`: its lock
    struct scheme_account *account;
    bool counted;             // its sockets are on the way
    struct socket_files *set; // `files` may be NULL once they were handed on
};

struct message {
    struct message *next;  // in the queue
    struct message *more;  // the rest of a record
    struct socket *sender; // datagrams, with a reference; else the reader's peer
    struct passed *passed;
    struct socket_credentials credentials;
    bool has_credentials;
    uint32_t start, length; // what is left of the bytes
    uint32_t charge;
    struct page *page; // NULL: `small`
    char small[MESSAGE_SMALL];
};

struct socket {
    uint32_t references; // its file, its peer, messages it sent, calls under way
    uint8_t type, state; // state: under `lock`, read without
    bool is_chan;        // opened by scheme chan: files stay until they are asked for
    bool chan_creates;   // it was opened to create: so are those derived from it
    bool closed;         // under `lock`
    uint8_t shut;        // enum socket_end; under `lock`, read without
    bool wants_credentials;
    struct spinlock lock;
    struct mutex setup, reading;
    struct message *first, *last; // first: changed by who receives, under both locks
    uint32_t count, pushed;       // messages there are; that came so far
    uint32_t queued;              // bytes it sent that are on the way, atomic
    uint32_t send_max, receive_max;
    int32_t error; // told once; atomic
    uint64_t kept; // SOCKET_OPTION_KEPT
    nanos_t send_time, receive_time;
    struct wait_queue readable, writable;
    struct socket *peer;                    // with a reference
    struct address *address;                // set once; NULL: none
    struct list blocked;                    // datagram sockets connected here that found it full
    struct list blocked_link;               // in its peer's; under the peer's lock
    struct socket_credentials self, remote; // of who made or connected it; the peer's

    struct list backlog, backlog_link; // connections not accepted yet
    uint32_t backlog_count, backlog_max;

    struct file *file;    // without a reference; NULL: not accepted yet, or closed
    uint64_t inode;       // of its file's node
    struct list carriers; // struct passed.link
    struct list loose;    // struct passed.loose; under `lock`
    uint32_t loose_count;
    uint32_t flights, inner;        // references by messages; of those, by collectable sockets
    struct list flying, found, all; // flight_lock; flight_lock; the list of all
    bool candidate, reached;        // by flight_lock
};

// socket.c
struct socket *socket_of(const struct file *f); // NULL: it is none
struct socket *socket_alloc(enum socket_type type) must_check;
err_t socket_open(struct socket *s, unsigned flags, struct file **file) must_check;
void socket_get_ref(struct socket *s);
void socket_put(struct socket *s);
void socket_end(struct socket *s);   // nobody has it open any more
bool socket_empty(struct socket *s); // drops what nobody will receive; whether there was some
void socket_tell(struct socket *s);  // its state changed
void socket_cut(struct socket *s, unsigned ends, int32_t error); // and tell
void socket_join(struct socket *a, struct socket *b);            // both new to the world
struct socket_credentials socket_caller(void);                   // effective
void socket_block(struct socket *s, struct socket *on);
void socket_unblock(struct socket *s, struct socket *from);
// A wait that ended: what the call returns. `deadline` as it was waited for.
err_t socket_wait_error(err_t e, nanos_t deadline);
nanos_t socket_deadline(nanos_t span);
bool socket_waits(const struct file *f, unsigned flags);

static inline uint32_t seen32(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline uint8_t seen8(const uint8_t *byte)
{
    return __atomic_load_n(byte, __ATOMIC_ACQUIRE);
}

static inline struct message *socket_first(struct socket *s)
{
    return __atomic_load_n(&s->first, __ATOMIC_ACQUIRE);
}

// message.c
void messages_init(void);
// Up to `most` bytes of `io` as one message; -EFAULT, -ENOMEM. `whole`: as one record, however
// long.
err_t message_make(struct io *io, uint64_t most, bool whole, struct message **message) must_check;
void message_drop(struct message *m); // its files and its sender's reference as well
uint64_t message_length(const struct message *m);
err_t message_copy(struct message *m, uint64_t from, struct io *io, uint64_t size) must_check;
// -ECONNREFUSED: it was closed. -EPIPE: it reads no more. -EAGAIN: full, for this sender.
err_t queue_push(struct socket *to, struct message *m, struct socket *sender) must_check;
void queue_pop(struct socket *s); // under s->reading; the caller has the message
bool queue_is_full(const struct socket *to, const struct socket *sender);
void blocked_wake(struct socket *s);
void charge_take(struct socket *sender, const struct message *m);
void charge_give(struct socket *sender, uint32_t charge);
bool socket_writable(const struct socket *s);

// names.c
void names_of_sockets_init(void);
err_t address_bind(struct socket *s, const struct view *v, const struct socket_name *name)
    must_check;
err_t address_bind_chan(struct socket *s, const char *name) must_check; // -EADDRINUSE
// Whose name that is, with a reference. -ECONNREFUSED: nobody's; -ENOENT, -EACCES.
err_t address_find(const struct view *v, const struct socket_name *name, enum socket_type type,
                   struct socket **socket) must_check;
err_t address_find_chan(const char *name, struct socket **socket) must_check;
void address_end(struct socket *s); // nobody finds it any more
void address_get(struct address *a);
void address_put(struct address *a);
struct address *address_of(struct socket *s); // without a reference; stays while `s` does

// connect.c
err_t connect_to(struct socket *s, struct socket *listener, bool wait) must_check;
void backlog_end(struct socket *listener);
void peer_forget(struct socket *s, struct socket *peer); // a datagram socket's, if it is that
err_t accept_wait(struct socket *s, bool wait, struct socket **accepted) must_check;

// stream.c, datagram.c
len_t stream_send(struct socket *s, struct io *io, const struct socket_outgoing *out, bool wait);
len_t stream_receive(struct socket *s, struct io *io, struct socket_incoming *in, bool wait);
len_t datagram_send(struct socket *s, struct io *io, const struct socket_outgoing *out, bool wait);
len_t datagram_receive(struct socket *s, struct io *io, struct socket_incoming *in, bool wait);
struct socket *peer_get(struct socket *s); // with a reference; NULL: none
// Room for one more message. 0, -EPIPE, -EAGAIN or what a wait ends with.
err_t socket_room_wait(struct socket *s, bool wait, nanos_t deadline) must_check;
// Files beside the bytes of a stream, one at a time (chan).
err_t stream_send_file(struct socket *s, struct file *f) must_check; // takes its own reference
err_t stream_receive_file(struct socket *s, bool wait, struct file **file) must_check;
void message_sign(struct message *m, const struct socket *s, const struct socket *to,
                  const struct socket_outgoing *out);
struct socket_credentials message_credentials(const struct message *m);
void incoming_sign(struct socket *s, const struct message *m, struct socket_incoming *in);
void incoming_name(const struct socket *from, struct socket_incoming *in);

// chan.c: what file_ops add for it
err_t chan_derive(struct file *f, const void *bytes, size_t size, struct file **file) must_check;
err_t chan_send(struct file *f, struct file *sent, unsigned flags, uint64_t argument,
                uint64_t *result) must_check;
err_t chan_path(struct socket *s, char *to, size_t room, size_t *length) must_check;

// flight.c
// The files of a message or of a chan, with references of their own. -ETOOMANYREFS, -EINVAL (a file
// that keeps others open), -ENOMEM.
err_t passed_make(struct file *const *files, unsigned count, struct passed **passed) must_check;
void passed_fly(struct passed *p, struct socket *carrier); // before others can see it there
// They have arrived: from here on they are the caller's. NULL where `p` is.
struct socket_files *passed_land(struct passed *p);
struct socket_files *passed_copy(struct passed *p) must_check; // for peeking; NULL: no memory
void passed_drop(struct passed *p);                            // closes them
struct file *passed_take(struct passed *p);                    // the first one
