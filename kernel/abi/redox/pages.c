// SPDX-License-Identifier: GPL-3.0-or-later
// See pages.h. The pages are hostile: a word that cannot be touched costs the program its life and
// nobody else anything.
//
// thread page:   two words of 64 bits for signals 1-32 and 33-64, the low half pending, the high
//                half allowed; who sent signals 1-32; INHIBIT; what was interrupted
// process page:  pending queued signals (the upper half: 33-64); from 16 on 16 bytes for each
//                action
#include "kernel/abi/redox/pages.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/process/context/context.h"

enum {
    CONTROL_INHIBIT = 1,
    HALF = 32, // signals in a word
    ACTIONS_AT = 16,
    ACTION_SIZE = 16,
    QUEUED_FIRST = 33,
};
#define ACTION_BIT_IGNORE (1ull << 63)
#define ACTION_BIT_STOP   (1ull << 62) // of SIGCHLD: not for children that stop or go on

#define THREAD_PLACE(t, field) \
    ((t)->upcall.thread_page + offsetof(struct redox_signal_control, field))

static uaddr_t pending_word(const struct task *t, int number)
{
    return THREAD_PLACE(t, word) + (number > HALF ? 8 : 0);
}

static uint32_t bit_in_half(int number)
{
    return 1u << ((number - 1) % HALF);
}

static err_t change_bits(uaddr_t at, uint32_t set, uint32_t clear)
{
    uint32_t old, seen;
    err_t e = user_get_u32(at, &old);
    while (!e) {
        e = user_exchange_u32(at, old, (old & ~clear) | set, &seen);
        if (e || seen == old)
            break;
        old = seen;
    }
    return e;
}

static err_t is_inhibited(const struct task *t, bool *inhibited)
{
    uint64_t flags = 0;
    err_t e = user_get_u64(THREAD_PLACE(t, control_flags), &flags);
    *inhibited = flags & CONTROL_INHIBIT;
    return e;
}

void redox_pages_enter(struct task *t)
{
    uint32_t low = 0, high = 0;
    bool inhibited;
    err_t e = user_get_u32(pending_word(t, 1) + 4, &low);
    if (!e)
        e = user_get_u32(pending_word(t, QUEUED_FIRST) + 4, &high);
    if (!e)
        e = is_inhibited(t, &inhibited);
    bool all = e || inhibited;
    signal_set_mask(all ? UINT64_MAX : ~((uint64_t)high << HALF | low));
}

void redox_pages_leave(struct task *t)
{
    if (t->upcall.model == UPCALL_PAGES)
        signal_set_mask(0);
}

static bool is_fault(const struct signal_info *info)
{
    switch (info->number) {
    case SIGNAL_ILLEGAL:
    case SIGNAL_TRAP:
    case SIGNAL_BUS:
    case SIGNAL_FPE:
    case SIGNAL_SEGV:
        return info->code > 0; // by the processor, not by somebody
    default:
        return false;
    }
}

static bool is_terminal_stop(int number)
{
    return number == SIGNAL_TERMINAL_STOP || number == SIGNAL_TERMINAL_IN ||
           number == SIGNAL_TERMINAL_OUT;
}

static bool is_of_stopped_child(const struct signal_info *info)
{
    return info->number == SIGNAL_CHILD &&
           (info->code == CHILD_STOPPED || info->code == CHILD_CONTINUED);
}

void redox_pages_action(struct task *t, const struct signal_info *info,
                        struct signal_action *action)
{
    const struct upcall *u = &t->upcall;
    uint64_t word = 0;
    *action = (struct signal_action){ .handler = u->entry, .flags = ACTION_NO_DEFER };
    if (SIGNALS_UNBLOCKABLE & SIGNAL_BIT(info->number))
        action->handler = ACTION_DEFAULT;
    else if (is_fault(info))
        action->handler = u->exception_entry; // none: as by default
    else if (user_get_u64(u->process_page + ACTIONS_AT + ACTION_SIZE * (info->number - 1), &word))
        action->handler = u->entry; // fails again where that has consequences
    else if ((word & ACTION_BIT_IGNORE) || ((word & ACTION_BIT_STOP) && is_of_stopped_child(info)))
        action->handler = ACTION_IGNORE;
    else if ((word & ACTION_BIT_STOP) && is_terminal_stop(info->number))
        action->handler = ACTION_DEFAULT;
}

static err_t go_on_at(struct trap_frame *f, const struct task *t, uaddr_t at)
{
    if (at >= USER_END)
        return -EFAULT;
    err_t e = user_put_u64(THREAD_PLACE(t, saved_ip), f->rip);
    if (!e)
        e = user_put_u64(THREAD_PLACE(t, saved_flags), f->rflags);
    if (e)
        return e;
    f->rip = at;
    f->rflags &= ~(uint64_t)(1 << 8); // no single stepping
    f->vector = 0;
    return 0;
}

static err_t announce_queued(struct task *t, const struct signal_info *info)
{
    uint64_t flags = spin_lock_irq(&program_lock);
    struct process *first = program_first_locked(t->process);
    err_t e = signal_hold(first, info);
    spin_unlock_irq(&program_lock, flags);
    return e ? 0 : change_bits(t->upcall.process_page + 4, bit_in_half(info->number), 0);
}

static err_t announce(struct task *t, const struct signal_info *info)
{
    int number = info->number;
    uint64_t sender = (uint64_t)info->sender_user << 32 | (uint32_t)info->sender;
    if (number >= QUEUED_FIRST && info->code == SIGNAL_FROM_QUEUE)
        return announce_queued(t, info);
    err_t e = number > HALF
                  ? 0
                  : user_put_u64(THREAD_PLACE(t, sender) + 8 * (uint64_t)(number - 1), sender);
    return e ? e : change_bits(pending_word(t, number), bit_in_half(number), 0);
}

err_t redox_pages_deliver(struct trap_frame *f, struct task *t, const struct signal_info *info)
{
    if (is_fault(info))
        return go_on_at(f, t, t->upcall.exception_entry);
    bool inhibited;
    uint32_t allowed = 0;
    err_t e = announce(t, info);
    if (!e)
        e = user_get_u32(pending_word(t, info->number) + 4, &allowed);
    if (!e)
        e = is_inhibited(t, &inhibited);
    if (e || inhibited || !(allowed & bit_in_half(info->number)))
        return e;
    e = go_on_at(f, t, t->upcall.entry);
    return e ? e : change_bits(THREAD_PLACE(t, control_flags), CONTROL_INHIBIT, 0);
}

REDOX_CALL(sigenqueue)
{
    struct redox_rt_signal s;
    struct process *p;
    if (ARG(1) < QUEUED_FIRST || ARG(1) > SIGNAL_LAST)
        return -EINVAL;
    err_t e = user_copy_in(&s, ARG(2), sizeof(s));
    if (!e)
        e = process_find(ARG_INT(0), &p);
    if (e)
        return e;
    struct signal_info info = signal_from_caller(ARG_INT(1), SIGNAL_FROM_QUEUE);
    info.value = s.arg;
    e = signal_send_allowed(p, &info);
    process_put(p);
    return e;
}

REDOX_CALL(sigdequeue)
{
    struct task *t = task_current();
    struct signal_info info;
    if (ARG(1) >= HALF || t->upcall.model != UPCALL_PAGES)
        return -EINVAL;
    int number = (int)ARG(1) + QUEUED_FIRST;
    if (!user_range_ok(ARG(0), sizeof(struct redox_rt_signal)))
        return -EFAULT;
    uint64_t flags = spin_lock_irq(&program_lock);
    struct process *first = program_first_locked(t->process);
    bool more, taken = signal_release(first, number, &info, &more);
    spin_unlock_irq(&program_lock, flags);
    if (!taken)
        return -EAGAIN;
    struct redox_rt_signal s = {
        .arg = info.value,
        .code = info.code,
        .uid = info.sender_user,
        .pid = (uint32_t)info.sender,
    };
    err_t e = user_copy_out(ARG(0), &s, sizeof(s));
    if (!e && !more)
        e = change_bits(t->upcall.process_page + 4, 0, bit_in_half(number));
    return e;
}
