// SPDX-License-Identifier: GPL-3.0-or-later
// Version 2 of the protocol: entries of a submission and of a completion queue.
#include "kernel/scheme/user/packet.h"
#include <redox/errno.h>
#include <redox/flags.h>

static const uint8_t codes[MESSAGE_COUNT] = {
    [MESSAGE_OPEN] = REDOX_SQE_OPEN,        [MESSAGE_RMDIR] = REDOX_SQE_RMDIR,
    [MESSAGE_UNLINK] = REDOX_SQE_UNLINK,    [MESSAGE_CLOSE] = REDOX_SQE_CLOSE,
    [MESSAGE_DUP] = REDOX_SQE_DUP,          [MESSAGE_READ] = REDOX_SQE_READ,
    [MESSAGE_WRITE] = REDOX_SQE_WRITE,      [MESSAGE_SIZE] = REDOX_SQE_FSIZE,
    [MESSAGE_MODE] = REDOX_SQE_FCHMOD,      [MESSAGE_OWNER] = REDOX_SQE_FCHOWN,
    [MESSAGE_CONTROL] = REDOX_SQE_FCNTL,    [MESSAGE_EVENT] = REDOX_SQE_FEVENT,
    [MESSAGE_SEND] = REDOX_SQE_SENDFD,      [MESSAGE_PATH] = REDOX_SQE_FPATH,
    [MESSAGE_RENAME] = REDOX_SQE_FRENAME,   [MESSAGE_STATUS] = REDOX_SQE_FSTAT,
    [MESSAGE_TOTALS] = REDOX_SQE_FSTATVFS,  [MESSAGE_SYNC] = REDOX_SQE_FSYNC,
    [MESSAGE_RESIZE] = REDOX_SQE_FTRUNCATE, [MESSAGE_TIMES] = REDOX_SQE_FUTIMENS,
    [MESSAGE_MAP] = REDOX_SQE_MMAP_PREP,    [MESSAGE_UNMAP] = REDOX_SQE_MUNMAP,
    [MESSAGE_CANCEL] = REDOX_SQE_CANCEL,    [MESSAGE_ENTRIES] = REDOX_SQE_GETDENTS,
    [MESSAGE_OPEN_AT] = REDOX_SQE_OPENAT,   [MESSAGE_REMOVE_AT] = REDOX_SQE_UNLINKAT,
    [MESSAGE_LINK] = REDOX_SQE_FLINK,       [MESSAGE_CALL] = REDOX_SQE_CALL,
};

static void arguments(const struct message *m, uint64_t *to)
{
    to[0] = m->handle;
    switch (m->kind) {
    case MESSAGE_OPEN:
    case MESSAGE_RMDIR:
    case MESSAGE_UNLINK:
        to[0] = m->buffer;
        to[1] = m->size;
        to[2] = m->a;
        break;
    case MESSAGE_READ:
    case MESSAGE_WRITE:
    case MESSAGE_DUP:
    case MESSAGE_PATH:
    case MESSAGE_RENAME:
    case MESSAGE_STATUS:
    case MESSAGE_TOTALS:
    case MESSAGE_TIMES:
    case MESSAGE_ENTRIES:
    case MESSAGE_OPEN_AT:
    case MESSAGE_REMOVE_AT:
    case MESSAGE_LINK:
    case MESSAGE_CALL:
        to[1] = m->buffer;
        to[2] = m->size;
        to[3] = m->a;
        to[4] = m->b;
        break;
    case MESSAGE_MAP:
    case MESSAGE_UNMAP:
        to[1] = m->size;
        to[2] = m->a;
        to[3] = m->b;
        break;
    default:
        to[1] = m->a;
        to[2] = m->b;
    }
}

void packet2_write(uint64_t id, const struct message *m, struct redox_sqe *s)
{
    *s = (struct redox_sqe){
        .opcode = codes[m->kind],
        .tag = (uint32_t)id,
        .caller = (uint64_t)m->process,
    };
    if (m->kind == MESSAGE_CANCEL) {
        s->flags = REDOX_SQE_ONEWAY;
        s->tag = (uint32_t)m->a;
        return;
    }
    arguments(m, s->args);
    s->args[5] = m->user | (uint64_t)m->group << 32;
}

err_t packet2_read(const struct redox_cqe *c, struct answer *a)
{
    *a = (struct answer){ .kind = ANSWER_RESULT, .id = c->tag, .short_id = true };
    int64_t result = (int64_t)c->result;
    switch (c->flags & 7) {
    case REDOX_CQE_RESULT:
        a->result = result < 0 ? answer_error(result) : result;
        a->positioned = c->extra[0] & REDOX_CQE_POSITIONED;
        return 0;
    case REDOX_CQE_RETURN_FD:
        a->kind = ANSWER_FILE;
        a->result = result;
        return c->result > INT32_MAX ? -EBADF : 0;
    case REDOX_CQE_TRIGGER_EVENT:
        a->kind = ANSWER_EVENT;
        a->handle = c->result;
        a->flags = c->tag;
        return 0;
    case REDOX_CQE_OBTAIN_FD:
        a->kind = ANSWER_OBTAIN;
        a->result = result;
        a->flags = c->extra[0] | c->extra[1] << 8 | c->extra[2] << 16;
        return a->flags & ~(uint64_t)(ANSWER_OBTAIN_AT | ANSWER_OBTAIN_EXCLUSIVE) ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}
