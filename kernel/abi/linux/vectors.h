// SPDX-License-Identifier: GPL-3.0-or-later
// Scattered buffers of a program: struct iovec arrays, copied in once and checked.
//
//   struct linux_vectors v;  struct io io;
//   err_t e = linux_vectors_begin(&v, ARG(1), ARG(2), &io);
//   ... linux_vectors_end(&v);                                 only after success
#pragma once
#include "kernel/abi/linux/linux.h"
#include "kernel/scheme/io.h"

#define LINUX_TRANSFER_MAX 0x7ffff000ull // what one call moves at most

struct linux_vectors {
    struct io_vector few[8], *vectors;
};

// -EINVAL: a length or their sum is no size; -EFAULT, -ENOMEM. `count` is bounded by the caller.
err_t linux_vectors_begin(struct linux_vectors *v, uaddr_t at, uint64_t count, struct io *io)
    must_check;
void linux_vectors_end(struct linux_vectors *v);
