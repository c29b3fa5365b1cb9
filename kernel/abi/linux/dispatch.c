// SPDX-License-Identifier: GPL-3.0-or-later
// The border: finds a call's handler by its number, and turns the kernel's results into Linux's.
#include "kernel/abi/linux/linux.h"
#include "kernel/console/log.h"
#include "lib/command_line.h"

enum { LINUX_EAGAIN = 11, LINUX_EDEADLOCK = 35 };

#define CALL(number, called, kinds, kind) \
    [number] = { .name = #called, .arguments = kinds, .handler = linux_##called, .restart = kind },
const struct linux_call linux_calls[LINUX_CALL_COUNT] = {
#include "kernel/abi/linux/calls.h"
#undef CALL
// Those without a handler are here for their name.
#define PARTIAL(called, missing)
#define ABSENT(number, called) [number] = { .name = #called },
#define GONE(number, called)   ABSENT(number, called)
#include "kernel/abi/linux/status.h"
#undef PARTIAL
#undef ABSENT
#undef GONE
};

bool linux_strace;

// One bit for each number that is not there and was logged.
static uint64_t unknown_logged[(LINUX_CALL_COUNT + 63) / 64 + 1];

void linux_init(const char *command_line)
{
    linux_strace = command_line_number(command_line, "strace", 0) == 1;
    linux_vdso_init();
}

static int64_t unknown_call(uint64_t number)
{
    uint64_t n = min_of(number, (uint64_t)LINUX_CALL_COUNT);
    const char *name =
        n < LINUX_CALL_COUNT ? linux_calls[index_clamp(n, LINUX_CALL_COUNT)].name : NULL;
    uint64_t bit = 1ull << (n % 64);
    if (!(__atomic_fetch_or(&unknown_logged[n / 64], bit, __ATOMIC_RELAXED) & bit))
        log_info("linux: %s[%d] made call %lu%s%s, which is not there", process_current()->name,
                 task_current()->number, (unsigned long)number, name ? ", " : "", name ? name : "");
    return -ENOSYS;
}

int64_t linux_error_number(int64_t result)
{
    switch (-result) {
    case EWOULDBLOCK:
        return -LINUX_EAGAIN;
    case EDEADLOCK:
        return -LINUX_EDEADLOCK;
    case ERESTARTSYS:
        return -EINTR;
    default:
        return result;
    }
}

// The kernel's errors in Linux's numbering; a call that a signal cut short is marked for
// linux_call_restart(), which runs on the way out.
static int64_t linux_error(const struct linux_call *c, int64_t result)
{
    static const int16_t interrupted[] = {
        [AGAIN] = -ERESTARTSYS, [ONCE] = -ERESTARTNOHAND, [RESUME] = -ERESTART_BLOCK
    };
    switch (-result) {
    case EWOULDBLOCK:
        return -LINUX_EAGAIN;
    case EDEADLOCK:
        return -LINUX_EDEADLOCK;
    case EINTR:
        thread_set_work(thread_current(), WORK_SIGNAL);
        return interrupted[c->restart];
    case ERESTARTNOINTR:
        thread_set_work(thread_current(), WORK_SIGNAL);
        return result;
    default:
        return result;
    }
}

static int64_t linux_call_failed(const struct trap_frame *f, int64_t result)
{
    // exec and sigreturn have built a frame that no longer is this call's.
    uint32_t number = (uint32_t)f->error;
    if (f->vector != TRAP_SYSCALL || number >= LINUX_CALL_COUNT)
        return result;
    return linux_error(&linux_calls[index_clamp(number, LINUX_CALL_COUNT)], result);
}

static no_inline int64_t shown_call(const struct linux_call *c, struct trap_frame *f)
{
    linux_strace_enter(c, f);
    int64_t result = c->handler(f);
    if (result < 0)
        result = linux_call_failed(f, result);
    linux_strace_exit(c, f, result);
    return result;
}

static int64_t linux_system_call(struct trap_frame *f, struct task *t)
{
    uint32_t number = (uint32_t)f->error; // the upper half does not count
    const struct linux_call *c = &linux_calls[index_clamp(number, LINUX_CALL_COUNT)];
    if (unlikely(number >= LINUX_CALL_COUNT || !c->handler))
        return unknown_call(number);
    return unlikely(linux_strace) ? shown_call(c, f) : c->handler(f);
}

nanos_t linux_deadline(nanos_t wanted)
{
    struct task *t = task_current();
    if (t->restarting) {
        t->restarting = false;
        return t->restart_deadline;
    }
    t->restart_deadline = wanted;
    return wanted;
}

// Runs on the way to user mode: decides whether the interrupted call is made again.
void linux_call_restart(struct trap_frame *f, const struct signal_action *action)
{
    if (f->vector != TRAP_SYSCALL)
        return;
    int64_t result = (int64_t)f->rax;
    bool again;
    switch (-result) {
    case ERESTARTSYS:
        again = !action || (action->flags & ACTION_RESTART);
        break;
    case ERESTARTNOHAND:
        again = !action;
        break;
    case ERESTARTNOINTR:
        again = true;
        break;
    case ERESTART_BLOCK:
        again = !action;
        task_current()->restarting = again;
        break;
    default:
        return;
    }
    f->vector = 0;
    if (again)
        trap_repeat_call(f);
    else
        trap_set_result(f, -EINTR);
}

const struct abi linux_abi = {
    .name = "linux",
    .architecture = LINUX_ARCHITECTURE,
    .is_plain_call = linux_is_plain_call,
    .stack_fault = SIGNAL_BUS,
    .system_call = linux_system_call,
    .system_call_failed = linux_call_failed,
    .signal_deliver = linux_signal_deliver,
    .system_call_restart = linux_call_restart,
    .task_moved = linux_task_moved,
    .task_exit = linux_task_exit,
    .task_exec = linux_task_exec,
    .stack_build = linux_stack_build,
};
