// SPDX-License-Identifier: GPL-3.0-or-later
// Directories of user schemes as Linux's programs list them. The server gives names, each on a line
// of its own, by READ, or (version 2) records by GETDENTS. All of them are read when a listing
// begins, and kept in the client until it ends, so that what lies between two calls does not shift.
#include "kernel/memory/heap.h"
#include "kernel/scheme/user/inside.h"
#include "lib/string.h"

enum { LISTING_MOST = 1 << 20, PIECE = 4096 };

struct text {
    char *bytes;
    size_t size, room;
};

static err_t text_add(struct text *t, const void *bytes, size_t size)
{
    if (t->size + size > LISTING_MOST)
        return -EOVERFLOW;
    if (t->size + size > t->room) {
        size_t room = max_of(2 * t->room, (size_t)PIECE);
        char *more = heap_resize(t->bytes, room);
        if (!more)
            return -ENOMEM;
        t->bytes = more;
        t->room = room;
    }
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
    return 0;
}

// The names of a piece of records, as lines; *opaque: where the next piece begins.
static err_t records_add(struct text *t, const char *piece, size_t size, uint64_t *opaque)
{
    struct redox_dirent_header h;
    for (size_t at = 0; at + sizeof(h) < size; at += h.length) {
        memcpy(&h, piece + at, sizeof(h));
        if (h.length <= sizeof(h) || h.length > size - at)
            return -EIO;
        const char *name = piece + at + sizeof(h);
        err_t e = text_add(t, name, strnlen(name, h.length - sizeof(h)));
        if (!e)
            e = text_add(t, "\n", 1);
        if (e)
            return e;
        *opaque = h.next_opaque;
    }
    return 0;
}

static err_t read_records(struct client *c, char *piece, struct text *t)
{
    uint64_t opaque = 0;
    for (;;) {
        int64_t n = client_ask_bytes(c, MESSAGE_ENTRIES, piece, PIECE, LOAN_WRITE,
                                     sizeof(struct redox_dirent_header), opaque);
        uint64_t before = opaque;
        err_t e = n > 0 ? records_add(t, piece, (size_t)n, &opaque) : (err_t)n;
        if (e || n == 0 || opaque == before)
            return e;
    }
}

static err_t read_lines(struct client *c, char *piece, struct text *t)
{
    if (!c->scheme->version2) {
        int64_t e = client_ask(c, MESSAGE_SEEK, 0, SEEK_FROM_START);
        if (e < 0 && e != -ESPIPE)
            return (err_t)e;
    }
    uint64_t offset = 0;
    for (;;) {
        int64_t n = client_ask_bytes(c, MESSAGE_READ, piece, PIECE, LOAN_WRITE,
                                     c->positioned ? offset : UINT64_MAX, 0);
        err_t e = n > 0 ? text_add(t, piece, (size_t)n) : (err_t)n;
        if (e || n == 0)
            return e;
        offset += (uint64_t)n;
    }
}

static err_t listing_read(struct client *c, struct text *t)
{
    char *piece = heap_alloc(PIECE);
    if (!piece)
        return -ENOMEM;
    err_t e = c->scheme->version2 ? read_records(c, piece, t) : -EOPNOTSUPP;
    if (e == -EOPNOTSUPP || e == -ENOSYS || e == -EINVAL)
        e = read_lines(c, piece, t);
    heap_free(piece);
    return e;
}

// Puts a listing into the client, and takes out what was there: two threads may list one file.
static struct text listing_swap(struct client *c, struct text in)
{
    spin_lock(&c->scheme->clients_lock);
    struct text out = { c->listing, c->listing_size, c->listing_size };
    c->listing = in.bytes;
    c->listing_size = in.size;
    spin_unlock(&c->scheme->clients_lock);
    return out;
}

static void names_hand_out(struct file *f, const struct text *t, uint64_t offset,
                           struct directory_sink *sink)
{
    size_t at = (size_t)min_of(offset - 2, (uint64_t)t->size);
    while (at < t->size) {
        const char *name = t->bytes + at;
        const char *end = memchr(name, '\n', t->size - at);
        size_t length = end ? (size_t)(end - name) : t->size - at;
        size_t next = min_of(at + length + 1, t->size);
        bool fits = length && length <= NAME_LENGTH_MAX && !memchr(name, '/', length) &&
                    !memchr(name, 0, length);
        bool dots = (length == 1 || (length == 2 && name[1] == '.')) && name[0] == '.';
        uint64_t inode = hash_bytes(1, name, length) | 1;
        if (fits && !dots && !sink->entry(sink, name, length, inode, NODE_UNKNOWN, next + 2))
            return;
        at = next;
    }
}

err_t client_list(struct file *f, uint64_t offset, struct directory_sink *sink)
{
    struct client *c = f->data;
    struct text t = listing_swap(c, (struct text){ 0 });
    err_t e = 0;
    if (!t.bytes || offset < 2) {
        struct file_status status;
        e = client_status(f, &status);
        if (!e && status.kind != NODE_DIRECTORY)
            e = -ENOTDIR;
        t.size = 0;
        if (!e)
            e = listing_read(c, &t);
    }
    if (!e && file_list_dots(f, &offset, sink))
        names_hand_out(f, &t, offset, sink);
    if (!e && t.bytes)
        t = listing_swap(c, t);
    heap_free(t.bytes);
    return e;
}
