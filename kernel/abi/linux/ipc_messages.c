// SPDX-License-Identifier: GPL-3.0-or-later
// System V IPC: message queues (msgget(2), msgop(2), msgctl(2)).
#include "kernel/abi/linux/ipc.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/process/message_queue.h"

enum {
    MSG_NOERROR = 010000,
    MSG_EXCEPT = 020000,
    MSG_COPY = 040000,
    MSG_STAT = 11,
    MSG_INFO = 12,
    MSG_STAT_ANY = 13,
};

struct linux_msqid {
    struct linux_ipc_permissions permissions;
    int64_t sent_time, received_time, change_time;
    uint64_t bytes, count, bytes_max;
    int32_t last_sender, last_receiver;
    uint64_t reserved[2];
};
_Static_assert(sizeof(struct linux_msqid) == 120, "struct msqid64_ds");

struct linux_msginfo {
    int32_t pool, map, size_max, bytes_max, queues_max, segment, headers;
    uint16_t segments;
};

LINUX_CALL(msgget)
{
    int id;
    err_t e = messages_get(ARG_INT(0), linux_ipc_flags(ARG(1)), (unsigned)ARG(1) & 0777, &id);
    return e ? e : id;
}

LINUX_CALL(msgsnd)
{
    uint64_t type, size = ARG(2);
    struct ipc_message *m;
    err_t e = user_get_u64(ARG(1), &type);
    if (e)
        return e;
    if (ARG_INT(0) < 0 || (int64_t)type < 1 || size > MESSAGE_SIZE_MAX)
        return -EINVAL;
    e = ipc_message_make(size, &m);
    if (e)
        return e;
    m->type = (int64_t)type;
    e = user_copy_in(m->bytes, ARG(1) + sizeof(type), size);
    if (!e)
        e = messages_send(ARG_INT(0), m, ARG(3) & LINUX_IPC_NOWAIT);
    if (e)
        ipc_message_drop(m);
    return e;
}

static err_t wish_of(int64_t type, uint64_t flags, struct message_wish *w)
{
    bool copy = flags & MSG_COPY;
    if (copy && ((flags & MSG_EXCEPT) || !(flags & LINUX_IPC_NOWAIT)))
        return -EINVAL;
    w->type = type < 0 ? (type == INT64_MIN ? INT64_MAX : -type) : type;
    w->choice = copy                 ? MESSAGE_AT
                : type == 0          ? MESSAGE_ANY
                : type < 0           ? MESSAGE_UP_TO
                : flags & MSG_EXCEPT ? MESSAGE_NOT_OF_TYPE
                                     : MESSAGE_OF_TYPE;
    if (copy)
        w->type = type;
    w->cut = flags & MSG_NOERROR;
    w->no_wait = flags & LINUX_IPC_NOWAIT;
    return 0;
}

LINUX_CALL(msgrcv)
{
    struct message_wish wish = { .room = ARG(2) };
    struct ipc_message *m = NULL;
    if (ARG_INT(0) < 0 || (int64_t)ARG(2) < 0)
        return -EINVAL;
    err_t e = wish_of((int64_t)ARG(3), ARG(4), &wish);
    if (!e)
        e = messages_receive(ARG_INT(0), &wish, &m);
    if (e)
        return e;
    uint64_t size = min_of((uint64_t)m->size, ARG(2));
    e = user_put_u64(ARG(1), (uint64_t)m->type);
    if (!e)
        e = user_copy_out(ARG(1) + sizeof(m->type), m->bytes, size);
    ipc_message_drop(m);
    return e ? e : (int64_t)size;
}

static int64_t status_out(int id, bool by_place, bool any, uaddr_t to)
{
    struct messages_status s;
    err_t e = messages_status(id, by_place, any, &s);
    if (e)
        return e;
    struct linux_msqid out = {
        .permissions = linux_ipc_permissions(&s.ipc),
        .sent_time = s.sent_time,
        .received_time = s.received_time,
        .change_time = s.change_time,
        .bytes = s.bytes,
        .count = s.count,
        .bytes_max = s.bytes_max,
        .last_sender = s.last_sender,
        .last_receiver = s.last_receiver,
    };
    e = user_copy_out(to, &out, sizeof(out));
    return e ? e : by_place ? s.ipc.id : 0;
}

static int64_t set(int id, uaddr_t from)
{
    struct linux_msqid in = { 0 };
    err_t e = user_copy_in(&in, from, sizeof(in));
    struct ipc_owner owner = linux_ipc_owner(&in.permissions);
    return e ? e : messages_set(id, &owner, in.bytes_max);
}

// IPC_INFO tells the limits; MSG_INFO, in three of the fields, what there is.
static int64_t limits_out(uaddr_t to, bool used)
{
    struct messages_totals t;
    messages_totals(&t);
    struct linux_msginfo out = {
        .pool = used ? (int32_t)t.queues : MESSAGE_QUEUES_MAX * (MESSAGES_BYTES_MAX / 1024),
        .map = used ? (int32_t)t.messages : MESSAGES_BYTES_MAX,
        .headers = used ? (int32_t)t.bytes : MESSAGES_BYTES_MAX,
        .size_max = MESSAGE_SIZE_MAX,
        .bytes_max = MESSAGES_BYTES_MAX,
        .queues_max = MESSAGE_QUEUES_MAX,
        .segment = 16,
        .segments = UINT16_MAX,
    };
    err_t e = user_copy_out(to, &out, sizeof(out));
    return e ? e : (int64_t)t.last_place;
}

LINUX_CALL(msgctl)
{
    int id = ARG_INT(0), command = ARG_INT(1);
    if (id < 0)
        return -EINVAL;
    switch (command) {
    case LINUX_IPC_RMID:
        return messages_remove(id);
    case LINUX_IPC_SET:
        return set(id, ARG(2));
    case LINUX_IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
        return status_out(id, command != LINUX_IPC_STAT, command == MSG_STAT_ANY, ARG(2));
    case LINUX_IPC_INFO:
    case MSG_INFO:
        return limits_out(ARG(2), command == MSG_INFO);
    default:
        return -EINVAL;
    }
}
