// SPDX-License-Identifier: GPL-3.0-or-later
// Clients' files: every operation is a request to the server.
#include "kernel/memory/heap.h"
#include "kernel/scheme/user/inside.h"
#include "kernel/scheme/user/limits.h"
#include "kernel/scheme/user/request_way.h"
#include "lib/string.h"
#include <redox/flags.h>

// Flags that say how to open; the others stay with the open file.
enum { OPEN_ONCE = OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE | OPEN_NO_TERMINAL };

uint64_t client_flags(unsigned flags)
{
    static const struct {
        unsigned ours;
        uint32_t theirs;
    } map[] = {
        { OPEN_READ, REDOX_O_RDONLY },       { OPEN_WRITE, REDOX_O_WRONLY },
        { OPEN_NONBLOCK, REDOX_O_NONBLOCK }, { OPEN_APPEND, REDOX_O_APPEND },
        { OPEN_ASYNC, REDOX_O_ASYNC },       { OPEN_SYNC, REDOX_O_FSYNC },
        { OPEN_CREATE, REDOX_O_CREAT },      { OPEN_TRUNCATE, REDOX_O_TRUNC },
        { OPEN_EXCLUSIVE, REDOX_O_EXCL },    { OPEN_DIRECTORY, REDOX_O_DIRECTORY },
        { OPEN_PATH, REDOX_O_STAT },         { OPEN_NO_FOLLOW, REDOX_O_NOFOLLOW },
        { OPEN_LINK, REDOX_O_SYMLINK },
    };
    uint64_t result = 0;
    for (size_t i = 0; i < array_len(map); i++)
        if (flags & map[i].ours)
            result |= map[i].theirs;
    return result;
}

static force_inline err_t begin(struct user_scheme *s, uint64_t handle, enum message_kind kind,
                                struct scheme_account *account, struct request **request)
{
    err_t e = request_begin(&s->queue, kind, account, request);
    if (unlikely(e))
        return e;
    struct message *m = &(*request)->message;
    struct caller_ids caller = identity_ids(thread_current()->identity);
    m->process = caller.process;
    m->user = caller.user;
    m->group = caller.group;
    m->handle = handle;
    return 0;
}

err_t client_begin(struct user_scheme *s, struct client *c, enum message_kind kind,
                   struct request **request)
{
    struct scheme_account *account = c ? c->account : account_get(caller_ids().user);
    if (!account)
        return -ENOMEM;
    err_t e = begin(s, c ? c->handle : 0, kind, account, request);
    if (!c)
        account_put(account);
    if (e)
        return e;
    struct message *m = &(*request)->message;
    m->buffer = m->size = m->a = m->b = 0;
    return 0;
}

static force_inline err_t lend(struct user_scheme *s, struct request *r, struct io *io,
                               uint64_t size, enum loan_way way, bool single)
{
    err_t e = buffer_begin(&r->loan, r->window, io, size, way, r->message.user, single);
    if (unlikely(e)) {
        request_end(&s->queue, r);
        return e;
    }
    r->message.buffer = r->loan.address;
    r->message.size = r->loan.size;
    return 0;
}

err_t client_lend(struct user_scheme *s, struct request *r, struct io *io, uint64_t size,
                  enum loan_way way)
{
    return lend(s, r, io, size, way, false);
}

// How many bytes of the buffer count. A server cannot answer more than it was lent.
static force_inline int64_t bytes_answered(const struct request *r, enum message_kind kind,
                                           int64_t *result)
{
    if (kind == MESSAGE_STATUS || kind == MESSAGE_TOTALS || kind == MESSAGE_CALL)
        return *result < 0 ? 0 : (int64_t)r->loan.size; // the answer is no number of bytes
    if (likely((uint64_t)*result <= r->loan.size))
        return *result;
    if (*result >= 0)
        *result = -EIO;
    return 0;
}

static force_inline int64_t call(struct user_scheme *s, struct request *r, enum message_kind kind,
                                 enum loan_way way, struct io *io, bool single)
{
    int64_t result;
    if (unlikely(!request_call_way(&s->queue, r, &result)))
        return result;
    int64_t count = bytes_answered(r, kind, &result);
    err_t e = buffer_end(&r->loan, io, (uint64_t)count, way, single);
    request_end(&s->queue, r);
    return unlikely(e) ? e : result;
}

int64_t client_call(struct user_scheme *s, struct request *r, struct io *io)
{
    if (io)
        return call(s, r, r->message.kind, r->loan.flags & (LOAN_READ | LOAN_WRITE), io, false);
    int64_t result;
    if (request_call_way(&s->queue, r, &result)) {
        loan_drop(&r->loan);
        request_end(&s->queue, r);
    }
    return result;
}

int64_t client_ask(struct client *c, enum message_kind kind, uint64_t a, uint64_t b)
{
    struct request *r;
    err_t e = client_begin(c->scheme, c, kind, &r);
    if (e)
        return e;
    r->message.a = a;
    r->message.b = b;
    return client_call(c->scheme, r, NULL);
}

int64_t client_ask_bytes(struct client *c, enum message_kind kind, void *bytes, size_t size,
                         enum loan_way way, uint64_t a, uint64_t b)
{
    struct request *r;
    err_t e = client_begin(c->scheme, c, kind, &r);
    if (e)
        return e;
    r->message.a = a;
    r->message.b = b;
    struct io io = io_kernel(bytes, size);
    e = client_lend(c->scheme, r, &io, size, way);
    if (e)
        return e;
    // The result of a request that takes bytes need not be their number.
    return client_call(c->scheme, r, way == LOAN_WRITE ? &io : NULL);
}

// Opening.

static struct client *client_make(struct user_scheme *s)
{
    struct client *c = heap_alloc(sizeof(*c));
    if (!c)
        return NULL;
    c->account = account_get(caller_ids().user);
    if (!c->account) {
        heap_free(c);
        return NULL;
    }
    user_scheme_get(s);
    c->scheme = s;
    wait_queue_init(&c->wait);
    return c;
}

static void client_drop(struct client *c)
{
    account_put(c->account);
    user_scheme_put(c->scheme);
    heap_free(c->listing);
    heap_free(c);
}

static void closing_drop(struct request *r)
{
    client_drop(container_of(r, struct client, closing));
}

static void client_close(struct file *f)
{
    struct client *c = f->data;
    struct caller_ids caller = caller_ids();
    client_events_end(c);
    c->closing.message = (struct message){
        .process = caller.process, .user = caller.user, .group = caller.group, .handle = c->handle
    };
    c->closing.drop = closing_drop;
    struct user_scheme *s = c->scheme;
    user_scheme_get(s); // who reads the message drops c, and may end the scheme, at once
    if (!request_post(&s->queue, &c->closing, MESSAGE_CLOSE))
        client_drop(c);
    user_scheme_put(s);
}

// Sends an OPEN or DUP and makes the open file of its answer: `c`, which moves in, or what the
// server gave.
static err_t client_open_with(struct client *c, struct request *r, unsigned flags,
                              struct file **file)
{
    struct user_scheme *s = c->scheme;
    int64_t result;
    struct file *given = NULL;
    if (request_call(&s->queue, r, &result)) {
        given = r->file;
        r->file = NULL;
        c->positioned = r->positioned && s->version2;
        loan_drop(&r->loan);
        request_end(&s->queue, r);
    }
    if (result < 0 || given) {
        client_drop(c);
        *file = given;
        return result < 0 ? (err_t)result : 0;
    }
    c->handle = (uint64_t)result;
    bool seeks = !s->version2 || c->positioned;
    if (flags & OPEN_PATH)
        flags &= OPEN_PATH | OPEN_DIRECTORY | OPEN_NO_FOLLOW;
    err_t e = file_make(seeks ? &client_seekers : &client_streams, NULL, NULL,
                        flags & ~(unsigned)OPEN_ONCE, c, file);
    if (e) { // the server is told by the way of all files
        struct file nobody = { .data = c };
        client_close(&nobody);
    }
    return e;
}

err_t client_open_named(struct user_scheme *s, struct request *r, const void *bytes, size_t size,
                        unsigned flags, struct file **file)
{
    struct io io = io_kernel((void *)(uintptr_t)bytes, size);
    err_t e = client_lend(s, r, &io, size, LOAN_READ);
    if (e)
        return e;
    struct client *c = client_make(s);
    if (!c) {
        loan_drop(&r->loan);
        request_end(&s->queue, r);
        return -ENOMEM;
    }
    return client_open_with(c, r, flags, file);
}

err_t client_open(struct scheme *scheme, const struct view *v, const char *path, size_t length,
                  unsigned flags, unsigned mode, struct file **file)
{
    struct user_scheme *s = user_scheme_of(scheme);
    struct request *r;
    err_t e = client_begin(s, NULL, MESSAGE_OPEN, &r);
    if (e)
        return e;
    r->message.a = client_flags(flags) | (flags & OPEN_CREATE ? mode & REDOX_O_MODE : 0);
    return client_open_named(s, r, path, length, flags, file);
}

static err_t client_derive(struct file *f, const void *bytes, size_t size, struct file **file)
{
    struct client *from = f->data;
    struct user_scheme *s = from->scheme;
    struct request *r;
    err_t e = client_begin(s, from, MESSAGE_DUP, &r);
    if (e)
        return e;
    return client_open_named(s, r, bytes, size, f->flags, file);
}

err_t client_remove(struct scheme *scheme, const struct view *v, const char *path, size_t length,
                    bool directory)
{
    struct user_scheme *s = user_scheme_of(scheme);
    struct request *r;
    err_t e = client_begin(s, NULL, directory ? MESSAGE_RMDIR : MESSAGE_UNLINK, &r);
    if (e)
        return e;
    struct io io = io_kernel((void *)(uintptr_t)path, length);
    e = client_lend(s, r, &io, length, LOAN_READ);
    return e ? e : (err_t)min_of(client_call(s, r, NULL), (int64_t)0);
}

// Reading and writing.

// `at`: where a positioned file is read or written, which the message tells; all ones: the server
// knows.
static force_inline len_t transfer_at(struct file *f, struct io *io, uint64_t at,
                                      enum message_kind kind, bool single)
{
    struct client *c = f->data;
    struct user_scheme *s = c->scheme;
    struct request *r;
    err_t e = begin(s, c->handle, kind, c->account, &r);
    if (unlikely(e))
        return e;
    r->message.a = at;
    r->message.b = 0;
    if (unlikely(f->flags & (OPEN_NONBLOCK | OPEN_APPEND)))
        r->message.b = (f->flags & OPEN_NONBLOCK ? REDOX_RW_NONBLOCK : 0) |
                       (f->flags & OPEN_APPEND ? REDOX_RW_APPEND : 0);
    enum loan_way way = kind == MESSAGE_READ ? LOAN_WRITE : LOAN_READ;
    e = lend(s, r, io, io->left, way, single);
    if (unlikely(e))
        return e;
    int64_t n = call(s, r, kind, way, io, single);
    client_changed(c);
    return n;
}

static no_inline len_t transfer_positioned(struct file *f, struct io *io, uint64_t offset,
                                           enum message_kind kind)
{
    struct client *c = f->data;
    bool own = offset == FILE_OFFSET_OWN;
    uint64_t at = own ? __atomic_load_n(&c->offset, __ATOMIC_RELAXED) : offset;
    len_t n = transfer_at(f, io, at, kind, false);
    if (n > 0 && own)
        __atomic_fetch_add(&c->offset, (uint64_t)n, __ATOMIC_RELAXED);
    return n;
}

static force_inline len_t transfer(struct file *f, struct io *io, uint64_t offset,
                                   enum message_kind kind, bool single)
{
    struct client *c = f->data;
    if (unlikely(c->positioned))
        return transfer_positioned(f, io, offset, kind);
    if (unlikely(offset != FILE_OFFSET_OWN && !c->scheme->version2))
        return -ESPIPE; // only the server knows where it is
    return transfer_at(f, io, UINT64_MAX, kind, single);
}

static len_t transfer_piece(struct file *f, struct io *io, uint64_t offset, enum message_kind kind)
{
    return transfer(f, io, offset, kind, false);
}

static no_stack_guard len_t client_read(struct file *f, struct io *io, uint64_t offset)
{
    if (unlikely(io->vectors != NULL))
        return scattered_transfer(f, io, offset, MESSAGE_READ, transfer_piece);
    return transfer(f, io, offset, MESSAGE_READ, true);
}

static no_stack_guard len_t client_write(struct file *f, struct io *io, uint64_t offset)
{
    if (unlikely(io->vectors != NULL))
        return scattered_transfer(f, io, offset, MESSAGE_WRITE, transfer_piece);
    return transfer(f, io, offset, MESSAGE_WRITE, true);
}

// Version 2 keeps the offset here, and asks for the size only.
static err_t seek_positioned(struct client *c, int64_t by, enum seek_from from, uint64_t *result)
{
    int64_t base = 0, to;
    if (from == SEEK_FROM_HERE)
        base = (int64_t)__atomic_load_n(&c->offset, __ATOMIC_RELAXED);
    else if (from == SEEK_FROM_END)
        base = client_ask(c, MESSAGE_SIZE, 0, 0);
    if (base < 0)
        return (err_t)base;
    if (add_overflows(base, by, &to))
        return -EOVERFLOW;
    if (to < 0)
        return -EINVAL;
    __atomic_store_n(&c->offset, (uint64_t)to, __ATOMIC_RELAXED);
    *result = (uint64_t)to;
    return 0;
}

static err_t client_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    struct client *c = f->data;
    if (from > SEEK_FROM_END)
        return -EINVAL;
    if (c->positioned)
        return seek_positioned(c, by, from, result);
    int64_t to = client_ask(c, MESSAGE_SEEK, (uint64_t)by, from);
    *result = (uint64_t)to;
    return to < 0 ? (err_t)to : 0;
}

// The rest.

static err_t client_sync(struct file *f, bool data_only)
{
    return (err_t)min_of(client_ask(f->data, MESSAGE_SYNC, 0, 0), (int64_t)0);
}

static err_t client_resize(struct file *f, uint64_t size)
{
    return (err_t)min_of(client_ask(f->data, MESSAGE_RESIZE, size, 0), (int64_t)0);
}

static err_t client_change_flags(struct file *f, unsigned flags)
{
    uint64_t theirs = client_flags(flags);
    return (err_t)min_of(client_ask(f->data, MESSAGE_CONTROL, REDOX_F_SETFL, theirs), (int64_t)0);
}

static err_t client_path(struct file *f, char *to, size_t room, size_t *length)
{
    if (!room)
        return -ERANGE;
    int64_t n = client_ask_bytes(f->data, MESSAGE_PATH, to, room - 1, LOAN_WRITE, 0, 0);
    if (n < 0)
        return (err_t)n;
    *length = (size_t)n;
    to[n] = '\0';
    return 0;
}

static err_t client_rename(struct file *f, const char *path, size_t length)
{
    int64_t result =
        client_ask_bytes(f->data, MESSAGE_RENAME, (void *)(uintptr_t)path, length, LOAN_READ, 0, 0);
    return (err_t)min_of(result, (int64_t)0);
}

// The request has a reference of its own, so that what goes wrong leaves the caller's alone.
static err_t client_send(struct file *f, struct file *sent, unsigned flags, uint64_t argument,
                         uint64_t *result)
{
    struct client *c = f->data;
    struct user_scheme *s = c->scheme;
    if (sent->ops == &server_files || sent->ops == &server_files2)
        return -EINVAL; // would live as long as itself
    struct request *r;
    err_t e = client_begin(s, c, MESSAGE_SEND, &r);
    if (e)
        return e;
    r->message.a = flags;
    r->message.b = argument;
    r->file = sent;
    file_get(sent);
    int64_t answer;
    if (request_call(&s->queue, r, &answer)) {
        if (r->file)
            file_put(r->file);
        r->file = NULL;
        request_end(&s->queue, r);
    }
    if (answer < 0)
        return (err_t)answer;
    file_put(sent);
    *result = (uint64_t)answer;
    return 0;
}

#define CLIENT_FILES                                                                        \
    .name = "user", .read = client_read, .write = client_write, .list = client_list,        \
    .poll = client_poll, .sync = client_sync, .resize = client_resize, .path = client_path, \
    .status = client_status, .set_status = client_set_status, .totals = client_totals,      \
    .derive = client_derive, .change_flags = client_change_flags, .send = client_send,      \
    .map = client_map, .unmapped = client_unmapped, .rename = client_rename,                \
    .open_at = client_open_at, .remove_at = client_remove_at, .link = client_link,          \
    .call = client_message, .close = client_close, .keeps_offset = true

const struct file_ops client_streams = { CLIENT_FILES };
const struct file_ops client_seekers = { CLIENT_FILES, .seek = client_seek };
