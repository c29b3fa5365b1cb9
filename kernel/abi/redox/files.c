// SPDX-License-Identifier: GPL-3.0-or-later
// Calls on descriptors: read and write, positions, dup in its two meanings, flags.
#include "kernel/abi/redox/paths.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/descriptors.h"

enum { DERIVE_SIZE_MAX = PATH_LENGTH_MAX };
#define AT_OFFSET UINT64_MAX // of read2 and write2: where the file stands

err_t redox_file(uint64_t number, struct file **file)
{
    *file = descriptor_get(process_current()->descriptors, number);
    return *file ? 0 : -EBADF;
}

// Redox has no call to raise a limit up to what it may be, so its programs have that at once.
static force_inline int file_limit(void)
{
    return (int)min_of(process_current()->limits[LIMIT_FILES].hard, (uint64_t)DESCRIPTORS_MAX);
}

int64_t redox_add_file(struct file *file, bool close_on_exec, int least)
{
    int number;
    err_t e = descriptor_add(process_current()->descriptors, file, close_on_exec, least,
                             file_limit(), &number);
    if (e)
        file_put(file);
    return e ? e : number;
}

REDOX_CALL(close)
{
    return ARG(0) > INT32_MAX ? -EBADF
                              : descriptor_close(process_current()->descriptors, ARG_INT(0));
}

typedef len_t (*transfer_t)(struct file *f, struct io *io, uint64_t offset);

static force_inline len_t read_any(struct file *f, struct io *io, uint64_t offset)
{
    if (redox_is_directory(f))
        return offset == AT_OFFSET ? redox_directory_read(f, io) : -ESPIPE;
    return offset == AT_OFFSET ? file_read(f, io) : file_read_at(f, io, offset);
}

static force_inline len_t write_any(struct file *f, struct io *io, uint64_t offset)
{
    return offset == AT_OFFSET ? file_write(f, io) : file_write_at(f, io, offset);
}

static force_inline int64_t transfer_file(const struct trap_frame *f, struct file *file,
                                          uint64_t offset, transfer_t move)
{
    len_t n = -EFAULT;
    if (likely(user_range_ok(ARG(1), ARG(2)))) {
        struct io io = io_user(ARG(1), ARG(2));
        n = move(file, &io, offset);
    }
    file_put(file);
    return n;
}

static no_inline int64_t transfer(const struct trap_frame *f, uint64_t offset, transfer_t move)
{
    struct file *file = descriptor_get(process_current()->descriptors, ARG(0));
    return file ? transfer_file(f, file, offset, move) : -EBADF;
}

// Once for each `move`: what most calls are.
static force_inline int64_t transfer_now(const struct trap_frame *f, const struct task *me,
                                         transfer_t move)
{
    struct file *file = descriptor_try(me->process->descriptors, ARG(0));
    return likely(file != NULL) ? transfer_file(f, file, AT_OFFSET, move)
                                : transfer(f, AT_OFFSET, move);
}

no_stack_guard REDOX_CALL(read)
{
    return transfer_now(f, me, read_any);
}

no_stack_guard REDOX_CALL(write)
{
    return transfer_now(f, me, write_any);
}

// Status flags for one call: the file gets them while it runs, as on Redox; who shares the file
// sees that. All bits set stands for the file's own.
static int64_t transfer_with(const struct trap_frame *f, transfer_t move)
{
    const unsigned both = OPEN_NONBLOCK | OPEN_APPEND;
    uint32_t theirs = (uint32_t)ARG(4), known = REDOX_RW_NONBLOCK | REDOX_RW_APPEND;
    if (theirs == UINT32_MAX)
        return transfer(f, ARG(3), move);
    if (theirs & ~known)
        return -EINVAL;
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    unsigned old = __atomic_load_n(&file->flags, __ATOMIC_RELAXED);
    unsigned wanted = (old & ~both) | (theirs & REDOX_RW_NONBLOCK ? OPEN_NONBLOCK : 0) |
                      (theirs & REDOX_RW_APPEND ? OPEN_APPEND : 0);
    e = wanted == old ? 0 : file_change_flags(file, wanted);
    int64_t n = e ? e : transfer(f, ARG(3), move);
    if (!e && wanted != old)
        e = file_change_flags(file, old);
    file_put(file);
    return n;
}

REDOX_CALL(read2)
{
    return transfer_with(f, read_any);
}

REDOX_CALL(write2)
{
    return transfer_with(f, write_any);
}

REDOX_CALL(lseek)
{
    static const enum seek_from from[] = { SEEK_FROM_START, SEEK_FROM_HERE, SEEK_FROM_END };
    uint64_t result = 0;
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    if (ARG(2) >= array_len(from)) {
        e = -EINVAL;
    } else {
        enum seek_from base = from[index_clamp(ARG(2), array_len(from))];
        e = redox_is_directory(file) ? redox_directory_seek(file, (int64_t)ARG(1), base, &result)
                                     : file_seek(file, (int64_t)ARG(1), base, &result);
    }
    file_put(file);
    return e ? e : (int64_t)result;
}

// Another reference to the file, or with a name the new file that its scheme makes of it.
static err_t derive(uint64_t number, uaddr_t name, uint64_t size, struct file **derived)
{
    struct file *file;
    err_t e = redox_file(number, &file);
    if (e || size == 0) {
        *derived = file;
        return e;
    }
    char *bytes = NULL;
    if (size > DERIVE_SIZE_MAX)
        e = -EINVAL;
    else if (!(bytes = heap_alloc(size)))
        e = -ENOMEM;
    if (!e)
        e = user_copy_in(bytes, name, size);
    if (!e)
        e = file_derive(file, bytes, size, derived);
    heap_free(bytes);
    file_put(file);
    return e;
}

REDOX_CALL(dup)
{
    if (likely(ARG(2) == 0))
        return descriptor_duplicate(process_current()->descriptors, ARG(0), false, 0,
                                    (uint32_t)file_limit());
    struct file *file;
    err_t e = derive(ARG(0), ARG(1), ARG(2), &file);
    return e ? e : redox_add_file(file, false, 0);
}

static int64_t put_at(struct file *file, bool close_on_exec, uint64_t number)
{
    err_t e = -EMFILE;
    if (number < (uint64_t)file_limit())
        e = descriptor_set(process_current()->descriptors, file, close_on_exec, (int)number,
                           file_limit());
    if (e)
        file_put(file);
    return e ? e : (int64_t)number;
}

REDOX_CALL(dup2)
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    if (ARG(0) == ARG(1)) {
        file_put(file);
        return (int64_t)ARG(1);
    }
    file_put(file);
    e = derive(ARG(0), ARG(2), ARG(3), &file);
    return e ? e : put_at(file, false, ARG(1));
}

int64_t redox_put_file(struct file *file, bool close_on_exec, uint64_t number)
{
    struct file *there;
    if (redox_file(number, &there))
        return put_at(file, close_on_exec, number);
    file_put(there);
    file_put(file);
    return -EEXIST;
}

REDOX_CALL(dup_into)
{
    struct file *file;
    err_t e = derive(ARG(0), ARG(1), ARG(2), &file);
    return e ? e : redox_put_file(file, false, ARG(3));
}

static int64_t descriptor_flags(uint64_t number, uint64_t command, uint64_t argument)
{
    struct descriptors *d = process_current()->descriptors;
    if (number > INT32_MAX)
        return -EBADF;
    if (command == REDOX_F_SETFD)
        return descriptor_set_flag(d, (int)number, argument & REDOX_O_CLOEXEC);
    bool close_on_exec;
    err_t e = descriptor_get_flag(d, (int)number, &close_on_exec);
    return e ? e : close_on_exec ? REDOX_O_CLOEXEC : 0;
}

static int64_t command_on(struct file *file, uint64_t command, uint64_t argument)
{
    switch (command) {
    case REDOX_F_DUPFD:
        if (argument >= (uint64_t)file_limit())
            return -EINVAL;
        file_get(file);
        return redox_add_file(file, false, (int)argument);
    case REDOX_F_GETFL:
        return (int64_t)redox_flags_of(__atomic_load_n(&file->flags, __ATOMIC_RELAXED));
    case REDOX_F_SETFL:
        return file_change_flags(file, redox_open_flags(argument));
    default:
        return -EINVAL;
    }
}

REDOX_CALL(fcntl)
{
    if (ARG(1) == REDOX_F_GETFD || ARG(1) == REDOX_F_SETFD)
        return descriptor_flags(ARG(0), ARG(1), ARG(2));
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    int64_t result = command_on(file, ARG(1), ARG(2));
    file_put(file);
    return result;
}
