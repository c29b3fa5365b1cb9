// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/unpack/unpack.h"
#include <stdlib.h>
#include <zlib.h>

enum { WINDOW_BITS = 15, GZIP_ONLY = 16 };

err_t unpack_gzip(const void *data, size_t size, size_t *used, struct unpack_sink *sink)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)data,
                   .avail_in = (uInt)min_of(size, (size_t)UINT_MAX) };
    unsigned char *piece = third_party_alloc(UNPACK_PIECE);
    if (!piece)
        return -ENOMEM;
    err_t e = 0;
    if (inflateInit2(&z, WINDOW_BITS + GZIP_ONLY) != Z_OK) {
        e = -ENOMEM;
        goto free_piece;
    }
    for (int status = Z_OK; !e && status != Z_STREAM_END;) {
        z.next_out = piece;
        z.avail_out = UNPACK_PIECE;
        status = inflate(&z, Z_NO_FLUSH);
        size_t made = UNPACK_PIECE - z.avail_out;
        if (made)
            e = sink->write(sink, piece, made);
        if (!e && status != Z_OK && status != Z_STREAM_END)
            e = status == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
        if (!e && status == Z_OK && made == 0 && z.avail_in == 0)
            e = -EINVAL; // cut short
    }
    *used = (size_t)(z.next_in - (const Bytef *)data);
    inflateEnd(&z);
free_piece:
    third_party_free(piece);
    return e;
}
