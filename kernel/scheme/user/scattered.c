// SPDX-License-Identifier: GPL-3.0-or-later
// readv and writev to servers, which know one buffer for each request: the pieces are gathered in
// the kernel, so that what is written arrives as one, and a read never waits for a second answer
// with the bytes of the first in its hands. Of large pieces the first is lent by itself, as read
// and write would do: both may be answered in part.
#include "kernel/memory/heap.h"
#include "kernel/scheme/user/inside.h"

enum { GATHERED_MOST = 64 << 10 };

static len_t gathered(struct file *f, struct io *io, uint64_t offset, enum message_kind kind,
                      client_transfer_t transfer)
{
    size_t size = (size_t)min_of(io->left, (uint64_t)GATHERED_MOST);
    char *bytes = heap_alloc(max_of(size, (size_t)1));
    if (!bytes)
        return -ENOMEM;
    struct io pieces = *io;
    err_t e = kind == MESSAGE_WRITE ? io_get(&pieces, bytes, size) : 0;
    if (e)
        size = (size_t)(pieces.done - io->done); // what comes before the bad piece
    struct io whole = io_kernel(bytes, size);
    len_t n = size ? transfer(f, &whole, offset, kind) : e;
    if (n > 0 && kind == MESSAGE_READ)
        n = io_result(io, io_put(io, bytes, (size_t)n));
    else if (n > 0)
        io_skip(io, (size_t)n);
    heap_free(bytes);
    return n;
}

len_t scattered_transfer(struct file *f, struct io *io, uint64_t offset, enum message_kind kind,
                         client_transfer_t transfer)
{
    uint64_t address, first = io_here(io, GATHERED_MOST, &address);
    bool alone = first == io->left || first == GATHERED_MOST;
    return alone ? transfer(f, io, offset, kind) : gathered(f, io, offset, kind, transfer);
}
