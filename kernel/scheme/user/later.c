// SPDX-License-Identifier: GPL-3.0-or-later
// Requests of versions after 0.5.2, which servers of version 2 of the protocol get: paths that
// begin at an open file, hard links, and messages whose meaning is the server's alone.
#include "kernel/scheme/user/inside.h"
#include <redox/flags.h>

static err_t begin(struct file *f, enum message_kind kind, struct request **r)
{
    struct client *c = f->data;
    return c->scheme->version2 ? client_begin(c->scheme, c, kind, r) : -EOPNOTSUPP;
}

err_t client_open_at(struct file *f, const char *path, size_t length, unsigned flags, unsigned mode,
                     struct file **file)
{
    struct client *c = f->data;
    struct request *r;
    err_t e = begin(f, MESSAGE_OPEN_AT, &r);
    if (e)
        return e;
    r->message.a = client_flags(flags) | (flags & OPEN_CREATE ? mode & REDOX_O_MODE : 0);
    r->message.b = client_flags(flags & (OPEN_NONBLOCK | OPEN_APPEND));
    return client_open_named(c->scheme, r, path, length, flags, file);
}

// A request whose buffer is a path, and whose answer only tells whether it was done.
static err_t ask_path(struct file *f, enum message_kind kind, const char *path, size_t length,
                      uint64_t a)
{
    struct client *c = f->data;
    if (!c->scheme->version2)
        return -EOPNOTSUPP;
    int64_t result = client_ask_bytes(c, kind, (void *)(uintptr_t)path, length, LOAN_READ, a, 0);
    return (err_t)min_of(result, (int64_t)0);
}

err_t client_remove_at(struct file *f, const char *path, size_t length, bool directory)
{
    return ask_path(f, MESSAGE_REMOVE_AT, path, length, directory ? REDOX_AT_REMOVEDIR : 0);
}

err_t client_link(struct file *f, const char *path, size_t length)
{
    return ask_path(f, MESSAGE_LINK, path, length, 0);
}

int64_t client_message(struct file *f, struct io *io, unsigned way, const uint64_t words[3])
{
    struct client *c = f->data;
    struct request *r;
    if (io->left > LOAN_BYTES_MAX)
        return -EINVAL; // a part of a message is none
    err_t e = begin(f, MESSAGE_CALL, &r);
    if (e)
        return e;
    unsigned loan = (way & FILE_CALL_IN ? LOAN_READ : 0) | (way & FILE_CALL_OUT ? LOAN_WRITE : 0);
    e = client_lend(c->scheme, r, io, io->left, loan);
    if (e)
        return e;
    r->message.a = words[0];
    r->message.b = words[1];
    r->message.user = (uint32_t)words[2];
    r->message.group = (uint32_t)(words[2] >> 32);
    return client_call(c->scheme, r, io);
}
