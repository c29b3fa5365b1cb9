// SPDX-License-Identifier: GPL-3.0-or-later
// A caller's bytes where the server of a user scheme can see them, for the time of one request:
// loans (kernel/memory/loan.h) of what a struct io describes.
//
//   e = buffer_begin(&b, window, io, size, LOAN_READ, user, false);   -EFAULT, -ENOMEM, -EAGAIN
//   ... the request says b.address and b.size ...
//   e = buffer_end(&b, io, n, LOAN_READ, false);                      n bytes were answered
//
// `io` does not move before buffer_end(), which moves it by n. Of scattered buffers the first piece
// is lent: the call is answered in part. Who gave the request up lets loan_drop() end it. Begin and
// end in the caller's thread, without locks.
#pragma once
#include "kernel/memory/loan.h"
#include "kernel/scheme/io.h"

// `single`: io has no vectors, which the caller knows already.
static force_inline must_check err_t buffer_begin(struct loan *l, struct window *w, struct io *io,
                                                  uint64_t size, enum loan_way way, uint32_t user,
                                                  bool single)
{
    uint64_t base = io->one.base + io->offset;
    if (!single)
        size = io_here(io, size, &base);
    return loan_begin(l, w, base, size, way | (io->user ? LOAN_USER : 0), user);
}

// count <= l->size; `way` and `single` as it began.
static force_inline must_check err_t buffer_end(struct loan *l, struct io *io, uint64_t count,
                                                enum loan_way way, bool single)
{
    err_t e = loan_end(l, count, way);
    if (unlikely(e))
        return e;
    if (single)
        io_skip_single(io, count);
    else
        io_skip(io, count);
    return 0;
}
