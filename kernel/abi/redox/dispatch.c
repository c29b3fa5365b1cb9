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
static const struct redox_call no_call = { .number = UINT32_MAX, .handler = redox_none };
static const struct redox_call *table[SLOTS];

static const struct redox_call **slot_of(uint64_t number)
{
    return &table[(number ^ number >> CLASS_FOLD) % SLOTS];
}

void redox_init(const char *command_line)
{
    redox_strace_init(command_line);
    for (unsigned i = 0; i < SLOTS; i++)
        table[i] = &no_call;
    for (unsigned i = 0; i < redox_call_count; i++) {
        const struct redox_call **slot = slot_of(redox_calls[i].number);
        assert(*slot == &no_call);
        *slot = &redox_calls[i];
    }
    program_set_abi_chooser(abi_choose);
    context_set_program_hook(abi_of_loaded);
    log_debug("redox: %u system calls", redox_call_count);
}

const struct redox_call *redox_call_find(uint64_t number)
{
    const struct redox_call *c = *slot_of(number);
    return c != &no_call && c->number == number ? c : NULL;
}

// A call that is shown (strace), or whose program's pages say what may cut it short.
static no_inline int64_t watched_call(const struct redox_call *c, struct trap_frame *f,
                                      struct task *t)
{
    bool by_pages = t->upcall.model == UPCALL_PAGES, shown = redox_strace && c != &no_call;
    if (by_pages)
        redox_pages_enter(t);
    if (shown)
        redox_strace_enter(c, f);
    int64_t result = c->handler(f);
    if (by_pages)
        redox_pages_leave(t);
    if (result <= -ERESTARTSYS && result >= -ERESTART_BLOCK)
        result = -EINTR;
    if (shown)
        redox_strace_exit(c, result);
    return result;
}

static void redox_system_call(struct trap_frame *f, struct task *t)
{
    const struct redox_call *c = *slot_of(f->error);
    if (unlikely(c->number != f->error))
        c = &no_call;
    int64_t result = unlikely(redox_strace || t->upcall.model == UPCALL_PAGES)
                         ? watched_call(c, f, t)
                         : c->handler(f);
    if (unlikely(result <= -ERESTARTSYS && result >= -ERESTART_BLOCK))
        result = -EINTR;
    // sigreturn and a change of address space have put other registers there.
    if (likely(f->vector == TRAP_SYSCALL))
        trap_set_result(f, result);
}

// An interrupted call returns -EINTR and is not made again.
static void redox_call_restart(struct trap_frame *f, const struct signal_action *action) {}

const struct abi redox_abi = {
    .name = "redox",
    .architecture = REDOX_ARCHITECTURE,
    .stack_fault = SIGNAL_SEGV,
    .system_call = redox_system_call,
    .signal_deliver = redox_signal_deliver,
    .signal_action = redox_signal_action,
    .system_call_restart = redox_call_restart,
    .stack_build = redox_stack_build,
};
