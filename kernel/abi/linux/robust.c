// SPDX-License-Identifier: GPL-3.0-or-later
// What a task that ends, or runs a new program, leaves for others: marks on the robust futexes that
// it holds, waiters of futexes that it owns, the word that tells of its end.
#include "kernel/abi/linux/linux.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/sched/futex.h"

enum { ROBUST_HEAD_SIZE = 24 };

LINUX_CALL(set_robust_list)
{
    if (ARG(1) != ROBUST_HEAD_SIZE)
        return -EINVAL;
    task_current()->robust_list = ARG(0);
    task_current()->robust_size = ARG(1);
    return 0;
}

LINUX_CALL(get_robust_list)
{
    struct task *t = task_current();
    uint64_t list = t->robust_list;
    if (ARG_INT(0) != 0 && ARG_INT(0) != t->number) {
        err_t e = ARG_INT(0) < 0 ? -ESRCH : task_find(ARG_INT(0), &t);
        if (e)
            return e;
        e = process_may_inspect(t->process) ? -EPERM : 0;
        list = t->robust_list;
        task_put(t);
        if (e)
            return e;
    }
    err_t e = user_put_u64(ARG(1), list);
    return e ? e : user_put_u64(ARG(2), ROBUST_HEAD_SIZE);
}

// A futex of the list: where it is, and whether those who wait for it do so in the kernel, as for
// an owner (bit 0 of the pointer to its entry).
struct robust {
    uaddr_t at;
    bool owned;
};

static struct robust robust_of(uint64_t entry, uint64_t offset)
{
    return (struct robust){ (entry & ~1ull) + offset, entry & 1 };
}

// One that the task held is marked, so that the next to lock learns; one who waits is woken.
// `pending`: the task was about to take it or had let go, and may have left others asleep.
static void robust_one(struct robust r, uint32_t number, bool pending)
{
    uint32_t value, seen;
    unsigned woken;
    if (!is_aligned(r.at, 4) || user_get_u32(r.at, &value))
        return;
    if (pending && !r.owned && !value)
        (void)!futex_wake(r.at, true, 1, UINT32_MAX, &woken);
    while ((value & FUTEX_OWNER) == number) {
        if (user_exchange_u32(r.at, value, (value & FUTEX_WAITERS) | FUTEX_DIED, &seen))
            return;
        if (seen != value) {
            value = seen;
            continue;
        }
        if ((value & FUTEX_WAITERS) && !r.owned)
            (void)!futex_wake(r.at, true, 1, UINT32_MAX, &woken);
        return;
    }
}

// Walks the list that the program keeps of the futexes it holds (linux/futex.h, struct
// robust_list_head): hostile, so bounded.
static void robust_walk(struct task *t)
{
    enum { MOST = 2048 };
    uint64_t head[3]; // first entry, offset of the futex in an entry, entry being taken
    uint32_t number = (uint32_t)t->number;
    if (!t->robust_list || user_copy_in(head, t->robust_list, sizeof(head)))
        return;
    uint64_t entry = head[0], pending = head[2];
    for (unsigned n = 0; n < MOST && (entry & ~1ull) != t->robust_list && entry; n++) {
        uint64_t next;
        bool readable = !user_get_u64(entry & ~1ull, &next);
        if ((entry & ~1ull) != (pending & ~1ull))
            robust_one(robust_of(entry, head[1]), number, false);
        if (!readable)
            return;
        entry = next;
    }
    if (pending)
        robust_one(robust_of(pending, head[1]), number, true);
}

static void leave(struct task *t, bool for_good)
{
    robust_walk(t);
    t->robust_list = 0;
    futex_owner_end(for_good);
    if (!t->clear_child_number)
        return;
    unsigned woken;
    uaddr_t at = t->clear_child_number;
    t->clear_child_number = 0;
    // When nobody shares the space there is nobody to tell.
    if (t->thread.space && __atomic_load_n(&t->thread.space->references, __ATOMIC_RELAXED) > 1 &&
        !user_put_u32(at, 0))
        (void)!futex_wake(at, false, 1, UINT32_MAX, &woken);
}

void linux_task_exit(struct task *t)
{
    leave(t, true);
}

void linux_task_exec(struct task *t)
{
    leave(t, false);
}
