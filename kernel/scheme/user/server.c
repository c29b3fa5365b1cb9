// SPDX-License-Identifier: GPL-3.0-or-later
// The server's file: reading gives requests, writing takes answers.
#include "kernel/scheme/user/inside.h"
#include "kernel/sched/thread.h"

static bool has_requests(const struct request_queue *q)
{
    return __atomic_load_n(&q->pending.next, __ATOMIC_ACQUIRE) != &q->pending;
}

static bool is_dead(const struct request_queue *q)
{
    return __atomic_load_n(&q->dead, __ATOMIC_ACQUIRE);
}

static err_t packet_put(const struct user_scheme *s, const struct request_read *read, struct io *io)
{
    union {
        struct redox_packet packet;
        struct redox_sqe entry;
    } u;
    if (s->version2)
        packet2_write(read->id, &read->message, &u.entry);
    else
        packet1_write(read->id, &read->message, &u.packet);
    return io_put(io, &u, s->version2 ? sizeof(u.entry) : sizeof(u.packet));
}

// As many requests as wait and fit.
static err_t read_requests(struct user_scheme *s, struct io *io)
{
    size_t size = s->version2 ? sizeof(struct redox_sqe) : sizeof(struct redox_packet);
    struct request_read read;
    while (io->left >= size && request_next(&s->queue, &read)) {
        uint64_t done = io->done;
        err_t e = packet_put(s, &read, io);
        if (e) {
            io->done = done; // a part of a request is none
            request_return(&s->queue, &read);
            return e;
        }
        request_read_done(&s->queue, &read);
    }
    return 0;
}

// One of the waiting threads is woken for each request.
static err_t wait_for_request(struct request_queue *q)
{
    struct waiter w = { .thread = thread_current(), .wake = wait_wake_thread, .exclusive = true };
    waiter_add(&w, &q->readers);
    err_t e = 0;
    while (!e) {
        wait_prepare(&w);
        if (has_requests(q) || is_dead(q))
            break;
        e = wait_sleep(&w, WAIT_FOREVER, true);
    }
    waiter_end(&w);
    if (e && has_requests(q)) // the wake-up may have been for us: hand it on
        wait_wake_key(&q->readers, POLL_IN, 1);
    return e;
}

static len_t server_read(struct file *f, struct io *io, uint64_t offset)
{
    struct user_scheme *s = f->data;
    if (io->left < (s->version2 ? sizeof(struct redox_sqe) : sizeof(struct redox_packet)))
        return -EINVAL;
    for (;;) {
        err_t e = read_requests(s, io);
        if (e || io->done)
            return io_result(io, e);
        if (is_dead(&s->queue))
            return 0;
        if (f->flags & OPEN_NONBLOCK)
            return -EAGAIN;
        e = wait_for_request(&s->queue);
        if (e)
            return e;
    }
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
        t->add(t, &s->queue.readers);
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

const struct file_ops server_files = {
    .name = "server",
    .read = server_read,
    .write = server_write,
    .poll = server_poll,
    .path = server_path,
    .close = server_close,
};
