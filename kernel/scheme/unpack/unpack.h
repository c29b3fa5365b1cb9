// SPDX-License-Identifier: GPL-3.0-or-later
// Decompression of a whole input in memory to a sink, piece by piece: gzip (zlib), zstd, LZ4 frames
// and LZ4's old format, by the fetched libraries.
//
//   const struct unpack_format *f = unpack_format_of(data, size);      by its first bytes; NULL:
//   unknown size_t used;  err_t e = f->unpack(data, size, &used, &sink);       one stream; others
//   may follow
//
// Hostile input: -EINVAL when it is malformed or ends too early, -ENOMEM, or what the sink
// answered. May sleep. The memory it takes (window included) is given back before it returns.
#pragma once
#include "lib/base.h"
#include <redox/errno.h>

struct unpack_sink {
    err_t (*write)(struct unpack_sink *s, const void *data, size_t size);
};

typedef err_t unpack_fn(const void *data, size_t size, size_t *used, struct unpack_sink *sink);

struct unpack_format {
    const char *name;
    uint8_t magic[6];
    uint8_t magic_size;
    unpack_fn *unpack; // NULL: known by name only
};

const struct unpack_format *unpack_format_of(const void *data, size_t size);

unpack_fn unpack_gzip, unpack_zstd, unpack_lz4, unpack_lz4_old;

enum { UNPACK_PIECE = 65536 }; // of output
