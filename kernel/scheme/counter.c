// SPDX-License-Identifier: GPL-3.0-or-later
// The counter file: readers wait while it is 0, writers while it would pass UINT64_MAX - 1.
#include "kernel/memory/heap.h"
#include "kernel/scheme/watch.h"

#define COUNTER_MAX (UINT64_MAX - 1)

struct counter {
    uint64_t value; // atomic
    bool semaphore;
    struct wait_queue changed;
};

static uint64_t value_now(const struct counter *c)
{
    return __atomic_load_n(&c->value, __ATOMIC_ACQUIRE);
}

// One try; false: it is 0.
static bool counter_take(struct counter *c, uint64_t *taken)
{
    uint64_t seen = value_now(c);
    do {
        if (seen == 0)
            return false;
        *taken = c->semaphore ? 1 : seen;
    } while (!__atomic_compare_exchange_n(&c->value, &seen, seen - *taken, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return true;
}

static bool counter_add(struct counter *c, uint64_t more)
{
    uint64_t seen = value_now(c);
    do {
        if (more > COUNTER_MAX - seen)
            return false;
    } while (!__atomic_compare_exchange_n(&c->value, &seen, seen + more, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return true;
}

// Apart from reading and writing, which seldom wait: those need no waiter on their stack.
static no_inline err_t wait_nonzero(struct counter *c)
{
    return wait_until(&c->changed, value_now(c) > 0, WAIT_FOREVER);
}

static no_inline err_t wait_room(struct counter *c, uint64_t more)
{
    return wait_until(&c->changed, more <= COUNTER_MAX - value_now(c), WAIT_FOREVER);
}

no_stack_guard static len_t counter_read(struct file *f, struct io *io, uint64_t offset)
{
    struct counter *c = f->data;
    uint64_t taken;
    if (io->left < sizeof(taken))
        return -EINVAL;
    while (!counter_take(c, &taken)) {
        if (__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK)
            return -EAGAIN;
        if (wait_nonzero(c))
            return -ERESTARTSYS;
    }
    wait_wake_key(&c->changed, POLL_OUT, UINT_MAX);
    return io_result(io, io_put(io, &taken, sizeof(taken)));
}

no_stack_guard static len_t counter_write(struct file *f, struct io *io, uint64_t offset)
{
    struct counter *c = f->data;
    uint64_t more;
    if (io->left < sizeof(more))
        return -EINVAL;
    err_t e = io_get(io, &more, sizeof(more));
    if (e)
        return e;
    if (more == UINT64_MAX)
        return -EINVAL;
    while (!counter_add(c, more)) {
        if (__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK)
            return -EAGAIN;
        if (wait_room(c, more))
            return -ERESTARTSYS;
    }
    wait_wake_key(&c->changed, POLL_IN, UINT_MAX);
    return sizeof(more);
}

static unsigned counter_poll(struct file *f, struct poll_table *t)
{
    struct counter *c = f->data;
    if (t)
        t->add(t, &c->changed);
    uint64_t value = value_now(c);
    return (value ? POLL_IN : 0u) | (value < COUNTER_MAX ? POLL_OUT : 0u);
}

static err_t counter_path(struct file *f, char *to, size_t room, size_t *length)
{
    return file_label(to, room, length, "anon_inode:[eventfd]");
}

static void counter_close(struct file *f)
{
    heap_free(f->data);
}

static const struct file_ops counter_files = {
    .name = "counter",
    .read = counter_read,
    .write = counter_write,
    .poll = counter_poll,
    .path = counter_path,
    .close = counter_close,
};

bool counter_is(const struct file *f)
{
    return f->ops == &counter_files;
}

err_t counter_make(uint64_t start, bool semaphore, unsigned flags, struct file **file)
{
    struct counter *c = heap_alloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->value = start;
    c->semaphore = semaphore;
    wait_queue_init(&c->changed);
    err_t e = file_make(&counter_files, NULL, NULL, flags | OPEN_READ | OPEN_WRITE, c, file);
    if (e)
        heap_free(c);
    return e;
}
