// SPDX-License-Identifier: GPL-3.0-or-later
// /proc/PID/mem: a process's memory as a file. Whether one may is decided when it is opened, for
// that program: when the process runs another one, the file is at its end.
#include "kernel/memory/heap.h"
#include "kernel/process/context/context.h"
#include "kernel/process/proc/proc.h"
#include "kernel/process/trace/memory.h"

struct proc_memory {
    struct process *process; // with a reference
    uint64_t space;          // its id
};

// With a reference; NULL: it is gone.
static struct space *space_behind(struct file *f)
{
    const struct proc_memory *m = f->data;
    struct space *s = context_space(m->process);
    if (s && s->id != m->space) {
        space_put(s);
        s = NULL;
    }
    return s;
}

static len_t transfer(struct file *f, struct io *io, uint64_t offset, unsigned how)
{
    struct space *s = space_behind(f);
    if (!s)
        return 0;
    err_t e = memory_transfer(s, offset, io, how | MEMORY_FORCE);
    space_put(s);
    return io_result(io, e == -EFAULT ? -EIO : e);
}

static len_t memory_read(struct file *f, struct io *io, uint64_t offset)
{
    return transfer(f, io, offset, 0);
}

static len_t memory_write(struct file *f, struct io *io, uint64_t offset)
{
    return transfer(f, io, offset, MEMORY_WRITE);
}

static err_t memory_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    uint64_t at = from == SEEK_FROM_HERE ? f->offset + (uint64_t)by : (uint64_t)by;
    if (from != SEEK_FROM_HERE && from != SEEK_FROM_START)
        return -EINVAL;
    f->offset = *result = at;
    return 0;
}

static void memory_close(struct file *f)
{
    struct proc_memory *m = f->data;
    process_put(m->process);
    heap_free(m);
}

static const struct file_ops memory_file_ops = {
    .name = "proc memory",
    .read = memory_read,
    .write = memory_write,
    .seek = memory_seek,
    .close = memory_close,
};

err_t proc_memory_open(const struct proc_target *t, struct node *n, struct name *where,
                       unsigned flags, struct file **file)
{
    struct space *s;
    err_t error = process_inspect_space(t->process, &s);
    if (error)
        return error;
    struct proc_memory *m = heap_alloc(sizeof(*m));
    if (!m) {
        if (s)
            space_put(s);
        return -ENOMEM;
    }
    process_get(m->process = t->process);
    if (s) {
        m->space = s->id;
        space_put(s);
    }
    err_t e = file_make(&memory_file_ops, n, where, flags, m, file);
    if (e) {
        process_put(m->process);
        heap_free(m);
    }
    return e;
}
