// SPDX-License-Identifier: GPL-3.0-or-later
// Restartable sequences (rseq): a thread's area in user memory says on which CPU it runs, and which
// piece of code must go on at its abort address when others ran meanwhile, it moved to another CPU,
// or a signal came. The layouts are those of <linux/rseq.h>; what they say is hostile.
#include "kernel/abi/linux/linux.h"
#include "kernel/arch/x86_64/user_memory.h"

enum { NO_CPU = 0xffffffff, AREA_ALIGN = 32 };

struct area {
    uint32_t cpu_start, cpu;
    uint64_t sequence;
    uint32_t flags;
    uint32_t reserved[3];
};
_Static_assert(sizeof(struct area) == 32, "struct rseq");

struct sequence {
    uint32_t version, flags;
    uint64_t start, size, abort;
};
_Static_assert(sizeof(struct sequence) == 32, "struct rseq_cs");

static err_t cpu_out(uaddr_t area, uint32_t start, uint32_t cpu)
{
    uint32_t both[2] = { start, cpu };
    return user_copy_out(area, both, sizeof(both));
}

static void kill_for(struct task *t)
{
    struct signal_info fault = { .number = SIGNAL_SEGV, .code = SIGNAL_FROM_KERNEL };
    signal_force(t, &fault);
}

// The abort address must be preceded by the signature that the program registered.
static err_t sequence_check(const struct sequence *s, const struct task *t)
{
    uint32_t signature;
    if (s->version || s->flags || !user_range_ok(s->start, s->size) || s->abort >= USER_END ||
        s->abort - s->start < s->size || s->abort < sizeof(signature))
        return -EINVAL;
    err_t e = user_get_u32(s->abort - sizeof(signature), &signature);
    return !e && signature != t->restartable_signature ? -EINVAL : e;
}

// Sends the frame to the abort address if it lies in the sequence that the area names.
static err_t sequence_end(struct trap_frame *f, struct task *t)
{
    uaddr_t named = t->restartable_area + offsetof(struct area, sequence), at;
    struct sequence s;
    uint32_t flags;
    err_t e = user_get_u64(named, &at);
    if (e || !at)
        return e;
    e = user_copy_in(&s, at, sizeof(s));
    if (!e)
        e = sequence_check(&s, t);
    if (e)
        return e;
    bool inside = f->rip - s.start < s.size;
    e = inside ? user_get_u32(t->restartable_area + offsetof(struct area, flags), &flags) : 0;
    if (!e && inside && flags)
        e = -EINVAL;
    if (!e)
        e = user_put_u64(named, 0);
    if (!e && inside)
        f->rip = s.abort;
    return e;
}

void linux_sequence_end(struct trap_frame *f, struct task *t)
{
    if (sequence_end(f, t))
        kill_for(t);
}

void linux_task_moved(struct trap_frame *f, struct task *t)
{
    if (!t->restartable_area)
        return;
    uint32_t cpu = t->thread.tracked_cpu;
    err_t e = f->vector == TRAP_SYSCALL ? 0 : sequence_end(f, t);
    if (!e)
        e = cpu_out(t->restartable_area, cpu, cpu);
    if (e)
        kill_for(t);
}

static err_t forget(struct task *t)
{
    err_t e = cpu_out(t->restartable_area, 0, NO_CPU);
    if (e)
        return e;
    t->restartable_area = 0;
    t->thread.extras &= (uint8_t)~EXTRA_TRACKED;
    return 0;
}

static err_t remember(struct task *t, uaddr_t area, uint32_t signature)
{
    if (!is_aligned(area, AREA_ALIGN))
        return -EINVAL;
    if (!user_range_ok(area, sizeof(struct area)))
        return -EFAULT;
    t->restartable_area = area;
    t->restartable_signature = signature;
    preempt_off();
    t->thread.tracked_cpu = (uint16_t)cpu_number();
    t->thread.extras |= EXTRA_TRACKED;
    preempt_on();
    thread_set_work(&t->thread, WORK_MOVED); // fills the area in
    return 0;
}

LINUX_CALL(rseq)
{
    enum { UNREGISTER = 1 };
    struct task *t = task_current();
    uint32_t signature = (uint32_t)ARG(3);
    bool known = t->restartable_area != 0;
    if ((ARG_INT(2) & ~UNREGISTER) || (ARG_INT(2) && !known) ||
        (uint32_t)ARG(1) != sizeof(struct area) || (known && t->restartable_area != ARG(0)))
        return -EINVAL;
    if (known && t->restartable_signature != signature)
        return -EPERM;
    if (ARG_INT(2))
        return forget(t);
    return known ? -EBUSY : remember(t, ARG(0), signature);
}
