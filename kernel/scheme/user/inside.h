// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of this folder share. (Others: user_scheme.h.)
//
// References: the registry, the server's file and every client's file hold one on the scheme, which
// is freed with the last. The server's end (user_scheme_end) makes it dead; the window, and with it
// the memory of the server, goes then, or with the last request that uses it.
// Locks: scheme.queue.lock (RANK_QUEUE) guards the requests; scheme.clients_lock (RANK_QUEUE too,
// never held together) the clients that wait for events, and their `ready` and `known`.
#pragma once
#include "kernel/sched/thread.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/user/request.h"
#include "kernel/scheme/user/user_scheme.h"

enum { CLIENT_BUCKETS = 64 };

struct user_scheme {
    struct scheme scheme;
    struct request_queue queue;
    struct scheme_account *account; // of who made it
    bool version2;
    bool removed; // from the registry, atomic
    struct spinlock clients_lock;
    struct hash_table clients; // by handle: those that asked for events
    struct hash_link *client_buckets[CLIENT_BUCKETS];
    char name[];
};

static inline struct user_scheme *user_scheme_of(struct scheme *s)
{
    return container_of(s, struct user_scheme, scheme);
}

// An open file of a client: its file's `data`.
struct client {
    struct user_scheme *scheme; // with a reference
    uint64_t handle;
    bool positioned;
    uint64_t offset; // of positioned ones, atomic
    struct scheme_account *account;
    // Events. known: `ready` (REDOX_EVENT_*) holds until something is read or written.
    struct hash_link by_handle;
    struct wait_queue wait;
    bool known;
    uint8_t ready;
    char *listing; // a directory's entries while they are listed
    size_t listing_size;
    struct request closing; // the message of its end
};

extern const struct file_ops server_files, server_files2; // of version 1 and 2
// No calls from now on; who waits gets -ENODEV. serves_on: the server's file stays open.
void user_scheme_end(struct user_scheme *s, bool serves_on);
void user_scheme_get(struct user_scheme *s);
void user_scheme_put(struct user_scheme *s);

// answer.c
err_t server_answer(struct user_scheme *s, const struct answer *a) must_check;

// client.c
extern const struct file_ops client_streams, client_seekers;
// A request of the calling process about a file (c NULL: about a path).
err_t client_begin(struct user_scheme *s, struct client *c, enum message_kind kind,
                   struct request **r) must_check;
// Lends `size` bytes of `io` to it.
err_t client_lend(struct user_scheme *s, struct request *r, struct io *io, uint64_t size,
                  enum loan_way way) must_check;
// Sends, waits, ends. What was answered is moved to or from `io` (may be NULL).
int64_t client_call(struct user_scheme *s, struct request *r, struct io *io);
// All of it, for requests without a buffer, and with one of kernel memory.
int64_t client_ask(struct client *c, enum message_kind kind, uint64_t a, uint64_t b);
int64_t client_ask_bytes(struct client *c, enum message_kind kind, void *bytes, size_t size,
                         enum loan_way way, uint64_t a, uint64_t b);
err_t client_open(struct scheme *s, const struct view *v, const char *path, size_t length,
                  unsigned flags, unsigned mode, struct file **file) must_check;
// Sends an OPEN, OPEN_AT or DUP, which `r` is but for the bytes that say what is wanted.
err_t client_open_named(struct user_scheme *s, struct request *r, const void *bytes, size_t size,
                        unsigned flags, struct file **file) must_check;
uint64_t client_flags(unsigned flags);
err_t client_remove(struct scheme *s, const struct view *v, const char *path, size_t length,
                    bool directory) must_check;

// later.c
err_t client_open_at(struct file *f, const char *path, size_t length, unsigned flags, unsigned mode,
                     struct file **file) must_check;
err_t client_remove_at(struct file *f, const char *path, size_t length, bool directory) must_check;
err_t client_link(struct file *f, const char *path, size_t length) must_check;
int64_t client_message(struct file *f, struct io *io, unsigned way, const uint64_t words[3]);

// scattered.c
typedef len_t (*client_transfer_t)(struct file *f, struct io *io, uint64_t offset,
                                   enum message_kind kind);
// `transfer` of a buffer in pieces, as one request.
len_t scattered_transfer(struct file *f, struct io *io, uint64_t offset, enum message_kind kind,
                         client_transfer_t transfer);

// status.c
err_t client_status(struct file *f, struct file_status *status) must_check;
err_t client_set_status(struct file *f, const struct view *v, const struct file_status *status,
                        unsigned what) must_check;
err_t client_totals(struct file *f, struct scheme_totals *totals) must_check;

// listing.c
err_t client_list(struct file *f, uint64_t offset, struct directory_sink *sink) must_check;

// map.c
err_t client_map(struct file *f, struct map_request *r) must_check;
void client_unmapped(struct file *f, uint64_t offset, uint64_t size);

// event.c
unsigned client_poll(struct file *f, struct poll_table *t);
void client_forget(struct client *c);
static inline void client_changed(struct client *c) // something was read or written: ask anew
{
    if (unlikely(__atomic_load_n(&c->known, __ATOMIC_RELAXED)))
        client_forget(c);
}
void client_events_end(struct client *c);
void events_trigger(struct user_scheme *s, uint64_t handle, uint64_t flags);
void events_hang_up(struct user_scheme *s); // the server is gone
