// SPDX-License-Identifier: GPL-3.0-or-later
// See helper.h.
#include "kernel/process/helper.h"
#include "kernel/process/internal.h"
#include "lib/string.h"

static void helper_entry(void *data)
{
    struct task *t = data;
    memset(trap_user_frame(t->thread.stack_top), 0, sizeof(struct trap_frame));
    t->helper->run(t->helper_data);
    task_exit(0); // which calls `ended`
}

err_t helper_start(const struct helper_ops *ops, void *data)
{
    struct process *p = process_current();
    struct task *t;
    err_t e = process_check_limits(p);
    if (!e)
        e = task_make(p, helper_entry, &t);
    if (e)
        return e;
    t->helper = ops;
    t->helper_data = data;
    t->mask = ~0ull;
    space_get(p->space);
    t->thread.space = p->space;
    t->number = number_make();
    thread_inherit(&t->thread, &task_current()->thread);
    string_copy(t->thread.name, ops->name, sizeof(t->thread.name));
    task_add(t);
    thread_start(&t->thread);
    return 0;
}

static bool is_to_end(const struct task *t)
{
    const struct process *p = t->process;
    return __atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE) || (p->exec_task && p->exec_task != t);
}

bool helper_attend(void)
{
    struct task *t = task_current();
    if (is_to_end(t))
        return false;
    if (__atomic_load_n(&t->thread.return_work, __ATOMIC_RELAXED))
        task_return_work(trap_user_frame(t->thread.stack_top));
    return !is_to_end(t);
}
