// SPDX-License-Identifier: GPL-3.0-or-later
// Schemes "time" and "itimer": clocks as files, in Redox's form.
//
// "time:4" (since boot) and "time:1" (since 1970): reading gives the time, writing a time arms one
// more alarm that makes the handle readable then, until it is read. "itimer:1" and "itimer:4":
// writing an interval and a first distance arms a repeating alarm (0: none), reading gives the
// interval and what is left. A wall clock that is set later does not move alarms that are armed.
//
// Each handle has one timer, armed for its earliest alarm. h->lock (RANK_QUEUE) guards the alarms.
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/kernel_schemes.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/sync/wait.h"
#include "lib/string.h"
#include <redox/flags.h>
#include <redox/types.h>

enum { ALARMS_MAX = 256 };

struct time_handle {
    bool wall; // shows the time since 1970
    bool rang; // since it was read; under the lock
    struct spinlock lock;
    struct timer timer;
    struct wait_queue ringing;
    nanos_t interval;  // itimer: 0 rings once
    unsigned count;    // alarms armed
    nanos_t alarms[1]; // since boot; ALARMS_MAX of them in a handle of "time"
};

static nanos_t clock_of(const struct time_handle *h)
{
    return h->wall ? clock_wall() : clock_now();
}

static struct redox_timespec timespec_of(nanos_t t)
{
    return (struct redox_timespec){ .tv_sec = t / NANOS_PER_SECOND,
                                    .tv_nsec = (int32_t)(t % NANOS_PER_SECOND) };
}

// -EINVAL: no time. What is too far away is for ever.
static err_t nanos_of(const struct redox_timespec *t, nanos_t *nanos)
{
    if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= NANOS_PER_SECOND)
        return -EINVAL;
    if (t->tv_sec >= INT64_MAX / NANOS_PER_SECOND)
        *nanos = INT64_MAX;
    else
        *nanos = t->tv_sec * NANOS_PER_SECOND + t->tv_nsec;
    return 0;
}

static nanos_t time_after(nanos_t from, nanos_t by)
{
    nanos_t sum;
    return add_overflows(from, by, &sum) ? INT64_MAX : sum;
}

// Arms for the earliest alarm. Under the lock.
static void arm_locked(struct time_handle *h)
{
    nanos_t first = INT64_MAX;
    for (unsigned i = 0; i < h->count; i++)
        first = min_of(first, h->alarms[i]);
    if (first != INT64_MAX)
        timer_arm(&h->timer, first);
}

static void ring(struct timer *t)
{
    struct time_handle *h = container_of(t, struct time_handle, timer);
    nanos_t now = clock_now();
    uint64_t flags = spin_lock_irq(&h->lock);
    bool rang = false;
    for (unsigned i = 0; i < h->count;) {
        if (h->alarms[i] > now) {
            i++;
            continue;
        }
        rang = true;
        if (h->interval) {
            nanos_t late = (now - h->alarms[i]) / h->interval * h->interval;
            h->alarms[i] = time_after(h->alarms[i] + late, h->interval);
            i++;
        } else {
            h->alarms[i] = h->alarms[--h->count];
        }
    }
    h->rang |= rang;
    arm_locked(h);
    spin_unlock_irq(&h->lock, flags);
    if (rang)
        wait_wake_key(&h->ringing, POLL_IN, UINT_MAX);
}

static void quiet(struct time_handle *h)
{
    uint64_t flags = spin_lock_irq(&h->lock);
    h->rang = false;
    spin_unlock_irq(&h->lock, flags);
}

static len_t time_read(struct file *f, struct io *io, uint64_t offset)
{
    struct time_handle *h = f->data;
    if (io->left < sizeof(struct redox_timespec))
        return -EINVAL;
    quiet(h);
    struct redox_timespec now = timespec_of(clock_of(h));
    return io_result(io, io_put(io, &now, sizeof(now)));
}

static err_t alarm_add(struct time_handle *h, nanos_t at)
{
    if (h->wall)
        at = time_after(clock_now(), at - clock_wall());
    uint64_t flags = spin_lock_irq(&h->lock);
    err_t e = h->count < ALARMS_MAX ? 0 : -EAGAIN;
    if (!e) {
        h->alarms[h->count++] = at;
        arm_locked(h);
    }
    spin_unlock_irq(&h->lock, flags);
    return e;
}

static len_t time_write(struct file *f, struct io *io, uint64_t offset)
{
    struct redox_timespec t;
    nanos_t at;
    uint64_t done = 0;
    if (io->left < sizeof(t))
        return -EINVAL;
    err_t e = 0;
    while (!e && io->left >= sizeof(t)) {
        e = io_get(io, &t, sizeof(t));
        if (!e)
            e = nanos_of(&t, &at);
        if (!e)
            e = alarm_add(f->data, at);
        if (!e)
            done += sizeof(t);
    }
    return done ? (len_t)done : e;
}

static unsigned time_poll(struct file *f, struct poll_table *t)
{
    struct time_handle *h = f->data;
    if (t)
        t->add(t, &h->ringing);
    return (__atomic_load_n(&h->rang, __ATOMIC_ACQUIRE) ? POLL_IN : 0u) | POLL_OUT;
}

static void time_close(struct file *f)
{
    struct time_handle *h = f->data;
    timer_cancel_sync(&h->timer);
    heap_free(h);
}

static len_t itimer_read(struct file *f, struct io *io, uint64_t offset)
{
    struct time_handle *h = f->data;
    struct redox_itimerspec spec = { 0 };
    if (io->left < sizeof(spec))
        return -EINVAL;
    uint64_t flags = spin_lock_irq(&h->lock);
    h->rang = false;
    nanos_t left = h->count ? h->alarms[0] - clock_now() : 0;
    spec.it_interval = timespec_of(h->interval);
    spin_unlock_irq(&h->lock, flags);
    spec.it_value = timespec_of(left > 0 ? left : 0);
    return io_result(io, io_put(io, &spec, sizeof(spec)));
}

static len_t itimer_write(struct file *f, struct io *io, uint64_t offset)
{
    struct time_handle *h = f->data;
    struct redox_itimerspec spec;
    nanos_t interval, value;
    if (io->left < sizeof(spec))
        return -EINVAL;
    err_t e = io_get(io, &spec, sizeof(spec));
    if (!e)
        e = nanos_of(&spec.it_interval, &interval);
    if (!e)
        e = nanos_of(&spec.it_value, &value);
    if (e)
        return e;
    timer_cancel_sync(&h->timer);
    uint64_t flags = spin_lock_irq(&h->lock);
    // One that rings more often than this would leave the machine no time for anything else.
    h->interval = interval ? max_of(interval, NANOS_PER_MILLI / 10) : 0;
    h->count = value ? 1 : 0;
    h->alarms[0] = time_after(clock_now(), value);
    arm_locked(h);
    spin_unlock_irq(&h->lock, flags);
    return sizeof(spec);
}

static const struct file_ops time_files = {
    .name = "time",
    .read = time_read,
    .write = time_write,
    .poll = time_poll,
    .path = handle_path,
    .close = time_close,
};

static const struct file_ops itimer_files = {
    .name = "itimer",
    .read = itimer_read,
    .write = itimer_write,
    .poll = time_poll,
    .path = handle_path,
    .close = time_close,
};

static err_t clock_open(struct scheme *s, const char *path, unsigned flags, struct file **file)
{
    bool repeats = s->data == &itimer_files;
    struct time_handle *h =
        heap_alloc(sizeof(*h) + (repeats ? 0 : (ALARMS_MAX - 1) * sizeof(h->alarms[0])));
    if (!h)
        return -ENOMEM;
    h->wall = path[0] == '0' + REDOX_CLOCK_REALTIME;
    spin_init(&h->lock, RANK_QUEUE);
    timer_init(&h->timer, ring, h);
    wait_queue_init(&h->ringing);
    err_t e = handle_make(s, s->data, path, NODE_CHARACTER, 0666, flags, h, file);
    if (e)
        heap_free(h);
    return e;
}

static err_t time_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                            unsigned flags, unsigned mode, struct file **file)
{
    static const char clocks[] = "1\n4\n";
    if (length == 0) {
        if (flags & OPEN_WRITE)
            return -EISDIR;
        return handle_listing(s, path, 0555, flags, NODE_CHARACTER, heap_string(clocks),
                              sizeof(clocks) - 1, file);
    }
    if (!string_equal(path, "1") && !string_equal(path, "4"))
        return -ENOENT;
    if (flags & OPEN_PATH)
        return handle_place(s, path, NODE_CHARACTER, 0666, flags, file);
    return clock_open(s, path, flags, file);
}

static const struct scheme_ops time_scheme_ops = {
    .root = path_scheme_root,
    .open_path = time_open_path,
};

static struct scheme time_scheme = {
    .name = "time",
    .ops = &time_scheme_ops,
    .data = (void *)&time_files,
};

static struct scheme itimer_scheme = {
    .name = "itimer",
    .ops = &time_scheme_ops,
    .data = (void *)&itimer_files,
};

void time_schemes_init(void)
{
    handle_scheme_add(&time_scheme);
    handle_scheme_add(&itimer_scheme);
}
