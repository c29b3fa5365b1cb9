// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "chan": stream sockets for programs that open names, what Unix sockets are made of in
// Redox programs.
//
//   chan:NAME, created     a listener; dup "listen" takes the oldest connection, waiting for one
//   chan:NAME              a connection to that listener; it can be written to at once
//   chan:                  a listener without a name; dup "connect" connects to it, dup of any
//   other
//                          text gives what opening chan:TEXT in the same way gives
//
// They are sockets like any other: what one interface opens, the other connects to (as
// /scheme/chan/NAME in the tree) and passes on. Only files differ: those sent to such a socket
// wait, apart from its bytes, until dup "recvfd" takes them one by one. Locks: none of its own.
#include "kernel/scheme/handle.h"
#include "kernel/scheme/kernel_schemes.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/scheme/socket/inside.h"
#include "lib/format.h"
#include "lib/string.h"

enum { BACKLOG = 63 };

static struct socket *chan_alloc(void)
{
    struct socket *s = socket_alloc(SOCKET_STREAM);
    if (s)
        s->is_chan = true;
    return s;
}

// -EEXIST: the name is taken.
static err_t chan_listen(const char *name, unsigned flags, struct file **file)
{
    struct socket *s = chan_alloc();
    if (!s)
        return -ENOMEM;
    s->backlog_max = BACKLOG;
    s->self = socket_caller();
    s->state = STATE_LISTENS;
    err_t e = *name ? address_bind_chan(s, name) : 0;
    if (!e)
        return socket_open(s, flags, file);
    socket_put(s);
    return e == -EADDRINUSE ? -EEXIST : e;
}

// -ENOENT: nobody listens there. `known` NULL: whoever has the name.
static err_t chan_connect(struct socket *known, const char *name, unsigned flags,
                          struct file **file)
{
    struct socket *listener = known;
    err_t e = known ? 0 : address_find_chan(name, &listener);
    if (e)
        return e == -ECONNREFUSED ? -ENOENT : e;
    struct socket *s = chan_alloc();
    e = s ? connect_to(s, listener, false) : -ENOMEM;
    if (!e)
        e = socket_open(s, flags, file);
    else if (s)
        socket_put(s);
    if (!known)
        socket_put(listener);
    return e;
}

// Makes a listener where that is asked for and the name is free, else a connection.
static err_t chan_open(const char *name, unsigned flags, struct file **file)
{
    if (flags & OPEN_CREATE || !*name) {
        err_t e = chan_listen(name, flags, file);
        if (e != -EEXIST || flags & OPEN_EXCLUSIVE)
            return e;
    }
    return chan_connect(NULL, name, flags, file);
}

static bool bytes_are(const void *bytes, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

// A listener without a name is asked for one: a new open file, made as it was made itself.
static err_t chan_name(struct file *f, const void *bytes, size_t size, struct file **file)
{
    struct socket *s = socket_of(f);
    char name[SOCKET_NAME_MAX + 1];
    if (address_of(s) || size == 0 || memchr(bytes, 0, size))
        return -EBADF;
    if (size > SOCKET_NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, bytes, size);
    name[size] = '\0';
    unsigned flags = __atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK;
    return chan_open(name, flags | (s->chan_creates ? OPEN_CREATE : 0u), file);
}

err_t chan_derive(struct file *f, const void *bytes, size_t size, struct file **file)
{
    struct socket *s = socket_of(f);
    unsigned flags = __atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK;
    if (s->type != SOCKET_STREAM)
        return -EINVAL;
    if (bytes_are(bytes, size, "recvfd"))
        return stream_receive_file(s, socket_waits(f, 0), file);
    if (seen8(&s->state) != STATE_LISTENS)
        return -EINVAL;
    if (bytes_are(bytes, size, "listen"))
        return socket_accept(f, flags, file);
    if (bytes_are(bytes, size, "connect"))
        return chan_connect(s, "", flags, file);
    return s->is_chan ? chan_name(f, bytes, size, file) : -EINVAL;
}

err_t chan_send(struct file *f, struct file *sent, unsigned flags, uint64_t argument,
                uint64_t *result)
{
    struct socket *s = socket_of(f);
    if (s->type != SOCKET_STREAM)
        return -EOPNOTSUPP;
    err_t e = stream_send_file(s, sent);
    if (e)
        return e;
    file_put(sent);
    *result = 0;
    return 0;
}

// Its own name, or that of the listener it was connected to.
err_t chan_path(struct socket *s, char *to, size_t room, size_t *length)
{
    struct address *a = address_of(s);
    struct socket *peer = a ? NULL : peer_get(s);
    if (peer)
        a = address_of(peer);
    static const char prefix[] = "chan:";
    size_t n = a ? a->name.length : 0;
    *length = sizeof(prefix) - 1 + n;
    bool fits = *length < room;
    if (fits) {
        memcpy(to, prefix, sizeof(prefix));
        if (n)
            memcpy(to + sizeof(prefix) - 1, a->name.bytes, n);
        to[*length] = '\0';
    }
    if (peer)
        socket_put(peer);
    return fits ? 0 : -ERANGE;
}

static err_t chan_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                            unsigned flags, unsigned mode, struct file **file)
{
    if (flags & OPEN_DIRECTORY)
        return -ENOTDIR;
    if (!(flags & OPEN_PATH)) {
        err_t e = chan_open(path, flags, file);
        if (!e)
            socket_of(*file)->chan_creates = flags & OPEN_CREATE;
        return e;
    }
    struct socket *found = NULL;
    err_t e = length ? address_find_chan(path, &found) : 0;
    if (e)
        return e == -ECONNREFUSED ? -ENOENT : e;
    if (found)
        socket_put(found);
    return handle_place(s, path, NODE_SOCKET, 0666, flags, file);
}

static const struct scheme_ops chan_ops = {
    .root = path_scheme_root,
    .open_path = chan_open_path,
};

static struct scheme chan_scheme = { .name = "chan", .ops = &chan_ops, .opens_anew = true };

void chan_scheme_init(void)
{
    handle_scheme_add(&chan_scheme);
}
