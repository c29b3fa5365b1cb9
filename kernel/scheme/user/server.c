// SPDX-License-Identifier: GPL-3.0-or-later
// The server's file: reading gives requests, writing takes answers.
#include "kernel/scheme/user/inside.h"

static bool has_requests(const struct request_queue *q)
{
    return __atomic_load_n(&q->pending.next, __ATOMIC_ACQUIRE) != &q->pending;
}

static bool is_dead(const struct request_queue *q)
{
    return __atomic_load_n(&q->dead, __ATOMIC_ACQUIRE);
}

// A part of a request is none: what could not be written is read again.
static err_t hand_out(struct user_scheme *s, struct io *io, size_t size, struct request_read *read)
{
    uint64_t done = io->done;
    err_t e = io_put(io, &read->packet, size);
    if (likely(!e)) {
        request_read_done(&s->queue, read);
        return 0;
    }
    io->done = done;
    request_return(&s->queue, read);
    return e;
}

// As many requests as wait and fit; waits for the first.
static len_t server_read(struct file *f, struct io *io, uint64_t offset)
{
    struct user_scheme *s = f->data;
    size_t size = s->version2 ? sizeof(struct redox_sqe) : sizeof(struct redox_packet);
    if (io->left < size)
        return -EINVAL;
    struct request_read read;
    bool wait = !(f->flags & OPEN_NONBLOCK);
    err_t e;
    do {
        e = request_next(&s->queue, s->version2, wait, &read);
        if (!e)
            e = hand_out(s, io, size, &read);
        wait = false;
    } while (!e && io->left >= size);
    return io->done || e == -ENODEV ? (len_t)io->done : e;
}

static err_t answer_take(struct user_scheme *s, struct io *io)
{
    union {
        struct redox_packet packet;
        struct redox_cqe entry;
    } u;
    struct answer a;
    err_t e = io_get(io, &u, s->version2 ? sizeof(u.entry) : sizeof(u.packet));
    if (!e)
        e = s->version2 ? packet2_read(&u.entry, &a) : packet1_read(&u.packet, &a);
    return e ? e : server_answer(s, &a);
}

static len_t server_write(struct file *f, struct io *io, uint64_t offset)
{
    struct user_scheme *s = f->data;
    size_t size = s->version2 ? sizeof(struct redox_cqe) : sizeof(struct redox_packet);
    if (io->left < size)
        return -EINVAL;
    uint64_t taken = 0;
    while (io->left >= size) {
        err_t e = answer_take(s, io);
        if (e)
            return taken ? (len_t)taken : e;
        taken += size;
    }
    return (len_t)taken;
}

static unsigned server_poll(struct file *f, struct poll_table *t)
{
    struct user_scheme *s = f->data;
    if (t)
        t->add(t, &s->queue.pollers);
    unsigned ready = POLL_OUT;
    if (has_requests(&s->queue))
        ready |= POLL_IN;
    return is_dead(&s->queue) ? ready | POLL_IN | POLL_HANGUP : ready;
}

static void server_close(struct file *f)
{
    struct user_scheme *s = f->data;
    user_scheme_end(s, false);
    user_scheme_put(s);
}

static err_t server_path(struct file *f, char *to, size_t room, size_t *length)
{
    struct user_scheme *s = f->data;
    if (room < 2)
        return -ERANGE;
    to[0] = ':';
    err_t e = file_label(to + 1, room - 1, length, s->name);
    ++*length;
    return e;
}

// Requests that were given up keep the files sent with them until they are answered.
static bool server_keeps_files(struct file *f)
{
    return true;
}

const struct file_ops server_files = {
    .name = "server",
    .keeps_files = server_keeps_files,
    .read = server_read,
    .write = server_write,
    .poll = server_poll,
    .path = server_path,
    .close = server_close,
};
