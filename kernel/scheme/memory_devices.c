// SPDX-License-Identifier: GPL-3.0-or-later
// Devices without hardware: null, zero, full, random, urandom; and schemes null, zero and rand,
// which are the same.
#include "kernel/console/log.h"
#include "kernel/memory/space.h"
#include "kernel/scheme/device.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/scheme/random.h"
#include "lib/string.h"

enum { MEMORY_MAJOR = 1 };
#define DEVICE(major, minor) ((uint64_t)(major) << 8 | (minor))

static len_t take_all(struct io *io)
{
    uint64_t n = io->left;
    io->done += n;
    io->left = 0;
    return (len_t)n;
}

static len_t null_read(struct file *f, struct io *io, uint64_t offset)
{
    return 0;
}

static len_t null_write(struct file *f, struct io *io, uint64_t offset)
{
    return take_all(io);
}

// These files have no place to be at: all of them keep their offset, which is none.
static err_t zero_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    *result = 0;
    return 0;
}

static len_t zero_read(struct file *f, struct io *io, uint64_t offset)
{
    return io_result(io, io_put_zeros(io, io->left));
}

// A private or shared piece of zeros: anonymous memory.
static err_t zero_map(struct file *f, struct map_request *r)
{
    uint64_t end;
    if (add_overflows(r->offset, r->size, &end))
        return -EOVERFLOW;
    r->object = object_make(&anonymous_pager, NULL, end);
    return r->object ? 0 : -ENOMEM;
}

static len_t full_write(struct file *f, struct io *io, uint64_t offset)
{
    return -ENOSPC;
}

static len_t random_read(struct file *f, struct io *io, uint64_t offset)
{
    uint8_t piece[256];
    err_t e = 0;
    while (io->left && !e) {
        size_t n = min_of(io->left, sizeof(piece));
        random_bytes(piece, n);
        e = io_put(io, piece, n);
    }
    memset(piece, 0, sizeof(piece));
    return io_result(io, e);
}

static len_t random_write(struct file *f, struct io *io, uint64_t offset)
{
    uint8_t piece[256];
    err_t e = 0;
    while (io->left && !e) {
        size_t n = min_of(io->left, sizeof(piece));
        e = io_get(io, piece, n);
        if (!e)
            random_add(piece, n);
    }
    return io_result(io, e);
}

static const struct file_ops null_files = {
    .name = "null",
    .read = null_read,
    .write = null_write,
    .seek = zero_seek,
    .keeps_offset = true,
    .path = handle_path,
};
static const struct file_ops zero_files = {
    .name = "zero",
    .read = zero_read,
    .write = null_write,
    .seek = zero_seek,
    .keeps_offset = true,
    .map = zero_map,
    .path = handle_path,
};
static const struct file_ops full_files = {
    .name = "full",
    .read = zero_read,
    .write = full_write,
    .seek = zero_seek,
    .keeps_offset = true,
};
static const struct file_ops random_files = {
    .name = "random",
    .read = random_read,
    .write = random_write,
    .seek = zero_seek,
    .keeps_offset = true,
    .path = handle_path,
};

#define SIMPLE(text, minor, operations)                   \
    {                                                     \
        .entry = { .name = (text),                        \
                   .device = DEVICE(MEMORY_MAJOR, minor), \
                   .mode = 0666,                          \
                   .kind = NODE_CHARACTER,                \
                   .open = simple_device_open },          \
        .ops = &(operations)                              \
    }

static struct simple_device devices[] = {
    SIMPLE("null", 3, null_files),      SIMPLE("zero", 5, zero_files),
    SIMPLE("full", 7, full_files),      SIMPLE("random", 8, random_files),
    SIMPLE("urandom", 9, random_files),
};

// Schemes of one file, which is the device.
static err_t memory_open_path(struct scheme *s, const struct view *v, const char *path,
                              size_t length, unsigned flags, unsigned mode, struct file **file)
{
    if (length)
        return -ENOENT;
    if (flags & OPEN_PATH)
        return handle_place(s, path, NODE_CHARACTER, 0666, flags, file);
    return handle_make(s, s->data, path, NODE_CHARACTER, 0666, flags, NULL, file);
}

static const struct scheme_ops memory_schemes = {
    .root = path_scheme_root,
    .open_path = memory_open_path,
};

static struct scheme schemes[] = {
    { .name = "null", .ops = &memory_schemes, .data = (void *)&null_files },
    { .name = "zero", .ops = &memory_schemes, .data = (void *)&zero_files },
    { .name = "rand", .ops = &memory_schemes, .data = (void *)&random_files },
};

void memory_devices_init(void)
{
    for (size_t i = 0; i < array_len(schemes); i++)
        handle_scheme_add(&schemes[i]);
    for (size_t i = 0; i < array_len(devices); i++)
        if (device_register(&devices[i].entry))
            log_error("dev: no memory for %s", devices[i].entry.name);
}
