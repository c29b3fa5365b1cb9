// SPDX-License-Identifier: MIT
// A small library to write a scheme's server: a program that answers for all names "NAME:...".
//
//   static int64_t hello_read(struct scheme_call *c, struct scheme_handle *h, void *buffer,
//                             size_t size, uint64_t offset)
//   {
//       return scheme_text(buffer, size, offset, "hello\n", 6);
//   }
//
//   static const struct scheme_ops ops = { .read = hello_read };
//   static struct scheme_handle handles[64];
//   struct scheme_server s = { .ops = &ops, .handles = handles, .handle_count = 64 };
//   int64_t e = scheme_make(&s, "hello", 2);      needs root; version 1 or 2 of the protocol
//   if (!e)
//       e = scheme_serve(&s);                     until the name is taken away: 0
//
// The library keeps the table of open handles, offsets, status flags and who waits for events; the
// server's functions do the rest. Each returns its result or a negative number of <redox/error.h>;
// one that is missing gives what a kernel scheme without it would. Both versions of the protocol
// look the same to the server. Nothing is allocated; no C library is needed, none is in the way.
//
// Buffers and paths of a call are the caller's memory (or copies of it), there until the call is
// answered. A function that cannot answer yet keeps a copy of *c and returns SCHEME_LATER; it is
// answered by scheme_answer(). One thread at a time for each server.
//
// protocol.c takes requests and answers apart and makes no system call (its test, test/protocol.c,
// runs on the build machine); serve.c is the loop around it.
#pragma once
#include <redox/system.h>
#include <stdbool.h>
#include "user/libscheme/codes.h"

#define SCHEME_LATER INT64_MIN

struct scheme_server;

struct scheme_handle { // one for each open
    void *data;        // the server's
    uint64_t number;   // the server's
    uint64_t flags;    // of open, kept up to date: REDOX_O_*
    uint64_t offset;   // version 1: of a positioned handle
    uint64_t events;   // what somebody waits for: REDOX_EVENT_*
    bool used;
    bool positioned; // has an offset; true at open when the server has `size`, may be cleared there
};

struct scheme_call { // a request; may be copied and kept until it is answered
    struct scheme_server *server;
    struct scheme_handle *handle; // NULL: of a path
    uint64_t id;
    uint64_t process;     // the caller's number, and its effective ids
    uint32_t user, group; // (version 1 does not tell them for map and unmap: 0)
    uint8_t opcode;       // REDOX_SQE_* or SCHEME_LSEEK
    bool oneway;          // nobody waits for an answer
    bool returns_fd;      // the answer of open or dup is a descriptor of the server's
    uint64_t args[6];
};

struct scheme_ops {
    // On a path, without "NAME:". `h` is fresh, h->flags are open's flags and mode. Missing: every
    // path can be opened.
    int64_t (*open)(struct scheme_call *c, struct scheme_handle *h, const char *path,
                    size_t length);
    int64_t (*unlink)(struct scheme_call *c, const char *path, size_t length);
    int64_t (*rmdir)(struct scheme_call *c, const char *path, size_t length);
    // Version 2: on a path that begins at the open file `from` (0.5.12 and later programs).
    int64_t (*open_at)(struct scheme_call *c, struct scheme_handle *h, struct scheme_handle *from,
                       const char *path, size_t length);
    int64_t (*unlink_at)(struct scheme_call *c, struct scheme_handle *from, const char *path,
                         size_t length, uint64_t flags); // REDOX_AT_REMOVEDIR
    int64_t (*link)(struct scheme_call *c, struct scheme_handle *h, const char *path,
                    size_t length); // one more name
    // A new handle from an old one and a name.
    int64_t (*dup)(struct scheme_call *c, struct scheme_handle *h, struct scheme_handle *from,
                   const char *name, size_t length);
    void (*close)(struct scheme_call *c, struct scheme_handle *h);

    // The offset of a handle that is not positioned is REDOX_OFFSET_NONE. h->flags say whether the
    // caller may read or write at all (the library has checked) and whether it wants to wait.
    int64_t (*read)(struct scheme_call *c, struct scheme_handle *h, void *buffer, size_t size,
                    uint64_t offset);
    int64_t (*write)(struct scheme_call *c, struct scheme_handle *h, const void *buffer,
                     size_t size, uint64_t offset);
    int64_t (*size)(struct scheme_call *c, struct scheme_handle *h);
    int64_t (*truncate)(struct scheme_call *c, struct scheme_handle *h, uint64_t size);
    int64_t (*sync)(struct scheme_call *c, struct scheme_handle *h);
    int64_t (*status)(struct scheme_call *c, struct scheme_handle *h, struct redox_stat *status);
    int64_t (*totals)(struct scheme_call *c, struct scheme_handle *h, struct redox_statvfs *totals);
    int64_t (*path)(struct scheme_call *c, struct scheme_handle *h, char *buffer, size_t size);
    int64_t (*rename)(struct scheme_call *c, struct scheme_handle *h, const char *path,
                      size_t length);
    int64_t (*chmod)(struct scheme_call *c, struct scheme_handle *h, uint16_t mode);
    int64_t (*chown)(struct scheme_call *c, struct scheme_handle *h, uint32_t user, uint32_t group);
    // Access, then change; `count` is 1 or 2.
    int64_t (*times)(struct scheme_call *c, struct scheme_handle *h,
                     const struct redox_timespec *times, size_t count);
    // Records of redox_dirent_header and name; `start` is 0 or an entry's next_opaque.
    int64_t (*entries)(struct scheme_call *c, struct scheme_handle *h, void *buffer, size_t size,
                       uint64_t start);
    int64_t (*fcntl)(struct scheme_call *c, struct scheme_handle *h, uint64_t command,
                     uint64_t argument); // all but the flags, which the library keeps
    // What is ready now of `flags`; tells that somebody waits: scheme_notify() when it changes.
    uint64_t (*ready)(struct scheme_call *c, struct scheme_handle *h, uint64_t flags);
    // A page-aligned address in the server where `size` bytes from `offset` lie until unmap.
    int64_t (*map)(struct scheme_call *c, struct scheme_handle *h, uint64_t offset, size_t size,
                   uint64_t flags);
    int64_t (*unmap)(struct scheme_call *c, struct scheme_handle *h, uint64_t offset, size_t size,
                     uint64_t flags);
    // A descriptor was sent: scheme_take_fd() takes it.
    int64_t (*sendfd)(struct scheme_call *c, struct scheme_handle *h, uint64_t flags,
                      uint64_t argument);
    // Version 2: what the caller means by it is the server's. c->user and c->group say nothing.
    int64_t (*message)(struct scheme_call *c, struct scheme_handle *h, void *payload, size_t size,
                       const uint64_t words[3]);
    // The caller of the request `id` was interrupted: answer it if it was kept (-REDOX_EINTR).
    void (*cancel)(struct scheme_server *s, uint64_t id);
};

enum { SCHEME_BATCH = 16 };

union scheme_message { // to the kernel
    struct redox_packet packet;
    struct redox_cqe answer;
};

struct scheme_server {
    const struct scheme_ops *ops;
    struct scheme_handle *handles;
    size_t handle_count;
    void *data;       // the server's
    unsigned version; // from here on the library's
    int64_t fd;
    bool in_turn;   // answers are gathered
    size_t waiting; // messages not yet written
    union scheme_message out[SCHEME_BATCH];
};

// serve.c. Makes the scheme NAME in the caller's name space; 0 or an error. `version` may have
// REDOX_O_NONBLOCK added: then scheme_turn() does not wait, and s->fd can be put in an event queue.
int64_t scheme_make(struct scheme_server *s, const char *name, uint64_t version);
// Answers requests until there are none (0) or something is wrong.
int64_t scheme_serve(struct scheme_server *s);
// Answers what is there: the number of requests, 0 at the end, -REDOX_EAGAIN.
int64_t scheme_turn(struct scheme_server *s);
int64_t scheme_answer(struct scheme_call *c, int64_t result);
// Something is ready: tells those who wait for it.
int64_t scheme_notify(struct scheme_server *s, struct scheme_handle *h, uint64_t flags);
// In `open` or `dup`: `return scheme_return_fd(c, fd)` gives the caller this descriptor of ours.
int64_t scheme_return_fd(struct scheme_call *c, int64_t fd);
// In `sendfd` or before it is answered: the descriptor that was sent, now ours.
int64_t scheme_take_fd(struct scheme_call *c);
// For `read` of constant text: what of it lies at the offset.
int64_t scheme_text(void *buffer, size_t size, uint64_t offset, const char *text, size_t length);

// protocol.c. Takes a request apart, has it done, makes its answer; false: there is none (yet).
bool scheme_packet(struct scheme_server *s, const struct redox_packet *p,
                   union scheme_message *answer);
bool scheme_sqe(struct scheme_server *s, const struct redox_sqe *q, union scheme_message *answer);
// What scheme_answer() sends; closes the fresh handle of an open that failed.
void scheme_make_answer(struct scheme_call *c, int64_t result, union scheme_message *answer);
void scheme_make_event(const struct scheme_server *s, const struct scheme_handle *h, uint64_t flags,
                       union scheme_message *event);
void scheme_make_obtain(const struct scheme_call *c, uint64_t *fd, union scheme_message *message);
