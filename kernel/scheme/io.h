// SPDX-License-Identifier: GPL-3.0-or-later
// One transfer of bytes: to or from user memory (scattered) or kernel memory, so that a scheme's
// read and write are written once.
//
//   struct io io = io_kernel(buffer, n);          or io_user(&vector, count)
//   len_t n = file_read(f, &io);
//   in a scheme:  e = io_put(&io, data, n);       read: hands n bytes to the caller, advances
//                 e = io_get(&io, data, n);       write: takes n bytes from the caller, advances
//
// A fault in the middle returns -EFAULT with io->done telling how much was moved; schemes then
// return done if it is not 0. Thread context; may sleep; never under a spin lock when the memory is
// a user's.
#pragma once
#include "kernel/arch/x86_64/user_memory.h"
#include "lib/base.h"
#include <redox/errno.h>

struct io_vector {
    uint64_t base; // user address, or kernel pointer
    uint64_t size;
};

struct io {
    const struct io_vector *vectors;
    size_t count;         // vectors left, the current one included
    uint64_t offset;      // into the current vector
    uint64_t left, done;  // bytes
    bool user;            // the vectors hold user addresses
    struct io_vector one; // the single buffer when `vectors` is NULL
};

// A single buffer; the structure may be copied.
static force_inline struct io io_single(uint64_t base, size_t size, bool user)
{
    // Member by member: of a whole one the compiler would clear the memory first.
    struct io io;
    io.vectors = NULL;
    io.count = 1;
    io.offset = io.done = 0;
    io.left = size;
    io.user = user;
    io.one.base = base;
    io.one.size = size;
    return io;
}

static force_inline struct io io_kernel(void *buffer, size_t size)
{
    return io_single((uint64_t)(uintptr_t)buffer, size, false);
}

static force_inline struct io io_user(uaddr_t buffer, size_t size)
{
    return io_single(buffer, size, true);
}

// Many buffers; the array must outlive the transfer. -EINVAL when the total exceeds INT64_MAX.
err_t io_vectors(struct io *io, const struct io_vector *vectors, size_t count, bool user)
    must_check;

err_t io_put(struct io *io, const void *from, size_t size) must_check; // size <= io->left
err_t io_get(struct io *io, void *to, size_t size) must_check;
err_t io_put_scattered(struct io *io, const void *from, size_t size) must_check;
err_t io_get_scattered(struct io *io, void *to, size_t size) must_check;
uint64_t io_here_scattered(struct io *io, uint64_t most, uint64_t *address);
void io_skip_scattered(struct io *io, size_t size);

// The piece that comes next, as one address: at most `most` bytes; it stays where it is.
static inline uint64_t io_here(struct io *io, uint64_t most, uint64_t *address)
{
    if (unlikely(io->vectors != NULL))
        return io_here_scattered(io, most, address);
    *address = io->one.base + io->offset;
    return min_of(most, io->left);
}

static force_inline void io_skip_single(struct io *io, size_t size)
{
    io->offset += size;
    io->left -= size;
    io->done += size;
}

// Moves on without touching the bytes; size <= io->left.
static inline void io_skip(struct io *io, size_t size)
{
    if (unlikely(io->vectors != NULL)) {
        io_skip_scattered(io, size);
        return;
    }
    io_skip_single(io, size);
}

static inline bool io_is_scattered(const struct io *io)
{
    return io->count > 1;
}

// All of `size` bytes, whole words in memory of such, or nothing is done.
static inline must_check err_t io_put_record(struct io *io, const void *from, size_t size)
{
    if (unlikely(io->vectors || !io->user))
        return io_put_scattered(io, from, size);
    if (unlikely(user_words_out(io->one.base + io->offset, from, size / 8)))
        return -EFAULT;
    io_skip_single(io, size);
    return 0;
}

static inline must_check err_t io_get_record(struct io *io, void *to, size_t size)
{
    if (unlikely(io->vectors || !io->user))
        return io_get_scattered(io, to, size);
    if (unlikely(user_words_in(to, io->one.base + io->offset, size / 8)))
        return -EFAULT;
    io_skip_single(io, size);
    return 0;
}

err_t io_put_zeros(struct io *io, size_t size) must_check;
// What a read or write returns: the bytes done, or `e` when none were.
static inline len_t io_result(const struct io *io, err_t e)
{
    return io->done || !e ? (len_t)io->done : e;
}
