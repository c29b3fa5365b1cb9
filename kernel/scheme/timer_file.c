// SPDX-License-Identifier: GPL-3.0-or-later
// Timer files (timer_file.h). Owns one timer each; its lock (RANK_QUEUE) guards the rest.
//
// `next` is a time since boot, or of the wall clock while `follows`: then the timer is armed again
// whenever that clock is set.
#include "kernel/scheme/timer_file.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/clock_jump.h"

struct timer_file {
    struct spinlock lock;
    struct timer timer;
    struct clock_jump jump;
    struct wait_queue ringing;
    nanos_t next, interval;  // next: 0 disarmed
    uint64_t rang;           // since the last read
    bool wall, follows;      // its clock; `next` is a time of the wall clock
    bool over;               // `next` has come; one that repeats is not armed again yet
    bool cancels, cancelled; // a read is to tell that the clock was set
};

static nanos_t clock_of(const struct timer_file *t)
{
    return t->follows ? clock_wall() : clock_now();
}

// Under the lock, as all that follow.
static void arm(struct timer_file *t)
{
    nanos_t span;
    if (sub_overflows(t->next, clock_of(t), &span))
        span = INT64_MAX;
    nanos_t at;
    timer_arm(&t->timer, add_overflows(clock_now(), span, &at) ? INT64_MAX : at);
}

// Counts the periods that went by since it rang, and arms it for the next.
static void catch_up(struct timer_file *t)
{
    if (!t->over || !t->interval)
        return;
    nanos_t late = max_of(clock_of(t) - t->next, (nanos_t)0); // the clock may have gone back
    nanos_t periods = late / t->interval + 1;
    t->rang += (uint64_t)periods - 1;
    t->next += periods * t->interval;
    t->over = false;
    arm(t);
}

static void fire(struct timer *timer)
{
    struct timer_file *t = container_of(timer, struct timer_file, timer);
    uint64_t flags = spin_lock_irq(&t->lock);
    bool rings = t->next && !t->over && clock_of(t) >= t->next;
    if (rings) {
        t->over = true;
        t->rang++;
    } else if (t->next && !t->over) {
        arm(t);
    }
    spin_unlock_irq(&t->lock, flags);
    if (rings)
        wait_wake_key(&t->ringing, POLL_IN, UINT_MAX);
}

static void jumped(struct clock_jump *j)
{
    struct timer_file *t = container_of(j, struct timer_file, jump);
    uint64_t flags = spin_lock_irq(&t->lock);
    bool cancelled = t->follows && t->cancels;
    t->cancelled |= cancelled;
    if (t->follows && t->next && !t->over)
        arm(t);
    spin_unlock_irq(&t->lock, flags);
    if (cancelled)
        wait_wake_key(&t->ringing, POLL_IN, UINT_MAX);
}

static bool has_rung(const struct timer_file *t)
{
    return __atomic_load_n(&t->rang, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&t->cancelled, __ATOMIC_ACQUIRE);
}

static err_t take(struct timer_file *t, uint64_t *rang)
{
    uint64_t flags = spin_lock_irq(&t->lock);
    err_t e = t->cancelled ? -ECANCELED : t->rang ? 0 : -EAGAIN;
    if (!e)
        catch_up(t);
    *rang = t->rang;
    t->rang = 0;
    t->cancelled = false;
    spin_unlock_irq(&t->lock, flags);
    return e;
}

static len_t timer_read(struct file *f, struct io *io, uint64_t offset)
{
    struct timer_file *t = f->data;
    uint64_t rang;
    if (io->left < sizeof(rang))
        return -EINVAL;
    for (;;) {
        err_t e = take(t, &rang);
        if (!e)
            return io_result(io, io_put(io, &rang, sizeof(rang)));
        if (e != -EAGAIN || __atomic_load_n(&f->flags, __ATOMIC_RELAXED) & OPEN_NONBLOCK)
            return e;
        if (wait_until(&t->ringing, has_rung(t), WAIT_FOREVER))
            return -ERESTARTSYS;
    }
}

static unsigned timer_poll(struct file *f, struct poll_table *table)
{
    struct timer_file *t = f->data;
    if (table)
        table->add(table, &t->ringing);
    return has_rung(t) ? POLL_IN : 0;
}

static err_t timer_path(struct file *f, char *to, size_t room, size_t *length)
{
    return file_label(to, room, length, "anon_inode:[timerfd]");
}

static void timer_close(struct file *f)
{
    struct timer_file *t = f->data;
    if (t->wall)
        clock_jump_end(&t->jump);
    uint64_t flags = spin_lock_irq(&t->lock);
    t->next = 0; // it does not arm itself again
    spin_unlock_irq(&t->lock, flags);
    (void)timer_cancel_sync(&t->timer);
    heap_free(t);
}

static const struct file_ops timer_files = {
    .name = "timer",
    .read = timer_read,
    .poll = timer_poll,
    .path = timer_path,
    .close = timer_close,
};

bool timer_file_is(const struct file *f)
{
    return f->ops == &timer_files;
}

static void look(struct timer_file *t, struct timer_setting *s)
{
    catch_up(t);
    nanos_t left = t->next && !t->over ? max_of(t->next - clock_of(t), (nanos_t)1) : 0;
    *s = (struct timer_setting){ left, t->interval };
}

void timer_file_get(struct file *f, struct timer_setting *s)
{
    struct timer_file *t = f->data;
    uint64_t flags = spin_lock_irq(&t->lock);
    look(t, s);
    spin_unlock_irq(&t->lock, flags);
}

void timer_file_set(struct file *f, const struct timer_setting *s, unsigned flags,
                    struct timer_setting *old)
{
    struct timer_file *t = f->data;
    bool absolute = flags & TIMER_ABSOLUTE;
    uint64_t saved = spin_lock_irq(&t->lock);
    look(t, old);
    t->rang = 0;
    t->over = t->cancelled = false;
    t->follows = t->wall && absolute;
    t->cancels = t->follows && flags & TIMER_CANCEL;
    t->interval = s->interval;
    t->next = s->value;
    if (s->value && !absolute && add_overflows(clock_now(), s->value, &t->next))
        t->next = INT64_MAX;
    if (t->next)
        arm(t);
    else
        (void)timer_cancel(&t->timer);
    spin_unlock_irq(&t->lock, saved);
}

err_t timer_file_make(bool wall, unsigned flags, struct file **file)
{
    struct timer_file *t = heap_alloc(sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->wall = wall;
    spin_init(&t->lock, RANK_QUEUE);
    timer_init(&t->timer, fire, NULL);
    wait_queue_init(&t->ringing);
    err_t e = file_make(&timer_files, NULL, NULL, flags | OPEN_READ | OPEN_WRITE, t, file);
    if (e)
        heap_free(t);
    else if (wall)
        clock_jump_begin(&t->jump, jumped);
    return e;
}
