// SPDX-License-Identifier: GPL-3.0-or-later
// The server's file: reading gives requests, writing takes answers.
#include "kernel/scheme/user/inside.h"
#include "kernel/scheme/user/request_way.h"

static bool has_requests(const struct request_queue *q)
{
    return __atomic_load_n(&q->pending.next, __ATOMIC_ACQUIRE) != &q->pending;
}

static bool is_dead(const struct request_queue *q)
{
    return __atomic_load_n(&q->dead, __ATOMIC_ACQUIRE);
}

static size_t request_size(bool version2)
{
    return version2 ? sizeof(struct redox_sqe) : sizeof(struct redox_packet);
}

static size_t answer_size(bool version2)
{
    return version2 ? sizeof(struct redox_cqe) : sizeof(struct redox_packet);
}

// A part of a request is none: what could not be written is read again.
static force_inline err_t hand_out(struct user_scheme *s, struct io *io, size_t size,
                                   struct request_read *read)
{
    err_t e = io_put_record(io, &read->packet, size);
    if (likely(!e))
        request_read_done(read);
    else
        request_return(&s->queue, read);
    return e;
}

// What else is there and fits, after the first (or why that was not to be had).
static no_inline len_t read_on(struct user_scheme *s, struct io *io, err_t e)
{
    size_t size = request_size(s->version2);
    while (!e && io->left >= size) {
        struct request_read read;
        e = request_next(&s->queue, s->version2, false, &read);
        if (!e)
            e = hand_out(s, io, size, &read);
    }
    return io->done || e == -ENODEV ? (len_t)io->done : e;
}

// As many requests as wait and fit; waits for the first.
static force_inline len_t read_requests(struct file *f, struct io *io, bool version2)
{
    struct user_scheme *s = f->data;
    size_t size = request_size(version2);
    if (unlikely(io->left < size))
        return -EINVAL;
    struct request_read read;
    err_t e = unlikely(f->flags & OPEN_NONBLOCK) ? request_next(&s->queue, version2, false, &read)
                                                 : request_next_way(&s->queue, version2, &read);
    if (likely(!e))
        e = hand_out(s, io, size, &read);
    return likely(!e && io->left < size) ? (len_t)io->done : read_on(s, io, e);
}

static no_stack_guard len_t server_read(struct file *f, struct io *io, uint64_t offset)
{
    return read_requests(f, io, false);
}

static no_stack_guard len_t server_read2(struct file *f, struct io *io, uint64_t offset)
{
    return read_requests(f, io, true);
}

static err_t answer_parsed(struct user_scheme *s, err_t e, const struct answer *a)
{
    return e ? e : server_answer(s, a);
}

// The plain answer to a request at once, all others by the border (packet.h).
static force_inline err_t answer_take(struct user_scheme *s, struct io *io)
{
    struct redox_packet packet;
    err_t e = io_get_record(io, &packet, sizeof(packet));
    if (unlikely(e))
        return e;
    if (likely(packet.id && (int64_t)packet.a >= 0))
        return request_answer_way(&s->queue, packet.id, false, (int64_t)packet.a, false, NULL);
    struct answer a;
    e = packet1_read(&packet, &a);
    return answer_parsed(s, e, &a);
}

static force_inline err_t answer_take2(struct user_scheme *s, struct io *io)
{
    struct redox_cqe entry;
    struct answer a;
    err_t e = io_get_record(io, &entry, sizeof(entry));
    if (likely(!e))
        e = packet2_read(&entry, &a);
    if (likely(!e && a.kind == ANSWER_RESULT))
        return request_answer_way(&s->queue, a.id, true, a.result, a.positioned, NULL);
    return answer_parsed(s, e, &a);
}

static no_inline len_t write_on(struct user_scheme *s, struct io *io, err_t e)
{
    size_t size = answer_size(s->version2);
    uint64_t taken = e ? 0 : size;
    while (!e && io->left >= size) {
        e = s->version2 ? answer_take2(s, io) : answer_take(s, io);
        taken += e ? 0 : size;
    }
    return taken ? (len_t)taken : e;
}

static force_inline len_t write_answers(struct file *f, struct io *io, bool version2)
{
    struct user_scheme *s = f->data;
    size_t size = answer_size(version2);
    if (unlikely(io->left < size))
        return -EINVAL;
    err_t e = version2 ? answer_take2(s, io) : answer_take(s, io);
    return likely(!e && io->left < size) ? (len_t)size : write_on(s, io, e);
}

static no_stack_guard len_t server_write(struct file *f, struct io *io, uint64_t offset)
{
    return write_answers(f, io, false);
}

static no_stack_guard len_t server_write2(struct file *f, struct io *io, uint64_t offset)
{
    return write_answers(f, io, true);
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

#define SERVER_FILES                                                                               \
    .name = "server", .keeps_files = server_keeps_files, .poll = server_poll, .path = server_path, \
    .close = server_close, .keeps_offset = true

const struct file_ops server_files = { SERVER_FILES, .read = server_read, .write = server_write };
const struct file_ops server_files2 = { SERVER_FILES, .read = server_read2,
                                        .write = server_write2 };
