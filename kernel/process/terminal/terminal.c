// SPDX-License-Identifier: GPL-3.0-or-later
// Terminals: making them, carrying bytes between device and line, and the file side's read, write
// and poll. Job control is in terminal_jobs.c, requests in terminal_control.c.
#include "kernel/process/terminal/terminal_inside.h"
#include "kernel/scheme/handle.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "lib/string.h"

enum { TERMINALS_MAX = 16 }; // that need the thread: devices, not pseudo-terminals

static struct terminal *served[TERMINALS_MAX];
static uint32_t served_count;
static uint32_t work_wanted; // some served terminal's `work` is set
static struct wait_queue work_wait = WAIT_QUEUE_INIT(work_wait);

static void line_signal(void *context, enum line_signal signal)
{
    static const int numbers[] = { SIGNAL_INTERRUPT, SIGNAL_QUIT, SIGNAL_TERMINAL_STOP };
    terminal_signal(context, numbers[signal]);
}

static const struct line_ops line_ops = { .signal = line_signal };

err_t terminal_make(const char *name, const struct terminal_driver *driver, void *device,
                    struct terminal **terminal)
{
    struct terminal *t = heap_alloc(sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->references = 1;
    string_copy(t->name, name, sizeof(t->name));
    t->driver = driver;
    t->device = device;
    mutex_init(&t->lock, RANK_TERMINAL);
    line_init(&t->line, &line_ops, t);
    wait_queue_init(&t->input_wait);
    wait_queue_init(&t->output_wait);
    *terminal = t;
    return 0;
}

void terminal_get(struct terminal *t)
{
    __atomic_fetch_add(&t->references, 1, __ATOMIC_RELAXED);
}

void terminal_put(struct terminal *t)
{
    if (__atomic_fetch_sub(&t->references, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    if (t->driver->drop)
        t->driver->drop(t->device);
    heap_free(t);
}

// Device to line: first what found no room last time, then what came since.
static void service_input(struct terminal *t)
{
    for (;;) {
        if (t->held_at == t->held_count) {
            t->held_at = 0;
            t->held_count = (uint32_t)t->driver->read(t->device, t->held, sizeof(t->held));
            if (t->held_count == 0)
                return;
        }
        size_t taken = line_input(&t->line, t->held + t->held_at, t->held_count - t->held_at);
        if (taken == 0)
            return;
        t->held_at += (uint32_t)taken;
    }
}

static void service_output(struct terminal *t)
{
    size_t count, sent;
    for (;;) {
        const uint8_t *bytes = line_pending(&t->line, &count);
        if (count == 0)
            return;
        sent = t->driver->write(t->device, bytes, count);
        line_sent(&t->line, sent);
        if (sent == 0)
            return;
    }
}

void terminal_service(struct terminal *t)
{
    assert(mutex_held(&t->lock));
    if (t->driver->broken && t->driver->broken(t->device))
        line_break(&t->line);
    service_output(t); // first: a screen may answer to it
    if (t->driver->read)
        service_input(t);
    service_output(t);
    if (line_available(&t->line) > 0)
        wait_wake_all(&t->input_wait);
    if (line_writable(&t->line))
        wait_wake_all(&t->output_wait);
}

void terminal_notify(struct terminal *t)
{
    __atomic_store_n(&t->work, 1, __ATOMIC_RELEASE);
    if (!__atomic_exchange_n(&work_wanted, 1, __ATOMIC_ACQ_REL))
        wait_wake_all(&work_wait);
}

static void work_thread(void *data)
{
    for (;;) {
        (void)wait_until_uninterrupted(
            &work_wait, __atomic_exchange_n(&work_wanted, 0, __ATOMIC_ACQ_REL), WAIT_FOREVER);
        uint32_t count = __atomic_load_n(&served_count, __ATOMIC_ACQUIRE);
        for (uint32_t i = 0; i < count; i++) {
            struct terminal *t = served[i];
            if (!__atomic_exchange_n(&t->work, 0, __ATOMIC_ACQ_REL))
                continue;
            mutex_lock(&t->lock);
            terminal_service(t);
            mutex_unlock(&t->lock);
        }
    }
}

void terminal_serve(struct terminal *t)
{
    static struct thread *thread;
    assert(served_count < TERMINALS_MAX);
    served[served_count] = t;
    __atomic_store_n(&served_count, served_count + 1, __ATOMIC_RELEASE);
    if (!thread && thread_make_kernel("terminals", work_thread, NULL, &thread))
        panic("terminal: no memory for the thread that serves them");
}

// The file side.

static void open_drop(struct terminal_file *open)
{
    terminal_put(open->terminal);
    heap_free(open);
}

err_t terminal_open(struct terminal *t, struct node *n, struct name *where, unsigned flags,
                    struct file **file)
{
    if (t->gone)
        return -EIO;
    struct terminal_file *open = heap_alloc(sizeof(*open));
    if (!open)
        return -ENOMEM;
    terminal_get(t);
    open->terminal = t;

    err_t e = 0;
    mutex_lock(&t->lock);
    open->generation = t->generation;
    if (t->exclusive && t->open_files > 0)
        e = -EBUSY;
    if (!e)
        e = file_make(&terminal_file_ops, n, where, flags, open, file);
    if (!e)
        t->open_files++;
    mutex_unlock(&t->lock);
    if (e) {
        open_drop(open);
        return e;
    }
    terminal_open_controls(t, flags);
    return 0;
}

static void file_close(struct file *f)
{
    struct terminal_file *open = f->data;
    struct terminal *t = open->terminal;
    mutex_lock(&t->lock);
    if (--t->open_files == 0) {
        t->exclusive = false;
        if (t->driver->closed)
            t->driver->closed(t->device);
    }
    mutex_unlock(&t->lock);
    open_drop(open);
}

struct terminal *terminal_of_file(struct file *f)
{
    if (f->ops != &terminal_file_ops)
        return NULL;
    terminal_get(terminal_of(f));
    return terminal_of(f);
}

// A wait that a signal cut short is a call to be made again.
static err_t restart_of(err_t e)
{
    return e == -EINTR ? -ERESTARTSYS : e;
}

// Waits for at least `wanted` bytes (in canonical mode: a line). 0: look; -ETIMEDOUT.
static err_t wait_for_input(struct file *f, uint32_t wanted, nanos_t deadline)
{
    struct terminal *t = terminal_of(f);
    struct line *l = &t->line;
    uint32_t mode = l->modes.local & LINE_ICANON;
    return wait_until(&t->input_wait,
                      line_available(l) >= wanted || (l->modes.local & LINE_ICANON) != mode ||
                          !terminal_alive(f),
                      deadline);
}

// The rules of VMIN and VTIME (POSIX.1-2017, 11.1.7). 0 when reading may go on (perhaps to find
// nothing), -ETIMEDOUT when the time is up.
static err_t wait_as_set(struct file *f, uint64_t size)
{
    const struct line_modes *m = &terminal_of(f)->line.modes;
    if (m->local & LINE_ICANON)
        return wait_for_input(f, 1, WAIT_FOREVER);

    uint32_t least = (uint32_t)min_of((uint64_t)m->chars[LINE_VMIN], size);
    nanos_t patience = m->chars[LINE_VTIME] * 100 * NANOS_PER_MILLI;
    if (patience == 0)
        return least == 0 ? 0 : wait_for_input(f, least, WAIT_FOREVER);
    if (least == 0)
        return wait_for_input(f, 1, clock_now() + patience);

    err_t e = wait_for_input(f, 1, WAIT_FOREVER);
    while (!e && line_available(&terminal_of(f)->line) < least && terminal_alive(f))
        e = wait_for_input(f, line_available(&terminal_of(f)->line) + 1, clock_now() + patience);
    return e == -ETIMEDOUT ? 0 : e;
}

// Takes from the line what is there. `*end` when there is no use in waiting for more.
static size_t read_some(struct file *f, uint8_t *to, size_t size, bool *end)
{
    struct terminal *t = terminal_of(f);
    mutex_lock(&t->lock);
    bool canonical = t->line.modes.local & LINE_ICANON;
    bool any = line_available(&t->line) > 0;
    size_t count = line_read(&t->line, to, size);
    *end = !terminal_alive(f) || (any && canonical); // a line of no bytes is an end of file
    terminal_service(t); // there is room now for what the device held back
    if (t->driver->drained_input)
        t->driver->drained_input(t->device);
    mutex_unlock(&t->lock);
    return count;
}

// One byte count for the caller, or why there is none.
static len_t read_into(struct file *f, uint8_t *to, size_t size)
{
    struct terminal *t = terminal_of(f);
    for (;;) {
        err_t e = terminal_check_foreground(t, SIGNAL_TERMINAL_IN);
        if (e)
            return e;
        bool nonblock = f->flags & OPEN_NONBLOCK;
        if (!nonblock)
            e = wait_as_set(f, size);
        if (e && e != -ETIMEDOUT)
            return restart_of(e);

        bool end;
        size_t count = read_some(f, to, size, &end);
        if (count > 0 || end || e == -ETIMEDOUT)
            return (len_t)count;
        const struct line_modes *m = &t->line.modes;
        if (!(m->local & LINE_ICANON) && m->chars[LINE_VMIN] == 0)
            return 0;
        if (nonblock)
            return -EAGAIN;
    }
}

static len_t file_read_op(struct file *f, struct io *io, uint64_t offset)
{
    uint8_t small[256];
    if (io->left == 0)
        return 0;
    size_t size = (size_t)min_of(io->left, (uint64_t)LINE_INPUT_SIZE);
    uint8_t *big = size > sizeof(small) ? heap_alloc(size) : NULL;
    if (!big)
        size = min_of(size, sizeof(small));

    uint8_t *buffer = big ? big : small;
    len_t count = terminal_alive(f) ? read_into(f, buffer, size) : 0;
    if (count > 0)
        count = io_result(io, io_put(io, buffer, (size_t)count));
    heap_free(big);
    return count;
}

// Hands bytes to the line and pushes them on; returns how many found room.
static size_t write_some(struct terminal *t, const uint8_t *from, size_t size)
{
    mutex_lock(&t->lock);
    size_t taken = 0, step;
    do { // the line's ring and the device's are emptied into each other while that helps
        step = line_output(&t->line, from + taken, size - taken);
        taken += step;
        service_output(t);
    } while (taken < size && step > 0);
    terminal_service(t);
    mutex_unlock(&t->lock);
    return taken;
}

// Writes all of `from`, waiting for room. The bytes written, or why there are none.
static len_t write_from(struct file *f, const uint8_t *from, size_t size)
{
    struct terminal *t = terminal_of(f);
    size_t done = 0;
    err_t e = 0;
    while (!e && done < size) {
        if (!terminal_alive(f)) {
            e = -EIO;
            break;
        }
        done += write_some(t, from + done, size - done);
        if (done == size)
            break;
        if (f->flags & OPEN_NONBLOCK)
            e = -EAGAIN;
        else
            e = restart_of(wait_until(&t->output_wait,
                                      line_writable(&t->line) || !terminal_alive(f), WAIT_FOREVER));
    }
    return done > 0 ? (len_t)done : e;
}

static len_t file_write_op(struct file *f, struct io *io, uint64_t offset)
{
    struct terminal *t = terminal_of(f);
    if (!terminal_alive(f))
        return -EIO;
    if (t->line.modes.local & LINE_TOSTOP) {
        err_t e = terminal_check_foreground(t, SIGNAL_TERMINAL_OUT);
        if (e)
            return e;
    }

    uint8_t chunk[512];
    uint64_t done = 0;
    while (io->left > 0) {
        size_t size = (size_t)min_of(io->left, (uint64_t)sizeof(chunk));
        len_t n = io_get(io, chunk, size);
        if (n == 0)
            n = write_from(f, chunk, size);
        if (n < 0)
            return done > 0 ? (len_t)done : n;
        done += (uint64_t)n;
        if ((size_t)n < size)
            break;
    }
    return (len_t)done;
}

static unsigned file_poll_op(struct file *f, struct poll_table *table)
{
    struct terminal *t = terminal_of(f);
    if (table && table->add) {
        table->add(table, &t->input_wait);
        table->add(table, &t->output_wait);
    }
    if (!terminal_alive(f))
        return POLL_IN | POLL_OUT | POLL_ERROR | POLL_HANGUP;
    unsigned ready = 0;
    if (line_readable(&t->line))
        ready |= POLL_IN;
    if (line_writable(&t->line))
        ready |= POLL_OUT;
    return ready;
}

static err_t file_path_op(struct file *f, char *to, size_t room, size_t *length)
{
    return f->where || f->node ? handle_path(f, to, room, length) : -ENOENT;
}

const struct file_ops terminal_file_ops = {
    .name = "terminal",
    .read = file_read_op,
    .write = file_write_op,
    .poll = file_poll_op,
    .control = terminal_control,
    .path = file_path_op,
    .derive = terminal_derive,
    .close = file_close,
};
