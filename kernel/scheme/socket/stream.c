// SPDX-License-Identifier: GPL-3.0-or-later
// Streams: bytes in order, cut and joined as they come. What reads them stops behind a message that
// carried files, and between messages of different senders where it is told who sent.
#include "kernel/memory/heap.h"
#include "kernel/scheme/socket/inside.h"

enum { STREAM_PIECE = 32768 };

err_t socket_room_wait(struct socket *s, bool wait, nanos_t deadline)
{
    for (;;) {
        if (seen8(&s->shut) & SOCKET_END_WRITE)
            return -EPIPE;
        if (seen32(&s->queued) < seen32(&s->send_max))
            return 0;
        if (!wait)
            return -EAGAIN;
        err_t e = wait_until(&s->writable,
                             seen32(&s->queued) < seen32(&s->send_max) ||
                                 seen8(&s->shut) & SOCKET_END_WRITE,
                             deadline);
        if (e)
            return socket_wait_error(e, deadline);
    }
}

// Sends one message; *passed goes with it. What fails to be sent is dropped.
static err_t piece_send(struct socket *s, struct io *io, const struct socket_outgoing *out,
                        struct passed **passed, uint64_t *sent)
{
    struct message *m;
    err_t e = message_make(io, STREAM_PIECE, false, &m);
    if (e)
        return e;
    struct socket *to = s->peer;
    uint32_t length = m->length;
    message_sign(m, s, to, out);
    m->passed = *passed;
    *passed = NULL;
    if (m->passed)
        passed_fly(m->passed, to);
    charge_take(s, m);
    e = queue_push(to, m, s);
    if (unlikely(e)) {
        charge_give(s, m->charge);
        message_drop(m);
        return -EPIPE;
    }
    *sent += length;
    wait_wake_key(&to->readable, POLL_IN, UINT_MAX);
    return 0;
}

len_t stream_send(struct socket *s, struct io *io, const struct socket_outgoing *out, bool wait)
{
    bool connected = seen8(&s->state) == STATE_CONNECTED;
    if (out->to)
        return connected ? -EISCONN : -EOPNOTSUPP;
    if (!connected)
        return -ENOTCONN;
    if (seen8(&s->shut) & SOCKET_END_WRITE)
        return -EPIPE;
    struct passed *passed = NULL;
    err_t e = out->file_count && io->left ? passed_make(out->files, out->file_count, &passed) : 0;
    uint64_t sent = 0;
    nanos_t deadline = socket_deadline(s->send_time);
    while (!e && io->left) {
        e = socket_room_wait(s, wait, deadline);
        if (!e)
            e = piece_send(s, io, out, &passed, &sent);
    }
    if (unlikely(passed))
        passed_drop(passed);
    return sent ? (len_t)sent : e;
}

static struct passed *loose_pop(struct socket *s)
{
    spin_lock(&s->lock);
    struct list *link = list_pop_front(&s->loose);
    if (link)
        __atomic_store_n(&s->loose_count, s->loose_count - 1, __ATOMIC_RELEASE);
    spin_unlock(&s->lock);
    return link ? container_of(link, struct passed, loose) : NULL;
}

// `limit`: -EAGAIN beyond LOOSE_MAX.
static err_t loose_push(struct socket *s, struct passed *p, bool limit)
{
    err_t e = 0;
    spin_lock(&s->lock);
    if (s->closed)
        e = -EPIPE;
    else if (limit && s->loose_count >= LOOSE_MAX)
        e = -EAGAIN;
    if (!e) {
        list_push_back(&s->loose, &p->loose);
        __atomic_store_n(&s->loose_count, s->loose_count + 1, __ATOMIC_RELEASE);
    }
    spin_unlock(&s->lock);
    return e;
}

// What becomes of the files of a message whose bytes are read.
static void files_give(struct socket *s, struct passed *p, struct socket_incoming *in)
{
    if (in->wants_files)
        in->files = passed_land(p);
    else if (!s->is_chan || loose_push(s, p, false))
        in->unwanted = p; // dropped without locks
}

static bool same_sender(const struct message *m, const struct socket_incoming *in)
{
    struct socket_credentials a = message_credentials(m), b = in->credentials;
    return a.process == b.process && a.user == b.user && a.group == b.group;
}

static void message_finish(struct socket *s, struct message *m)
{
    uint32_t charge = m->charge;
    queue_pop(s);
    message_drop(m);
    charge_give(s->peer, charge);
}

// Takes from the first message. False: nothing is to be taken after it.
static bool stream_take(struct socket *s, struct message *m, struct io *io,
                        struct socket_incoming *in, err_t *e)
{
    if (in->has_credentials && !same_sender(m, in))
        return false;
    if (m->passed && in->files)
        return false;
    incoming_sign(s, m, in);
    uint64_t before = io->done;
    *e = message_copy(m, 0, io, min_of(io->left, (uint64_t)m->length));
    m->start += (uint32_t)(io->done - before);
    m->length -= (uint32_t)(io->done - before);
    struct passed *p = m->passed;
    m->passed = NULL;
    if (m->length == 0)
        message_finish(s, m);
    if (p)
        files_give(s, p, in);
    return !*e && !p && io->left;
}

// All that is there, without taking it.
static err_t stream_peek(struct socket *s, struct message *m, struct io *io,
                         struct socket_incoming *in)
{
    err_t e = 0;
    for (; m && !e; m = __atomic_load_n(&m->next, __ATOMIC_ACQUIRE)) {
        if (in->has_credentials && !same_sender(m, in))
            break;
        incoming_sign(s, m, in);
        e = message_copy(m, 0, io, min_of(io->left, (uint64_t)m->length));
        if (!e && m->passed && in->wants_files) {
            in->files = passed_copy(m->passed);
            e = in->files ? 0 : -ENOMEM;
        }
        if (m->passed || !io->left)
            break;
    }
    return e;
}

static bool stream_ready(struct socket *s, bool wants_files)
{
    return socket_first(s) || seen8(&s->shut) & SOCKET_END_READ ||
           __atomic_load_n(&s->error, __ATOMIC_ACQUIRE) || (wants_files && seen32(&s->loose_count));
}

// The queue is empty: 0 and *end, or something came; else why not.
static err_t stream_wait(struct socket *s, bool wants_files, bool wait, nanos_t deadline, bool *end)
{
    err_t e = -__atomic_exchange_n(&s->error, 0, __ATOMIC_ACQ_REL);
    *end = !e && seen8(&s->shut) & SOCKET_END_READ;
    if (e || *end)
        return e;
    if (!wait)
        return -EAGAIN;
    mutex_unlock(&s->reading);
    e = wait_until(&s->readable, stream_ready(s, wants_files), deadline);
    mutex_lock(&s->reading);
    return e ? socket_wait_error(e, deadline) : 0;
}

// Under s->reading.
static err_t stream_read(struct socket *s, struct io *io, struct socket_incoming *in, bool wait)
{
    uint64_t target = in->flags & SOCKET_WAIT_ALL ? io->left : min_of(io->left, (uint64_t)1);
    nanos_t deadline = socket_deadline(s->receive_time);
    err_t e = 0;
    bool end = false;
    while (!e && !end) {
        struct message *m = socket_first(s);
        if (in->wants_files && !in->files && !io->done && seen32(&s->loose_count))
            in->files = passed_land(loose_pop(s));
        if (m && in->flags & SOCKET_PEEK)
            return stream_peek(s, m, io, in);
        if (m && !stream_take(s, m, io, in, &e))
            break;
        if (m)
            continue;
        if (in->files || (target && io->done >= target))
            break;
        e = stream_wait(s, in->wants_files, wait, deadline, &end);
    }
    return e;
}

len_t stream_receive(struct socket *s, struct io *io, struct socket_incoming *in, bool wait)
{
    if (seen8(&s->state) != STATE_CONNECTED)
        return -EINVAL;
    mutex_lock(&s->reading);
    err_t e = stream_read(s, io, in, wait);
    mutex_unlock(&s->reading);
    if (in->unwanted)
        passed_drop(in->unwanted);
    if (in->files)
        e = 0;
    in->whole = io->done;
    if (io->done)
        incoming_name(s->peer, in);
    return io_result(io, e);
}

// Files beside the bytes, one at a time (chan).

err_t stream_send_file(struct socket *s, struct file *f)
{
    struct passed *p;
    if (seen8(&s->state) != STATE_CONNECTED)
        return -ENOTCONN;
    err_t e = passed_make(&f, 1, &p);
    if (e)
        return e;
    passed_fly(p, s->peer);
    e = loose_push(s->peer, p, true);
    if (e)
        passed_drop(p);
    else
        wait_wake_key(&s->peer->readable, POLL_IN, UINT_MAX);
    return e;
}

// The files of the first message that has some.
static struct passed *carried_pop(struct socket *s)
{
    struct passed *p = NULL;
    mutex_lock(&s->reading);
    spin_lock(&s->lock);
    for (struct message *m = s->first; m && !p; m = m->next) {
        p = m->passed;
        m->passed = NULL;
    }
    spin_unlock(&s->lock);
    mutex_unlock(&s->reading);
    return p;
}

err_t stream_receive_file(struct socket *s, bool wait, struct file **file)
{
    if (seen8(&s->state) != STATE_CONNECTED)
        return -EINVAL;
    struct passed *p;
    uint32_t pushed;
    while (pushed = seen32(&s->pushed), !(p = loose_pop(s)) && !(p = carried_pop(s))) {
        if (seen8(&s->shut) & SOCKET_END_READ)
            return -EPIPE;
        if (!wait)
            return -EAGAIN;
        if (wait_until(&s->readable,
                       seen32(&s->loose_count) || seen8(&s->shut) & SOCKET_END_READ ||
                           seen32(&s->pushed) != pushed,
                       WAIT_FOREVER))
            return -ERESTARTSYS;
    }
    *file = passed_take(p);
    if (p->set->count)
        (void)!loose_push(s, p, false); // this end is open, so it takes it
    else
        passed_drop(p);
    return 0;
}
