// SPDX-License-Identifier: GPL-3.0-or-later
// The border: finds a call's handler by its number. The tables are built once at boot and then only
// read.
#include "kernel/abi/redox/detect.h"
#include "kernel/abi/redox/pages.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/process/context/context.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"

// A number's class and its low ten bits tell all calls apart; the whole number is compared after.
enum { CLASS_SHIFT = 28, CLASSES = 3, LOW_NUMBERS = 1024 };

#define CALL(value, called, kinds) \
    { .number = value, .name = #called, .arguments = kinds, .handler = redox_##called },
const struct redox_call redox_calls[] = {
#include "kernel/abi/redox/calls.h"
};
#undef CALL
const unsigned redox_call_count = array_len(redox_calls);

static const struct redox_call *table[CLASSES * LOW_NUMBERS];

static uint64_t slot_of(uint64_t number)
{
    return (number >> CLASS_SHIFT) * LOW_NUMBERS + number % LOW_NUMBERS;
}

void redox_init(const char *command_line)
{
    redox_strace_init(command_line);
    for (unsigned i = 0; i < redox_call_count; i++) {
        uint64_t slot = slot_of(redox_calls[i].number);
        assert(slot < array_len(table) && !table[slot]);
        table[slot] = &redox_calls[i];
    }
    program_set_abi_chooser(abi_choose);
    context_set_program_hook(abi_of_loaded);
    log_debug("redox: %u system calls", redox_call_count);
}

const struct redox_call *redox_call_find(uint64_t number)
{
    uint64_t slot = slot_of(number);
    if (unlikely(slot >= array_len(table)))
        return NULL;
    const struct redox_call *c = table[index_clamp(slot, array_len(table))];
    return c && c->number == number ? c : NULL;
}

static void redox_system_call(struct trap_frame *f)
{
    const struct redox_call *c = redox_call_find(f->error);
    bool by_pages = task_current()->upcall.model == UPCALL_PAGES;
    if (unlikely(by_pages))
        redox_pages_enter(task_current());
    if (unlikely(redox_strace && c))
        redox_strace_enter(c, f);
    int64_t result = likely(c) ? c->handler(f) : -ENOSYS;
    if (unlikely(by_pages))
        redox_pages_leave(task_current());
    if (unlikely(result <= -ERESTARTSYS && result >= -ERESTART_BLOCK))
        result = -EINTR;
    if (unlikely(redox_strace && c))
        redox_strace_exit(c, result);
    // sigreturn and a change of address space have put other registers there.
    if (likely(f->vector == TRAP_SYSCALL))
        trap_set_result(f, result);
}

// An interrupted call returns -EINTR and is not made again.
static void redox_call_restart(struct trap_frame *f, const struct signal_action *action) {}

const struct abi redox_abi = {
    .name = "redox",
    .stack_fault = SIGNAL_SEGV,
    .system_call = redox_system_call,
    .signal_deliver = redox_signal_deliver,
    .signal_action = redox_signal_action,
    .system_call_restart = redox_call_restart,
    .stack_build = redox_stack_build,
};
