// SPDX-License-Identifier: GPL-3.0-or-later
// What is asked of and told to a socket beside its bytes: names, ends, options, who sent.
#include "kernel/scheme/caller.h"
#include "kernel/scheme/socket/inside.h"

enum { SEND_LEAST = 4608, RECEIVE_LEAST = 2304, MAX_MOST = INT32_MAX / 2 };

err_t socket_bind(struct file *f, const struct view *v, const struct socket_name *name)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    mutex_lock(&s->setup);
    // A made-up name is not asked for twice.
    err_t e = s->address && name->length == 0 ? 0 : address_bind(s, v, name);
    mutex_unlock(&s->setup);
    return e;
}

err_t socket_name_of(struct file *f, bool of_peer, struct socket_name *name)
{
    struct socket *s = socket_of(f);
    name->length = 0;
    if (!s)
        return -ENOTSOCK;
    struct socket *whose = s;
    if (of_peer) {
        whose = seen8(&s->state) == STATE_CONNECTED ? peer_get(s) : NULL;
        if (!whose)
            return -ENOTCONN;
    }
    struct address *a = address_of(whose);
    if (a)
        *name = a->name;
    if (of_peer)
        socket_put(whose);
    return 0;
}

err_t socket_shutdown(struct file *f, unsigned ends)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    unsigned its = (ends & SOCKET_END_READ ? SOCKET_END_WRITE : 0u) |
                   (ends & SOCKET_END_WRITE ? SOCKET_END_READ : 0u);
    socket_cut(s, ends, 0);
    blocked_wake(s);
    if (s->type != SOCKET_DATAGRAM && seen8(&s->state) == STATE_CONNECTED)
        socket_cut(s->peer, its, 0);
    return 0;
}

err_t socket_peer(struct file *f, struct socket_credentials *c)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    *c = seen8(&s->state) == STATE_LISTENS ? s->self : s->remote;
    return 0;
}

err_t socket_get(struct file *f, enum socket_option option, uint64_t *value)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    switch (option) {
    case SOCKET_OPTION_TYPE:
        *value = s->type;
        break;
    case SOCKET_OPTION_LISTENS:
        *value = seen8(&s->state) == STATE_LISTENS;
        break;
    case SOCKET_OPTION_ERROR:
        *value = (uint64_t)__atomic_exchange_n(&s->error, 0, __ATOMIC_ACQ_REL);
        break;
    case SOCKET_OPTION_SEND_MAX:
        *value = seen32(&s->send_max);
        break;
    case SOCKET_OPTION_RECEIVE_MAX:
        *value = seen32(&s->receive_max);
        break;
    case SOCKET_OPTION_SEND_TIME:
        *value = (uint64_t)s->send_time;
        break;
    case SOCKET_OPTION_RECEIVE_TIME:
        *value = (uint64_t)s->receive_time;
        break;
    case SOCKET_OPTION_CREDENTIALS:
        *value = s->wants_credentials;
        break;
    case SOCKET_OPTION_KEPT:
        *value = s->kept;
        break;
    default:
        return -EINVAL;
    }
    return 0;
}

static uint32_t within(uint64_t value, uint32_t least)
{
    return (uint32_t)max_of(min_of(value, (uint64_t)MAX_MOST), (uint64_t)least);
}

err_t socket_set(struct file *f, enum socket_option option, uint64_t value)
{
    struct socket *s = socket_of(f);
    if (!s)
        return -ENOTSOCK;
    switch (option) {
    case SOCKET_OPTION_SEND_MAX:
        __atomic_store_n(&s->send_max, within(value, SEND_LEAST), __ATOMIC_RELEASE);
        wait_wake_key(&s->writable, POLL_OUT, UINT_MAX);
        return 0;
    case SOCKET_OPTION_RECEIVE_MAX:
        s->receive_max = within(value, RECEIVE_LEAST);
        return 0;
    case SOCKET_OPTION_SEND_TIME:
        s->send_time = (nanos_t)value;
        return 0;
    case SOCKET_OPTION_RECEIVE_TIME:
        s->receive_time = (nanos_t)value;
        return 0;
    case SOCKET_OPTION_CREDENTIALS:
        s->wants_credentials = value != 0;
        return 0;
    case SOCKET_OPTION_KEPT:
        s->kept = value;
        return 0;
    default:
        return -EINVAL;
    }
}

void message_sign(struct message *m, const struct socket *s, const struct socket *to,
                  const struct socket_outgoing *out)
{
    if (likely(!out->credentials && !s->wants_credentials && !to->wants_credentials))
        return;
    m->has_credentials = true;
    if (out->credentials) {
        m->credentials = *out->credentials;
        return;
    }
    struct caller c;
    caller_look(&c);
    m->credentials = (struct socket_credentials){ c.process, c.real_user, c.real_group };
}

struct socket_credentials message_credentials(const struct message *m)
{
    return m->has_credentials ? m->credentials
                              : (struct socket_credentials){ 0, UINT32_MAX, UINT32_MAX };
}

void incoming_sign(struct socket *s, const struct message *m, struct socket_incoming *in)
{
    if (likely(!s->wants_credentials) || in->has_credentials)
        return;
    in->has_credentials = true;
    in->credentials = message_credentials(m);
}

void incoming_name(const struct socket *from, struct socket_incoming *in)
{
    const struct address *a = __atomic_load_n(&from->address, __ATOMIC_ACQUIRE);
    if (a && in->wants_name)
        in->from = a->name;
}
