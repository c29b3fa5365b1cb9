// SPDX-License-Identifier: GPL-3.0-or-later
// Timers that signal (timers.h). The process's signal_lock guards its list of timers and all of
// each timer but the hardware's part; so a timer that fires, one that is set and a signal that is
// taken come one after the other. A timer's memory goes when its list no longer has it and it fires
// no more.
#include "kernel/process/timers.h"
#include "kernel/memory/heap.h"
#include "kernel/process/internal.h"
#include "kernel/sched/clock_jump.h"

#define INTERVAL_LEAST (100 * NANOS_PER_MICRO) // shorter periods are counted, not waited for
enum { TIMERS_MAX = 4096 };

struct process_timer {
    struct list link; // struct process.timers
    struct timer timer;
    struct clock_jump jump;
    struct process *process;
    struct timer_wish wish;
    int32_t number;
    nanos_t next, interval;   // next: 0 disarmed
    bool follows, queued;     // `next` is a time of the wall clock; its signal waits
    uint64_t missed, overrun; // since the signal was sent; of the last that was taken
};

static nanos_t clock_of(const struct process_timer *t)
{
    if (t->wish.by_cpu)
        return cpu_clock_now_locked(t->process, &t->wish.clock);
    return t->follows ? clock_wall() : clock_now();
}

static struct process_timer *find_locked(struct process *p, int32_t number)
{
    list_for_each (link, &p->timers) {
        struct process_timer *t = list_entry(link, struct process_timer, link);
        if (t->number == number)
            return t;
    }
    return NULL;
}

static void arm_locked(struct process_timer *t, nanos_t least)
{
    nanos_t span, at;
    if (sub_overflows(t->next, clock_of(t), &span))
        span = INT64_MAX;
    span = max_of(span, least);
    if (t->wish.by_cpu)
        span = cpu_clock_span_locked(t->process, &t->wish.clock, span);
    timer_arm(&t->timer, add_overflows(clock_now(), span, &at) ? INT64_MAX : at);
}

// Counts the periods that are over and arms for the next; how many there were. One that does not
// repeat is disarmed.
static uint64_t step_locked(struct process_timer *t)
{
    nanos_t late = clock_of(t) - t->next;
    if (late < 0)
        return 0;
    if (!t->interval) {
        t->next = 0;
        return 1;
    }
    nanos_t periods = late / t->interval + 1;
    t->next += periods * t->interval;
    arm_locked(t, INTERVAL_LEAST);
    return (uint64_t)periods;
}

// Whether its signal still waits: it may have been thrown away, or lost its information.
static bool waits_locked(const struct process_timer *t)
{
    struct process *p = t->process;
    uint64_t pending = p->pending.pending;
    list_for_each (link, &p->tasks)
        pending |= list_entry(link, struct task, process_link)->pending.pending;
    return t->queued && pending & SIGNAL_BIT(t->wish.signal);
}

// Who is to be told: a task with a reference, NULL the process, whose memory the timer's list
// keeps.
static void tell(struct process *p, int32_t number, const struct signal_info *info)
{
    struct task *task;
    if (!number) {
        (void)signal_send_process(p, info);
    } else if (!task_find(number, &task)) {
        if (task->process == p)
            (void)signal_send_task(task, info);
        task_put(task);
    }
}

static void fire(struct timer *timer)
{
    struct process_timer *t = container_of(timer, struct process_timer, timer);
    struct process *p = t->process;
    struct signal_info info = { .number = t->wish.signal,
                                .code = SIGNAL_FROM_TIMER,
                                .value = t->wish.own_number ? (uint64_t)t->number : t->wish.value,
                                .timer = t->number };
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    uint64_t periods = t->next ? step_locked(t) : 0;
    bool again =
        t->next && !periods; // the wall clock went back, the processors' has not come so far
    bool sends = periods && info.number && !waits_locked(t);
    if (again)
        arm_locked(t, 0);
    if (periods)
        t->missed += periods - (sends ? 1 : 0);
    if (sends)
        t->queued = false;
    spin_unlock_irq(&p->signal_lock, flags);
    if (sends)
        tell(p, t->wish.task, &info);
}

static void jumped(struct clock_jump *j)
{
    struct process_timer *t = container_of(j, struct process_timer, jump);
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    if (t->follows && t->next)
        arm_locked(t, 0);
    spin_unlock_irq(&t->process->signal_lock, flags);
}

void process_timer_queued_locked(struct process *p, const struct signal_info *info)
{
    struct process_timer *t = find_locked(p, info->timer);
    if (t)
        t->queued = true;
}

void process_timer_taken_locked(struct process *p, struct signal_info *info)
{
    struct process_timer *t = find_locked(p, info->timer);
    if (!t)
        return;
    // What is over counts, although the processor has not told of it yet.
    if (t->next && t->interval)
        t->missed += step_locked(t);
    t->overrun = t->missed;
    t->missed = 0;
    t->queued = false;
    info->overrun = (int32_t)min_of(t->overrun, (uint64_t)INT32_MAX);
}

static int32_t number_locked(struct process *p)
{
    while (find_locked(p, p->timer_next))
        p->timer_next = p->timer_next == INT32_MAX ? 0 : p->timer_next + 1;
    int32_t number = p->timer_next;
    p->timer_next = number == INT32_MAX ? 0 : number + 1;
    return number;
}

// Its reference on the list is gone.
static void timer_end(struct process_timer *t)
{
    if (t->wish.wall)
        clock_jump_end(&t->jump);
    (void)timer_cancel_sync(&t->timer);
    (void)timer_cancel_sync(&t->timer); // firing just now, it may still have armed itself again
    heap_free(t);
}

err_t process_timer_make(const struct timer_wish *wish, int32_t *number)
{
    struct process *p = process_current();
    struct process_timer *t = heap_alloc(sizeof(*t));
    if (!t)
        return -ENOMEM;
    *t = (struct process_timer){ .process = p, .wish = *wish };
    timer_init(&t->timer, fire, NULL);
    if (wish->wall)
        clock_jump_begin(&t->jump, jumped);
    unsigned count = 0;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    list_for_each (link, &p->timers)
        count++;
    bool room = count < TIMERS_MAX;
    if (room) {
        *number = t->number = number_locked(p);
        list_push_back(&p->timers, &t->link);
    }
    spin_unlock_irq(&p->signal_lock, flags);
    if (!room)
        timer_end(t);
    return room ? 0 : -EAGAIN;
}

static void look_locked(const struct process_timer *t, struct timer_setting *s)
{
    nanos_t left = t->next ? max_of(t->next - clock_of(t), (nanos_t)1) : 0;
    *s = (struct timer_setting){ left, t->interval };
}

err_t process_timer_get(int32_t number, struct timer_setting *s)
{
    struct process *p = process_current();
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct process_timer *t = find_locked(p, number);
    if (t)
        look_locked(t, s);
    spin_unlock_irq(&p->signal_lock, flags);
    return t ? 0 : -EINVAL;
}

static void set_locked(struct process_timer *t, const struct timer_setting *s, bool absolute)
{
    t->follows = t->wish.wall && absolute;
    t->interval = s->interval;
    t->next = s->value;
    t->missed = t->overrun = 0;
    if (s->value && !absolute && add_overflows(clock_of(t), s->value, &t->next))
        t->next = INT64_MAX;
    if (t->next)
        arm_locked(t, 0);
    else
        (void)timer_cancel(&t->timer);
}

err_t process_timer_set(int32_t number, const struct timer_setting *s, unsigned flags,
                        struct timer_setting *old)
{
    struct process *p = process_current();
    uint64_t saved = spin_lock_irq(&p->signal_lock);
    struct process_timer *t = find_locked(p, number);
    if (t) {
        look_locked(t, old);
        set_locked(t, s, flags & TIMER_ABSOLUTE);
    }
    spin_unlock_irq(&p->signal_lock, saved);
    return t ? 0 : -EINVAL;
}

err_t process_timer_overrun(int32_t number, int *count)
{
    struct process *p = process_current();
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct process_timer *t = find_locked(p, number);
    if (t)
        *count = (int)min_of(t->overrun, (uint64_t)INT32_MAX);
    spin_unlock_irq(&p->signal_lock, flags);
    return t ? 0 : -EINVAL;
}

static struct process_timer *take_off(struct process *p, int32_t number, bool any)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct process_timer *t = NULL;
    if (!any)
        t = find_locked(p, number);
    else if (!list_empty(&p->timers))
        t = list_first(&p->timers, struct process_timer, link);
    if (t) {
        list_remove(&t->link);
        t->next = 0;
    }
    spin_unlock_irq(&p->signal_lock, flags);
    return t;
}

err_t process_timer_drop(int32_t number)
{
    struct process_timer *t = take_off(process_current(), number, false);
    if (!t)
        return -EINVAL;
    timer_end(t);
    return 0;
}

void process_timers_drop(struct process *p)
{
    struct process_timer *t;
    while ((t = take_off(p, 0, true)))
        timer_end(t);
}
