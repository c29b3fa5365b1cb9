// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/io.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/panic.h"
#include "lib/string.h"

err_t io_vectors(struct io *io, const struct io_vector *vectors, size_t count, bool user)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        if (add_overflows(total, vectors[i].size, &total) || total > INT64_MAX)
            return -EINVAL;
    *io = (struct io){ .vectors = vectors, .count = count, .left = total, .user = user };
    return 0;
}

// The next piece of the current vector, at most `most` bytes; steps over vectors that are used up.
static uint64_t io_piece(struct io *io, uint64_t most, size_t *size)
{
    const struct io_vector *v = io->vectors ? io->vectors : &io->one;
    while (io->offset == v->size && io->count > 1) {
        v = ++io->vectors;
        io->count--;
        io->offset = 0;
    }
    *size = min_of(most, v->size - io->offset);
    return v->base + io->offset;
}

static void io_advance(struct io *io, size_t size)
{
    io->offset += size;
    io->left -= size;
    io->done += size;
}

// One piece of the transfer, as io_piece() gave it: to or from `at`, or (`put` and no `bytes`)
// zeros. Returns the number of bytes that could not be moved.
static force_inline size_t piece_move(struct io *io, uint64_t at, void *bytes, size_t size,
                                      bool put)
{
    size_t lost = 0;
    if (likely(io->user))
        lost = !put    ? user_copy_in_part(bytes, at, size)
               : bytes ? user_copy_out_part(at, bytes, size)
                       : user_zero_part(at, size);
    else if (!put)
        memcpy(bytes, (const void *)(uintptr_t)at, size);
    else if (bytes)
        memcpy((void *)(uintptr_t)at, bytes, size);
    else
        memset((void *)(uintptr_t)at, 0, size);
    io_advance(io, size - lost);
    return lost;
}

static force_inline err_t io_move(struct io *io, char *bytes, size_t size, bool put)
{
    assert(size <= io->left);
    if (likely(!io->vectors)) // all of it is one piece
        return piece_move(io, io->one.base + io->offset, bytes, size, put) ? -EFAULT : 0;
    while (size) {
        size_t n;
        uint64_t at = io_piece(io, size, &n);
        if (piece_move(io, at, bytes, n, put))
            return -EFAULT;
        bytes = bytes ? bytes + n : NULL;
        size -= n;
    }
    return 0;
}

err_t io_put(struct io *io, const void *from, size_t size)
{
    return io_move(io, (char *)from, size, true);
}

err_t io_get(struct io *io, void *to, size_t size)
{
    return io_move(io, to, size, false);
}

err_t io_put_scattered(struct io *io, const void *from, size_t size)
{
    struct io before = *io;
    err_t e = io_put(io, from, size);
    if (e)
        *io = before;
    return e;
}

err_t io_get_scattered(struct io *io, void *to, size_t size)
{
    struct io before = *io;
    err_t e = io_get(io, to, size);
    if (e)
        *io = before;
    return e;
}

err_t io_put_zeros(struct io *io, size_t size)
{
    return io_move(io, NULL, size, true);
}

uint64_t io_here_scattered(struct io *io, uint64_t most, uint64_t *address)
{
    size_t size;
    *address = io_piece(io, min_of(most, io->left), &size);
    return size;
}

void io_skip_scattered(struct io *io, size_t size)
{
    assert(size <= io->left);
    while (size) {
        size_t n;
        io_piece(io, size, &n);
        io_advance(io, n);
        size -= n;
    }
}
