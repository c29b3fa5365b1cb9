// SPDX-License-Identifier: MIT
// Requests to function calls, results to answers: both versions of the protocol, no system calls.
#include "user/libscheme/scheme.h"

static struct scheme_handle *handle_new(struct scheme_server *s, uint64_t flags)
{
    for (size_t i = 0; i < s->handle_count; i++)
        if (!s->handles[i].used) {
            s->handles[i] = (struct scheme_handle){ .used = true,
                                                    .flags = flags,
                                                    .positioned = s->ops->size != NULL };
            return &s->handles[i];
        }
    return NULL;
}

static struct scheme_handle *handle_find(struct scheme_server *s, uint64_t number)
{
    return number < s->handle_count && s->handles[number].used ? &s->handles[number] : NULL;
}

static int64_t call_open(struct scheme_call *c)
{
    c->handle = handle_new(c->server, c->args[2]);
    if (!c->handle)
        return -REDOX_EMFILE;
    const struct scheme_ops *o = c->server->ops;
    return o->open ? o->open(c, c->handle, (const char *)c->args[0], c->args[1]) : 0;
}

static int64_t call_dup(struct scheme_call *c, struct scheme_handle *from)
{
    c->handle = NULL; // a failure frees the new one, not the old
    if (!c->server->ops->dup)
        return -REDOX_EOPNOTSUPP;
    c->handle = handle_new(c->server, from->flags);
    if (!c->handle)
        return -REDOX_EMFILE;
    return c->server->ops->dup(c, c->handle, from, (const char *)c->args[1], c->args[2]);
}

static int64_t call_open_at(struct scheme_call *c, struct scheme_handle *from)
{
    c->handle = NULL;
    if (!c->server->ops->open_at)
        return -REDOX_EOPNOTSUPP;
    c->handle = handle_new(c->server, c->args[3] | c->args[4]);
    if (!c->handle)
        return -REDOX_EMFILE;
    return c->server->ops->open_at(c, c->handle, from, (const char *)c->args[1], c->args[2]);
}

static int64_t call_close(struct scheme_call *c, struct scheme_handle *h)
{
    if (c->server->ops->close)
        c->server->ops->close(c, h);
    h->used = false;
    return 0;
}

// Version 1 leaves offsets to the server, version 2 tells them.
static bool keeps_offset(const struct scheme_call *c, const struct scheme_handle *h)
{
    return h->positioned && c->server->version == 1;
}

static uint64_t offset_of(const struct scheme_call *c, const struct scheme_handle *h)
{
    if (!h->positioned)
        return REDOX_OFFSET_NONE;
    return keeps_offset(c, h) ? h->offset : c->args[3];
}

static int64_t call_read(struct scheme_call *c, struct scheme_handle *h)
{
    if (!(h->flags & REDOX_O_RDONLY) || !c->server->ops->read)
        return -REDOX_EBADF;
    return c->server->ops->read(c, h, (void *)c->args[1], c->args[2], offset_of(c, h));
}

static int64_t call_write(struct scheme_call *c, struct scheme_handle *h)
{
    const struct scheme_ops *o = c->server->ops;
    if (!(h->flags & REDOX_O_WRONLY) || !o->write)
        return -REDOX_EBADF;
    uint64_t offset = offset_of(c, h);
    bool append =
        (h->flags & REDOX_O_APPEND) || (c->server->version == 2 && c->args[4] & REDOX_RW_APPEND);
    if (h->positioned && append) {
        int64_t end = o->size ? o->size(c, h) : -REDOX_ESPIPE;
        if (end < 0)
            return end;
        offset = (uint64_t)end;
        h->offset = offset;
    }
    return o->write(c, h, (const void *)c->args[1], c->args[2], offset);
}

static int64_t call_seek(struct scheme_call *c, struct scheme_handle *h)
{
    if (!h->positioned)
        return -REDOX_ESPIPE;
    int64_t from = 0;
    if (c->args[2] == REDOX_SEEK_CUR)
        from = (int64_t)h->offset;
    else if (c->args[2] == REDOX_SEEK_END)
        from = c->server->ops->size ? c->server->ops->size(c, h) : -REDOX_ESPIPE;
    else if (c->args[2] != REDOX_SEEK_SET)
        return -REDOX_EINVAL;
    if (from < 0)
        return from;
    int64_t to;
    if (__builtin_add_overflow(from, (int64_t)c->args[1], &to))
        return -REDOX_EOVERFLOW;
    if (to < 0)
        return -REDOX_EINVAL;
    h->offset = (uint64_t)to;
    return to;
}

static int64_t call_fcntl(struct scheme_call *c, struct scheme_handle *h)
{
    uint64_t keep = REDOX_O_ACCMODE;
    if (c->args[1] == REDOX_F_GETFL)
        return (int64_t)h->flags;
    if (c->args[1] == REDOX_F_SETFL) {
        h->flags = (h->flags & keep) | (c->args[2] & ~keep);
        return 0;
    }
    return c->server->ops->fcntl ? c->server->ops->fcntl(c, h, c->args[1], c->args[2])
                                 : -REDOX_EINVAL;
}

static int64_t call_event(struct scheme_call *c, struct scheme_handle *h)
{
    h->events = c->args[1];
    uint64_t all = REDOX_EVENT_READ | REDOX_EVENT_WRITE;
    uint64_t ready = c->server->ops->ready ? c->server->ops->ready(c, h, c->args[1]) : all;
    return (int64_t)(ready & c->args[1]);
}

// The caller's buffer may lie at any address: filled here, copied there.
static int64_t call_status(struct scheme_call *c, struct scheme_handle *h)
{
    struct redox_stat status;
    if (!c->server->ops->status)
        return -REDOX_EBADF;
    if (c->args[2] < sizeof(status))
        return -REDOX_EINVAL;
    __builtin_memset(&status, 0, sizeof(status));
    int64_t e = c->server->ops->status(c, h, &status);
    if (e >= 0)
        __builtin_memcpy((void *)c->args[1], &status, sizeof(status));
    return e;
}

static int64_t call_totals(struct scheme_call *c, struct scheme_handle *h)
{
    struct redox_statvfs totals;
    if (!c->server->ops->totals)
        return -REDOX_EBADF;
    if (c->args[2] < sizeof(totals))
        return -REDOX_EINVAL;
    __builtin_memset(&totals, 0, sizeof(totals));
    int64_t e = c->server->ops->totals(c, h, &totals);
    if (e >= 0)
        __builtin_memcpy((void *)c->args[1], &totals, sizeof(totals));
    return e;
}

static int64_t call_times(struct scheme_call *c, struct scheme_handle *h)
{
    struct redox_timespec times[2];
    size_t count = c->args[2] / sizeof(times[0]);
    if (!c->server->ops->times)
        return -REDOX_EBADF;
    if (c->args[2] % sizeof(times[0]) || count < 1 || count > 2)
        return -REDOX_EINVAL;
    __builtin_memcpy(times, (const void *)c->args[1], c->args[2]);
    return c->server->ops->times(c, h, times, count);
}

// Calls on a handle that need nothing but their arguments in the right order.
static int64_t call_simple(struct scheme_call *c, struct scheme_handle *h)
{
    const struct scheme_ops *o = c->server->ops;
    const uint64_t *a = c->args;
    switch (c->opcode) {
    case REDOX_SQE_FSIZE:
        return o->size ? o->size(c, h) : -REDOX_ESPIPE;
    case REDOX_SQE_FCHMOD:
        return o->chmod ? o->chmod(c, h, (uint16_t)a[1]) : -REDOX_EBADF;
    case REDOX_SQE_FCHOWN:
        return o->chown ? o->chown(c, h, (uint32_t)a[1], (uint32_t)a[2]) : -REDOX_EBADF;
    case REDOX_SQE_FPATH:
        return o->path ? o->path(c, h, (char *)a[1], a[2]) : -REDOX_EBADF;
    case REDOX_SQE_FRENAME:
        return o->rename ? o->rename(c, h, (const char *)a[1], a[2]) : -REDOX_EBADF;
    case REDOX_SQE_FSYNC:
        return o->sync ? o->sync(c, h) : 0;
    case REDOX_SQE_FTRUNCATE:
        if (!(h->flags & REDOX_O_WRONLY))
            return -REDOX_EBADF;
        return o->truncate ? o->truncate(c, h, a[1]) : -REDOX_EBADF;
    case REDOX_SQE_MMAP_PREP:
        return o->map ? o->map(c, h, a[3], a[1], a[2]) : -REDOX_EOPNOTSUPP;
    case REDOX_SQE_MUNMAP:
        return o->unmap ? o->unmap(c, h, a[3], a[1], a[2]) : 0;
    case REDOX_SQE_SENDFD:
        return o->sendfd ? o->sendfd(c, h, a[1], a[2]) : -REDOX_EOPNOTSUPP;
    case REDOX_SQE_UNLINKAT:
        return o->unlink_at ? o->unlink_at(c, h, (const char *)a[1], a[2], a[3])
                            : -REDOX_EOPNOTSUPP;
    case REDOX_SQE_FLINK:
        return o->link ? o->link(c, h, (const char *)a[1], a[2]) : -REDOX_EXDEV;
    case REDOX_SQE_CALL:
        return o->message ? o->message(c, h, (void *)a[1], a[2], a + 3) : -REDOX_EOPNOTSUPP;
    case REDOX_SQE_GETDENTS:
        if (a[3] != sizeof(struct redox_dirent_header))
            return -REDOX_EINVAL;
        return o->entries ? o->entries(c, h, (void *)a[1], a[2], a[4]) : -REDOX_EOPNOTSUPP;
    default:
        return -REDOX_EOPNOTSUPP;
    }
}

static int64_t call_on_handle(struct scheme_call *c)
{
    struct scheme_handle *h = handle_find(c->server, c->args[0]);
    c->handle = h;
    if (!h)
        return -REDOX_EBADF;
    switch (c->opcode) {
    case REDOX_SQE_CLOSE:
        return call_close(c, h);
    case REDOX_SQE_DUP:
        return call_dup(c, h);
    case REDOX_SQE_OPENAT:
        return call_open_at(c, h);
    case REDOX_SQE_READ:
        return call_read(c, h);
    case REDOX_SQE_WRITE:
        return call_write(c, h);
    case SCHEME_LSEEK:
        return call_seek(c, h);
    case REDOX_SQE_FCNTL:
        return call_fcntl(c, h);
    case REDOX_SQE_FEVENT:
        return call_event(c, h);
    case REDOX_SQE_FSTAT:
        return call_status(c, h);
    case REDOX_SQE_FSTATVFS:
        return call_totals(c, h);
    case REDOX_SQE_FUTIMENS:
        return call_times(c, h);
    default:
        return call_simple(c, h);
    }
}

static int64_t call_do(struct scheme_call *c)
{
    const struct scheme_ops *o = c->server->ops;
    const char *path = (const char *)c->args[0];
    switch (c->opcode) {
    case REDOX_SQE_OPEN:
        return call_open(c);
    case REDOX_SQE_UNLINK:
        return o->unlink ? o->unlink(c, path, c->args[1]) : -REDOX_ENOENT;
    case REDOX_SQE_RMDIR:
        return o->rmdir ? o->rmdir(c, path, c->args[1]) : -REDOX_ENOENT;
    default:
        return call_on_handle(c);
    }
}

static bool call_answered(struct scheme_call *c, union scheme_message *answer)
{
    int64_t result = call_do(c);
    if (result == SCHEME_LATER || c->oneway)
        return false;
    scheme_make_answer(c, result, answer);
    return true;
}

bool scheme_packet(struct scheme_server *s, const struct redox_packet *p,
                   union scheme_message *answer)
{
    if (p->a == REDOX_SYS_KSMSG_CANCEL) {
        if (s->ops->cancel)
            s->ops->cancel(s, (p->b & UINT32_MAX) | p->c << 32);
        return false;
    }
    struct scheme_call c = { .server = s,
                             .id = p->id,
                             .process = p->pid,
                             .user = p->uid,
                             .group = p->gid,
                             .args = { p->b, p->c, p->d } };
    bool maps = p->a == REDOX_SYS_KSMSG_MMAP_PREP || p->a == REDOX_SYS_KSMSG_MUNMAP;
    if (maps) { // the ids' place holds the offset
        c.args[3] = p->uid | (uint64_t)p->gid << 32;
        c.user = c.group = 0;
    }
    c.opcode = scheme_opcode_of(p->a);
    if (c.opcode != SCHEME_UNKNOWN)
        return call_answered(&c, answer);
    scheme_make_answer(&c, -REDOX_ENOSYS, answer);
    return true;
}

bool scheme_sqe(struct scheme_server *s, const struct redox_sqe *q, union scheme_message *answer)
{
    if (q->opcode == REDOX_SQE_CANCEL) {
        if (s->ops->cancel)
            s->ops->cancel(s, q->tag);
        return false;
    }
    struct scheme_call c = { .server = s,
                             .id = q->tag,
                             .process = q->caller,
                             .user = (uint32_t)q->args[5],
                             .group = (uint32_t)(q->args[5] >> 32),
                             .opcode =
                                 q->opcode == REDOX_SQE_CLOSE_MSG ? REDOX_SQE_CLOSE : q->opcode,
                             .oneway = q->flags & REDOX_SQE_ONEWAY };
    __builtin_memcpy(c.args, q->args, sizeof(c.args));
    return call_answered(&c, answer);
}

static bool opens(const struct scheme_call *c)
{
    return c->opcode == REDOX_SQE_OPEN || c->opcode == REDOX_SQE_DUP ||
           c->opcode == REDOX_SQE_OPENAT;
}

// Open and dup answer with the handle's number; a handle that nobody gets is free again. Here, and
// not before, is it known how far a transfer got.
static int64_t settled(struct scheme_call *c, int64_t result)
{
    bool moves = c->opcode == REDOX_SQE_READ || c->opcode == REDOX_SQE_WRITE;
    if (moves && result > 0 && c->handle && keeps_offset(c, c->handle))
        c->handle->offset += (uint64_t)result;
    if (!opens(c) || !c->handle || !c->handle->used)
        return result;
    if (result >= 0 && !c->returns_fd)
        return c->handle - c->server->handles;
    c->handle->used = false;
    return result;
}

void scheme_make_answer(struct scheme_call *c, int64_t result, union scheme_message *answer)
{
    int64_t number = settled(c, result);
    bool returns_fd = c->returns_fd && result >= 0;
    __builtin_memset(answer, 0, sizeof(*answer));
    if (c->server->version == 1) {
        struct redox_packet *p = &answer->packet;
        *p = (struct redox_packet){ .id = c->id, .pid = c->process, .a = (uint64_t)number };
        if (returns_fd) {
            p->a = (uint64_t)-REDOX_ESKMSG;
            p->b = REDOX_SKMSG_FRETURNFD;
            p->c = (uint64_t)number;
        }
        return;
    }
    bool positioned = opens(c) && number >= 0 && c->handle && c->handle->positioned;
    answer->answer =
        (struct redox_cqe){ .flags = returns_fd ? REDOX_CQE_RETURN_FD : REDOX_CQE_RESULT,
                            .extra = { positioned && !returns_fd ? REDOX_CQE_POSITIONED : 0 },
                            .tag = (uint32_t)c->id,
                            .result = (uint64_t)number };
}

void scheme_make_event(const struct scheme_server *s, const struct scheme_handle *h, uint64_t flags,
                       union scheme_message *event)
{
    uint64_t number = (uint64_t)(h - s->handles);
    __builtin_memset(event, 0, sizeof(*event));
    if (s->version == 1)
        event->packet = (struct redox_packet){ .a = REDOX_SYS_FEVENT, .b = number, .c = flags };
    else
        event->answer = (struct redox_cqe){ .flags = REDOX_CQE_TRIGGER_EVENT,
                                            .tag = (uint32_t)flags,
                                            .result = number };
}

// The kernel writes the number of the new descriptor to *fd.
void scheme_make_obtain(const struct scheme_call *c, uint64_t *fd, union scheme_message *message)
{
    __builtin_memset(message, 0, sizeof(*message));
    if (c->server->version == 1)
        message->packet = (struct redox_packet){
            .id = c->id, .a = (uint64_t)-REDOX_ESKMSG, .b = REDOX_SKMSG_FOBTAINFD, .c = (uint64_t)fd
        };
    else
        message->answer = (struct redox_cqe){ .flags = REDOX_CQE_OBTAIN_FD,
                                              .tag = (uint32_t)c->id,
                                              .result = (uint64_t)fd };
}
