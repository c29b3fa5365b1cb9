// SPDX-License-Identifier: GPL-3.0-or-later
// Sockets between programs of this machine: what Unix sockets and scheme "chan" are made of. Both
// ABIs call this; neither's numbers or layouts are known here.
//
//   struct file *ends[2];
//   err_t e = socket_pair(SOCKET_STREAM, 0, ends);
//   struct socket_outgoing out = { .files = &file, .file_count = 1 };
//   len_t n = socket_send(ends[0], &io, &out);
//   struct socket_incoming in = { .wants_files = true };
//   n = socket_receive(ends[1], &io, &in);  ...  socket_files_drop(in.files);
//
// A socket is an open file; read and write are receive and send without names and files. Streams
// are bytes, records keep their borders, datagrams go to whom each is addressed. What is on the way
// is charged to its sender, who waits (or gets -EAGAIN) beyond its limit. Open files travel with
// bytes; sockets that are kept only by messages in each other's queues are found and closed
// (flight.c).
//
// All of it: thread context, may sleep, no locks held. -ENOTSOCK: the file is no socket. The locks
// are listed in inside.h. Tests: tests/boot/test_sockets.py.
#pragma once
#include "kernel/scheme/file.h"

struct view;
struct socket_files;
struct passed;

enum socket_type { SOCKET_STREAM = 1, SOCKET_DATAGRAM = 2, SOCKET_RECORDS = 5 };

enum {
    SOCKET_NAME_MAX = 108,
    SOCKET_FILES_MAX = 253, // of one message
    SOCKET_BACKLOG_MAX = 4096,
};

// Length 0: none. A first byte of 0: any bytes of no place in the tree. Else a path, without NUL.
struct socket_name {
    uint16_t length;
    char bytes[SOCKET_NAME_MAX];
};

struct socket_credentials {
    int32_t process;
    uint32_t user, group; // UINT32_MAX: not known
};

enum socket_flag { // how to send or receive, this once
    SOCKET_DONT_WAIT = 1,
    SOCKET_PEEK = 2,     // what is received stays
    SOCKET_WAIT_ALL = 4, // a stream fills the buffer before it returns
};

// References of its own are taken on `files`. `credentials` NULL: the caller's own.
struct socket_outgoing {
    unsigned flags;
    const struct socket_name *to; // NULL: the peer
    const struct view *view;      // to find `to`
    struct file *const *files;
    unsigned file_count;
    const struct socket_credentials *credentials;
};

struct socket_incoming {
    unsigned flags;
    bool wants_files; // else they are closed
    bool wants_name;
    // Results.
    struct socket_name from;
    uint64_t whole; // how long the record was, or the bytes received
    bool cut;       // the record was longer than the buffer
    bool files_lost;
    struct socket_files *files; // NULL: none. The caller's: socket_files_drop()
    bool has_credentials;       // the socket was told to ask for them
    struct socket_credentials credentials;
    struct passed *unwanted; // inside
};

struct socket_files { // what one message carried; slots may be taken over and cleared
    unsigned count;
    struct file *files[];
};
void socket_files_drop(struct socket_files *files); // closes what is left; NULL: nothing to do

// New sockets as open files. `flags`: OPEN_NONBLOCK.
err_t socket_make(enum socket_type type, unsigned flags, struct file **file) must_check;
err_t socket_pair(enum socket_type type, unsigned flags, struct file *ends[2]) must_check;
bool socket_is(const struct file *f);
enum socket_type socket_type_of(const struct file *f); // of a socket

// -EADDRINUSE, -EINVAL (has a name, bad name), and what making a name in the tree answers. An empty
// name: one is made up.
err_t socket_bind(struct file *f, const struct view *v, const struct socket_name *name) must_check;
err_t socket_listen(struct file *f, int backlog) must_check;
// The oldest connection; its name and peer are there at once. -EINVAL: does not listen.
err_t socket_accept(struct file *f, unsigned flags, struct file **file) must_check;
// -ECONNREFUSED, -EPROTOTYPE, -EACCES, -EISCONN, -EAGAIN (its queue is full).
err_t socket_connect(struct file *f, const struct view *v, const struct socket_name *name)
    must_check;
err_t socket_disconnect(struct file *f) must_check; // datagrams: no peer any more
err_t socket_name_of(struct file *f, bool of_peer, struct socket_name *name) must_check;

enum socket_end { SOCKET_END_READ = 1, SOCKET_END_WRITE = 2 };
err_t socket_shutdown(struct file *f, unsigned ends) must_check;

len_t socket_send(struct file *f, struct io *io, const struct socket_outgoing *out);
len_t socket_receive(struct file *f, struct io *io, struct socket_incoming *in);

enum socket_option {
    SOCKET_OPTION_TYPE,        // get only, as the next two
    SOCKET_OPTION_LISTENS,     //
    SOCKET_OPTION_ERROR,       // taken by asking
    SOCKET_OPTION_SEND_MAX,    // bytes of the kernel's memory on the way
    SOCKET_OPTION_RECEIVE_MAX, // kept; means nothing between sockets of one machine
    SOCKET_OPTION_SEND_TIME,   // nanos; 0: for ever
    SOCKET_OPTION_RECEIVE_TIME,
    SOCKET_OPTION_CREDENTIALS, // wants the sender's credentials
    SOCKET_OPTION_KEPT,        // bits that mean nothing here, for whoever keeps them
};
err_t socket_get(struct file *f, enum socket_option option, uint64_t *value) must_check;
err_t socket_set(struct file *f, enum socket_option option, uint64_t value) must_check;
err_t socket_peer(struct file *f, struct socket_credentials *c) must_check; // when they connected

// For lists of all sockets. Visits copies; false stops.
struct socket_seen {
    enum socket_type type;
    bool listens, connected;
    uint32_t references;
    uint64_t inode; // 0: nobody has accepted it yet
    struct socket_name name;
};
void socket_visit(bool (*visit)(const struct socket_seen *s, void *data), void *data);

// A reference of a socket that is on its way in a message was given back: what nobody can reach any
// more is closed. Cheap when nothing changed. (file_put() notes the change in socket_unsettled.)
extern bool socket_unsettled;
void socket_collect(void);

void socket_init(void);
