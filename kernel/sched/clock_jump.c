// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/sched/clock_jump.h"
#include "kernel/sched/thread.h"

static struct list watchers = LIST_INIT(watchers);
static struct spinlock lock = SPINLOCK_INIT(RANK_CLOCK); // of the list

void clock_jump_tell(void)
{
    spin_lock(&lock);
    list_for_each (link, &watchers) {
        struct clock_jump *j = list_entry(link, struct clock_jump, link);
        j->jumped(j);
    }
    spin_unlock(&lock);
}

void clock_jump_begin(struct clock_jump *j, void (*jumped)(struct clock_jump *j))
{
    j->jumped = jumped;
    spin_lock(&lock);
    list_push_back(&watchers, &j->link);
    spin_unlock(&lock);
}

void clock_jump_end(struct clock_jump *j)
{
    spin_lock(&lock);
    list_remove(&j->link);
    spin_unlock(&lock);
}

struct sleeper {
    struct clock_jump jump;
    struct thread *thread;
};

static void wake_sleeper(struct clock_jump *j)
{
    thread_wake(container_of(j, struct sleeper, jump)->thread);
}

err_t clock_sleep_until_wall(nanos_t wall)
{
    struct sleeper s = { .thread = thread_current() };
    err_t e = 0;
    clock_jump_begin(&s.jump, wake_sleeper);
    for (;;) {
        nanos_t left, at;
        wait_prepare(NULL);
        if (e == -EINTR || (!sub_overflows(wall, clock_wall(), &left) && left <= 0))
            break;
        if (add_overflows(clock_now(), left, &at))
            at = WAIT_FOREVER;
        e = wait_sleep(NULL, at, true);
    }
    clock_jump_end(&s.jump);
    return e == -EINTR ? e : 0;
}
