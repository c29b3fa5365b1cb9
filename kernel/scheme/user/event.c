// SPDX-License-Identifier: GPL-3.0-or-later
// Readiness of clients' files. Servers tell edges: FEVENT asks what is ready now and makes the
// server tell once when more becomes so; poll wants levels. So what is ready is remembered until
// something is read or written; the next look asks the server anew.
#include "kernel/scheme/user/inside.h"
#include <redox/flags.h>

enum { BOTH = REDOX_EVENT_READ | REDOX_EVENT_WRITE };

static unsigned poll_bits(unsigned events)
{
    return (events & REDOX_EVENT_READ ? POLL_IN : 0) | (events & REDOX_EVENT_WRITE ? POLL_OUT : 0);
}

// Begins to ask. What is triggered from here on is added to what the answer says.
static bool ask_begin(struct user_scheme *s, struct client *c)
{
    spin_lock(&s->clients_lock);
    bool ask = !c->known;
    if (ask) {
        c->ready = 0;
        c->known = true;
        if (!hash_linked(&c->by_handle))
            hash_insert(&s->clients, hash_word(0, c->handle), &c->by_handle);
    }
    spin_unlock(&s->clients_lock);
    return ask;
}

// A server that cannot tell is taken for one that is always ready, like a plain file.
static void ask_end(struct user_scheme *s, struct client *c, int64_t answer)
{
    spin_lock(&s->clients_lock);
    if (answer >= 0)
        c->ready |= answer & BOTH;
    else if (answer == -EINTR || answer == -EAGAIN || answer == -ENOMEM)
        c->known = false;
    else
        c->ready = BOTH;
    spin_unlock(&s->clients_lock);
}

unsigned client_poll(struct file *f, struct poll_table *t)
{
    struct client *c = f->data;
    struct user_scheme *s = c->scheme;
    if (t)
        t->add(t, &c->wait);
    if (ask_begin(s, c))
        ask_end(s, c, client_ask(c, MESSAGE_EVENT, BOTH, 0));
    if (__atomic_load_n(&s->queue.dead, __ATOMIC_ACQUIRE))
        return POLL_IN | POLL_OUT | POLL_ERROR | POLL_HANGUP;
    return poll_bits(__atomic_load_n(&c->ready, __ATOMIC_ACQUIRE));
}

void client_forget(struct client *c)
{
    spin_lock(&c->scheme->clients_lock);
    c->known = false;
    spin_unlock(&c->scheme->clients_lock);
}

void client_events_end(struct client *c)
{
    spin_lock(&c->scheme->clients_lock);
    if (hash_linked(&c->by_handle))
        hash_remove(&c->by_handle);
    spin_unlock(&c->scheme->clients_lock);
}

void events_trigger(struct user_scheme *s, uint64_t handle, uint64_t flags)
{
    spin_lock(&s->clients_lock);
    hash_for_each (link, &s->clients, hash_word(0, handle)) {
        struct client *c = container_of(link, struct client, by_handle);
        if (c->handle != handle)
            continue;
        c->ready |= flags & BOTH;
        wait_wake_key(&c->wait, poll_bits((unsigned)flags & BOTH), UINT_MAX);
    }
    spin_unlock(&s->clients_lock);
}

void events_hang_up(struct user_scheme *s)
{
    spin_lock(&s->clients_lock);
    for (unsigned i = 0; i < CLIENT_BUCKETS; i++)
        for (struct hash_link *link = s->client_buckets[i]; link; link = link->next)
            wait_wake_all(&container_of(link, struct client, by_handle)->wait);
    spin_unlock(&s->clients_lock);
}
