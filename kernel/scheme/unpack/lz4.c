// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/unpack/unpack.h"
#include <lz4.h>
#include <lz4frame.h>
#include <stdlib.h>

err_t unpack_lz4(const void *data, size_t size, size_t *used, struct unpack_sink *sink)
{
    LZ4F_dctx *context = NULL;
    char *piece = third_party_alloc(UNPACK_PIECE);
    err_t e = 0;
    if (!piece || LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        e = -ENOMEM;
    size_t at = 0;
    for (bool frame_over = false; !e && !frame_over;) {
        size_t made = UNPACK_PIECE, taken = size - at;
        size_t hint = LZ4F_decompress(context, piece, &made, (const char *)data + at, &taken, NULL);
        at += taken;
        if (LZ4F_isError(hint))
            e = -EINVAL;
        else if (made)
            e = sink->write(sink, piece, made);
        else if (hint && taken == 0)
            e = -EINVAL; // cut short
        frame_over = hint == 0;
    }
    *used = at;
    if (context)
        LZ4F_freeDecompressionContext(context);
    third_party_free(piece);
    return e;
}

enum { OLD_MAGIC = 4, OLD_BLOCK = 8 << 20 };

static uint32_t load32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

// LZ4's old format (`lz4 -l`): blocks of 8 MiB, each with its compressed size before it. There is
// no end mark: what cannot be a block's size (zeros, the next stream) ends it.
err_t unpack_lz4_old(const void *data, size_t size, size_t *used, struct unpack_sink *sink)
{
    char *block = third_party_alloc(OLD_BLOCK);
    if (!block)
        return -ENOMEM;
    const uint8_t *p = data;
    size_t at = OLD_MAGIC;
    err_t e = 0;
    while (!e && range_fits(at, 4, size)) {
        uint32_t packed = load32(p + at);
        if (packed == 0 || packed > (uint32_t)LZ4_compressBound(OLD_BLOCK))
            break;
        at += 4;
        if (!range_fits(at, packed, size)) {
            e = -EINVAL;
            break;
        }
        int made = LZ4_decompress_safe((const char *)p + at, block, (int)packed, OLD_BLOCK);
        at += packed;
        e = made < 0 ? -EINVAL : sink->write(sink, block, (size_t)made);
    }
    *used = at;
    third_party_free(block);
    return e;
}
