// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/unpack/unpack.h"
#include <stdlib.h>
#include <zstd.h>

err_t unpack_zstd(const void *data, size_t size, size_t *used, struct unpack_sink *sink)
{
    char *piece = third_party_alloc(UNPACK_PIECE);
    ZSTD_DStream *stream = ZSTD_createDStream();
    err_t e = piece && stream ? 0 : -ENOMEM;
    ZSTD_inBuffer in = { data, size, 0 };
    for (bool frame_over = false; !e && !frame_over;) {
        ZSTD_outBuffer out = { piece, UNPACK_PIECE, 0 };
        size_t before = in.pos, hint = ZSTD_decompressStream(stream, &out, &in);
        if (ZSTD_isError(hint))
            e = -EINVAL; // also a window that there is no memory for
        else if (out.pos)
            e = sink->write(sink, piece, out.pos);
        else if (hint && in.pos == before)
            e = -EINVAL; // cut short
        frame_over = hint == 0;
    }
    *used = in.pos;
    ZSTD_freeDStream(stream);
    third_party_free(piece);
    return e;
}
