// SPDX-License-Identifier: GPL-3.0-or-later
// Mapping a user scheme's file: the server says where in its own space the bytes are, and those
// pages are mapped into the client, shared, or copied on write. Each unmapping is told to the
// server by a message without an answer, so that nobody waits for it.
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/space.h"
#include "kernel/scheme/user/inside.h"
#include <redox/flags.h>

static uint64_t flags_for_server(const struct map_request *r)
{
    return (r->access & MAP_READ ? REDOX_PROT_READ : 0) |
           (r->access & MAP_WRITE ? REDOX_PROT_WRITE : 0) |
           (r->access & MAP_EXECUTE ? REDOX_PROT_EXEC : 0) |
           (r->flags & MAPF_SHARED ? REDOX_MAP_SHARED : REDOX_MAP_PRIVATE);
}

struct unmapping {
    struct user_scheme *scheme; // with a reference
    struct request request;
};

static void unmapping_drop(struct request *r)
{
    struct unmapping *u = container_of(r, struct unmapping, request);
    user_scheme_put(u->scheme);
    heap_free(u);
}

// The message, which holds a scheme of its own, may be read and dropped while it is posted: the
// caller's file keeps the client, and with it the scheme, until then.
void client_unmapped(struct file *f, uint64_t offset, uint64_t size)
{
    struct client *c = f->data;
    assert(__atomic_load_n(&f->references, __ATOMIC_RELAXED) > 0);
    struct unmapping *u = heap_alloc(sizeof(*u));
    if (!u)
        return; // the server keeps the range until the file is closed
    struct caller caller;
    caller_look(&caller);
    user_scheme_get(c->scheme);
    u->scheme = c->scheme;
    u->request.drop = unmapping_drop;
    u->request.message = (struct message){
        .process = caller.process, .handle = c->handle, .size = size, .b = offset
    };
    if (!request_post(&c->scheme->queue, &u->request, MESSAGE_UNMAP))
        unmapping_drop(&u->request);
}

// Where the server has it; its space with a reference.
static int64_t ask_server(struct client *c, const struct map_request *r, uint64_t size,
                          struct space **space)
{
    struct request *request;
    err_t e = client_begin(c->scheme, c, MESSAGE_MAP, &request);
    if (e)
        return e;
    *space = window_space(request->window);
    if (*space == space_current()) {
        request_end(&c->scheme->queue, request);
        return -EBUSY;
    }
    space_get(*space);
    request->message.size = size;
    request->message.a = flags_for_server(r);
    request->message.b = r->offset;
    int64_t address = client_call(c->scheme, request, NULL);
    if (address < 0)
        space_put(*space);
    return address;
}

err_t client_map(struct file *f, struct map_request *r)
{
    if (!(f->flags & OPEN_READ))
        return -EACCES;
    if (r->flags & MAPF_SHARED && !(f->flags & OPEN_WRITE))
        r->max_access &= ~(unsigned)MAP_WRITE;
    struct space *server = NULL;
    uint64_t size = round_up(r->size, PAGE_SIZE), offset = r->offset;
    int64_t address = ask_server(f->data, r, size, &server);
    if (address < 0)
        return (err_t)address;
    struct space_shared shared;
    err_t e = address % PAGE_SIZE ? -EIO : space_share(server, (uaddr_t)address, size, &shared);
    space_put(server);
    if (e) {
        client_unmapped(f, offset, size);
        return e == -EFAULT || e == -EINVAL ? -EIO : e; // the server's mistake, not the caller's
    }
    if (r->flags & MAPF_SHARED && !shared.writable)
        r->max_access &= ~(unsigned)MAP_WRITE;
    r->object = shared.object;
    r->file_shift += shared.offset - r->offset;
    r->offset = shared.offset;
    return 0;
}
