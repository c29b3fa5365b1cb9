// SPDX-License-Identifier: GPL-3.0-or-later
// See rings_entry.h.
#include "kernel/abi/linux/rings_entry.h"

enum {
    READY_IN = 0x001, // of poll(2)
    READY_OUT = 0x004,
    MESSAGE_DONT_WAIT = 0x40,
    TIMEOUT_ABSOLUTE = 1,
    TIMEOUT_UPDATE = 2,
    TIMEOUT_BOOT = 4,
    TIMEOUT_REAL = 8,
    TIMEOUT_LINK_UPDATE = 16,
    TIMEOUT_SUCCESS = 32,
    CANCEL_ALL = 1,
    CANCEL_FILE = 2,
    CANCEL_ANY = 4,
    CANCEL_FILE_FIXED = 8,
    NOWAIT_WRITE = 8, // RWF_NOWAIT
    WRITE_FLAGS = 0x1f,
};

// One row for each operation: what it needs. `options`: those that it knows.
static const struct operation {
    bool known, has_file, waits, whole, fixed_buffer;
    enum rings_kind kind;
    unsigned ready;
    uint32_t options;
} operations[OPERATIONS] = {
    [OPERATION_NOP] = { .known = true, .kind = RINGS_NOTHING, .options = UINT32_MAX },
    [OPERATION_READV] = { true, true, false, false, false, RINGS_CALL, READY_IN, WRITE_FLAGS },
    [OPERATION_WRITEV] = { true, true, false, false, false, RINGS_CALL, READY_OUT, WRITE_FLAGS },
    [OPERATION_FSYNC] = { true, true, false, false, false, RINGS_CALL, 0, 1 },
    [OPERATION_READ_FIXED] = { true, true, false, true, true, RINGS_CALL, READY_IN, WRITE_FLAGS },
    [OPERATION_WRITE_FIXED] = { true, true, false, true, true, RINGS_CALL, READY_OUT, WRITE_FLAGS },
    [OPERATION_POLL_ADD] = { true, true, false, false, false, RINGS_POLL, 0, UINT32_MAX },
    [OPERATION_POLL_REMOVE] = { .known = true, .kind = RINGS_CANCEL },
    [OPERATION_SENDMSG] = { true, true, false, false, false, RINGS_CALL, READY_OUT, UINT32_MAX },
    [OPERATION_RECVMSG] = { true, true, false, false, false, RINGS_CALL, READY_IN, UINT32_MAX },
    [OPERATION_TIMEOUT] = { .known = true, .kind = RINGS_TIMEOUT, .options = 0x2d },
    [OPERATION_TIMEOUT_REMOVE] = { .known = true, .kind = RINGS_TIMEOUT_REMOVE, .options = 0x0f },
    [OPERATION_ACCEPT] = { true, true, false, false, false, RINGS_CALL, READY_IN, UINT32_MAX },
    [OPERATION_ASYNC_CANCEL] = { .known = true, .kind = RINGS_CANCEL, .options = 0x0f },
    [OPERATION_LINK_TIMEOUT] = { .known = true, .kind = RINGS_LINK_TIMEOUT, .options = 0x0d },
    [OPERATION_CONNECT] = { true, true, true, false, false, RINGS_CALL, 0, 0 },
    [OPERATION_FALLOCATE] = { true, true, false, false, false, RINGS_CALL, 0, 0 },
    [OPERATION_OPENAT] = { true, false, true, false, false, RINGS_CALL, 0, UINT32_MAX },
    [OPERATION_CLOSE] = { true, false, false, false, false, RINGS_CALL, 0, 0 },
    [OPERATION_STATX] = { true, false, true, false, false, RINGS_CALL, 0, UINT32_MAX },
    [OPERATION_READ] = { true, true, false, true, false, RINGS_CALL, READY_IN, WRITE_FLAGS },
    [OPERATION_WRITE] = { true, true, false, true, false, RINGS_CALL, READY_OUT, WRITE_FLAGS },
    [OPERATION_FADVISE] = { true, true, false, false, false, RINGS_CALL, 0, UINT32_MAX },
    [OPERATION_SEND] = { true, true, false, true, false, RINGS_CALL, READY_OUT, UINT32_MAX },
    [OPERATION_RECV] = { true, true, false, false, false, RINGS_CALL, READY_IN, UINT32_MAX },
    [OPERATION_OPENAT2] = { true, false, true, false, false, RINGS_CALL, 0, 0 },
    [OPERATION_SHUTDOWN] = { true, true, false, false, false, RINGS_CALL, 0, 0 },
    [OPERATION_RENAMEAT] = { true, false, true, false, false, RINGS_CALL, 0, UINT32_MAX },
    [OPERATION_UNLINKAT] = { true, false, true, false, false, RINGS_CALL, 0, UINT32_MAX },
    [OPERATION_MKDIRAT] = { true, false, true, false, false, RINGS_CALL, 0, 0 },
};

bool rings_operation_known(unsigned operation)
{
    return operation < OPERATIONS && operations[operation].known;
}

static err_t parse_timeout(struct rings_entry *e)
{
    bool clocks = e->options & TIMEOUT_BOOT && e->options & TIMEOUT_REAL;
    bool update = e->kind == RINGS_TIMEOUT_REMOVE && e->options & TIMEOUT_UPDATE;
    if (clocks || (e->kind == RINGS_TIMEOUT_REMOVE && !update && e->options))
        return -EINVAL;
    if (e->kind != RINGS_TIMEOUT_REMOVE && e->length != 1)
        return -EINVAL;
    if (e->kind == RINGS_LINK_TIMEOUT && e->offset)
        return -EINVAL;
    e->absolute = e->options & TIMEOUT_ABSOLUTE;
    e->success = e->options & TIMEOUT_SUCCESS;
    e->update = update;
    return 0;
}

static err_t parse_cancel(struct rings_entry *e)
{
    e->only_polls = e->operation == OPERATION_POLL_REMOVE;
    if (e->only_polls)
        return e->length || e->options ? -EINVAL : 0;
    e->all = e->options & CANCEL_ALL;
    e->any = e->options & CANCEL_ANY;
    e->by_file = e->options & CANCEL_FILE;
    if (e->any && e->by_file)
        return -EINVAL;
    if (e->options & CANCEL_FILE_FIXED)
        e->flags |= RINGS_FIXED_FILE;
    e->has_file = e->by_file;
    e->all |= e->any;
    return 0;
}

// The rest, once it is known what it is.
static err_t parse_kind(struct rings_entry *e)
{
    switch (e->kind) {
    case RINGS_POLL:
        e->ready = e->options & 0xffff;
        return e->length ? -EINVAL : 0; // of more than one event we do not tell
    case RINGS_TIMEOUT:
    case RINGS_LINK_TIMEOUT:
    case RINGS_TIMEOUT_REMOVE:
        return parse_timeout(e);
    case RINGS_CANCEL:
        return parse_cancel(e);
    default:
        return 0;
    }
}

static bool never_waits(const struct rings_entry *e)
{
    switch (e->operation) {
    case OPERATION_SENDMSG:
    case OPERATION_RECVMSG:
    case OPERATION_SEND:
    case OPERATION_RECV:
        return e->options & MESSAGE_DONT_WAIT;
    case OPERATION_READV:
    case OPERATION_WRITEV:
    case OPERATION_READ:
    case OPERATION_WRITE:
    case OPERATION_READ_FIXED:
    case OPERATION_WRITE_FIXED:
        return e->options & NOWAIT_WRITE;
    default:
        return false;
    }
}

err_t rings_entry_parse(const void *bytes, struct rings_entry *e)
{
    struct linux_sqe s;
    __builtin_memcpy(&s, bytes, sizeof(s));
    *e = (struct rings_entry){
        .operation = s.operation,
        .flags = s.flags & RINGS_FLAGS,
        .file = s.file,
        .user_data = s.user_data,
        .offset = s.offset,
        .address = s.address,
        .length = s.length,
        .options = s.options,
        .buffer = s.buffer,
    };
    if (s.flags & ~RINGS_FLAGS || s.personality || !rings_operation_known(s.operation))
        return -EINVAL;
    const struct operation *o = &operations[index_clamp(s.operation, OPERATIONS)];
    if (s.options & ~o->options || (s.priority && o->kind != RINGS_CALL))
        return -EINVAL;
    // Multishot accept, bundles and direct descriptors are newer than what is done here.
    if ((s.operation == OPERATION_ACCEPT || s.operation == OPERATION_OPENAT ||
         s.operation == OPERATION_OPENAT2 || s.operation == OPERATION_CLOSE) &&
        (s.file_index || (s.priority && s.operation == OPERATION_ACCEPT)))
        return -EINVAL;
    e->kind = o->kind;
    e->has_file = o->has_file;
    e->waits = o->waits;
    e->whole = o->whole;
    e->fixed_buffer = o->fixed_buffer;
    e->ready = o->ready;
    e->never_waits = never_waits(e);
    err_t error = parse_kind(e);
    if (!error && e->flags & RINGS_FIXED_FILE && !e->has_file)
        error = -EBADF;
    return error;
}
