// SPDX-License-Identifier: GPL-3.0-or-later
// Calls that catch and block signals. Programs of 0.3 and 0.4 (UPCALL_RESTORER) have masks of 128
// bits, of which only the lower half means anything: there is no signal above 64 to send.
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"

enum { ACTION_LAST = 127 };

static bool has_wide_masks(void)
{
    return task_current()->upcall.model == UPCALL_RESTORER;
}

static err_t action_in(uaddr_t from, struct signal_action *action)
{
    struct redox_sigaction s;
    struct redox_sigaction_old wide;
    err_t e = has_wide_masks() ? user_copy_in(&wide, from, sizeof(wide))
                               : user_copy_in(&s, from, sizeof(s));
    if (e)
        return e;
    if (has_wide_masks())
        *action = (struct signal_action){ wide.handler, 0, wide.flags, wide.mask[0] };
    else
        *action = (struct signal_action){ s.handler, 0, s.flags, s.mask };
    return 0;
}

static err_t action_out(uaddr_t to, const struct signal_action *a)
{
    struct redox_sigaction s = { .handler = a->handler, .mask = a->mask, .flags = a->flags };
    struct redox_sigaction_old wide = { .handler = a->handler,
                                        .mask = { a->mask },
                                        .flags = a->flags };
    return has_wide_masks() ? user_copy_out(to, &wide, sizeof(wide))
                            : user_copy_out(to, &s, sizeof(s));
}

// Numbers past the last signal have actions, too, which nothing can ever call for.
REDOX_CALL(sigaction)
{
    uint64_t number = ARG(0);
    struct signal_action action = { 0 }, old = { 0 };
    bool kept = number <= SIGNAL_LAST;
    if (number < 1 || number > ACTION_LAST)
        return -EINVAL;
    err_t e = ARG(1) ? action_in(ARG(1), &action) : 0;
    if (!e && kept)
        e = signal_set_action((int)number, NULL, &old);
    if (!e && ARG(1) && kept && (SIGNALS_UNBLOCKABLE & SIGNAL_BIT(number)))
        e = -EINVAL;
    if (!e && ARG(2))
        e = action_out(ARG(2), &old);
    if (e || !ARG(1) || !kept)
        return e;
    action.restorer = ARG(3);
    return signal_set_action((int)number, &action, &old);
}

static err_t mask_out(uaddr_t to, uint64_t mask)
{
    uint64_t wide[] = { mask, 0 };
    return user_copy_out(to, wide, has_wide_masks() ? sizeof(wide) : sizeof(mask));
}

static err_t mask_in(uaddr_t from, uint64_t *mask)
{
    uint64_t wide[2];
    err_t e = user_copy_in(wide, from, has_wide_masks() ? sizeof(wide) : sizeof(*mask));
    *mask = e ? 0 : wide[0];
    return e;
}

REDOX_CALL(sigprocmask)
{
    uint64_t set = 0, old = task_current()->mask;
    err_t e = ARG(1) ? mask_in(ARG(1), &set) : 0;
    if (!e && ARG(1) && ARG(0) > REDOX_SIG_SETMASK)
        e = -EINVAL;
    if (!e && ARG(2))
        e = mask_out(ARG(2), old);
    if (e || !ARG(1))
        return e;
    if (ARG(0) == REDOX_SIG_BLOCK)
        set = old | set;
    else if (ARG(0) == REDOX_SIG_UNBLOCK)
        set = old & ~set;
    signal_set_mask(set);
    return 0;
}
