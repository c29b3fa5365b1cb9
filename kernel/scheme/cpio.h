// SPDX-License-Identifier: GPL-3.0-or-later
// The newc cpio archive (`cpio -o -H newc`, also with checksums), read as a stream of hostile
// bytes.
//
//   struct cpio c;  cpio_begin(&c, &sink);
//   size_t used;    err_t e = cpio_feed(&c, data, size, &used);    as the bytes come, in any pieces
//   if (c.ended) ...                                               the trailer came: what follows
//   is not ours
//
// For each file `entry` is called, then `data` with its contents in pieces that lie in what was fed
// (nothing is copied), then `end`. Names come without leading slashes and with a NUL; they may hold
// `..`. Files of several names have their contents with the last of them: `entry` says so by ino
// and links. Portable; keeps nothing but the header and the name. Tests: test/cpio.c,
// tests/fuzz/cpio.c.
#pragma once
#include "lib/base.h"
#include <redox/errno.h>

enum { CPIO_HEADER = 110, CPIO_NAME_MAX = 4096 };

struct cpio_entry {
    const char *name;
    size_t name_length;
    uint32_t ino, mode, user, group, links, time, size;
    uint32_t device_major, device_minor;   // it was on
    uint32_t special_major, special_minor; // it is
    uint32_t checksum;                     // sum of the contents' bytes, where the archive has them
};

struct cpio_sink {
    err_t (*entry)(struct cpio_sink *s, const struct cpio_entry *e); // an error ends all
    err_t (*data)(struct cpio_sink *s, const void *data, size_t size);
    err_t (*end)(struct cpio_sink *s);
};

struct cpio {
    struct cpio_sink *sink;
    enum { CPIO_AT_HEADER, CPIO_AT_NAME, CPIO_AT_NAME_PAD, CPIO_AT_DATA, CPIO_AT_DATA_PAD } at;
    bool ended, has_checksum;
    size_t have;     // bytes of the current part so far
    uint64_t offset; // in the archive
    uint32_t sum;
    struct cpio_entry entry;
    size_t name_size;    // with the NUL
    const char *problem; // what was wrong, for people, when an error was returned
    char header[CPIO_HEADER];
    char name[CPIO_NAME_MAX + 1];
};

void cpio_begin(struct cpio *c, struct cpio_sink *sink);
// *used: bytes taken, less than `size` only at the end of the archive or on an error.
// -EINVAL: malformed; or what the sink answered.
err_t cpio_feed(struct cpio *c, const void *data, size_t size, size_t *used) must_check;
// True between two files: the input may end here.
bool cpio_between(const struct cpio *c);
