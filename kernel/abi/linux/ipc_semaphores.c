// SPDX-License-Identifier: GPL-3.0-or-later
// System V IPC: semaphores (semget(2), semop(2), semctl(2)).
#include "kernel/abi/linux/flags.h"
#include "kernel/abi/linux/ipc.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/process/semaphores.h"
#include "lib/string.h"

enum {
    SEM_UNDO = 0x1000,
    GETPID = 11,
    GETVAL = 12,
    GETALL = 13,
    GETNCNT = 14,
    GETZCNT = 15,
    SETVAL = 16,
    SETALL = 17,
    SEM_STAT = 18,
    SEM_INFO = 19,
    SEM_STAT_ANY = 20,
    STEPS_FEW = 8,
};

struct linux_sembuf {
    uint16_t number;
    int16_t change, flags;
};

struct linux_semid {
    struct linux_ipc_permissions permissions;
    int64_t used_time, reserved1, change_time, reserved2;
    uint64_t count, reserved[2];
};
_Static_assert(sizeof(struct linux_semid) == 104, "struct semid64_ds");

struct linux_seminfo {
    int32_t map, sets, semaphores, undos, each_max, steps_max, undo_entries, undo_size, value_max,
        adjust_max;
};

LINUX_CALL(semget)
{
    int id;
    if (ARG_INT(1) < 0)
        return -EINVAL;
    err_t e = semaphores_get(ARG_INT(0), (uint64_t)ARG_INT(1), linux_ipc_flags(ARG(2)),
                             (unsigned)ARG(2) & 0777, &id);
    return e ? e : id;
}

static err_t steps_in(struct semaphore_step *steps, uaddr_t from, size_t count)
{
    struct linux_sembuf one;
    for (size_t i = 0; i < count; i++) {
        err_t e = user_copy_in(&one, from + i * sizeof(one), sizeof(one));
        if (e)
            return e;
        steps[i] = (struct semaphore_step){
            .number = one.number,
            .change = one.change,
            .flags = (one.flags & LINUX_IPC_NOWAIT ? SEMAPHORE_NO_WAIT : 0u) |
                     (one.flags & SEM_UNDO ? SEMAPHORE_UNDO : 0u),
        };
    }
    return 0;
}

static int64_t change(int id, uaddr_t from, uint64_t count, nanos_t deadline)
{
    struct semaphore_step few[STEPS_FEW], *steps = few;
    if (count == 0 || id < 0)
        return -EINVAL;
    if (count > SEMAPHORE_STEPS_MAX)
        return -E2BIG;
    if (count > STEPS_FEW)
        steps = heap_alloc_array(count, sizeof(*steps));
    if (!steps)
        return -ENOMEM;
    err_t e = steps_in(steps, from, count);
    if (!e)
        e = semaphores_change(id, steps, count, deadline);
    if (steps != few)
        heap_free(steps);
    return e;
}

LINUX_CALL(semop)
{
    return change(ARG_INT(0), ARG(1), (uint32_t)ARG(2), WAIT_FOREVER);
}

LINUX_CALL(semtimedop)
{
    nanos_t span = WAIT_FOREVER;
    err_t e = ARG(3) ? linux_time_in(ARG(3), &span) : 0;
    if (e)
        return e;
    return change(ARG_INT(0), ARG(1), (uint32_t)ARG(2),
                  linux_deadline(ARG(3) ? linux_after(span) : WAIT_FOREVER));
}

static int64_t status_out(int id, bool by_place, bool any, uaddr_t to)
{
    struct semaphores_status s;
    err_t e = semaphores_status(id, by_place, any, &s);
    if (e)
        return e;
    struct linux_semid out = { .permissions = linux_ipc_permissions(&s.ipc),
                               .used_time = s.used_time,
                               .change_time = s.change_time,
                               .count = s.count };
    e = user_copy_out(to, &out, sizeof(out));
    return e ? e : by_place ? s.ipc.id : 0;
}

static int64_t set_owner(int id, uaddr_t from)
{
    struct linux_semid in = { 0 };
    err_t e = user_copy_in(&in, from, sizeof(in));
    struct ipc_owner owner = linux_ipc_owner(&in.permissions);
    return e ? e : semaphores_set_owner(id, &owner);
}

// IPC_INFO tells the limits; SEM_INFO, in two of the fields, what there is.
static int64_t limits_out(uaddr_t to, bool used)
{
    struct semaphores_totals t;
    semaphores_totals(&t);
    struct linux_seminfo out = {
        .map = SEMAPHORES_TOTAL,
        .sets = SEMAPHORE_SETS_MAX,
        .semaphores = SEMAPHORES_TOTAL,
        .undos = SEMAPHORES_TOTAL,
        .each_max = SEMAPHORES_MAX,
        .steps_max = SEMAPHORE_STEPS_MAX,
        .undo_entries = SEMAPHORE_STEPS_MAX,
        .undo_size = used ? (int32_t)t.sets : 20,
        .value_max = SEMAPHORE_VALUE_MAX,
        .adjust_max = used ? (int32_t)t.semaphores : SEMAPHORE_VALUE_MAX,
    };
    err_t e = user_copy_out(to, &out, sizeof(out));
    return e ? e : (int64_t)t.last_place;
}

// GETALL and SETALL, of as many as the set has.
static int64_t all(int id, uaddr_t at, bool write)
{
    struct semaphores_status s;
    err_t e = semaphores_status(id, false, true, &s);
    if (e)
        return e;
    uint16_t *values = heap_alloc_array(s.count, sizeof(*values));
    if (!values)
        return -ENOMEM;
    size_t size = s.count * sizeof(*values);
    e = write ? user_copy_in(values, at, size) : semaphores_read(id, values, s.count);
    if (!e)
        e = write ? semaphores_write(id, values, s.count) : user_copy_out(at, values, size);
    heap_free(values);
    return e;
}

static int64_t one(int id, unsigned number, int command)
{
    struct semaphore_status s;
    err_t e = semaphore_look(id, number, &s);
    if (e)
        return e;
    return command == GETVAL    ? s.value
           : command == GETPID  ? s.last
           : command == GETNCNT ? (int64_t)s.wait_more
                                : (int64_t)s.wait_zero;
}

LINUX_CALL(semctl)
{
    int id = ARG_INT(0), command = ARG_INT(2);
    if (id < 0)
        return -EINVAL;
    switch (command) {
    case LINUX_IPC_RMID:
        return semaphores_remove(id);
    case LINUX_IPC_SET:
        return set_owner(id, ARG(3));
    case LINUX_IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        return status_out(id, command != LINUX_IPC_STAT, command == SEM_STAT_ANY, ARG(3));
    case LINUX_IPC_INFO:
    case SEM_INFO:
        return limits_out(ARG(3), command == SEM_INFO);
    case GETALL:
    case SETALL:
        return all(id, ARG(3), command == SETALL);
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
        return one(id, (uint32_t)ARG(1), command);
    case SETVAL:
        return semaphore_set(id, (uint32_t)ARG(1), ARG_INT(3));
    default:
        return -EINVAL;
    }
}
