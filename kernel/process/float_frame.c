// SPDX-License-Identifier: GPL-3.0-or-later
// The running task's floating point state in user memory, for signal frames: by the processor's own
// instructions where it has them, else through copies. What comes back is hostile: neither way
// loads what would not load.
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/process/process.h"

static err_t copy_out(struct task *t, uaddr_t to)
{
    void *bytes = heap_alloc(fpu_frame_size());
    if (!bytes)
        return -ENOMEM;
    preempt_off();
    fpu_save_current(t->thread.fpu);
    fpu_frame_write(t->thread.fpu, bytes);
    preempt_on();
    err_t e = user_copy_out(to, bytes, fpu_frame_size());
    heap_free(bytes);
    return e;
}

err_t task_float_out(struct task *t, uaddr_t to)
{
    err_t e = fpu_user_save(to);
    return e == -EOPNOTSUPP ? copy_out(t, to) : e;
}

static void load(struct task *t, const struct fpu_state *fresh)
{
    preempt_off();
    if (fresh)
        fpu_state_copy(t->thread.fpu, fresh);
    else
        fpu_state_reset(t->thread.fpu);
    fpu_load_current(t->thread.fpu);
    preempt_on();
}

static err_t copy_in(struct task *t, uaddr_t from)
{
    size_t size = fpu_frame_size();
    struct fpu_state *fresh = fpu_state_make();
    void *bytes = heap_alloc(size);
    err_t e = fresh && bytes ? 0 : -ENOMEM;
    if (!e)
        e = user_copy_in(bytes, from, size);
    if (!e)
        e = fpu_frame_read(fresh, bytes, size);
    if (!e)
        load(t, fresh);
    heap_free(bytes);
    fpu_state_drop(fresh);
    return e;
}

err_t task_float_in(struct task *t, uaddr_t from)
{
    err_t e = from ? fpu_user_load(from) : 0;
    if (e == -EOPNOTSUPP)
        return copy_in(t, from);
    if (e || !from)
        load(t, NULL);
    return e;
}
