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

enum { NO_CALL = UINT16_MAX };

// What the entry looks at, one for each index: the handler first of all. A number that no call has
// leads to rare_call(): where there is none, and everywhere when calls are shown (strace).
static struct slot {
    int64_t (*handler)(struct trap_frame *f, struct task *me);
    uint32_t number;
    uint16_t call; // in redox_calls, or NO_CALL
} table[SLOTS];

static force_inline const struct slot *slot_of(uint64_t number)
{
    return &table[(number ^ number >> CLASS_FOLD) % SLOTS];
}

void redox_init(const char *command_line)
{
    redox_strace_init(command_line);
    for (unsigned i = 0; i < SLOTS; i++)
        table[i] = (struct slot){ .number = UINT32_MAX, .call = NO_CALL };
    for (unsigned i = 0; i < redox_call_count; i++) {
        struct slot *slot = (struct slot *)slot_of(redox_calls[i].number);
        assert(slot->call == NO_CALL);
        *slot = (struct slot){ .handler = redox_calls[i].handler,
                               .number = redox_strace ? UINT32_MAX : redox_calls[i].number,
                               .call = (uint16_t)i };
    }
    program_set_abi_chooser(abi_choose);
    context_set_program_hook(abi_of_loaded);
    log_debug("redox: %u system calls", redox_call_count);
}

const struct redox_call *redox_call_find(uint64_t number)
{
    const struct slot *slot = slot_of(number);
    const struct redox_call *c = slot->call == NO_CALL ? NULL : &redox_calls[slot->call];
    return c && c->number == number ? c : NULL;
}

// Some calls end with an error that says how Linux is to make them again.
static int64_t redox_call_failed(const struct trap_frame *f, int64_t result)
{
    return result <= -ERESTARTSYS && result >= -ERESTART_BLOCK ? -EINTR : result;
}

// A call that is shown (strace), or whose program's pages say what may cut it short, or none.
static no_inline int64_t rare_call(struct trap_frame *f, struct task *t)
{
    const struct redox_call *c = redox_call_find(f->error);
    if (!c)
        return -ENOSYS;
    bool by_pages = t->upcall.model == UPCALL_PAGES;
    if (by_pages)
        redox_pages_enter(t);
    if (redox_strace)
        redox_strace_enter(c, f);
    int64_t result = redox_call_failed(f, c->handler(f, t));
    if (by_pages)
        redox_pages_leave(t);
    if (redox_strace)
        redox_strace_exit(c, result);
    return result;
}

static int64_t redox_system_call(struct trap_frame *f, struct task *t)
{
    const struct slot *slot = slot_of(f->error);
    if (unlikely(slot->number != f->error || t->upcall.model == UPCALL_PAGES))
        return rare_call(f, t);
    return slot->handler(f, t);
}

// An interrupted call returns -EINTR and is not made again.
static void redox_call_restart(struct trap_frame *f, const struct signal_action *action) {}

const struct abi redox_abi = {
    .name = "redox",
    .architecture = REDOX_ARCHITECTURE,
    .stack_fault = SIGNAL_SEGV,
    .system_call = redox_system_call,
    .system_call_failed = redox_call_failed,
    .signal_deliver = redox_signal_deliver,
    .signal_action = redox_signal_action,
    .system_call_restart = redox_call_restart,
    .stack_build = redox_stack_build,
};
