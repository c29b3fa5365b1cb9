// SPDX-License-Identifier: GPL-3.0-or-later
// fcntl and flock: flags of descriptors and files, and advisory locks.
#include "kernel/abi/linux/linux.h"
#include "kernel/abi/linux/types.h"
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/process/file_lock.h"
#include "kernel/scheme/control.h"
#include "kernel/scheme/seal.h"

enum {
    F_DUPFD = 0,
    F_GETFD = 1,
    F_SETFD = 2,
    F_GETFL = 3,
    F_SETFL = 4,
    F_GETLK = 5,
    F_SETLK = 6,
    F_SETLKW = 7,
    F_SETOWN = 8,
    F_GETOWN = 9,
    F_DUPFD_CLOEXEC = 1030,
    F_SETPIPE_SZ = 1031,
    F_GETPIPE_SZ = 1032,
    F_ADD_SEALS = 1033,
    F_GET_SEALS = 1034,
    FD_CLOEXEC = 1,
};

// What F_SETFL may change.
#define CHANGEABLE (OPEN_APPEND | OPEN_NONBLOCK | OPEN_ASYNC | OPEN_DIRECT | OPEN_NO_ACCESS_TIME)

static int64_t set_flags(struct file *file, unsigned wanted)
{
    uint32_t old = __atomic_load_n(&file->flags, __ATOMIC_RELAXED), fresh;
    do {
        fresh = (old & ~(uint32_t)CHANGEABLE) | (linux_open_flags(wanted) & CHANGEABLE);
    } while (!__atomic_compare_exchange_n(&file->flags, &old, fresh, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return 0;
}

static int64_t pipe_size(struct file *file, uint64_t request, uint64_t size)
{
    err_t e = file_control(file, (unsigned)request, &size);
    return e == -ENOTTY ? -EBADF : e ? e : (int64_t)size;
}

// The byte range of a struct flock, [start, end), end UINT64_MAX: to the end of the file.
static err_t lock_range(struct file *file, const struct linux_flock *l,
                        struct file_lock_range *range)
{
    int64_t base = 0;
    if (l->whence == 1)
        base = (int64_t)file->offset;
    else if (l->whence == 2)
        base = file->node ? (int64_t)file->node->size : 0;
    else if (l->whence != 0)
        return -EINVAL;
    int64_t start, end;
    if (add_overflows(base, l->start, &start) || add_overflows(start, l->length, &end))
        return -EOVERFLOW;
    if (l->length < 0) {
        int64_t t = start;
        start = end;
        end = t;
    }
    if (start < 0)
        return -EINVAL;
    range->start = (uint64_t)start;
    range->end = l->length == 0 ? UINT64_MAX : (uint64_t)end;
    return 0;
}

// Another thread may have closed the number meanwhile, whose end of locks then came before this
// one.
static err_t lock_set(int number, struct file *file, enum file_lock_kind kind,
                      const struct file_lock_range *range, bool wait)
{
    struct descriptors *d = process_current()->descriptors;
    err_t e = file_lock_range(file, kind, range, wait);
    if (e || kind == LOCK_NONE)
        return e;
    struct file *now;
    e = descriptor_file(d, number, &now);
    if (!e)
        file_put(now);
    if (!e && now == file)
        return 0;
    file_lock_closed(file, d);
    return -EBADF;
}

static int64_t lock(int number, struct file *file, unsigned command, uaddr_t at)
{
    static const enum file_lock_kind kinds[] = { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONE };
    struct linux_flock l;
    struct file_lock_range range;
    err_t e = user_copy_in(&l, at, sizeof(l));
    if (e)
        return e;
    if ((uint16_t)l.type >= array_len(kinds))
        return -EINVAL;
    e = lock_range(file, &l, &range);
    if (e)
        return e;
    enum file_lock_kind kind = kinds[index_clamp((uint16_t)l.type, array_len(kinds))];
    if (command != F_GETLK)
        return lock_set(number, file, kind, &range, command == F_SETLKW);

    struct file_lock_found found;
    l.type = 2;
    if (file_lock_test(file, kind, &range, &found)) {
        l.type = found.kind == LOCK_SHARED ? 0 : 1;
        l.whence = 0;
        l.start = (int64_t)found.range.start;
        l.length =
            found.range.end == UINT64_MAX ? 0 : (int64_t)(found.range.end - found.range.start);
        l.owner = found.process;
    }
    return user_copy_out(at, &l, sizeof(l));
}

static int64_t descriptor_flags(int number, unsigned command, uint64_t argument)
{
    struct descriptors *d = process_current()->descriptors;
    if (command == F_SETFD)
        return descriptor_set_flag(d, number, argument & FD_CLOEXEC);
    bool close_on_exec;
    err_t e = descriptor_get_flag(d, number, &close_on_exec);
    return e ? e : close_on_exec ? FD_CLOEXEC : 0;
}

static int64_t duplicate(struct file *file, int least, bool close_on_exec)
{
    if (least < 0 || (uint64_t)least >= process_current()->limits[LIMIT_FILES].soft)
        return -EINVAL;
    file_get(file);
    return linux_add_file(file, close_on_exec, least);
}

static int64_t seals(struct file *file, unsigned command, unsigned argument)
{
    if (command == F_ADD_SEALS)
        return seals_add(file, argument);
    unsigned present;
    err_t e = seals_get(file, &present);
    return e ? e : (int64_t)present;
}

static int64_t command_on(int number, struct file *file, unsigned command, uint64_t argument)
{
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return duplicate(file, (int)argument, command == F_DUPFD_CLOEXEC);
    case F_GETFL:
        return linux_flags_of(__atomic_load_n(&file->flags, __ATOMIC_RELAXED)) &
               ~(int64_t)(file->where ? 0 : LINUX_O_LARGEFILE); // only what was opened has it
    case F_SETFL:
        return set_flags(file, (unsigned)argument);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
        return lock(number, file, command, argument);
    case F_SETOWN:
        file->owner = (int32_t)argument;
        return 0;
    case F_GETOWN:
        return file->owner;
    case F_SETPIPE_SZ:
        return pipe_size(file, CONTROL_SET_PIPE_SIZE, argument);
    case F_GETPIPE_SZ:
        return pipe_size(file, CONTROL_PIPE_SIZE, 0);
    case F_ADD_SEALS:
    case F_GET_SEALS:
        return seals(file, command, (unsigned)argument);
    default:
        return -EINVAL;
    }
}

LINUX_CALL(fcntl)
{
    int number = ARG_INT(0);
    unsigned command = (unsigned)ARG(1);
    if (command == F_GETFD || command == F_SETFD)
        return descriptor_flags(number, command, ARG(2));
    struct file *file;
    err_t e = linux_file(number, &file);
    if (e)
        return e;
    int64_t result = command_on(number, file, command, ARG(2));
    file_put(file);
    return result;
}

LINUX_CALL(flock)
{
    enum { SHARED = 1, EXCLUSIVE = 2, NO_WAIT = 4, UNLOCK = 8 };
    unsigned operation = (unsigned)ARG(1);
    enum file_lock_kind kind;
    switch (operation & ~(unsigned)NO_WAIT) {
    case SHARED:
        kind = LOCK_SHARED;
        break;
    case EXCLUSIVE:
        kind = LOCK_EXCLUSIVE;
        break;
    case UNLOCK:
        kind = LOCK_NONE;
        break;
    default:
        return -EINVAL;
    }
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    e = file_lock_whole(file, kind, !(operation & NO_WAIT));
    file_put(file);
    return e;
}
