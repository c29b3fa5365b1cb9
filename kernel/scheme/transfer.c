// SPDX-License-Identifier: GPL-3.0-or-later
// Moving bytes from file to file through one kernel page.
//
// What was read from a file without offsets (a pipe) cannot be put back, so it is only read once
// the other side has room for it or may be waited for, and written until all of it is gone.
#include "kernel/memory/page.h"
#include "kernel/scheme/file.h"

static len_t piece_read(struct file *from, uint64_t *offset, void *page, size_t size)
{
    struct io io = io_kernel(page, size);
    return offset ? file_read_at(from, &io, *offset) : file_read(from, &io);
}

// Writes until all is written or an error comes; the bytes written, or the error when none were.
static len_t piece_write(struct file *to, uint64_t *offset, void *page, size_t size)
{
    struct io io = io_kernel(page, size);
    uint64_t start = offset ? *offset : 0;
    while (io.left) {
        len_t n = offset ? file_write_at(to, &io, start + io.done) : file_write(to, &io);
        if (n < 0)
            return io_result(&io, (err_t)n);
        if (n == 0)
            break;
    }
    return (len_t)io.done;
}

// A source with offsets takes back what the other side did not want.
static void piece_return(struct file *from, uint64_t *offset, uint64_t size)
{
    uint64_t ignored;
    if (size && !offset && from->ops->seek &&
        file_seek(from, -(int64_t)size, SEEK_FROM_HERE, &ignored))
        return;
}

static bool has_room(struct file *to)
{
    return file_poll(to, NULL) & (POLL_OUT | POLL_ERROR);
}

static bool has_bytes(struct file *from)
{
    return file_poll(from, NULL) & (POLL_IN | POLL_HANGUP);
}

// Whether to go on after `moved` bytes: 0, -EAGAIN (before the first), or 1: it is enough.
static int transfer_next(struct file *from, struct file *to, uint64_t moved, unsigned flags)
{
    bool no_wait = flags & TRANSFER_NO_WAIT;
    if ((to->flags & OPEN_NONBLOCK || no_wait) && !has_room(to))
        return -EAGAIN;
    if (no_wait && !from->ops->seek && !has_bytes(from))
        return -EAGAIN;
    if (moved && flags & TRANSFER_PART && !to->ops->seek && !has_room(to))
        return 1;
    // With something moved already, do not wait for more.
    return moved && !from->ops->seek && !has_bytes(from);
}

len_t file_transfer_some(struct file *from, uint64_t *from_offset, struct file *to,
                         uint64_t *to_offset, uint64_t size, unsigned flags)
{
    struct page *page = page_alloc(0, 0);
    if (!page)
        return -ENOMEM;
    uint64_t moved = 0;
    len_t e = 0;
    while (moved < size) {
        e = transfer_next(from, to, moved, flags);
        if (e)
            break;
        len_t got = piece_read(from, from_offset, page_virt(page), min_of(size - moved, PAGE_SIZE));
        if (got <= 0) {
            e = got;
            break;
        }
        len_t put = piece_write(to, to_offset, page_virt(page), (size_t)got);
        uint64_t n = put > 0 ? (uint64_t)put : 0;
        piece_return(from, from_offset, (uint64_t)got - n);
        moved += n;
        if (from_offset)
            *from_offset += n;
        if (to_offset)
            *to_offset += n;
        if (put < got) {
            e = put < 0 ? put : 0;
            break;
        }
    }
    page_put(page);
    return moved ? (len_t)moved : e;
}

len_t file_transfer(struct file *from, uint64_t *from_offset, struct file *to, uint64_t *to_offset,
                    uint64_t size)
{
    return file_transfer_some(from, from_offset, to, to_offset, size, 0);
}
