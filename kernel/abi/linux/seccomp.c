// SPDX-License-Identifier: GPL-3.0-or-later
// seccomp(2) and PR_SET_SECCOMP: numbers and layouts over kernel/process/filter/filter.h.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/process/filter/filter.h"

enum {
    SET_STRICT = 0,
    SET_FILTER = 1,
    GET_ACTION = 2,
    FLAG_ALL_TASKS = 1, // SECCOMP_FILTER_FLAG_TSYNC
    FLAG_LOG = 2,
    FLAG_SPECULATION = 4, // nothing is done against it here that a filter could turn off
    FLAG_ALL_ESRCH = 16,
    CALL_READ = 0,
    CALL_WRITE = 1,
    CALL_SIGRETURN = 15,
    CALL_EXIT = 60,
};

bool linux_is_plain_call(uint64_t number)
{
    return number == CALL_READ || number == CALL_WRITE || number == CALL_SIGRETURN ||
           number == CALL_EXIT;
}

struct linux_program { // struct sock_fprog
    uint16_t count, padding[3];
    uint64_t code;
};

static int64_t add(uint64_t flags, uaddr_t from)
{
    const uint64_t known = FLAG_ALL_TASKS | FLAG_LOG | FLAG_SPECULATION | FLAG_ALL_ESRCH;
    struct linux_program p;
    if (flags & ~known)
        return -EINVAL;
    err_t e = user_copy_in(&p, from, sizeof(p));
    if (e)
        return e;
    if (p.count == 0 || p.count > BPF_INSTRUCTIONS_MAX)
        return -EINVAL;
    struct bpf_instruction *code = heap_alloc_array(p.count, sizeof(*code));
    if (!code)
        return -ENOMEM;
    int32_t other = 0;
    e = user_copy_in(code, p.code, p.count * sizeof(*code));
    if (!e)
        e = filter_add(code, p.count,
                       (flags & FLAG_ALL_TASKS ? FILTER_ALL_TASKS : 0u) |
                           (flags & FLAG_LOG ? FILTER_LOGS : 0u),
                       &other);
    heap_free(code);
    return e == -ESRCH && !(flags & FLAG_ALL_ESRCH) ? other : e;
}

int64_t linux_set_filter(uint64_t mode, uaddr_t program)
{
    switch (mode) {
    case FILTER_STRICT:
        return filter_strict();
    case FILTER_PROGRAMS:
        return add(0, program);
    default:
        return -EINVAL;
    }
}

LINUX_CALL(seccomp)
{
    uint32_t action;
    switch ((uint32_t)ARG(0)) {
    case SET_STRICT:
        return ARG(1) || ARG(2) ? -EINVAL : filter_strict();
    case SET_FILTER:
        return add((uint32_t)ARG(1), ARG(2));
    case GET_ACTION: {
        if ((uint32_t)ARG(1))
            return -EINVAL;
        err_t e = user_get_u32(ARG(2), &action);
        return e ? e : filter_has_action(action) ? 0 : -EOPNOTSUPP;
    }
    default:
        return -EINVAL;
    }
}
