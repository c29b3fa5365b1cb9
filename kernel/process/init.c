// SPDX-License-Identifier: GPL-3.0-or-later
// The first process: number 1, made from nothing, whose program comes from the initramfs.
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/process/internal.h"
#include "kernel/process/program.h"
#include "lib/string.h"

static struct {
    const char *path;
    struct string_list arguments, environment;
} first;

static const struct limit_pair first_limits[LIMIT_COUNT] = {
    [LIMIT_CPU] = { LIMIT_NONE, LIMIT_NONE },   [LIMIT_FILE_SIZE] = { LIMIT_NONE, LIMIT_NONE },
    [LIMIT_DATA] = { LIMIT_NONE, LIMIT_NONE },  [LIMIT_STACK] = { MIB(8), LIMIT_NONE },
    [LIMIT_CORE] = { 0, LIMIT_NONE },           [LIMIT_RESIDENT] = { LIMIT_NONE, LIMIT_NONE },
    [LIMIT_PROCESSES] = { 32768, 32768 },       [LIMIT_FILES] = { 1024, 4096 },
    [LIMIT_LOCKED] = { MIB(8), MIB(8) },        [LIMIT_SPACE] = { LIMIT_NONE, LIMIT_NONE },
    [LIMIT_LOCKS] = { LIMIT_NONE, LIMIT_NONE }, [LIMIT_SIGNALS] = { 4096, 4096 },
    [LIMIT_MESSAGES] = { 819200, 819200 },      [LIMIT_REAL_TIME_RUN] = { LIMIT_NONE, LIMIT_NONE },
};

static void open_console(struct process *p)
{
    struct view v;
    struct credentials *hold;
    struct file *f;
    view_begin(&v, &hold);
    err_t e =
        name_open(&v, NULL, "/dev/console", OPEN_READ | OPEN_WRITE | OPEN_NO_TERMINAL, 0, 0, &f);
    view_end(&v, hold);
    for (int n = 0; !e && n < 3; n++) {
        int number;
        file_get(f);
        e = descriptor_add(p->descriptors, f, false, 0, (int)first_limits[LIMIT_FILES].soft,
                           &number);
        if (e)
            file_put(f);
    }
    if (e)
        log_warn("init: has no console (error %d)", -e);
    else
        file_put(f);
}

static void init_thread(void *data)
{
    struct task *t = data;
    open_console(t->process);
    err_t e = program_exec(NULL, first.path, 0, &first.arguments, &first.environment);
    if (e)
        panic("cannot start %s: error %d. Is it in the initramfs, and an x86-64 ELF program?",
              first.path, -e);
    log_info("init: %s runs as process 1", first.path);
    trap_enter_user();
}

static err_t parts_make(struct process *p, const struct abi *abi)
{
    p->abi = abi;
    p->is_init = true;
    memcpy(p->limits, first_limits, sizeof(p->limits));
    memcpy(p->name, "init", 5);
    process_set_credentials(p, credentials_make(0));
    p->handlers = signal_handlers_make();
    p->place = place_make(name_tree_root(), name_tree_root());
    if (!p->credentials || !p->handlers || !p->place)
        return -ENOMEM;
    return descriptors_make(&p->descriptors);
}

void process_ask_power_off(void)
{
    struct signal_info info = { .number = SIGNAL_USER_2, .code = SIGNAL_FROM_KERNEL };
    struct process *init = process_init_process();
    if (init)
        (void)signal_send_process(init, &info);
}

err_t process_start_init(const struct abi *abi, const char *path, const char *const *arguments,
                         const char *const *environment)
{
    first.path = path;
    err_t e = 0;
    for (; !e && *arguments; arguments++)
        e = strings_add(&first.arguments, *arguments, strlen(*arguments));
    for (; !e && *environment; environment++)
        e = strings_add(&first.environment, *environment, strlen(*environment));
    struct process *p;
    struct task *t = NULL;
    if (!e)
        e = process_make(&p);
    if (!e)
        e = parts_make(p, abi);
    if (!e)
        e = task_make(p, init_thread, &t);
    struct process_group *g = e ? NULL : group_make(1, 1);
    if (!g)
        return e ? e : -ENOMEM;

    t->number = number_make();
    process_set_number(p, t->number);
    p->session = g->number;
    process_add(p, NULL, false);
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    group_add_locked(g);
    group_move_locked(p, g);
    spin_unlock_irq(&process_tree_lock, flags);
    task_add(t);
    thread_start(&t->thread);
    return 0;
}
