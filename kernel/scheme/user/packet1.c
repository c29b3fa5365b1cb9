// SPDX-License-Identifier: GPL-3.0-or-later
// Version 1 of the protocol: a request is the caller's system call, with the server's handle in
// place of its descriptor.
#include "kernel/scheme/user/packet.h"
#include <redox/call.h>
#include <redox/errno.h>
#include <redox/flags.h>

const uint32_t packet1_calls[MESSAGE_COUNT] = {
    [MESSAGE_OPEN] = REDOX_SYS_OPEN,
    [MESSAGE_RMDIR] = REDOX_SYS_RMDIR,
    [MESSAGE_UNLINK] = REDOX_SYS_UNLINK,
    [MESSAGE_CLOSE] = REDOX_SYS_CLOSE,
    [MESSAGE_DUP] = REDOX_SYS_DUP,
    [MESSAGE_READ] = REDOX_SYS_READ,
    [MESSAGE_WRITE] = REDOX_SYS_WRITE,
    [MESSAGE_SEEK] = REDOX_SYS_LSEEK,
    [MESSAGE_MODE] = REDOX_SYS_FCHMOD,
    [MESSAGE_OWNER] = REDOX_SYS_FCHOWN,
    [MESSAGE_CONTROL] = REDOX_SYS_FCNTL,
    [MESSAGE_EVENT] = REDOX_SYS_FEVENT,
    [MESSAGE_SEND] = REDOX_SYS_SENDFD,
    [MESSAGE_PATH] = REDOX_SYS_FPATH,
    [MESSAGE_RENAME] = REDOX_SYS_FRENAME,
    [MESSAGE_STATUS] = REDOX_SYS_FSTAT,
    [MESSAGE_TOTALS] = REDOX_SYS_FSTATVFS,
    [MESSAGE_SYNC] = REDOX_SYS_FSYNC,
    [MESSAGE_RESIZE] = REDOX_SYS_FTRUNCATE,
    [MESSAGE_TIMES] = REDOX_SYS_FUTIMENS,
    [MESSAGE_MAP] = REDOX_SYS_KSMSG_MMAP_PREP,
    [MESSAGE_UNMAP] = REDOX_SYS_KSMSG_MUNMAP,
    [MESSAGE_CANCEL] = REDOX_SYS_KSMSG_CANCEL,
    [MESSAGE_ENTRIES] = REDOX_SYS_GETDENTS,
};

// The arguments behind the handle.
static void arguments(const struct message *m, struct redox_packet *p)
{
    switch (m->kind) {
    case MESSAGE_MAP:
    case MESSAGE_UNMAP: // the offset lies where a caller's ids do
        p->c = m->size;
        p->d = m->a;
        p->uid = (uint32_t)m->b;
        p->gid = (uint32_t)(m->b >> 32);
        break;
    case MESSAGE_DUP:
    case MESSAGE_READ:
    case MESSAGE_WRITE:
    case MESSAGE_PATH:
    case MESSAGE_RENAME:
    case MESSAGE_STATUS:
    case MESSAGE_TOTALS:
    case MESSAGE_TIMES:
    case MESSAGE_ENTRIES:
        p->c = m->buffer;
        p->d = m->size;
        break;
    default:
        p->c = m->a;
        p->d = m->b;
    }
}

void packet1_write_other(const struct message *m, struct redox_packet *p)
{
    p->b = p->c = p->d = 0;
    switch (m->kind) {
    case MESSAGE_OPEN:
    case MESSAGE_RMDIR:
    case MESSAGE_UNLINK:
        p->b = m->buffer;
        p->c = m->size;
        p->d = m->a;
        break;
    case MESSAGE_CANCEL:
        p->id = 0;
        p->b = m->a & UINT32_MAX;
        p->c = m->a >> 32;
        break;
    default:
        p->b = m->handle;
        arguments(m, p);
    }
}

int64_t answer_error(int64_t result)
{
    if (result == -EWOULDBLOCK)
        return -EAGAIN;
    return result >= 0 || result > -ESKMSG ? result : -EIO;
}

// "The rest is a message to the kernel": b says what it is about.
static err_t read_special(const struct redox_packet *p, struct answer *a)
{
    switch (p->b) {
    case REDOX_SKMSG_FRETURNFD: // d is what it was in the request
        a->kind = ANSWER_FILE;
        a->result = (int64_t)p->c;
        return p->c > INT32_MAX ? -EBADF : 0;
    case REDOX_SKMSG_FOBTAINFD:
        a->kind = ANSWER_OBTAIN;
        a->result = (int64_t)p->c;
        a->flags = p->d;
        return p->d & ~(uint64_t)(ANSWER_OBTAIN_AT | ANSWER_OBTAIN_EXCLUSIVE) ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}

err_t packet1_read(const struct redox_packet *p, struct answer *a)
{
    *a = (struct answer){ .kind = ANSWER_RESULT, .id = p->id };
    if (p->id == 0) {
        a->kind = p->a == REDOX_SYS_FEVENT ? ANSWER_EVENT : ANSWER_NOTHING;
        a->handle = p->b;
        a->flags = p->c;
        return 0;
    }
    int64_t result = (int64_t)p->a;
    if (result == -ESKMSG)
        return read_special(p, a);
    a->result = result < 0 ? answer_error(result) : result;
    return 0;
}
