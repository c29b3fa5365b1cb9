// SPDX-License-Identifier: MIT
// The loop: requests in, answers out, several in one call where they come together.
#include "user/libscheme/scheme.h"

static size_t message_size(const struct scheme_server *s)
{
    return s->version == 1 ? sizeof(struct redox_packet) : sizeof(struct redox_cqe);
}

// A message that the kernel refuses (its caller is gone) is passed over; the first error counts.
static int64_t flush(struct scheme_server *s)
{
    char bytes[sizeof(s->out)];
    size_t size = message_size(s), end = s->waiting * size, at = 0;
    for (size_t i = 0; i < s->waiting; i++)
        __builtin_memcpy(bytes + i * size, &s->out[i], size);
    s->waiting = 0;
    int64_t first = 0;
    while (at < end) {
        int64_t n = redox_write(s->fd, bytes + at, end - at);
        if (n == -REDOX_EINTR)
            continue;
        first = n < 0 && !first ? n : first;
        at += n > 0 ? (size_t)n : size;
    }
    return first;
}

static int64_t send(struct scheme_server *s, const union scheme_message *message)
{
    s->out[s->waiting++] = *message;
    return s->in_turn && s->waiting < SCHEME_BATCH ? 0 : flush(s);
}

int64_t scheme_make(struct scheme_server *s, const char *name, uint64_t version)
{
    char path[258] = ":";
    size_t length = 1;
    for (; *name; name++) {
        if (length == sizeof(path) - 1)
            return -REDOX_ENAMETOOLONG;
        path[length++] = *name;
    }
    s->version = version & 0xff;
    if (s->version != 1 && s->version != 2)
        return -REDOX_EINVAL;
    uint64_t flags = REDOX_O_CREAT | REDOX_O_RDWR | REDOX_O_CLOEXEC | (version & REDOX_O_NONBLOCK);
    s->fd = redox_open(path, length, flags | (s->version == 2 ? REDOX_O_FSYNC : 0));
    return s->fd < 0 ? s->fd : 0;
}

static void take(struct scheme_server *s, const void *request)
{
    union scheme_message answer;
    bool answered =
        s->version == 1 ? scheme_packet(s, request, &answer) : scheme_sqe(s, request, &answer);
    if (answered)
        (void)send(s, &answer);
}

int64_t scheme_turn(struct scheme_server *s)
{
    union {
        struct redox_packet packets[SCHEME_BATCH];
        struct redox_sqe requests[SCHEME_BATCH];
    } in;
    size_t size = s->version == 1 ? sizeof(in.packets[0]) : sizeof(in.requests[0]);
    int64_t n = redox_read(s->fd, &in, size * SCHEME_BATCH);
    if (n <= 0)
        return n;
    s->in_turn = true;
    for (size_t at = 0; at + size <= (size_t)n; at += size)
        take(s, (char *)&in + at);
    s->in_turn = false;
    (void)flush(s); // who is gone needs no answer
    return n / (int64_t)size;
}

int64_t scheme_serve(struct scheme_server *s)
{
    for (;;) {
        int64_t n = scheme_turn(s);
        if (n <= 0 && n != -REDOX_EINTR)
            return n;
    }
}

int64_t scheme_answer(struct scheme_call *c, int64_t result)
{
    union scheme_message answer;
    scheme_make_answer(c, result, &answer);
    return send(c->server, &answer);
}

int64_t scheme_notify(struct scheme_server *s, struct scheme_handle *h, uint64_t flags)
{
    if (!(flags & h->events))
        return 0;
    union scheme_message event;
    scheme_make_event(s, h, flags & h->events, &event);
    return send(s, &event);
}

int64_t scheme_return_fd(struct scheme_call *c, int64_t fd)
{
    c->returns_fd = true;
    return fd;
}

int64_t scheme_take_fd(struct scheme_call *c)
{
    struct scheme_server *s = c->server;
    uint64_t fd = UINT64_MAX;
    union scheme_message message;
    scheme_make_obtain(c, &fd, &message);
    int64_t n = redox_write(s->fd, &message, message_size(s));
    return n < 0 ? n : (int64_t)fd;
}

int64_t scheme_text(void *buffer, size_t size, uint64_t offset, const char *text, size_t length)
{
    if (offset >= length)
        return 0;
    size_t n = length - offset < size ? length - offset : size;
    __builtin_memcpy(buffer, text + offset, n);
    return (int64_t)n;
}
