// SPDX-License-Identifier: GPL-3.0-or-later
// The border: finds a call's handler by its number. The tables are built once at boot and then only
// read.
#include "kernel/abi/redox/detect.h"
#include "kernel/abi/redox/pages.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/process/context/context.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"

// A number's class (bits 28 and 29) and its low ten bits tell all calls apart: folded together they
// are an index that needs no check. The whole number is compared after.
enum { CLASS_FOLD = 18, SLOTS = 4096 };

#define CALL(value, called, kinds) \
    { .number = value, .name = #called, .arguments = kinds, .handler = redox_##called },
const struct redox_call redox_calls[] = {
#include "kernel/abi/redox/calls.h"
};
#undef CALL
const unsigned redox_call_count = array_len(redox_calls);

static REDOX_CALL(none)
{
    return -ENOSYS;
}

// Two arrays, so that the entry needs no more than an index into each. Where there is no call
// stands one that says so, with a number that leads to rare_call() unless it is just this one; when
// calls are shown (strace), all numbers do.
static uint64_t numbers[SLOTS];
static int64_t (*handlers[SLOTS])(struct trap_frame *f, struct task *me);

static force_inline unsigned slot_of(uint64_t number)
{
    return (number ^ number >> CLASS_FOLD) % SLOTS;
}

void redox_init(const char *command_line)
{
    redox_strace_init(command_line);
    for (unsigned i = 0; i < SLOTS; i++) {
        numbers[i] = UINT64_MAX;
        handlers[i] = redox_none;
    }
    for (unsigned i = 0; i < redox_call_count; i++) {
        unsigned slot = slot_of(redox_calls[i].number);
        assert(handlers[slot] == redox_none);
        handlers[slot] = redox_calls[i].handler;
        if (!redox_strace)
            numbers[slot] = redox_calls[i].number;
    }
    program_set_abi_chooser(abi_choose);
    context_set_program_hook(abi_of_loaded);
    log_debug("redox: %u system calls", redox_call_count);
}

const struct redox_call *redox_call_find(uint64_t number)
{
    for (unsigned i = 0; i < redox_call_count; i++)
        if (redox_calls[i].number == number)
            return &redox_calls[i];
    return NULL;
}

// Some calls end with an error that says how Linux is to make them again.
static int64_t redox_call_failed(const struct trap_frame *f, int64_t result)
{
    return result <= -ERESTARTSYS && result >= -ERESTART_BLOCK ? -EINTR : result;
}

// A call that is shown (strace), or none.
static no_inline int64_t rare_call(struct trap_frame *f, struct task *t)
{
    const struct redox_call *c = redox_call_find(f->error);
    if (!c)
        return -ENOSYS;
    redox_strace_enter(c, f);
    int64_t result = redox_call_failed(f, c->handler(f, t));
    redox_strace_exit(c, result);
    return result;
}

static int64_t redox_system_call(struct trap_frame *f, struct task *t)
{
    unsigned slot = slot_of(f->error);
    if (unlikely(numbers[slot] != f->error))
        return rare_call(f, t);
    return handlers[slot](f, t);
}

// An interrupted call returns -EINTR and is not made again.
static void redox_call_restart(struct trap_frame *f, const struct signal_action *action) {}

const struct abi redox_abi = {
    .name = "redox",
    .architecture = REDOX_ARCHITECTURE,
    .stack_fault = SIGNAL_SEGV,
    .system_call = redox_system_call,
    .call_begin = redox_pages_enter,
    .call_end = redox_pages_leave,
    .system_call_failed = redox_call_failed,
    .signal_deliver = redox_signal_deliver,
    .signal_action = redox_signal_action,
    .system_call_restart = redox_call_restart,
    .stack_build = redox_stack_build,
};
