// SPDX-License-Identifier: GPL-3.0-or-later
// Datagrams and records: each message arrives whole or not at all, and is cut to the reader's
// buffer. Records are sent over a connection, datagrams to a name or to the peer that connect set.
#include "kernel/scheme/socket/inside.h"

enum { RECORD_SPARE = 32 }; // of the limit, as Linux keeps back

struct socket *peer_get(struct socket *s)
{
    spin_lock(&s->lock);
    struct socket *peer = s->peer;
    if (peer)
        socket_get_ref(peer);
    spin_unlock(&s->lock);
    return peer;
}

// Where it goes, with a reference.
static err_t target_find(struct socket *s, const struct socket_outgoing *out, struct socket **to)
{
    if (s->type == SOCKET_RECORDS) {
        if (seen8(&s->state) != STATE_CONNECTED)
            return -ENOTCONN;
        socket_get_ref(s->peer);
        *to = s->peer;
        return 0;
    }
    if (!out->to) {
        *to = peer_get(s);
        return *to ? 0 : -ENOTCONN;
    }
    err_t e = address_find(out->view, out->to, s->type, to);
    if (!e && (*to)->type != s->type) {
        socket_put(*to);
        e = -EPROTOTYPE;
    }
    return e;
}

// Whom a datagram socket is connected with is the only one it hears.
static err_t may_send(const struct socket *s, const struct socket *to)
{
    struct socket *its = __atomic_load_n(&to->peer, __ATOMIC_ACQUIRE);
    return s->type == SOCKET_DATAGRAM && its && its != s ? -EPERM : 0;
}

static err_t full_wait(struct socket *s, struct socket *to, bool wait, nanos_t deadline)
{
    if (!wait)
        return -EAGAIN;
    err_t e = wait_until(&to->writable,
                         !queue_is_full(to, s) || __atomic_load_n(&to->closed, __ATOMIC_ACQUIRE) ||
                             seen8(&to->shut) & SOCKET_END_READ,
                         deadline);
    return e ? socket_wait_error(e, deadline) : 0;
}

// Queues it there; else it stays the caller's.
static err_t datagram_put(struct socket *s, struct socket *to, struct message *m, bool wait,
                          nanos_t deadline)
{
    for (;;) {
        err_t e = queue_push(to, m, s);
        if (e == -ECONNREFUSED && s->type == SOCKET_RECORDS)
            return -EPIPE;
        if (e == -ECONNREFUSED)
            peer_forget(s, to);
        if (e != -EAGAIN)
            return e;
        e = full_wait(s, to, wait, deadline);
        if (e)
            return e;
    }
}

static err_t message_to(struct socket *s, struct socket *to, struct io *io,
                        const struct socket_outgoing *out, struct message **message)
{
    err_t e = message_make(io, io->left, true, message);
    struct message *m = *message;
    if (e)
        return e;
    if (out->file_count)
        e = passed_make(out->files, out->file_count, &m->passed);
    if (e) {
        message_drop(m);
        return e;
    }
    if (m->passed)
        passed_fly(m->passed, to);
    if (s->type == SOCKET_DATAGRAM) {
        socket_get_ref(s);
        m->sender = s;
    }
    message_sign(m, s, to, out);
    return 0;
}

static err_t datagram_send_to(struct socket *s, struct socket *to, struct io *io,
                              const struct socket_outgoing *out, bool wait)
{
    struct message *m;
    nanos_t deadline = socket_deadline(s->send_time);
    err_t e = may_send(s, to);
    if (!e)
        e = socket_room_wait(s, wait, deadline);
    if (!e)
        e = message_to(s, to, io, out, &m);
    if (e)
        return e;
    uint32_t charge = m->charge;
    charge_take(s, m);
    e = datagram_put(s, to, m, wait, deadline);
    if (e) {
        charge_give(s, charge);
        message_drop(m);
    } else {
        wait_wake_key(&to->readable, POLL_IN, UINT_MAX);
    }
    return e;
}

len_t datagram_send(struct socket *s, struct io *io, const struct socket_outgoing *out, bool wait)
{
    uint64_t size = io->left;
    struct socket *to;
    err_t e = 0;
    if (s->wants_credentials && !address_of(s)) {
        mutex_lock(&s->setup);
        e = s->address ? 0 : address_bind(s, out->view, &(struct socket_name){ 0 });
        mutex_unlock(&s->setup);
    }
    if (!e)
        e = target_find(s, out, &to);
    if (e)
        return e;
    e = size + RECORD_SPARE > seen32(&s->send_max) ? -EMSGSIZE
                                                   : datagram_send_to(s, to, io, out, wait);
    socket_put(to);
    return e ? e : (len_t)size;
}

static bool datagram_ready(struct socket *s)
{
    return socket_first(s) || seen8(&s->shut) & SOCKET_END_READ ||
           __atomic_load_n(&s->error, __ATOMIC_ACQUIRE);
}

// The first message; NULL with 0: the end. Under s->reading, which is let go meanwhile.
static err_t first_wait(struct socket *s, bool wait, struct message **first)
{
    nanos_t deadline = socket_deadline(s->receive_time);
    while (!(*first = socket_first(s))) {
        err_t e = -__atomic_exchange_n(&s->error, 0, __ATOMIC_ACQ_REL);
        if (e)
            return e;
        bool ended = seen8(&s->shut) & SOCKET_END_READ;
        if (ended && (wait || s->type == SOCKET_RECORDS))
            return 0;
        if (!wait)
            return -EAGAIN;
        mutex_unlock(&s->reading);
        e = wait_until(&s->readable, datagram_ready(s), deadline);
        mutex_lock(&s->reading);
        if (e)
            return socket_wait_error(e, deadline);
    }
    return 0;
}

static err_t files_take(struct message *m, struct socket_incoming *in)
{
    struct passed *p = m->passed;
    if (!p || (in->flags & SOCKET_PEEK && !in->wants_files))
        return 0;
    if (in->flags & SOCKET_PEEK) {
        in->files = passed_copy(p);
        return in->files ? 0 : -ENOMEM;
    }
    if (in->wants_files) {
        m->passed = NULL;
        in->files = passed_land(p);
    }
    return 0;
}

// Under s->reading. *taken: to be dropped, with the files nobody wanted, once that is unlocked.
static err_t record_take(struct socket *s, struct message *m, struct io *io,
                         struct socket_incoming *in, struct message **taken)
{
    in->whole = message_length(m);
    in->cut = in->whole > io->left;
    err_t e = message_copy(m, 0, io, min_of(io->left, in->whole));
    if (e)
        return e;
    incoming_sign(s, m, in);
    struct socket *sender = m->sender ? m->sender : s->peer;
    incoming_name(sender, in);
    e = files_take(m, in);
    if (e || in->flags & SOCKET_PEEK)
        return e;
    queue_pop(s);
    charge_give(sender, m->charge);
    *taken = m;
    return 0;
}

len_t datagram_receive(struct socket *s, struct io *io, struct socket_incoming *in, bool wait)
{
    struct message *m, *taken = NULL;
    if (s->type == SOCKET_RECORDS && seen8(&s->state) != STATE_CONNECTED)
        return -ENOTCONN;
    mutex_lock(&s->reading);
    err_t e = first_wait(s, wait, &m);
    if (!e && m)
        e = record_take(s, m, io, in, &taken);
    mutex_unlock(&s->reading);
    if (taken)
        message_drop(taken);
    return e ? e : (len_t)io->done;
}
