// SPDX-License-Identifier: GPL-3.0-or-later
// See buffer.h.
#include "kernel/scheme/user/buffer.h"

err_t buffer_begin(struct loan *l, struct window *w, struct io *io, uint64_t size,
                   enum loan_way way, uint32_t user)
{
    uint64_t base;
    size = min_of(io_here(io, size, &base), (uint64_t)LOAN_BYTES_MAX);
    return loan_begin(l, w, base, size, way | (io->user ? LOAN_USER : 0), user);
}

err_t buffer_end(struct loan *l, struct io *io, uint64_t count)
{
    count = min_of(count, l->size);
    err_t e = loan_end(l, count);
    if (!e && count)
        io_skip(io, count);
    return e;
}
