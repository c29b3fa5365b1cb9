// SPDX-License-Identifier: GPL-3.0-or-later
// What a server's answer does: ends a request, moves an open file between the server's descriptors
// and a client, tells of an event.
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/scheme/user/inside.h"

// The server's descriptor becomes what the client opened.
static err_t answer_with_file(struct user_scheme *s, const struct answer *a)
{
    struct caller c;
    caller_look(&c);
    struct file *file;
    err_t e = c.descriptors ? descriptor_file(c.descriptors, (int)a->result, &file) : -EBADF;
    if (e)
        return e;
    e = request_answer(&s->queue, a, file);
    if (e)
        file_put(file);
    return e ? e : descriptor_close(c.descriptors, (int)a->result);
}

// A new number for the file, told where the server wants to read it. The reference moves in.
static err_t obtain_new(const struct caller *c, uaddr_t where, struct file *file)
{
    int number;
    err_t e = descriptor_add(c->descriptors, file, false, 0, c->descriptor_limit, &number);
    if (e)
        return e;
    e = user_put_u64(where, (uint64_t)number);
    if (!e)
        return 0;
    file_get(file); // it goes back
    if (descriptor_close(c->descriptors, number))
        file_put(file);
    return e;
}

static err_t obtain(struct user_scheme *s, const struct answer *a)
{
    struct caller c;
    caller_look(&c);
    struct file *file;
    err_t e = c.descriptors ? request_take_file(&s->queue, a, &file) : -EBADF;
    if (e)
        return e;
    bool shared = __atomic_load_n(&file->references, __ATOMIC_RELAXED) > 1;
    if (a->flags & ANSWER_OBTAIN_EXCLUSIVE && shared)
        e = -EBUSY;
    else if (!(a->flags & ANSWER_OBTAIN_AT))
        e = obtain_new(&c, (uaddr_t)a->result, file);
    else if (a->result < 0 || a->result > INT32_MAX)
        e = -EBADF;
    else
        e = descriptor_set(c.descriptors, file, false, (int)a->result, c.descriptor_limit);
    if (e)
        request_return_file(&s->queue, a, file);
    return e;
}

err_t server_answer(struct user_scheme *s, const struct answer *a)
{
    switch (a->kind) {
    case ANSWER_RESULT:
        return request_answer(&s->queue, a, NULL);
    case ANSWER_FILE:
        return answer_with_file(s, a);
    case ANSWER_OBTAIN:
        return obtain(s, a);
    case ANSWER_EVENT:
        events_trigger(s, a->handle, a->flags);
        return 0;
    default:
        return 0;
    }
}
