// SPDX-License-Identifier: GPL-3.0-or-later
// Scheduling: nice values, classes, affinity.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/user_memory.h"

enum { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 5, RESET_ON_FORK = 0x40000000 };

LINUX_CALL(sched_yield)
{
    thread_yield();
    return 0;
}

static bool may_change(struct task *t)
{
    struct credentials mine, theirs;
    credentials_look(process_current(), &mine);
    credentials_look(t->process, &theirs);
    return mine.effective_user == theirs.user || mine.effective_user == theirs.effective_user ||
           credentials_have(&mine, CAPABILITY_SYS_NICE);
}

static err_t task_of(int32_t number, struct task **task)
{
    if (number < 0)
        return -EINVAL;
    if (number)
        return task_find(number, task);
    *task = task_current();
    thread_get(&(*task)->thread);
    return 0;
}

// Applies `visit` to every process that (which, who) of getpriority mean; -ESRCH when there is
// none.
static int64_t each_of(int which, int32_t who,
                       int64_t (*visit)(struct task *t, int64_t so_far, int nice), int nice)
{
    enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };
    int64_t result = -ESRCH;
    if (which == PRIO_PROCESS) {
        struct task *t;
        if (task_of(who, &t))
            return -ESRCH;
        result = visit(t, result, nice);
        task_put(t);
        return result;
    }
    if (which != PRIO_PGRP && which != PRIO_USER)
        return -EINVAL;
    struct process *self = process_current(), *p;
    struct credentials c;
    credentials_look(self, &c);
    int32_t group = who ? who : process_group_of(self);
    uint32_t user = who ? (uint32_t)who : c.user;
    for (int32_t next = 1; (p = process_next(next)); next = p->number + 1, process_put(p)) {
        struct task *t;
        credentials_look(p, &c);
        bool wanted = which == PRIO_PGRP ? process_group_of(p) == group : c.user == user;
        if (!wanted || task_find(p->number, &t))
            continue;
        result = visit(t, result, nice);
        task_put(t);
    }
    return result;
}

static int64_t visit_get(struct task *t, int64_t so_far, int nice)
{
    return max_of(so_far, (int64_t)20 - t->thread.ring.nice);
}

static int64_t visit_set(struct task *t, int64_t so_far, int nice)
{
    if (!may_change(t))
        return -EPERM;
    if (nice < t->thread.ring.nice && !process_has(CAPABILITY_SYS_NICE))
        return -EACCES;
    thread_set_nice(&t->thread, nice);
    return so_far == -ESRCH ? 0 : so_far;
}

LINUX_CALL(getpriority)
{
    return each_of(ARG_INT(0), ARG_INT(1), visit_get, 0);
}

LINUX_CALL(setpriority)
{
    int nice = max_of(min_of(ARG_INT(2), 19), -20);
    return each_of(ARG_INT(0), ARG_INT(1), visit_set, nice);
}

static err_t class_of(int policy, enum thread_class *class)
{
    static const enum thread_class classes[] = {
        [SCHED_OTHER] = CLASS_FAIR,  [SCHED_FIFO] = CLASS_FIFO, [SCHED_RR] = CLASS_ROUND,
        [SCHED_BATCH] = CLASS_BATCH, [SCHED_IDLE] = CLASS_IDLE,
    };
    if (policy < 0 || policy > SCHED_IDLE || policy == 4)
        return -EINVAL;
    *class = classes[policy];
    return 0;
}

static int policy_of(enum thread_class class)
{
    static const int policies[] = { [CLASS_FIFO] = SCHED_FIFO,
                                    [CLASS_ROUND] = SCHED_RR,
                                    [CLASS_FAIR] = SCHED_OTHER,
                                    [CLASS_BATCH] = SCHED_BATCH,
                                    [CLASS_IDLE] = SCHED_IDLE };
    return policies[class];
}

static int64_t set_class(struct task *t, enum thread_class class, int32_t priority)
{
    bool real_time = class == CLASS_FIFO || class == CLASS_ROUND;
    if (real_time ? priority < 1 || priority > 99 : priority != 0)
        return -EINVAL;
    if (!may_change(t) || (real_time && !process_has(CAPABILITY_SYS_NICE)))
        return -EPERM;
    return thread_set_class(&t->thread, class, (unsigned)priority);
}

LINUX_CALL(sched_setscheduler)
{
    enum thread_class class;
    struct task *t;
    int32_t priority;
    err_t e = ARG_INT(1) < 0 ? -EINVAL : class_of(ARG_INT(1) & ~RESET_ON_FORK, &class);
    if (!e)
        e = user_get_u32(ARG(2), (uint32_t *)&priority);
    if (!e)
        e = task_of(ARG_INT(0), &t);
    if (e)
        return e;
    int64_t result = set_class(t, class, priority);
    if (!result)
        t->reset_on_fork = ARG_INT(1) & RESET_ON_FORK;
    task_put(t);
    return result;
}

LINUX_CALL(sched_setparam)
{
    struct task *t;
    int32_t priority;
    err_t e = user_get_u32(ARG(1), (uint32_t *)&priority);
    if (!e)
        e = task_of(ARG_INT(0), &t);
    if (e)
        return e;
    int64_t result = set_class(t, t->thread.ring.class, priority);
    task_put(t);
    return result;
}

LINUX_CALL(sched_getscheduler)
{
    struct task *t;
    err_t e = task_of(ARG_INT(0), &t);
    if (e)
        return e;
    int policy = policy_of(t->thread.ring.class) | (t->reset_on_fork ? RESET_ON_FORK : 0);
    task_put(t);
    return policy;
}

LINUX_CALL(sched_getparam)
{
    struct task *t;
    err_t e = task_of(ARG_INT(0), &t);
    if (e)
        return e;
    uint32_t priority = t->thread.ring.priority;
    task_put(t);
    return user_put_u32(ARG(1), priority);
}

LINUX_CALL(sched_rr_get_interval)
{
    struct task *t;
    err_t e = task_of(ARG_INT(0), &t);
    if (e)
        return e;
    nanos_t slice = t->thread.ring.class == CLASS_FIFO ? 0 : RING_SLICE;
    task_put(t);
    return linux_time_out(ARG(1), slice);
}

enum { ATTR_RESET_ON_FORK = 1, ATTR_KEEP_POLICY = 8, ATTR_KEEP_PARAMETERS = 16, ATTR_LEAST = 48 };

LINUX_CALL(sched_setattr)
{
    struct linux_sched_attr a;
    struct task *t;
    uint32_t size;
    enum thread_class class = CLASS_FAIR;
    if (ARG(2))
        return -EINVAL;
    err_t e = user_get_u32(ARG(1), &size);
    if (e)
        return e;
    size = size ? size : ATTR_LEAST;
    if (size < ATTR_LEAST || size > PAGE_SIZE)
        return -E2BIG;
    e = linux_struct_in(&a, sizeof(a), ARG(1), size);
    if (!e && a.flags & ~(uint64_t)(ATTR_RESET_ON_FORK | ATTR_KEEP_POLICY | ATTR_KEEP_PARAMETERS))
        e = -EINVAL;
    if (!e && !(a.flags & ATTR_KEEP_POLICY))
        e = class_of((int)a.policy, &class);
    if (!e)
        e = task_of(ARG_INT(0), &t);
    if (e)
        return e;
    if (a.flags & ATTR_KEEP_POLICY)
        class = t->thread.ring.class;
    bool fair = class == CLASS_FAIR || class == CLASS_BATCH;
    int64_t result = 0;
    if (!(a.flags & ATTR_KEEP_PARAMETERS) && fair)
        result = visit_set(t, 0, max_of(min_of(a.nice, 19), -20));
    if (!result)
        result = set_class(t, class,
                           a.flags & ATTR_KEEP_PARAMETERS ? t->thread.ring.priority
                                                          : (int32_t)a.priority);
    if (!result)
        t->reset_on_fork = a.flags & ATTR_RESET_ON_FORK;
    task_put(t);
    return result == -EACCES ? -EPERM : result;
}

LINUX_CALL(sched_getattr)
{
    struct task *t;
    uint64_t room = (uint32_t)ARG(2);
    if (ARG(3) || room < ATTR_LEAST || room > PAGE_SIZE)
        return -EINVAL;
    err_t e = task_of(ARG_INT(0), &t);
    if (e)
        return e;
    struct linux_sched_attr a = {
        .size = (uint32_t)min_of(room, (uint64_t)sizeof(a)),
        .policy = (uint32_t)policy_of(t->thread.ring.class),
        .flags = t->reset_on_fork ? ATTR_RESET_ON_FORK : 0,
        .priority = t->thread.ring.priority,
    };
    if (t->thread.ring.class == CLASS_FAIR || t->thread.ring.class == CLASS_BATCH)
        a.nice = t->thread.ring.nice;
    task_put(t);
    return user_copy_out(ARG(1), &a, a.size);
}

static int64_t priority_bound(int policy, int64_t bound)
{
    enum thread_class class;
    err_t e = class_of(policy, &class);
    return e ? e : class == CLASS_FIFO || class == CLASS_ROUND ? bound : 0;
}

LINUX_CALL(sched_get_priority_max)
{
    return priority_bound(ARG_INT(0), 99);
}

LINUX_CALL(sched_get_priority_min)
{
    return priority_bound(ARG_INT(0), 1);
}

LINUX_CALL(sched_setaffinity)
{
    struct task *t;
    uint64_t mask = 0;
    err_t e = user_copy_in(&mask, ARG(2), min_of(ARG(1), (uint64_t)sizeof(mask)));
    if (!e)
        e = ARG_INT(0) < 0 ? -ESRCH : task_of(ARG_INT(0), &t);
    if (e)
        return e;
    e = may_change(t) ? thread_set_affinity(&t->thread, mask) : -EPERM;
    task_put(t);
    return e;
}

LINUX_CALL(sched_getaffinity)
{
    struct task *t;
    if (ARG(1) < sizeof(uint64_t) || ARG(1) % sizeof(uint64_t))
        return -EINVAL;
    err_t e = ARG_INT(0) < 0 ? -ESRCH : task_of(ARG_INT(0), &t);
    if (e)
        return e;
    uint64_t there = cpu_count >= 64 ? UINT64_MAX : (1ull << cpu_count) - 1;
    uint64_t mask = thread_affinity(&t->thread) & there;
    task_put(t);
    e = user_put_u64(ARG(2), mask);
    return e ? e : (int64_t)sizeof(mask);
}
