// SPDX-License-Identifier: GPL-3.0-or-later
// Listening, connecting and accepting.
//
// A connection is made by who connects: the other end exists, with its peer, its name and its
// queue, before it is accepted, so the first bytes can be sent at once. Until then it stands in the
// listener's backlog, under the listener's lock.
#include "kernel/scheme/socket/inside.h"

err_t socket_listen(struct file *f, int backlog)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    if (s->type == SOCKET_DATAGRAM)
        return -EOPNOTSUPP;
    uint32_t most = (uint32_t)backlog > SOCKET_BACKLOG_MAX ? SOCKET_BACKLOG_MAX : (uint32_t)backlog;
    mutex_lock(&s->setup);
    err_t e = s->address && s->state != STATE_CONNECTED ? 0 : -EINVAL;
    if (!e) {
        s->self = socket_caller();
        spin_lock(&s->lock);
        bool more = most > s->backlog_max;
        s->backlog_max = most;
        __atomic_store_n(&s->state, (uint8_t)STATE_LISTENS, __ATOMIC_RELEASE);
        spin_unlock(&s->lock);
        if (more)
            wait_wake_key(&s->writable, POLL_OUT, UINT_MAX); // who waits to connect
    }
    mutex_unlock(&s->setup);
    return e;
}

static bool backlog_is_full(const struct socket *s)
{
    return seen32(&s->backlog_count) > seen32(&s->backlog_max);
}

// -ECONNREFUSED, -EAGAIN: as connect(2).
static err_t backlog_push(struct socket *listener, struct socket *end)
{
    err_t e = 0;
    spin_lock(&listener->lock);
    if (listener->closed || listener->state != STATE_LISTENS || listener->shut & SOCKET_END_READ)
        e = -ECONNREFUSED;
    else if (backlog_is_full(listener))
        e = -EAGAIN;
    if (!e) {
        end->remote = end->peer->self;
        end->peer->remote = listener->self;
        list_push_back(&listener->backlog, &end->backlog_link);
        __atomic_store_n(&listener->backlog_count, listener->backlog_count + 1, __ATOMIC_RELEASE);
    }
    spin_unlock(&listener->lock);
    return e;
}

static struct socket *backlog_pop(struct socket *listener)
{
    spin_lock(&listener->lock);
    struct list *link = list_pop_front(&listener->backlog);
    if (link)
        __atomic_store_n(&listener->backlog_count, listener->backlog_count - 1, __ATOMIC_RELEASE);
    spin_unlock(&listener->lock);
    if (!link)
        return NULL;
    wait_wake_key(&listener->writable, POLL_OUT, UINT_MAX);
    return container_of(link, struct socket, backlog_link);
}

void backlog_end(struct socket *listener)
{
    struct socket *end;
    while ((end = backlog_pop(listener))) {
        socket_end(end);
        socket_put(end);
    }
}

static bool is_refused(const struct socket *s)
{
    return __atomic_load_n(&s->closed, __ATOMIC_ACQUIRE) || seen8(&s->shut) & SOCKET_END_READ;
}

// The other end of a connection from `s`, which nobody but this thread knows yet.
static struct socket *end_make(struct socket *s, struct socket *listener)
{
    struct socket *end = socket_alloc(s->type);
    if (!end)
        return NULL;
    end->is_chan = listener->is_chan;
    end->wants_credentials = listener->wants_credentials;
    end->send_max = listener->send_max;
    end->receive_max = listener->receive_max;
    end->address = address_of(listener);
    if (end->address)
        address_get(end->address);
    return end;
}

// Takes it apart again, also its half of what socket_join() did.
static void end_unmake(struct socket *s, struct socket *end)
{
    socket_put(end->peer);
    end->peer = NULL;
    socket_put(end);
    s->peer = NULL;
    socket_put(end);
}

err_t connect_to(struct socket *s, struct socket *listener, bool wait)
{
    if (listener->type != s->type)
        return -EPROTOTYPE;
    if (listener->state != STATE_LISTENS)
        return -ECONNREFUSED;
    struct socket *end = end_make(s, listener);
    if (!end)
        return -ENOMEM;
    s->self = socket_caller();
    socket_join(s, end);
    nanos_t deadline = socket_deadline(s->send_time);
    err_t e;
    while ((e = backlog_push(listener, end)) == -EAGAIN && wait) {
        e = wait_until(&listener->writable, !backlog_is_full(listener) || is_refused(listener),
                       deadline);
        if (e) {
            e = socket_wait_error(e, deadline);
            break;
        }
    }
    if (e) {
        end_unmake(s, end);
        return e;
    }
    __atomic_store_n(&s->state, (uint8_t)STATE_CONNECTED, __ATOMIC_RELEASE);
    wait_wake_key(&listener->readable, POLL_IN, UINT_MAX);
    return 0;
}

static err_t stream_connect(struct socket *s, const struct view *v, const struct socket_name *name,
                            bool wait)
{
    struct socket *listener;
    if (s->state == STATE_CONNECTED)
        return -EISCONN;
    if (s->state == STATE_LISTENS)
        return -EINVAL;
    err_t e = 0;
    if (s->wants_credentials && !s->address)
        e = address_bind(s, v, &(struct socket_name){ 0 });
    if (!e)
        e = address_find(v, name, s->type, &listener);
    if (e)
        return e;
    e = connect_to(s, listener, wait);
    socket_put(listener);
    if (!e)
        socket_tell(s);
    return e;
}

// Datagrams to and from one other socket; NULL: to anybody again.
static void peer_change(struct socket *s, struct socket *peer)
{
    if (peer)
        socket_get_ref(peer);
    spin_lock(&s->lock);
    struct socket *old = s->peer;
    __atomic_store_n(&s->peer, peer, __ATOMIC_RELEASE);
    __atomic_store_n(&s->state, (uint8_t)(peer ? STATE_CONNECTED : STATE_FRESH), __ATOMIC_RELEASE);
    spin_unlock(&s->lock);
    if (old) {
        socket_unblock(s, old);
        socket_put(old);
    }
    socket_tell(s);
}

void peer_forget(struct socket *s, struct socket *peer)
{
    mutex_lock(&s->setup);
    if (s->peer == peer)
        peer_change(s, NULL);
    mutex_unlock(&s->setup);
}

static err_t datagram_connect(struct socket *s, const struct view *v,
                              const struct socket_name *name)
{
    struct socket *peer;
    err_t e = 0;
    if (s->wants_credentials && !s->address)
        e = address_bind(s, v, &(struct socket_name){ 0 });
    if (!e)
        e = address_find(v, name, s->type, &peer);
    if (e)
        return e;
    struct socket *its = peer_get(peer);
    if (peer->type != SOCKET_DATAGRAM)
        e = -EPROTOTYPE;
    else if (its && its != s)
        e = -EPERM;
    if (!e)
        peer_change(s, peer);
    if (its)
        socket_put(its);
    socket_put(peer);
    return e;
}

err_t socket_connect(struct file *f, const struct view *v, const struct socket_name *name)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    if (name->length == 0)
        return -EINVAL;
    mutex_lock(&s->setup);
    err_t e = s->type == SOCKET_DATAGRAM ? datagram_connect(s, v, name)
                                         : stream_connect(s, v, name, socket_waits(f, 0));
    mutex_unlock(&s->setup);
    return e;
}

err_t socket_disconnect(struct file *f)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    if (s->type != SOCKET_DATAGRAM)
        return -EINVAL;
    mutex_lock(&s->setup);
    peer_change(s, NULL);
    mutex_unlock(&s->setup);
    return 0;
}

err_t accept_wait(struct socket *s, bool wait, struct socket **accepted)
{
    if (s->type == SOCKET_DATAGRAM)
        return -EOPNOTSUPP;
    if (seen8(&s->state) != STATE_LISTENS)
        return -EINVAL;
    nanos_t deadline = socket_deadline(s->receive_time);
    while (!(*accepted = backlog_pop(s))) {
        if (seen8(&s->shut) & SOCKET_END_READ)
            return -EINVAL;
        if (!wait)
            return -EAGAIN;
        err_t e = wait_until(
            &s->readable, seen32(&s->backlog_count) || seen8(&s->shut) & SOCKET_END_READ, deadline);
        if (e)
            return socket_wait_error(e, deadline);
    }
    return 0;
}

err_t socket_accept(struct file *f, unsigned flags, struct file **file)
{
    struct socket *s = socket_of(f), *end;
    if (!s)
        return -ENOTSOCK;
    err_t e = accept_wait(s, socket_waits(f, 0), &end);
    return e ? e : socket_open(end, flags, file);
}
