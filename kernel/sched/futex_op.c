// SPDX-License-Identifier: GPL-3.0-or-later
// FUTEX_WAKE_OP: changes a second word and wakes by what it was (futex(2)).
#include "kernel/sched/futex_inside.h"
#include "kernel/arch/x86_64/user_memory.h"

// The new value of the word.
static err_t operate(uint32_t operation, uint32_t old, uint32_t *new)
{
    uint32_t argument = operation >> 12 & 0xfff;
    if (operation >> 31)
        argument = 1u << (argument & 31);
    else if (argument & 0x800)
        argument |= 0xfffff000;
    switch (operation >> 28 & 7) {
    case 0:
        *new = argument;
        return 0;
    case 1:
        *new = old + argument;
        return 0;
    case 2:
        *new = old | argument;
        return 0;
    case 3:
        *new = old & ~argument;
        return 0;
    case 4:
        *new = old ^ argument;
        return 0;
    default:
        return -ENOSYS;
    }
}

static err_t compare_old(uint32_t operation, uint32_t value, bool *passes)
{
    int32_t old = (int32_t)value;
    int32_t argument = (int32_t)(operation << 20) >> 20;
    switch (operation >> 24 & 15) {
    case 0:
        *passes = old == argument;
        return 0;
    case 1:
        *passes = old != argument;
        return 0;
    case 2:
        *passes = old < argument;
        return 0;
    case 3:
        *passes = old <= argument;
        return 0;
    case 4:
        *passes = old > argument;
        return 0;
    case 5:
        *passes = old >= argument;
        return 0;
    default:
        return -ENOSYS;
    }
}

static err_t change_word(uaddr_t at, uint32_t operation, bool *passes)
{
    uint32_t old;
    err_t e = user_get_u32(at, &old);
    while (!e) {
        uint32_t new = 0, seen = old;
        e = operate(operation, old, &new);
        if (!e)
            e = user_exchange_u32(at, old, new, &seen);
        if (!e && seen == old)
            return compare_old(operation, old, passes);
        old = seen;
    }
    return e;
}

err_t futex_wake_op(uaddr_t first, uaddr_t second, bool shared, unsigned wake, unsigned wake_second,
                    uint32_t operation, unsigned *count)
{
    struct futex_order order = { .wake = wake, .bits = UINT32_MAX }, then = order;
    then.wake = wake_second;
    bool passes = false;
    err_t e = compare_old(operation, 0, &passes); // an unknown comparison changes nothing
    if (!e)
        e = futex_key_find(first, 4, shared, &order.key);
    if (!e)
        e = futex_key_find(second, 4, shared, &then.key);
    if (!e)
        e = change_word(second, operation, &passes);
    if (e)
        return e;
    struct futex_bucket *a = futex_bucket_of(&order.key), *b = futex_bucket_of(&then.key);
    *count = 0;
    futex_lock_both(a, b);
    e = futex_serve(a, &order, count);
    if (!e && passes)
        e = futex_serve(b, &then, count);
    futex_unlock_both(a, b);
    return e;
}
