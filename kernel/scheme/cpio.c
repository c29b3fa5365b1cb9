// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/cpio.h"
#include "lib/string.h"

void cpio_begin(struct cpio *c, struct cpio_sink *sink)
{
    c->sink = sink;
    c->at = CPIO_AT_HEADER;
    c->ended = false;
    c->have = 0;
    c->offset = 0;
    c->problem = NULL;
}

bool cpio_between(const struct cpio *c)
{
    return c->ended || (c->at == CPIO_AT_HEADER && c->have == 0) || c->at == CPIO_AT_DATA_PAD;
}

static err_t fail(struct cpio *c, const char *problem)
{
    c->problem = problem;
    return -EINVAL;
}

static bool hex_field(const char *text, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        char digit = text[i];
        uint32_t n;
        if (digit >= '0' && digit <= '9')
            n = (uint32_t)(digit - '0');
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            n = (uint32_t)((digit | 0x20) - 'a' + 10);
        else
            return false;
        *value = *value << 4 | n;
    }
    return true;
}

// "070701" or "070702", then thirteen numbers of eight hexadecimal digits.
static err_t header_parse(struct cpio *c)
{
    if (memcmp(c->header, "07070", 5) != 0 || (c->header[5] != '1' && c->header[5] != '2'))
        return fail(c, "no newc header where one should be");
    struct cpio_entry *e = &c->entry;
    uint32_t name_size;
    uint32_t *const fields[] = {
        &e->ino,           &e->mode,   &e->user,         &e->group,        &e->links,
        &e->time,          &e->size,   &e->device_major, &e->device_minor, &e->special_major,
        &e->special_minor, &name_size, &e->checksum,
    };
    for (unsigned i = 0; i < array_len(fields); i++)
        if (!hex_field(c->header + 6 + 8 * i, fields[i]))
            return fail(c, "a header field is no hexadecimal number");
    if (name_size == 0 || name_size > CPIO_NAME_MAX)
        return fail(c, "a name is empty or too long");
    c->has_checksum = c->header[5] == '2';
    c->name_size = name_size;
    c->sum = 0;
    return 0;
}

static err_t name_parse(struct cpio *c)
{
    c->name[c->name_size] = 0;
    const char *name = c->name;
    while (*name == '/')
        name++;
    c->entry.name = name;
    c->entry.name_length = strlen(name);
    return 0;
}

static bool is_trailer(const struct cpio *c)
{
    return strcmp(c->entry.name, "TRAILER!!!") == 0 && c->entry.size == 0;
}

static err_t entry_end(struct cpio *c)
{
    if (c->has_checksum && c->entry.size && c->sum != c->entry.checksum)
        return fail(c, "a file's checksum is wrong");
    return c->sink->end(c->sink);
}

// Collects up to `want` bytes into `to`; true when all are there.
static bool collect(struct cpio *c, char *to, size_t want, const char *data, size_t size, size_t *n)
{
    *n = min_of(want - c->have, size);
    memcpy(to + c->have, data, *n);
    c->have += *n;
    return c->have == want;
}

static void next_part(struct cpio *c, int at)
{
    c->at = (__typeof__(c->at))at;
    c->have = 0;
}

static err_t data_feed(struct cpio *c, const char *data, size_t size, size_t *n)
{
    *n = min_of(size, c->entry.size - c->have);
    if (*n == 0)
        return 0;
    if (c->has_checksum)
        for (size_t i = 0; i < *n; i++)
            c->sum += (unsigned char)data[i];
    c->have += *n;
    return c->sink->data(c->sink, data, *n);
}

// What stands between the name or the contents and the next multiple of four.
static void pad_feed(struct cpio *c, size_t size, size_t *n)
{
    *n = min_of(size, (size_t)(-c->offset & 3));
}

// Takes one piece for the part that the stream is at; *n: how much of it. May take nothing and step
// on.
static err_t part_feed(struct cpio *c, const char *data, size_t size, size_t *n)
{
    err_t e = 0;
    *n = 0;
    switch (c->at) {
    case CPIO_AT_HEADER:
        if (collect(c, c->header, CPIO_HEADER, data, size, n)) {
            e = header_parse(c);
            next_part(c, CPIO_AT_NAME);
        }
        break;
    case CPIO_AT_NAME:
        if (collect(c, c->name, c->name_size, data, size, n)) {
            e = name_parse(c);
            next_part(c, CPIO_AT_NAME_PAD);
        }
        break;
    case CPIO_AT_NAME_PAD:
        pad_feed(c, size, n);
        if (((c->offset + *n) & 3) == 0) {
            next_part(c, CPIO_AT_DATA);
            c->ended = is_trailer(c);
            if (!c->ended)
                e = c->sink->entry(c->sink, &c->entry);
        }
        break;
    case CPIO_AT_DATA:
        e = data_feed(c, data, size, n);
        if (!e && c->have == c->entry.size) {
            e = entry_end(c);
            next_part(c, CPIO_AT_DATA_PAD);
        }
        break;
    case CPIO_AT_DATA_PAD:
        pad_feed(c, size, n);
        if (((c->offset + *n) & 3) == 0)
            next_part(c, CPIO_AT_HEADER);
        break;
    }
    return e;
}

// Parts that need no bytes (an empty file's contents, no padding) are stepped over also when the
// input is used up, so that a file ends as soon as its last byte is there.
static bool part_is_empty(const struct cpio *c)
{
    bool aligned = (c->offset & 3) == 0;
    return (c->at == CPIO_AT_NAME_PAD && aligned) || (c->at == CPIO_AT_DATA_PAD && aligned) ||
           (c->at == CPIO_AT_DATA && c->entry.size == 0);
}

err_t cpio_feed(struct cpio *c, const void *data, size_t size, size_t *used)
{
    const char *p = data;
    size_t left = size;
    err_t e = 0;
    while (!e && !c->ended && (left || part_is_empty(c))) {
        size_t n;
        e = part_feed(c, p, left, &n);
        c->offset += n;
        p += n;
        left -= n;
    }
    *used = size - left;
    return e;
}
