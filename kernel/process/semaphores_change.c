// SPDX-License-Identifier: GPL-3.0-or-later
// What happens to the values of a set: trying a change, and letting go on who waits after one.
// Whoever changes a set makes the changes of those who waited for that, so they need not try again.
// All under the set's lock.
#include "kernel/process/semaphores_inside.h"
#include "lib/base.h"
#include <redox/errno.h>

// One step; 1: it has to wait.
static int step_try(struct semaphores *s, struct change *c, const struct semaphore_step *step)
{
    struct semaphore *m = &s->all[index_clamp(step->number, s->count)];
    int32_t value = m->value + step->change;
    if ((step->change == 0 && m->value) || value < 0)
        return step->flags & SEMAPHORE_NO_WAIT ? -EAGAIN : 1;
    if (value > SEMAPHORE_VALUE_MAX)
        return -ERANGE;
    if (step->flags & SEMAPHORE_UNDO) {
        int32_t adjust = c->undo->adjust[step->number] - step->change;
        if (adjust < -SEMAPHORE_VALUE_MAX - 1 || adjust > SEMAPHORE_VALUE_MAX)
            return -ERANGE;
        c->undo->adjust[step->number] = (int16_t)adjust;
    }
    m->value = value;
    return 0;
}

static void step_back(struct semaphores *s, struct change *c, const struct semaphore_step *step)
{
    s->all[step->number].value -= step->change;
    if (step->flags & SEMAPHORE_UNDO)
        c->undo->adjust[step->number] = (int16_t)(c->undo->adjust[step->number] + step->change);
}

int semaphores_try(struct semaphores *s, struct change *c)
{
    for (size_t i = 0; i < c->count; i++) {
        int e = step_try(s, c, &c->steps[i]);
        if (!e)
            continue;
        c->blocked_by = i;
        while (i--)
            step_back(s, c, &c->steps[i]);
        return e;
    }
    for (size_t i = 0; i < c->count; i++)
        s->all[c->steps[i].number].last = c->process;
    s->used_time = ipc_now();
    return 0;
}

static struct change *change_of(struct list *link)
{
    return list_entry(link, struct change, wait.link);
}

// Tries for one that waits. True: it goes on and has changed something.
static bool let_go_on(struct semaphores *s, struct change *c)
{
    int e = semaphores_try(s, c);
    if (e > 0)
        return false;
    bool alters = false;
    for (size_t i = 0; !e && i < c->count; i++)
        alters |= c->steps[i].change != 0;
    ipc_wake(&c->wait, e);
    return alters;
}

// Those who wait for one semaphore alone.
static void settle_one(struct semaphores *s, struct semaphore *m)
{
    bool again;
    do {
        again = false;
        if (m->value == 0)
            list_for_each_safe (link, &m->zero)
                (void)let_go_on(s, change_of(link));
        list_for_each_safe (link, &m->more) {
            if (m->value == 0)
                break;
            again |= let_go_on(s, change_of(link));
        }
    } while (again && m->value == 0);
}

static bool settle_several(struct semaphores *s)
{
    list_for_each_safe (link, &s->several) {
        struct change *c = change_of(link);
        const struct semaphore_step *steps = c->steps;
        size_t count = c->count;
        // Its thread may leave as soon as it is woken, but not before it gets the set's lock: until
        // then the steps are there.
        if (!let_go_on(s, c))
            continue;
        for (size_t i = 0; i < count; i++)
            settle_one(s, &s->all[steps[i].number]);
        return true;
    }
    return false;
}

void semaphores_settle(struct semaphores *s, const struct semaphore_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        settle_one(s, &s->all[steps[i].number]);
    while (settle_several(s))
        continue;
}

void semaphores_settle_all(struct semaphores *s)
{
    for (unsigned i = 0; i < s->count; i++)
        settle_one(s, &s->all[i]);
    while (settle_several(s))
        continue;
}

static void end_list(struct list *waiting)
{
    list_for_each_safe (link, waiting)
        ipc_wake(&change_of(link)->wait, -EIDRM);
}

void semaphores_end_waits(struct semaphores *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        end_list(&s->all[i].more);
        end_list(&s->all[i].zero);
    }
    end_list(&s->several);
}
