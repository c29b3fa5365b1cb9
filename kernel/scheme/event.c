// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "event": queues of what became ready, in Redox's form; a watch list (watch.h) each.
//
// Writing {descriptor, flags, data} has the open file behind that descriptor watched, flags 0 ends
// that. What is ready then is told at once, later once for each time it becomes ready; what was not
// read yet is told once. Reading gives whole records. A watch ends with its open file.
#include "kernel/scheme/caller.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/kernel_schemes.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/scheme/watch.h"
#include <redox/flags.h>
#include <redox/types.h>

enum { EVENTS_AT_ONCE = 16 };

static unsigned poll_of(uint64_t flags)
{
    return (flags & REDOX_EVENT_READ ? POLL_IN : 0u) | (flags & REDOX_EVENT_WRITE ? POLL_OUT : 0u);
}

// An error or a hang-up makes both sides ready: reading or writing tells more.
static uint64_t flags_of(const struct watch_event *e)
{
    unsigned ready = e->ready & (POLL_ERROR | POLL_HANGUP) ? POLL_IN | POLL_OUT : e->ready;
    ready &= e->wanted;
    return (ready & POLL_IN ? REDOX_EVENT_READ : 0u) | (ready & POLL_OUT ? REDOX_EVENT_WRITE : 0u);
}

static err_t records_put(struct io *io, const struct watch_event *events, size_t count)
{
    err_t e = 0;
    for (size_t i = 0; i < count && !e; i++) {
        struct redox_event record = { .id = (uint64_t)events[i].number,
                                      .flags = flags_of(&events[i]),
                                      .data = events[i].data };
        e = io_put(io, &record, sizeof(record));
    }
    return e;
}

static len_t event_read(struct file *f, struct io *io, uint64_t offset)
{
    struct file *list = f->data;
    struct watch_event events[EVENTS_AT_ONCE];
    if (io->left < sizeof(struct redox_event))
        return -EINVAL;
    bool waits = !(__atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK);
    nanos_t until = waits ? WAIT_FOREVER : 0;
    err_t e = 0;
    while (!e && io->left >= sizeof(struct redox_event)) {
        size_t room = min_of(io->left / sizeof(struct redox_event), (uint64_t)EVENTS_AT_ONCE);
        size_t count;
        e = watch_wait(list, events, room, io->done ? 0 : until, &count);
        if (e || count == 0)
            break;
        e = records_put(io, events, count);
    }
    if (!e && !io->done)
        e = -EAGAIN;
    return io_result(io, e == -EINTR ? -ERESTARTSYS : e);
}

static const struct file_ops event_files;

static err_t event_register(struct file *list, const struct caller *c,
                            const struct redox_event *record)
{
    struct file *f;
    if (record->id > INT32_MAX)
        return -EBADF;
    int number = (int)record->id;
    err_t e = descriptor_file(c->descriptors, number, &f);
    if (e)
        return e;
    unsigned wanted = poll_of(record->flags), mode = WATCH_EDGE | WATCH_ANY;
    if (f->ops == &event_files && f->data == list) {
        e = -ELOOP;
    } else if (wanted) {
        e = watch_change(list, f, number, wanted, mode, record->data);
        if (e == -ENOENT)
            e = watch_add(list, f, number, wanted, mode, record->data);
    } else {
        e = watch_remove(list, f, number);
        if (e == -ENOENT)
            e = 0;
    }
    file_put(f);
    return e;
}

static len_t event_write(struct file *f, struct io *io, uint64_t offset)
{
    struct redox_event record;
    struct caller c;
    uint64_t done = 0;
    if (io->left < sizeof(record))
        return -EINVAL;
    caller_look(&c);
    if (!c.descriptors)
        return -EBADF;
    err_t e = 0;
    while (!e && io->left >= sizeof(record)) {
        e = io_get(io, &record, sizeof(record));
        if (!e)
            e = event_register(f->data, &c, &record);
        if (!e)
            done += sizeof(record);
    }
    return done ? (len_t)done : e;
}

static unsigned event_poll(struct file *f, struct poll_table *t)
{
    return file_poll(f->data, t) | POLL_OUT;
}

static struct file *event_watched(struct file *f)
{
    return f->data;
}

static void event_close(struct file *f)
{
    file_put(f->data);
}

static const struct file_ops event_files = {
    .name = "event",
    .read = event_read,
    .write = event_write,
    .poll = event_poll,
    .path = handle_path,
    .watched = event_watched,
    .close = event_close,
};

// Any path and any flags will do.
static err_t event_open_path(struct scheme *s, const struct view *v, const char *path,
                             size_t length, unsigned flags, unsigned mode, struct file **file)
{
    if (flags & OPEN_PATH)
        return handle_place(s, path, NODE_CHARACTER, 0666, flags, file);
    struct file *list;
    err_t e = watch_list_make(0, &list);
    if (e)
        return e;
    flags |= OPEN_READ | OPEN_WRITE;
    e = handle_make(s, &event_files, path, NODE_CHARACTER, 0666, flags, list, file);
    if (e)
        file_put(list);
    return e;
}

static const struct scheme_ops event_scheme_ops = {
    .root = path_scheme_root,
    .open_path = event_open_path,
};

static struct scheme event_scheme = { .name = "event",
                                      .ops = &event_scheme_ops,
                                      .opens_anew = true };

void event_scheme_init(void)
{
    handle_scheme_add(&event_scheme);
}
