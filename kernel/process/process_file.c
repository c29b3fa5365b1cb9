// SPDX-License-Identifier: GPL-3.0-or-later
// Process files (process_file.h). Takes no locks of its own.
#include "kernel/process/process_file.h"
#include "kernel/process/internal.h"

static unsigned process_poll(struct file *f, struct poll_table *t)
{
    struct process *p = f->data;
    if (t)
        t->add(t, &p->exit_wait);
    return __atomic_load_n(&p->zombie, __ATOMIC_ACQUIRE) ? POLL_IN : 0;
}

static err_t process_path(struct file *f, char *to, size_t room, size_t *length)
{
    return file_label(to, room, length, "anon_inode:[pidfd]");
}

static void process_close(struct file *f)
{
    process_put(f->data);
}

static const struct file_ops process_files = {
    .name = "process",
    .poll = process_poll,
    .path = process_path,
    .close = process_close,
};

err_t process_file_make(struct process *p, unsigned flags, struct file **file)
{
    err_t e = file_make(&process_files, NULL, NULL, flags | OPEN_READ | OPEN_WRITE, p, file);
    if (!e)
        process_get(p);
    return e;
}

struct process *process_of_file(const struct file *f)
{
    return f->ops == &process_files ? f->data : NULL;
}

bool process_is_there(struct process *p)
{
    struct process *found;
    if (process_find(p->number, &found))
        return false;
    process_put(found);
    return found == p;
}

err_t process_take_file(struct process *p, int number, struct file **file)
{
    uint64_t flags = spin_lock_irq(&p->lock);
    struct descriptors *d = p->descriptors;
    if (d)
        descriptors_get(d);
    spin_unlock_irq(&p->lock, flags);
    if (!d)
        return process_may_inspect(p) ? -EPERM : -ESRCH;
    err_t e = descriptor_file(d, number, file);
    descriptors_put(d);
    if (process_may_inspect(p)) { // now, when it cannot have become somebody else's
        if (!e)
            file_put(*file);
        return -EPERM;
    }
    return e;
}
