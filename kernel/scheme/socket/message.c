// SPDX-License-Identifier: GPL-3.0-or-later
// Messages and the queue of a socket.
//
// A message is made, with its bytes, before any lock is taken, so a sender never waits for another
// process's page faults. A record that does not fit one block of pages is a chain (`more`), queued
// by its first part, which also has the charge of all. Charges are in bytes of the kernel's memory.
#include "kernel/memory/heap.h"
#include "kernel/memory/page.h"
#include "kernel/scheme/socket/inside.h"

enum { ORDER_MOST = 3 };

static struct slab_cache *messages;

void messages_init(void)
{
    messages = slab_cache_make("message", sizeof(struct message), 8);
}

static char *bytes_of(struct message *m)
{
    return m->page ? page_virt(m->page) : m->small;
}

static void part_free(struct message *m)
{
    if (m->page)
        page_put(m->page);
    slab_free(messages, m);
}

void message_drop(struct message *m)
{
    if (m->passed)
        passed_drop(m->passed);
    if (m->sender)
        socket_put(m->sender);
    while (m) {
        struct message *more = m->more;
        part_free(m);
        m = more;
    }
}

// Room for `size` bytes, or for less where memory is in small pieces; *room: how much.
static struct page *pages_take(uint64_t size, uint64_t *room)
{
    unsigned order = 0;
    while (order < ORDER_MOST && (PAGE_SIZE << order) < size)
        order++;
    struct page *page = page_alloc(order, PAGE_MODEST);
    if (!page && order)
        page = page_alloc(order = 0, PAGE_MODEST);
    *room = PAGE_SIZE << order;
    return page;
}

// One part with up to `most` bytes of `io`.
static err_t part_make(struct io *io, uint64_t most, struct message **part)
{
    struct message *m = slab_alloc(messages);
    if (!m)
        return -ENOMEM;
    uint64_t room = sizeof(m->small);
    m->charge = sizeof(*m);
    if (most > room) {
        m->page = pages_take(most, &room);
        if (!m->page) {
            slab_free(messages, m);
            return -ENOMEM;
        }
        m->charge += (uint32_t)room;
    }
    m->length = (uint32_t)min_of(most, room);
    err_t e = io_get(io, bytes_of(m), m->length);
    if (e)
        part_free(m);
    else
        *part = m;
    return e;
}

err_t message_make(struct io *io, uint64_t most, bool whole, struct message **message)
{
    uint64_t left = min_of(most, io->left);
    err_t e = part_make(io, left, message);
    if (e || !whole)
        return e;
    struct message *first = *message, *last = first;
    for (left -= first->length; left; left -= last->length) {
        e = part_make(io, left, &last->more);
        if (e) {
            message_drop(first);
            return e;
        }
        last = last->more;
        first->charge += last->charge;
    }
    return 0;
}

uint64_t message_length(const struct message *m)
{
    uint64_t length = 0;
    for (; m; m = m->more)
        length += m->length;
    return length;
}

err_t message_copy(struct message *m, uint64_t from, struct io *io, uint64_t size)
{
    for (; size && m; m = m->more) {
        if (from >= m->length) {
            from -= m->length;
            continue;
        }
        uint64_t n = min_of(size, m->length - from);
        err_t e = io_put(io, bytes_of(m) + m->start + from, n);
        if (e)
            return e;
        size -= n;
        from = 0;
    }
    return 0;
}

void charge_take(struct socket *sender, const struct message *m)
{
    __atomic_fetch_add(&sender->queued, m->charge, __ATOMIC_RELAXED);
}

// Who waits for room is woken when three quarters of it are free, so as to have some to work with.
void charge_give(struct socket *sender, uint32_t charge)
{
    __atomic_fetch_sub(&sender->queued, charge, __ATOMIC_ACQ_REL);
    if (socket_writable(sender))
        wait_wake_key(&sender->writable, POLL_OUT, UINT_MAX);
}

bool socket_writable(const struct socket *s)
{
    return (uint64_t)seen32(&s->queued) * 4 <= seen32(&s->send_max);
}

// Datagram sockets take few from those they are not connected with: they may never read.
bool queue_is_full(const struct socket *to, const struct socket *sender)
{
    return to->type == SOCKET_DATAGRAM && seen32(&to->count) > DATAGRAMS_MAX &&
           __atomic_load_n(&to->peer, __ATOMIC_ACQUIRE) != sender && to != sender;
}

err_t queue_push(struct socket *to, struct message *m, struct socket *sender)
{
    err_t e = 0;
    spin_lock(&to->lock);
    if (to->closed)
        e = -ECONNREFUSED;
    else if (to->shut & SOCKET_END_READ)
        e = -EPIPE;
    else if (queue_is_full(to, sender))
        e = -EAGAIN;
    if (!e) {
        __atomic_store_n(&to->count, to->count + 1, __ATOMIC_RELAXED);
        __atomic_store_n(&to->pushed, to->pushed + 1, __ATOMIC_RELEASE);
        if (to->last)
            __atomic_store_n(&to->last->next, m, __ATOMIC_RELEASE);
        else
            __atomic_store_n(&to->first, m, __ATOMIC_RELEASE); // pairs with socket_first()
        to->last = m;
    }
    spin_unlock(&to->lock);
    return e;
}

// Datagram sockets that poll, and found this one full, may send again.
void blocked_wake(struct socket *s)
{
    for (;;) {
        struct socket *sender = NULL;
        spin_lock(&s->lock);
        struct list *link = list_pop_front(&s->blocked);
        if (link) {
            sender = container_of(link, struct socket, blocked_link);
            socket_get_ref(sender);
        }
        spin_unlock(&s->lock);
        if (!sender)
            return;
        wait_wake_key(&sender->writable, POLL_OUT, UINT_MAX);
        socket_put(sender);
    }
}

void queue_pop(struct socket *s)
{
    spin_lock(&s->lock);
    struct message *m = s->first;
    __atomic_store_n(&s->first, m->next, __ATOMIC_RELEASE);
    if (!m->next)
        s->last = NULL;
    __atomic_store_n(&s->count, s->count - 1, __ATOMIC_RELEASE);
    uint32_t left = s->count;
    spin_unlock(&s->lock);
    if (s->type == SOCKET_DATAGRAM && left == DATAGRAMS_MAX) {
        wait_wake_key(&s->writable, POLL_OUT, UINT_MAX); // senders wait there while they send
        blocked_wake(s);
    }
}
