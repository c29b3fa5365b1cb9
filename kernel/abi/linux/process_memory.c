// SPDX-License-Identifier: GPL-3.0-or-later
// process_vm_readv and process_vm_writev: bytes between the caller's buffers and another process's.
#include "kernel/abi/linux/vectors.h"
#include "kernel/process/trace/memory.h"

enum { VECTORS_MAX = 1024 };

static err_t space_to_use(int32_t number, struct space **s)
{
    struct task *t;
    err_t e = task_find(number, &t);
    if (e)
        return e;
    e = process_inspect_space(t->process, s);
    task_put(t);
    return e ? -EPERM : *s ? 0 : -ESRCH;
}

// Buffer by buffer of the other's, until one of the two sides is full or something is not there.
static err_t move(struct space *s, struct io *mine, const struct io *theirs, unsigned how)
{
    const struct io_vector *v = theirs->vectors ? theirs->vectors : &theirs->one;
    size_t count = theirs->vectors ? theirs->count : 1;
    err_t e = 0;
    for (size_t i = 0; i < count && !e && mine->left; i++) {
        uint64_t rest = mine->left, part = min_of(v[i].size, rest);
        mine->left = part;
        e = memory_transfer(s, v[i].base, mine, how);
        mine->left += rest - part;
    }
    return e;
}

static int64_t transfer(struct trap_frame *f, unsigned how)
{
    struct linux_vectors local, remote;
    struct io mine, theirs;
    struct space *s;
    if (ARG(5) || ARG(2) > VECTORS_MAX || ARG(4) > VECTORS_MAX)
        return -EINVAL;
    err_t e = linux_vectors_begin(&local, ARG(1), ARG(2), &mine);
    if (e)
        return e;
    e = linux_vectors_begin(&remote, ARG(3), ARG(4), &theirs);
    if (e)
        goto end_local;
    if (mine.left && theirs.left) {
        e = space_to_use(ARG_INT(0), &s);
        if (!e) {
            e = move(s, &mine, &theirs, how);
            space_put(s);
        }
    }
    linux_vectors_end(&remote);
end_local:
    linux_vectors_end(&local);
    return io_result(&mine, e);
}

LINUX_CALL(process_vm_readv)
{
    return transfer(f, 0);
}

LINUX_CALL(process_vm_writev)
{
    return transfer(f, MEMORY_WRITE);
}
