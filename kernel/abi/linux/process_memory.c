// SPDX-License-Identifier: GPL-3.0-or-later
// process_vm_readv and process_vm_writev: bytes between the caller's buffers and another process's;
// process_madvise: wishes about another's memory.
#include "kernel/abi/linux/flags.h"
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

static err_t may_advise(int pidfd)
{
    struct process *p;
    struct space *s;
    bool waits;
    err_t e = linux_wait_pidfd(pidfd, &p, &waits);
    if (e)
        return e == -ECHILD ? -ESRCH : e;
    e = process_inspect_space(p, &s);
    process_put(p);
    if (s)
        space_put(s);
    if (!e && !s)
        e = -ESRCH;
    return !e && !process_has(CAPABILITY_SYS_NICE) ? -EPERM : e;
}

// Advice that may be given to others changes nothing here.
LINUX_CALL(process_madvise)
{
    enum { WILL_NEED = 3, COLD = 20, PAGE_OUT = 21 };
    struct linux_vectors v;
    struct io io;
    int advice = ARG_INT(3);
    if (ARG(4) || ARG(2) > VECTORS_MAX)
        return -EINVAL;
    err_t e = linux_vectors_begin(&v, ARG(1), ARG(2), &io);
    if (e)
        return e;
    e = may_advise(ARG_INT(0));
    if (!e && advice != WILL_NEED && advice != COLD && advice != PAGE_OUT)
        e = -EINVAL;
    const struct io_vector *at = io.vectors ? io.vectors : &io.one;
    size_t count = io.vectors ? io.count : 1;
    uint64_t done = 0;
    for (size_t i = 0; i < count && !e; i++) {
        if (at[i].base % PAGE_SIZE)
            e = -EINVAL;
        else
            done += at[i].size;
    }
    linux_vectors_end(&v);
    return done ? (int64_t)done : e;
}
