// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/unpack/unpack.h"
#include "lib/string.h"

static const struct unpack_format formats[] = {
    { "gzip", { 0x1f, 0x8b, 8 }, 3, unpack_gzip },
    { "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd },
    { "lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, unpack_lz4 },
    { "lz4 (old)", { 0x02, 0x21, 0x4c, 0x18 }, 4, unpack_lz4_old },
    { "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, NULL },
    { "bzip2", { 'B', 'Z', 'h' }, 3, NULL },
    { "lzma", { 0x5d, 0, 0 }, 3, NULL },
    { "lzop", { 0x89, 'L', 'Z', 'O' }, 4, NULL },
};

const struct unpack_format *unpack_format_of(const void *data, size_t size)
{
    for (size_t i = 0; i < array_len(formats); i++)
        if (size >= formats[i].magic_size &&
            memcmp(data, formats[i].magic, formats[i].magic_size) == 0)
            return &formats[i];
    return NULL;
}
