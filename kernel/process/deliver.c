// SPDX-License-Identifier: GPL-3.0-or-later
// The way back to user mode: takes signals out of the queues and does what they ask for; stops and
// continues processes. Guards: process.signal_lock for queues and stop_signal, the tree lock for
// `stopped`.
#include "kernel/arch/x86_64/registers.h"
#include "kernel/console/log.h"
#include "kernel/process/context/context.h"
#include "kernel/process/internal.h"
#include "kernel/process/trace/tracer.h"

void process_stopped(struct process *p, int signal)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    p->stopped = true;
    p->report_stop = true;
    p->report_continue = false;
    notify_parent_locked(p, CHILD_STOPPED, signal);
    spin_unlock_irq(&process_tree_lock, flags);
}

// The first task to run again tells the parent.
static void tell_continued(struct process *p)
{
    uint64_t flags = spin_lock_irq(&process_tree_lock);
    if (p->stopped) {
        p->stopped = false;
        p->report_stop = false;
        p->report_continue = true;
        notify_parent_locked(p, CHILD_CONTINUED, SIGNAL_CONTINUE);
    }
    spin_unlock_irq(&process_tree_lock, flags);
}

// What ends a stop to end the process does not continue it.
static bool is_killed(const struct task *t)
{
    uint64_t pending = __atomic_load_n(&t->pending.pending, __ATOMIC_ACQUIRE) |
                       __atomic_load_n(&t->process->pending.pending, __ATOMIC_ACQUIRE);
    return (pending & SIGNAL_BIT(SIGNAL_KILL)) ||
           __atomic_load_n(&t->process->exiting, __ATOMIC_ACQUIRE);
}

static bool is_stopped(const struct process *p)
{
    return __atomic_load_n(&p->stop_signal, __ATOMIC_ACQUIRE) &&
           !__atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE) &&
           !__atomic_load_n(&p->exec_task, __ATOMIC_ACQUIRE);
}

// Whoever attached to it while it was stopped is to see it stopped by him.
static bool is_asked(const struct task *t)
{
    return trace_on(t) && (__atomic_load_n(&t->attend, __ATOMIC_ACQUIRE) & ATTEND_STOP);
}

// Returns when the process goes on, or a tracer has this task go on without it.
static void wait_stopped(struct task *t, struct trap_frame *f)
{
    struct process *p = t->process;
    do {
        __atomic_and_fetch(&t->attend, ~(uint32_t)ATTEND_STOP, __ATOMIC_ACQ_REL);
        if (trace_at_stop(f, p->stop_signal))
            return;
        while (is_stopped(p) && !is_asked(t)) {
            (void)wait_until_uninterrupted(
                &p->stop_wait, !is_stopped(p) || is_asked(t) || context_wanted(p), WAIT_FOREVER);
            context_attend(t, f);
        }
    } while (is_stopped(p));
}

// Stops the calling task for as long as the process is stopped. The last task to stop tells the
// parent.
static void stop_here(struct task *t, struct trap_frame *f)
{
    struct process *p = t->process;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    int signal = p->stop_signal;
    bool last = signal && ++p->tasks_stopped == p->task_count;
    if (!signal)
        __atomic_and_fetch(&t->attend, ~(uint32_t)ATTEND_STOP, __ATOMIC_RELAXED);
    spin_unlock_irq(&p->signal_lock, flags);
    if (!signal)
        return;
    if (last)
        process_stopped(p, signal);
    wait_stopped(t, f);
    flags = spin_lock_irq(&p->signal_lock);
    p->tasks_stopped--;
    bool goes_on = !p->stop_signal;
    spin_unlock_irq(&p->signal_lock, flags);
    if (goes_on && !is_killed(t))
        tell_continued(p);
}

// SIGCONT may have come since the calling process took the stop signal: then nobody stops.
static void stop_one(struct process *p, int number)
{
    bool cancelled = process_current()->stop_cancelled;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    if (!cancelled) {
        __atomic_store_n(&p->stop_signal, number, __ATOMIC_RELEASE);
        list_for_each (link, &p->tasks) {
            struct task *t = list_entry(link, struct task, process_link);
            __atomic_or_fetch(&t->attend, ATTEND_STOP, __ATOMIC_RELAXED);
            task_notify(t);
        }
    }
    spin_unlock_irq(&p->signal_lock, flags);
}

// The default action of a stop signal: all tasks of the program stop on their way to user mode.
static void stop_all(struct process *p, int number)
{
    if (number == SIGNAL_STOP || !process_group_orphaned(process_group_of(p)))
        program_visit(p, stop_one, number);
}

static void die(struct process *p, const struct signal_info *info)
{
    if (p->is_init)
        log_error("init: killed by signal %d", info->number);
    program_die(info->number);
}

static void act_by_default(struct process *p, const struct signal_info *info)
{
    if (signal_default_ignores(info->number))
        return;
    if (signal_stops(info->number))
        stop_all(p, info->number);
    else
        die(p, info);
}

// Lets the ABI build the handler's frame; blocks what the handler wants blocked.
static void run_handler(struct trap_frame *f, struct task *t, const struct signal_info *info,
                        const struct signal_action *a)
{
    struct process *p = t->process;
    uint64_t old_mask = t->restore_mask ? t->saved_mask : t->mask;
    t->restore_mask = false;
    p->abi->system_call_restart(f, a);
    bool stepped = trace_step_end(f, t);
    err_t e = p->abi->signal_deliver(f, t, info, a, old_mask);
    if (e == SIGNAL_DROPPED)
        return;
    if (e) {
        struct signal_info fault = { .number = SIGNAL_SEGV, .code = SIGNAL_FROM_KERNEL };
        if (info->number == SIGNAL_SEGV)
            program_die(SIGNAL_SEGV);
        signal_force(t, &fault);
        return;
    }
    uint64_t mask = t->mask | a->mask;
    if (!(a->flags & ACTION_NO_DEFER))
        mask |= SIGNAL_BIT(info->number);
    signal_set_mask(mask);
    if (stepped)
        trace_note(TRACE_HANDLER, 0);
}

// Takes the next deliverable signal and its action. A one-shot handler is reset here.
static bool take_next(struct task *t, struct signal_info *info, struct signal_action *action)
{
    struct process *p = t->process;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    bool taken = signal_take_locked(t, ~t->mask, info);
    if (taken) {
        if (signal_stops(info->number))
            p->stop_cancelled = false;
        struct signal_handlers *h = p->handlers;
        spin_lock(&h->lock);
        struct signal_action *a = &h->actions[info->number];
        *action = *a;
        if (a->flags & ACTION_RESET)
            *a = (struct signal_action){ .handler = ACTION_DEFAULT };
        spin_unlock(&h->lock);
    }
    spin_unlock_irq(&p->signal_lock, flags);
    return taken;
}

// Ends or stops the calling task where its process says so.
static void heed_process(struct task *t, struct trap_frame *f)
{
    struct process *p = t->process;
    if (__atomic_load_n(&p->exiting, __ATOMIC_ACQUIRE))
        task_exit(p->exit_status);
    if (p->exec_task && p->exec_task != t)
        task_exit(0);
    if (context_calls(p))
        context_attend(t, f);
    uint32_t attend = __atomic_load_n(&t->attend, __ATOMIC_ACQUIRE);
    if (attend & ~(uint32_t)ATTEND_STOP)
        trace_attend(f);
    if (attend & ATTEND_STOP)
        stop_here(t, f);
}

static void heed_move(struct trap_frame *f, struct task *t)
{
    __atomic_and_fetch(&t->thread.return_work, ~(uint32_t)WORK_MOVED, __ATOMIC_ACQUIRE);
    if (t->process->abi->task_moved)
        t->process->abi->task_moved(f, t);
}

// Takes one signal that is not blocked, and does what it asks for.
static void act_on_next(struct task *t, struct trap_frame *f)
{
    struct signal_info info;
    struct signal_action action;
    if (!take_next(t, &info, &action))
        return;
    if (trace_on(t) && info.number != SIGNAL_KILL && !trace_signal(f, &info, &action))
        return;
    if (t->process->abi->signal_action)
        t->process->abi->signal_action(t, &info, &action);
    if (action.handler == ACTION_IGNORE)
        return;
    if (action.handler == ACTION_DEFAULT)
        act_by_default(t->process, &info);
    else
        run_handler(f, t, &info, &action);
}

void task_return_work(struct trap_frame *f)
{
    struct task *t = task_current();
    if (unlikely(__atomic_load_n(&t->thread.return_work, __ATOMIC_RELAXED) & WORK_MOVED))
        heed_move(f, t);
    do {
        __atomic_and_fetch(&t->thread.return_work, ~(WORK_SIGNAL | WORK_NOTIFY), __ATOMIC_ACQUIRE);
        heed_process(t, f);
        act_on_next(t, f);
    } while (signal_pending(t));
    t->process->abi->system_call_restart(f, NULL);
    signal_mask_restore();
}

// What a processor exception in user mode means to the program.
static struct signal_info exception_signal(struct trap_frame *f)
{
    struct signal_info info = { .code = SIGNAL_FROM_KERNEL, .address = f->rip };
    switch (f->vector) {
    case TRAP_DIVIDE:
        info.number = SIGNAL_FPE;
        info.code = 1; // FPE_INTDIV
        break;
    case TRAP_FPU:
    case TRAP_SIMD:
        info.number = SIGNAL_FPE;
        info.code = 7; // FPE_FLTINV
        break;
    case TRAP_DEBUG:
        info.number = SIGNAL_TRAP;
        info.code = f->error & DR6_REGISTERS ? TRAP_BY_REGISTER : TRAP_BY_FLAG;
        break;
    case TRAP_BREAKPOINT:
        info.number = SIGNAL_TRAP;
        break;
    case TRAP_INVALID_OPCODE:
        info.number = SIGNAL_ILLEGAL;
        info.code = 2; // ILL_ILLOPN
        break;
    case TRAP_STACK:
        info.number = process_current()->abi->stack_fault;
        break;
    case TRAP_ALIGNMENT:
        info.number = SIGNAL_BUS;
        break;
    default:
        info.number = SIGNAL_SEGV;
        info.address = 0;
        break;
    }
    return info;
}

static void log_out_of_memory(const struct process *p)
{
    log_error("memory: out of memory: killed process %d (%s), which has %lu KiB", p->number,
              p->name, (unsigned long)(p->space->resident_pages * 4));
}

void process_out_of_memory(void)
{
    struct process *p = process_current();
    log_out_of_memory(p);
    (void)!signal_send_process(
        p, &(struct signal_info){ .number = SIGNAL_KILL, .code = SIGNAL_FROM_KERNEL });
}

// The signal is taken on the way back to user mode.
static void raise(struct trap_frame *f, const struct signal_info *info)
{
    struct task *t = task_current();
    if (signal_force(t, info) && !trace_on(t))
        log_info("process: %s[%d] got signal %d at ip %lx sp %lx, address %lx", t->process->name,
                 t->number, info->number, (unsigned long)f->rip, (unsigned long)f->rsp,
                 (unsigned long)info->address);
}

void process_page_fault(struct trap_frame *f, uaddr_t address, err_t reason)
{
    struct signal_info info = { .number = SIGNAL_SEGV, .address = address };
    switch (reason) {
    case -ENOMEM:
        log_out_of_memory(process_current());
        program_die(SIGNAL_KILL);
    case -EIO:
        info.number = SIGNAL_BUS;
        info.code = BUS_NO_ADDRESS;
        break;
    default:
        info.code = reason == -EACCES ? SEGV_NO_RIGHT : SEGV_NOT_MAPPED;
    }
    raise(f, &info);
}

void process_exception(struct trap_frame *f)
{
    if (trace_exception(f))
        return;
    struct signal_info info = exception_signal(f);
    raise(f, &info);
}
