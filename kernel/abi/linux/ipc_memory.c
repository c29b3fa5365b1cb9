// SPDX-License-Identifier: GPL-3.0-or-later
// System V IPC: shared memory (shmget(2), shmop(2), shmctl(2)).
#include "kernel/abi/linux/ipc.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/space.h"
#include "kernel/process/segment.h"

enum {
    SHM_HUGETLB = 04000,
    SHM_DEST = 01000, // in the mode: removed, and goes with its last user
    SHM_RDONLY = 010000,
    SHM_RND = 020000,
    SHM_REMAP = 040000,
    SHM_EXEC = 0100000,
    SHM_LOCK = 11,
    SHM_UNLOCK = 12,
    SHM_STAT = 13,
    SHM_INFO = 14,
    SHM_STAT_ANY = 15,
};

LINUX_CALL(shmget)
{
    uint64_t flags = ARG(2);
    int id;
    if (flags & SHM_HUGETLB)
        return -ENOMEM; // no such pages are kept
    err_t e = segment_get(ARG_INT(0), ARG(1), linux_ipc_flags(flags), (unsigned)flags & 0777, &id);
    return e ? e : id;
}

LINUX_CALL(shmat)
{
    uaddr_t address = ARG(1);
    uint64_t flags = ARG(2);
    if (flags & SHM_RND)
        address = round_down(address, PAGE_SIZE);
    if (!is_aligned(address, PAGE_SIZE) || (!address && (flags & SHM_REMAP)))
        return -EINVAL;
    err_t e = segment_attach(ARG_INT(0),
                             (flags & SHM_RDONLY ? 0u : SEGMENT_WRITE) |
                                 (flags & SHM_EXEC ? SEGMENT_EXECUTE : 0u) |
                                 (flags & SHM_REMAP ? SEGMENT_REPLACE : 0u),
                             &address);
    return e ? e : (int64_t)address;
}

LINUX_CALL(shmdt)
{
    return is_aligned(ARG(0), PAGE_SIZE) ? segment_detach(ARG(0)) : -EINVAL;
}

static int64_t status_out(int id, bool by_place, bool any, uaddr_t to)
{
    struct segment_status s;
    err_t e = segment_status(id, by_place, any, &s);
    if (e)
        return e;
    struct linux_shmid out = {
        .permissions = linux_ipc_permissions(&s.ipc),
        .size = s.size,
        .attach_time = s.attach_time,
        .detach_time = s.detach_time,
        .change_time = s.change_time,
        .maker = s.maker,
        .last = s.last,
        .attached = s.attached,
    };
    if (s.ipc.removed)
        out.permissions.mode |= SHM_DEST;
    e = user_copy_out(to, &out, sizeof(out));
    return e ? e : by_place ? s.ipc.id : 0;
}

static int64_t set(int id, uaddr_t from)
{
    struct linux_shmid in = { 0 };
    err_t e = user_copy_in(&in, from, sizeof(in));
    struct ipc_owner owner = linux_ipc_owner(&in.permissions);
    return e ? e : segment_set(id, &owner);
}

static int64_t limits_out(uaddr_t to)
{
    struct segment_totals t;
    struct linux_shminfo out = {
        .size_max = INT64_MAX,
        .size_min = 1,
        .count_max = SEGMENTS_MAX,
        .each_max = SEGMENTS_MAX,
        .pages_max = INT64_MAX,
    };
    segment_totals(&t);
    err_t e = user_copy_out(to, &out, sizeof(out));
    return e ? e : (int64_t)t.last_place;
}

static int64_t totals_out(uaddr_t to)
{
    struct segment_totals t;
    segment_totals(&t);
    struct linux_shm_info out = { .used = (int32_t)t.count,
                                  .pages = t.pages,
                                  .resident = t.resident };
    err_t e = user_copy_out(to, &out, sizeof(out));
    return e ? e : (int64_t)t.last_place;
}

LINUX_CALL(shmctl)
{
    int id = ARG_INT(0);
    struct segment_status status;
    switch (ARG_INT(1)) {
    case LINUX_IPC_RMID:
        return segment_remove(id);
    case LINUX_IPC_SET:
        return set(id, ARG(2));
    case LINUX_IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return status_out(id, ARG_INT(1) != LINUX_IPC_STAT, ARG_INT(1) == SHM_STAT_ANY, ARG(2));
    case LINUX_IPC_INFO:
        return limits_out(ARG(2));
    case SHM_INFO:
        return totals_out(ARG(2));
    case SHM_LOCK:
    case SHM_UNLOCK:
        return segment_status(id, false, true, &status); // nothing is swapped out anyway
    default:
        return -EINVAL;
    }
}
