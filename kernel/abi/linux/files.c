// SPDX-License-Identifier: GPL-3.0-or-later
// Calls on descriptors: read and write in all forms, dup, seek, pipes, sync.
#include "kernel/abi/linux/flags.h"
#include "kernel/abi/linux/sockets.h"
#include "kernel/abi/linux/types.h"
#include "kernel/abi/linux/vectors.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/process/process.h"

enum { VECTORS_MAX = 1024 };

err_t linux_file(int number, struct file **file)
{
    return descriptor_file(process_current()->descriptors, number, file);
}

static force_inline int file_limit(void)
{
    return (int)min_of(process_current()->limits[LIMIT_FILES].soft, (uint64_t)DESCRIPTORS_MAX);
}

static force_inline len_t written(struct file *f, len_t result)
{
    if (unlikely(result == -EPIPE))
        linux_pipe_signal(f, result);
    return result;
}

typedef len_t (*transfer_t)(struct file *f, struct io *io, uint64_t offset);

static len_t read_here(struct file *f, struct io *io, uint64_t offset)
{
    return file_read(f, io);
}

static len_t write_here(struct file *f, struct io *io, uint64_t offset)
{
    return written(f, file_write(f, io));
}

static len_t write_there(struct file *f, struct io *io, uint64_t offset)
{
    return written(f, file_write_at(f, io, offset));
}

// Once for each `move`: what most calls are.
static force_inline int64_t transfer(int number, uaddr_t buffer, uint64_t size, uint64_t offset,
                                     transfer_t move)
{
    struct file *f = descriptor_get(process_current()->descriptors, (uint32_t)number);
    if (unlikely(!f))
        return -EBADF;
    len_t n = -EFAULT;
    size = min_of(size, LINUX_TRANSFER_MAX);
    if (likely(user_range_ok(buffer, size))) {
        struct io io = io_user(buffer, size);
        n = move(f, &io, offset);
    }
    file_put(f);
    return n;
}

no_stack_guard LINUX_CALL(read)
{
    return transfer(ARG_INT(0), ARG(1), ARG(2), 0, read_here);
}

no_stack_guard LINUX_CALL(write)
{
    return transfer(ARG_INT(0), ARG(1), ARG(2), 0, write_here);
}

LINUX_CALL(pread64)
{
    return (int64_t)ARG(3) < 0 ? -EINVAL
                               : transfer(ARG_INT(0), ARG(1), ARG(2), ARG(3), file_read_at);
}

LINUX_CALL(pwrite64)
{
    return (int64_t)ARG(3) < 0 ? -EINVAL
                               : transfer(ARG_INT(0), ARG(1), ARG(2), ARG(3), write_there);
}

// Copies the vectors in and checks them: their sum must fit a result.
static err_t vectors_check(struct io_vector *v, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (v[i].size > INT64_MAX || add_overflows(total, v[i].size, &total) || total > INT64_MAX)
            return -EINVAL;
        if (!user_range_ok(v[i].base, v[i].size))
            return -EFAULT;
        if (total > LINUX_TRANSFER_MAX) {
            v[i].size -= total - LINUX_TRANSFER_MAX;
            total = LINUX_TRANSFER_MAX;
        }
    }
    return 0;
}

err_t linux_vectors_begin(struct linux_vectors *l, uaddr_t at, uint64_t count, struct io *io)
{
    _Static_assert(sizeof(struct io_vector) == sizeof(struct linux_iovec), "one layout");
    l->vectors = l->few;
    if (count > array_len(l->few))
        l->vectors = heap_alloc_array(count, sizeof(*l->vectors));
    if (!l->vectors)
        return -ENOMEM;
    err_t e = user_copy_in(l->vectors, at, count * sizeof(*l->vectors));
    if (!e)
        e = vectors_check(l->vectors, count);
    if (!e)
        e = io_vectors(io, l->vectors, count, true);
    if (e)
        linux_vectors_end(l);
    return e;
}

void linux_vectors_end(struct linux_vectors *l)
{
    if (l->vectors != l->few)
        heap_free(l->vectors);
}

static int64_t transfer_many(int number, uaddr_t vectors, uint64_t count, uint64_t offset,
                             transfer_t move)
{
    struct linux_vectors v;
    struct file *f;
    struct io io;
    if (count > VECTORS_MAX)
        return -EINVAL;
    err_t e = linux_file(number, &f);
    if (e)
        return e;
    len_t n = linux_vectors_begin(&v, vectors, count, &io);
    if (!n) {
        n = move(f, &io, offset);
        linux_vectors_end(&v);
    }
    file_put(f);
    return n;
}

LINUX_CALL(readv)
{
    return transfer_many(ARG_INT(0), ARG(1), ARG(2), 0, read_here);
}

LINUX_CALL(writev)
{
    return transfer_many(ARG_INT(0), ARG(1), ARG(2), 0, write_here);
}

LINUX_CALL(preadv)
{
    return (int64_t)ARG(3) < 0 ? -EINVAL
                               : transfer_many(ARG_INT(0), ARG(1), ARG(2), ARG(3), file_read_at);
}

LINUX_CALL(pwritev)
{
    return (int64_t)ARG(3) < 0 ? -EINVAL
                               : transfer_many(ARG_INT(0), ARG(1), ARG(2), ARG(3), write_there);
}

LINUX_CALL(close)
{
    return descriptor_close(process_current()->descriptors, ARG_INT(0));
}

LINUX_CALL(close_range)
{
    enum { UNSHARE = 2, MARK = 4 };
    unsigned first = (unsigned)ARG(0), last = (unsigned)ARG(1), flags = (unsigned)ARG(2);
    if (first > last || (flags & ~(unsigned)(UNSHARE | MARK)))
        return -EINVAL;
    err_t e = flags & UNSHARE ? process_own_descriptors() : 0;
    if (!e)
        descriptors_close_range(process_current()->descriptors, first, last, flags & MARK);
    return e;
}

LINUX_CALL(lseek)
{
    static const enum seek_from from[] = { SEEK_FROM_START, SEEK_FROM_HERE, SEEK_FROM_END,
                                           SEEK_DATA_AT, SEEK_HOLE_AT };
    uint64_t which = (uint32_t)ARG(2), result = 0;
    if (which >= array_len(from))
        return -EINVAL;
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    e = file_seek(file, (int64_t)ARG(1), from[index_clamp(which, array_len(from))], &result);
    file_put(file);
    return e ? e : (int64_t)result;
}

// Puts a file (its reference is used up in any case) at a free number.
int64_t linux_add_file(struct file *file, bool close_on_exec, int least)
{
    int number;
    err_t e = descriptor_add(process_current()->descriptors, file, close_on_exec, least,
                             file_limit(), &number);
    if (e)
        file_put(file);
    return e ? e : number;
}

LINUX_CALL(dup)
{
    return descriptor_duplicate(process_current()->descriptors, (uint32_t)ARG(0), false, 0,
                                (uint32_t)file_limit());
}

static int64_t dup_to(int from, int to, bool close_on_exec)
{
    struct file *file;
    err_t e = linux_file(from, &file);
    if (e)
        return e;
    if (to < 0 || to >= file_limit())
        e = -EBADF;
    else
        e = descriptor_set(process_current()->descriptors, file, close_on_exec, to, file_limit());
    if (e)
        file_put(file);
    return e ? e : to;
}

LINUX_CALL(dup2)
{
    if (ARG_INT(0) != ARG_INT(1))
        return dup_to(ARG_INT(0), ARG_INT(1), false);
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    file_put(file);
    return ARG_INT(1);
}

LINUX_CALL(dup3)
{
    unsigned flags = (unsigned)ARG(2);
    if (ARG_INT(0) == ARG_INT(1) || (flags & ~(unsigned)LINUX_O_CLOEXEC))
        return -EINVAL;
    return dup_to(ARG_INT(0), ARG_INT(1), flags & LINUX_O_CLOEXEC);
}

int64_t linux_add_pair(struct file *const files[2], bool close_on_exec, uaddr_t to)
{
    struct descriptors *d = process_current()->descriptors;
    int32_t numbers[2];
    int64_t n = linux_add_file(files[0], close_on_exec, 0);
    if (n < 0) {
        file_put(files[1]);
        return n;
    }
    numbers[0] = (int32_t)n;
    n = linux_add_file(files[1], close_on_exec, 0);
    if (n < 0)
        goto close_first;
    numbers[1] = (int32_t)n;
    n = user_copy_out(to, numbers, sizeof(numbers));
    if (!n)
        return 0;
    (void)!descriptor_close(d, numbers[1]);
close_first:
    (void)!descriptor_close(d, numbers[0]);
    return n;
}

static int64_t make_pipe(uaddr_t to, unsigned flags)
{
    if (flags & ~(unsigned)(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK | LINUX_O_DIRECT))
        return -EINVAL;
    unsigned open_flags =
        (flags & LINUX_O_NONBLOCK ? OPEN_NONBLOCK : 0) | (flags & LINUX_O_DIRECT ? OPEN_DIRECT : 0);
    struct file *ends[2];
    err_t e = pipe_make(open_flags, &ends[0], &ends[1]);
    return e ? e : linux_add_pair(ends, flags & LINUX_O_CLOEXEC, to);
}

LINUX_CALL(pipe)
{
    return make_pipe(ARG(0), 0);
}

LINUX_CALL(pipe2)
{
    return make_pipe(ARG(0), (unsigned)ARG(1));
}

static int64_t sync_file(int number, bool data_only)
{
    struct file *file;
    err_t e = linux_file(number, &file);
    if (e)
        return e;
    e = file_sync(file, data_only);
    file_put(file);
    return e;
}

LINUX_CALL(fsync)
{
    return sync_file(ARG_INT(0), false);
}

LINUX_CALL(fdatasync)
{
    return sync_file(ARG_INT(0), true);
}

// All there is lives in memory until the block layer comes; what is dirty has no place to go.
LINUX_CALL(sync)
{
    return 0;
}

LINUX_CALL(syncfs)
{
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (!e)
        file_put(file);
    return e;
}

LINUX_CALL(ftruncate)
{
    struct file *file;
    if ((int64_t)ARG(1) < 0)
        return -EINVAL;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    if (file->node && ARG(1) > file->node->size)
        e = process_check_file_size(ARG(1));
    if (!e)
        e = file_resize(file, ARG(1));
    file_put(file);
    return e;
}

LINUX_CALL(fallocate)
{
    struct file *file;
    uint64_t end;
    if ((int64_t)ARG(2) < 0 || (int64_t)ARG(3) <= 0)
        return -EINVAL;
    if (add_overflows(ARG(2), ARG(3), &end) || end > INT64_MAX)
        return -EFBIG;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    if (!(ARG(1) & ALLOCATE_KEEP_SIZE) && file->node && end > file->node->size)
        e = process_check_file_size(end);
    if (!e)
        e = file_allocate(file, (unsigned)ARG(1), ARG(2), ARG(3));
    file_put(file);
    return e;
}

// Advice about files that are in memory anyway: checked, and followed by having nothing to do.
LINUX_CALL(fadvise64)
{
    enum { ADVICE_LAST = 5 };
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    if (file->node && file->node->kind == NODE_PIPE)
        e = -ESPIPE;
    else if ((uint32_t)ARG(3) > ADVICE_LAST || (int64_t)ARG(2) < 0)
        e = -EINVAL;
    file_put(file);
    return e;
}

// A wish: all files lie in memory.
LINUX_CALL(readahead)
{
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    if (!(file->flags & OPEN_READ))
        e = -EBADF;
    else if (!file->node || file->node->kind != NODE_FILE)
        e = -EINVAL;
    file_put(file);
    return e;
}

// Into a pipe or out of it, whichever end it is.
LINUX_CALL(vmsplice)
{
    enum { ALL_FLAGS = 15 };
    struct file *file;
    if (ARG(3) & ~(uint64_t)ALL_FLAGS)
        return -EINVAL;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    bool writes = file->flags & OPEN_WRITE, pipe = pipe_is(file);
    file_put(file);
    if (!pipe)
        return -EBADF;
    return transfer_many(ARG_INT(0), ARG(1), ARG(2), 0, writes ? write_here : read_here);
}

// Whether the file can be read or written at once: RWF_NOWAIT.
static err_t ready_check(struct file *f, unsigned event)
{
    return f->ops->poll && !(file_poll(f, NULL) & event) ? -EAGAIN : 0;
}

static int64_t transfer_flagged(struct trap_frame *f, bool write)
{
    enum { HIGH_PRIORITY = 1, DATA_SYNC = 2, SYNC = 4, NO_WAIT = 8, APPEND = 16 };
    unsigned flags = (unsigned)ARG(5);
    int64_t offset = (int64_t)ARG(3);
    if (flags & ~(unsigned)(HIGH_PRIORITY | DATA_SYNC | SYNC | NO_WAIT))
        return -EOPNOTSUPP;
    if (offset < -1)
        return -EINVAL;
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    if (flags & NO_WAIT)
        e = ready_check(file, write ? POLL_OUT : POLL_IN | POLL_HANGUP);
    int64_t n = e;
    if (!e && offset == -1)
        n = transfer_many(ARG_INT(0), ARG(1), ARG(2), 0, write ? write_here : read_here);
    else if (!e)
        n = transfer_many(ARG_INT(0), ARG(1), ARG(2), ARG(3), write ? write_there : file_read_at);
    if (n > 0 && write && flags & (DATA_SYNC | SYNC))
        (void)!file_sync(file, !(flags & SYNC));
    file_put(file);
    return n;
}

LINUX_CALL(preadv2)
{
    return transfer_flagged(f, false);
}

LINUX_CALL(pwritev2)
{
    return transfer_flagged(f, true);
}

LINUX_CALL(sync_file_range)
{
    enum { ALL_FLAGS = 7 };
    struct file *file;
    int64_t end;
    if ((ARG(3) & ~(uint64_t)ALL_FLAGS) || (int64_t)ARG(1) < 0 || (int64_t)ARG(2) < 0 ||
        add_overflows((int64_t)ARG(1), (int64_t)ARG(2), &end))
        return -EINVAL;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    if (!file->node || (file->node->kind != NODE_FILE && file->node->kind != NODE_DIRECTORY &&
                        file->node->kind != NODE_LINK && file->node->kind != NODE_BLOCK))
        e = -ESPIPE;
    file_put(file);
    return e;
}
