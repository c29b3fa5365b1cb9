// SPDX-License-Identifier: GPL-3.0-or-later
// Submission entries of io_uring, taken apart: what a program wants, in the kernel's words. Pure
// functions on kernel memory; they build on the host, too.
//
//   struct rings_entry e;
//   err_t error = rings_entry_parse(bytes, &e);      bytes: a copy, nothing in it is trusted
//
// Tests: tests/fuzz/rings_entry.c, tests/programs/rings.c.
#pragma once
#include "kernel/process/rings/entry.h"

enum rings_operation { // IORING_OP_*
    OPERATION_NOP = 0,
    OPERATION_READV = 1,
    OPERATION_WRITEV = 2,
    OPERATION_FSYNC = 3,
    OPERATION_READ_FIXED = 4,
    OPERATION_WRITE_FIXED = 5,
    OPERATION_POLL_ADD = 6,
    OPERATION_POLL_REMOVE = 7,
    OPERATION_SENDMSG = 9,
    OPERATION_RECVMSG = 10,
    OPERATION_TIMEOUT = 11,
    OPERATION_TIMEOUT_REMOVE = 12,
    OPERATION_ACCEPT = 13,
    OPERATION_ASYNC_CANCEL = 14,
    OPERATION_LINK_TIMEOUT = 15,
    OPERATION_CONNECT = 16,
    OPERATION_FALLOCATE = 17,
    OPERATION_OPENAT = 18,
    OPERATION_CLOSE = 19,
    OPERATION_STATX = 21,
    OPERATION_READ = 22,
    OPERATION_WRITE = 23,
    OPERATION_FADVISE = 24,
    OPERATION_SEND = 26,
    OPERATION_RECV = 27,
    OPERATION_OPENAT2 = 28,
    OPERATION_SHUTDOWN = 34,
    OPERATION_RENAMEAT = 35,
    OPERATION_UNLINKAT = 36,
    OPERATION_MKDIRAT = 37,
    OPERATIONS = 38,
};

struct linux_sqe {
    uint8_t operation, flags;
    uint16_t priority;
    int32_t file;
    uint64_t offset, address;
    uint32_t length, options;
    uint64_t user_data;
    uint16_t buffer, personality;
    int32_t file_index;
    uint64_t address3, reserved;
};
_Static_assert(sizeof(struct linux_sqe) == RINGS_ENTRY_SIZE, "struct io_uring_sqe");

// Whatever it says, `user_data` and `flags` are set. -EINVAL: an operation or a flag that is not
// known; -EBADF: a file by its place for what has none.
err_t rings_entry_parse(const void *bytes, struct rings_entry *e) must_check;
bool rings_operation_known(unsigned operation);
