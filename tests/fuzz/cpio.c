// SPDX-License-Identifier: GPL-3.0-or-later
// Fuzzes the cpio reader: whatever comes, feeding it whole and in pieces says the same, contents
// lie in the input, and never is there more content than the entry said.
#include "kernel/scheme/cpio.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
    struct cpio_sink sink;
    uint64_t digest, left;
    const uint8_t *start, *end;
};

static void mix(struct reader *r, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        r->digest = (r->digest ^ ((const uint8_t *)data)[i]) * 0x100000001b3ull;
}

static err_t on_entry(struct cpio_sink *s, const struct cpio_entry *e)
{
    struct reader *r = container_of(s, struct reader, sink);
    if (strlen(e->name) != e->name_length || e->name_length > CPIO_NAME_MAX || e->name[0] == '/')
        abort();
    mix(r, e->name, e->name_length);
    r->left = e->size;
    return 0;
}

static err_t on_data(struct cpio_sink *s, const void *data, size_t size)
{
    struct reader *r = container_of(s, struct reader, sink);
    const uint8_t *p = data;
    if (size == 0 || size > r->left || p < r->start || p + size > r->end)
        abort();
    r->left -= size;
    mix(r, data, size);
    return 0;
}

static err_t on_end(struct cpio_sink *s)
{
    struct reader *r = container_of(s, struct reader, sink);
    if (r->left)
        abort();
    mix(r, "end", 3);
    return 0;
}

static err_t run(const uint8_t *data, size_t size, size_t piece, uint64_t *digest, size_t *taken)
{
    static struct cpio c;
    struct reader r = { .sink = { on_entry, on_data, on_end }, .start = data, .end = data + size };
    err_t e = 0;
    cpio_begin(&c, &r.sink);
    *taken = 0;
    while (!e && !c.ended && *taken < size) {
        size_t used, give = size - *taken < piece ? size - *taken : piece;
        e = cpio_feed(&c, data + *taken, give, &used);
        if (used > give || (!e && !c.ended && used != give))
            abort();
        *taken += used;
    }
    if (e && !c.problem)
        abort();
    *digest = r.digest;
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole, pieces;
    size_t whole_taken, pieces_taken;
    err_t a = run(data, size, size ? size : 1, &whole, &whole_taken);
    err_t b = run(data, size, size ? 1 + data[size - 1] % 13 : 1, &pieces, &pieces_taken);
    if (a != b || whole != pieces || whole_taken != pieces_taken)
        abort();
    return 0;
}
