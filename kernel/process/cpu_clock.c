// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/process/cpu_clock.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/process/internal.h"
#include "kernel/scheme/timer_file.h"

// Nobody looks more often; and periods that are shorter are counted, not waited for.
#define LOOK_LEAST     NANOS_PER_MILLI
#define INTERVAL_LEAST (100 * NANOS_PER_MICRO)

static struct task *find_locked(struct process *p, int32_t number)
{
    list_for_each (link, &p->tasks) {
        struct task *t = list_entry(link, struct task, process_link);
        if (t->number == number)
            return t;
    }
    return NULL;
}

nanos_t cpu_clock_now_locked(struct process *p, const struct cpu_clock *c)
{
    struct child_times times = { 0 };
    struct task *t = c->task ? find_locked(p, c->task) : NULL;
    if (t)
        thread_times(&t->thread, &times.user, &times.system);
    else if (!c->task)
        process_times_locked(p, &times);
    return times.user + (c->user_only ? 0 : times.system);
}

nanos_t cpu_clock_span_locked(struct process *p, const struct cpu_clock *c, nanos_t left)
{
    if (c->task && !find_locked(p, c->task))
        return INT64_MAX; // it has ended
    nanos_t at_once = c->task ? 1 : max_of(1u, min_of(p->task_count, cpu_count));
    return max_of(left / at_once, (nanos_t)LOOK_LEAST);
}

static nanos_t now_locked(struct interval_timer *i)
{
    return i->by_cpu ? cpu_clock_now_locked(i->process, &i->clock) : clock_now();
}

static void arm_locked(struct interval_timer *i, nanos_t now, nanos_t least)
{
    nanos_t span = max_of(i->next - now, least), at;
    if (i->by_cpu)
        span = cpu_clock_span_locked(i->process, &i->clock, span);
    timer_arm(&i->timer, add_overflows(clock_now(), span, &at) ? INT64_MAX : at);
}

// Whether it rings. Then it goes on to its next time, the first that is not over.
static bool step_locked(struct interval_timer *i)
{
    nanos_t now = now_locked(i);
    if (!i->next)
        return false;
    bool rings = now >= i->next;
    if (rings && !i->interval)
        i->next = 0;
    else if (rings &&
             add_overflows(i->next, ((now - i->next) / i->interval + 1) * i->interval, &i->next))
        i->next = 0;
    if (i->next)
        arm_locked(i, now, rings ? INTERVAL_LEAST : 0);
    return rings;
}

static int signal_of(const struct interval_timer *i)
{
    struct process *p = i->process;
    if (i != &p->cpu_limit)
        return i->signal;
    uint64_t hard = p->limits[LIMIT_CPU].hard;
    uint64_t ran = (uint64_t)(now_locked(&p->cpu_limit) / NANOS_PER_SECOND);
    return ran >= hard ? SIGNAL_KILL : SIGNAL_CPU;
}

static void fire(struct timer *timer)
{
    struct interval_timer *i = container_of(timer, struct interval_timer, timer);
    struct process *p = i->process;
    struct signal_info info = { .code = SIGNAL_FROM_KERNEL };
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    if (step_locked(i))
        info.number = signal_of(i);
    spin_unlock_irq(&p->signal_lock, flags);
    if (info.number)
        (void)!signal_send_process(p, &info);
}

static void look_locked(struct interval_timer *i, struct timer_setting *s)
{
    nanos_t left = i->next ? max_of(i->next - now_locked(i), (nanos_t)NANOS_PER_MICRO) : 0;
    *s = (struct timer_setting){ left, i->interval };
}

void interval_timer_get(struct interval_timer *i, struct timer_setting *left)
{
    uint64_t flags = spin_lock_irq(&i->process->signal_lock);
    look_locked(i, left);
    spin_unlock_irq(&i->process->signal_lock, flags);
}

static void set_locked(struct interval_timer *i, nanos_t next, nanos_t interval, nanos_t now)
{
    i->interval = interval;
    i->next = next;
    if (next)
        arm_locked(i, now, 0);
    else
        (void)timer_cancel(&i->timer);
}

void interval_timer_set(struct interval_timer *i, const struct timer_setting *s,
                        struct timer_setting *old)
{
    nanos_t next = 0;
    uint64_t flags = spin_lock_irq(&i->process->signal_lock);
    nanos_t now = now_locked(i);
    look_locked(i, old);
    if (s->value && add_overflows(now, s->value, &next))
        next = INT64_MAX;
    set_locked(i, next, s->interval, now);
    spin_unlock_irq(&i->process->signal_lock, flags);
}

// The soft limit signals once a second; who is over the hard one is killed. No time at all means
// one second, as on Linux.
void cpu_limit_changed(struct process *p)
{
    struct interval_timer *i = &p->cpu_limit;
    struct limit_pair l = p->limits[LIMIT_CPU];
    uint64_t most = INT64_MAX / NANOS_PER_SECOND;
    uint64_t seconds = max_of(min_of(l.soft, l.hard), (uint64_t)1);
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    nanos_t next = seconds < most ? (nanos_t)seconds * NANOS_PER_SECOND : 0;
    if (next || i->next)
        set_locked(i, next, NANOS_PER_SECOND, now_locked(i));
    spin_unlock_irq(&p->signal_lock, flags);
}

static void make(struct process *p, struct interval_timer *i, int signal, bool by_cpu, bool user)
{
    *i = (struct interval_timer){
        .process = p, .signal = signal, .by_cpu = by_cpu, .clock = { .user_only = user }
    };
    timer_init(&i->timer, fire, NULL);
}

void interval_timers_init(struct process *p)
{
    make(p, &p->alarm, SIGNAL_ALARM, false, false);
    make(p, &p->virtual_alarm, SIGNAL_VIRTUAL_ALARM, true, true);
    make(p, &p->profile, SIGNAL_PROFILE, true, false);
    make(p, &p->cpu_limit, SIGNAL_CPU, true, false);
}

void interval_timers_drop(struct process *p)
{
    struct interval_timer *all[] = { &p->alarm, &p->virtual_alarm, &p->profile, &p->cpu_limit };
    for (unsigned n = 0; n < array_len(all); n++) {
        uint64_t flags = spin_lock_irq(&p->signal_lock);
        set_locked(all[n], 0, 0, 0);
        spin_unlock_irq(&p->signal_lock, flags);
        (void)timer_cancel_sync(&all[n]->timer);
    }
}
