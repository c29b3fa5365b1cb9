// SPDX-License-Identifier: GPL-3.0-or-later
// Requests of io_uring are system calls that somebody else makes: each row says which one, and
// where its arguments lie in the entry. The file, if there is one, is DESCRIPTOR_LENT.
#include "kernel/abi/linux/rings_operations.h"
#include "kernel/abi/linux/flags.h"
#include "kernel/abi/linux/rings_entry.h"
#include "kernel/sched/timer.h"

// Where an argument comes from.
enum source { ZERO, LENT, FILE_NUMBER, ADDRESS, OFFSET, LENGTH, OPTIONS };

static const struct row {
    int64_t (*handler)(struct trap_frame *f);
    uint8_t arguments[6]; // enum source
} rows[OPERATIONS] = {
    [OPERATION_READV] = { linux_preadv2, { LENT, ADDRESS, LENGTH, OFFSET, ZERO, ZERO } },
    [OPERATION_WRITEV] = { linux_pwritev2, { LENT, ADDRESS, LENGTH, OFFSET, ZERO, ZERO } },
    [OPERATION_FSYNC] = { linux_fsync, { LENT } },
    [OPERATION_READ_FIXED] = { linux_pread64, { LENT, ADDRESS, LENGTH, OFFSET } },
    [OPERATION_WRITE_FIXED] = { linux_pwrite64, { LENT, ADDRESS, LENGTH, OFFSET } },
    [OPERATION_SENDMSG] = { linux_sendmsg, { LENT, ADDRESS, OPTIONS } },
    [OPERATION_RECVMSG] = { linux_recvmsg, { LENT, ADDRESS, OPTIONS } },
    [OPERATION_ACCEPT] = { linux_accept4, { LENT, ADDRESS, OFFSET, OPTIONS } },
    [OPERATION_CONNECT] = { linux_connect, { LENT, ADDRESS, OFFSET } },
    [OPERATION_FALLOCATE] = { linux_fallocate, { LENT, LENGTH, OFFSET, ADDRESS } },
    [OPERATION_OPENAT] = { linux_openat, { FILE_NUMBER, ADDRESS, OPTIONS, LENGTH } },
    [OPERATION_CLOSE] = { linux_close, { FILE_NUMBER } },
    [OPERATION_STATX] = { linux_statx, { FILE_NUMBER, ADDRESS, OPTIONS, LENGTH, OFFSET } },
    [OPERATION_READ] = { linux_pread64, { LENT, ADDRESS, LENGTH, OFFSET } },
    [OPERATION_WRITE] = { linux_pwrite64, { LENT, ADDRESS, LENGTH, OFFSET } },
    [OPERATION_FADVISE] = { linux_fadvise64, { LENT, OFFSET, LENGTH, OPTIONS } },
    [OPERATION_SEND] = { linux_sendto, { LENT, ADDRESS, LENGTH, OPTIONS, ZERO, ZERO } },
    [OPERATION_RECV] = { linux_recvfrom, { LENT, ADDRESS, LENGTH, OPTIONS, ZERO, ZERO } },
    [OPERATION_OPENAT2] = { linux_openat2, { FILE_NUMBER, ADDRESS, OFFSET, LENGTH } },
    [OPERATION_SHUTDOWN] = { linux_shutdown, { LENT, LENGTH } },
    [OPERATION_RENAMEAT] = { linux_renameat2, { FILE_NUMBER, ADDRESS, LENGTH, OFFSET, OPTIONS } },
    [OPERATION_UNLINKAT] = { linux_unlinkat, { FILE_NUMBER, ADDRESS, OPTIONS } },
    [OPERATION_MKDIRAT] = { linux_mkdirat, { FILE_NUMBER, ADDRESS, LENGTH } },
};

static uint64_t argument(const struct rings_entry *e, enum source from)
{
    switch (from) {
    case LENT:
        return DESCRIPTOR_LENT;
    case FILE_NUMBER:
        return (uint64_t)(int64_t)e->file;
    case ADDRESS:
        return e->address;
    case OFFSET:
        return e->offset;
    case LENGTH:
        return e->length;
    case OPTIONS:
        return e->options;
    default:
        return 0;
    }
}

// Files without places, and those that are to be used at their own, are read and written there.
static int64_t (*handler_for(const struct rings_entry *e,
                             const struct file *f))(struct trap_frame *)
{
    bool here = f && (!f->ops->seek || e->offset == UINT64_MAX);
    switch (e->operation) {
    case OPERATION_READ:
    case OPERATION_READ_FIXED:
        return here ? linux_read : linux_pread64;
    case OPERATION_WRITE:
    case OPERATION_WRITE_FIXED:
        return here ? linux_write : linux_pwrite64;
    case OPERATION_READV:
        return here ? linux_readv : linux_preadv;
    case OPERATION_WRITEV:
        return here ? linux_writev : linux_pwritev;
    case OPERATION_FSYNC:
        return e->options ? linux_fdatasync : linux_fsync;
    default:
        return rows[index_clamp(e->operation, OPERATIONS)].handler;
    }
}

static int64_t carry_out(const struct rings_entry *e, struct file *f)
{
    const uint8_t *from = rows[index_clamp(e->operation, OPERATIONS)].arguments;
    struct trap_frame frame = {
        .rdi = argument(e, from[0]),
        .rsi = argument(e, from[1]),
        .rdx = argument(e, from[2]),
        .r10 = argument(e, from[3]),
        .r8 = argument(e, from[4]),
        .r9 = argument(e, from[5]),
    };
    return handler_for(e, f)(&frame);
}

// Where the time lies: a timeout's at its address; of a change, at its offset.
static err_t deadline(const struct rings_entry *e, nanos_t *deadline)
{
    enum { REAL = 8 };
    nanos_t time;
    err_t error = linux_time_in(e->update ? e->offset : e->address, &time);
    if (error)
        return error;
    if (!e->absolute)
        *deadline = linux_after(time);
    else if (!(e->options & REAL) || sub_overflows(time, clock_wall() - clock_now(), deadline))
        *deadline = time;
    return 0;
}

static int32_t result(int64_t value)
{
    return (int32_t)max_of(linux_error_number(value), (int64_t)INT32_MIN);
}

const struct rings_border linux_rings_border = {
    .parse = rings_entry_parse,
    .carry_out = carry_out,
    .deadline = deadline,
    .result = result,
};
