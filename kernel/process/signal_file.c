// SPDX-License-Identifier: GPL-3.0-or-later
// Signal files (signal_file.h). A watch list stays tied to the queue of the process that added the
// file to it, so the file keeps such processes until it closes.
#include "kernel/process/signal_file.h"
#include "kernel/memory/heap.h"
#include "kernel/process/internal.h"

struct keep {
    struct list link;
    struct process *process;
};

struct signal_file {
    uint64_t set; // atomic
    const struct signal_layout *layout;
    struct mutex lock;
    struct list kept; // struct keep.link; under the lock
};

static uint64_t set_of(const struct signal_file *s)
{
    return __atomic_load_n(&s->set, __ATOMIC_RELAXED);
}

static bool waits_for_us(const struct signal_file *s)
{
    struct task *t = task_current();
    uint64_t pending = __atomic_load_n(&t->pending.pending, __ATOMIC_ACQUIRE) |
                       __atomic_load_n(&t->process->pending.pending, __ATOMIC_ACQUIRE);
    return pending & set_of(s);
}

static bool take(const struct signal_file *s, struct signal_info *info)
{
    struct task *t = task_current();
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    bool taken = signal_take_locked(t, set_of(s), info);
    spin_unlock_irq(&t->process->signal_lock, flags);
    return taken;
}

static len_t signal_read(struct file *f, struct io *io, uint64_t offset)
{
    struct signal_file *s = f->data;
    struct signal_info info;
    uint8_t record[SIGNAL_RECORD_MAX];
    size_t size = s->layout->size;
    if (io->left < size)
        return -EINVAL;
    err_t e = 0;
    while (!e && io->left >= size) {
        if (take(s, &info)) {
            s->layout->encode(&info, record);
            e = io_put(io, record, size);
        } else if (io->done) {
            break;
        } else if (__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK) {
            e = -EAGAIN;
        } else if (wait_until(&process_current()->signal_wait, waits_for_us(s), WAIT_FOREVER)) {
            e = -ERESTARTSYS;
        }
    }
    return io_result(io, e);
}

// The calling process lives as long as the file. False: no memory.
static bool keep_caller(struct signal_file *s)
{
    struct process *p = process_current();
    bool kept = false;
    mutex_lock(&s->lock);
    list_for_each (link, &s->kept)
        kept |= list_entry(link, struct keep, link)->process == p;
    struct keep *k = kept ? NULL : heap_alloc(sizeof(*k));
    if (k) {
        process_get(p);
        k->process = p;
        list_push_back(&s->kept, &k->link);
    }
    mutex_unlock(&s->lock);
    return kept || k;
}

static unsigned signal_poll(struct file *f, struct poll_table *t)
{
    struct signal_file *s = f->data;
    if (t && (!t->lasting || keep_caller(s)))
        t->add(t, &process_current()->signal_wait);
    return waits_for_us(s) ? POLL_IN : 0;
}

static err_t signal_path(struct file *f, char *to, size_t room, size_t *length)
{
    return file_label(to, room, length, "anon_inode:[signalfd]");
}

static void signal_close(struct file *f)
{
    struct signal_file *s = f->data;
    while (!list_empty(&s->kept)) {
        struct keep *k = list_first(&s->kept, struct keep, link);
        list_remove(&k->link);
        process_put(k->process);
        heap_free(k);
    }
    heap_free(s);
}

static const struct file_ops signal_files = {
    .name = "signal",
    .read = signal_read,
    .poll = signal_poll,
    .path = signal_path,
    .close = signal_close,
};

bool signal_file_is(const struct file *f)
{
    return f->ops == &signal_files;
}

void signal_file_set(struct file *f, uint64_t set)
{
    struct signal_file *s = f->data;
    __atomic_store_n(&s->set, set & ~SIGNALS_UNBLOCKABLE, __ATOMIC_RELAXED);
    wait_wake_all(&process_current()->signal_wait); // what waits may be of the new set
}

err_t signal_file_make(uint64_t set, const struct signal_layout *layout, unsigned flags,
                       struct file **file)
{
    struct signal_file *s = heap_alloc(sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->set = set & ~SIGNALS_UNBLOCKABLE;
    s->layout = layout;
    mutex_init(&s->lock, RANK_SLEEP_LEAF);
    list_init(&s->kept);
    err_t e = file_make(&signal_files, NULL, NULL, flags | OPEN_READ | OPEN_WRITE, s, file);
    if (e)
        heap_free(s);
    return e;
}
