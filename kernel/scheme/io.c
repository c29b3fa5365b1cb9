// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/io.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/console/panic.h"
#include "lib/string.h"

struct io io_kernel(void *buffer, size_t size)
{
    return (struct io){
        .one = { (uint64_t)(uintptr_t)buffer, size }, .count = 1, .left = size, .user = false
    };
}

struct io io_user(uaddr_t buffer, size_t size)
{
    return (struct io){ .one = { buffer, size }, .count = 1, .left = size, .user = true };
}

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

err_t io_put(struct io *io, const void *from, size_t size)
{
    assert(size <= io->left);
    if (likely(!io->vectors && io->user)) {
        size_t lost = user_copy_out_part(io->one.base + io->offset, from, size);
        io_advance(io, size - lost);
        return lost ? -EFAULT : 0;
    }
    const char *p = from;
    while (size) {
        size_t n, lost = 0;
        uint64_t to = io_piece(io, size, &n);
        if (io->user)
            lost = user_copy_out_part(to, p, n);
        else
            memcpy((void *)(uintptr_t)to, p, n);
        io_advance(io, n - lost);
        if (lost)
            return -EFAULT;
        p += n;
        size -= n;
    }
    return 0;
}

err_t io_get(struct io *io, void *to, size_t size)
{
    assert(size <= io->left);
    if (likely(!io->vectors && io->user)) {
        size_t lost = user_copy_in_part(to, io->one.base + io->offset, size);
        io_advance(io, size - lost);
        return lost ? -EFAULT : 0;
    }
    char *p = to;
    while (size) {
        size_t n, lost = 0;
        uint64_t from = io_piece(io, size, &n);
        if (io->user)
            lost = user_copy_in_part(p, from, n);
        else
            memcpy(p, (const void *)(uintptr_t)from, n);
        io_advance(io, n - lost);
        if (lost)
            return -EFAULT;
        p += n;
        size -= n;
    }
    return 0;
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

err_t io_put_zeros(struct io *io, size_t size)
{
    static const char zeros[1024];
    while (size) {
        size_t n = min_of(size, sizeof(zeros));
        err_t e = io_put(io, zeros, n);
        if (e)
            return e;
        size -= n;
    }
    return 0;
}
