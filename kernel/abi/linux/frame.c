// SPDX-License-Identifier: GPL-3.0-or-later
// The stack frame of a signal handler: built here, and taken apart by rt_sigreturn. The layout is
// the kernel's side of <asm/ucontext.h> and <asm/sigcontext.h>; what comes back is hostile.
//
//   high   floating point state (64-byte aligned), its size from fpu_frame_size()
//          siginfo
//          ucontext
//   low    return address: the restorer            <- stack pointer in the handler, 16n + 8
#include "kernel/abi/linux/signals.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"

enum {
    RED_ZONE = 128,
    UC_FP_XSTATE = 1,
    UC_SIGCONTEXT_SS = 2,
    UC_STRICT_RESTORE_SS = 4,
    // Flags a program may set for itself: CF PF AF ZF SF TF DF OF RF AC.
    RFLAGS_USER = 0x50dd5 | 1 << 8,
};

struct frame {
    uint64_t return_address;
    struct linux_ucontext context;
    struct linux_siginfo info;
};

bool linux_on_alternate_stack(const struct task *t, uint64_t stack_pointer)
{
    return t->alternate_size && stack_pointer > t->alternate_stack &&
           stack_pointer - t->alternate_stack <= t->alternate_size;
}

static uint64_t stack_for(const struct trap_frame *f, const struct task *t,
                          const struct signal_action *a)
{
    if ((a->flags & ACTION_ON_STACK) && t->alternate_size && !linux_on_alternate_stack(t, f->rsp))
        return t->alternate_stack + t->alternate_size;
    return f->rsp - RED_ZONE;
}

// All that is not 0.
static void registers_save(struct linux_sigcontext *c, const struct trap_frame *f)
{
    c->r8 = f->r8;
    c->r9 = f->r9;
    c->r10 = f->r10;
    c->r11 = f->r11;
    c->r12 = f->r12;
    c->r13 = f->r13;
    c->r14 = f->r14;
    c->r15 = f->r15;
    c->rdi = f->rdi;
    c->rsi = f->rsi;
    c->rbp = f->rbp;
    c->rbx = f->rbx;
    c->rdx = f->rdx;
    c->rax = f->rax;
    c->rcx = f->rcx;
    c->rsp = f->rsp;
    c->rip = f->rip;
    c->rflags = f->rflags;
    c->cs = (uint16_t)f->cs;
    c->ss = (uint16_t)f->ss;
    c->error = f->error;
    c->trap = f->vector;
}

static void registers_load(struct trap_frame *f, const struct linux_sigcontext *c)
{
    f->r8 = c->r8, f->r9 = c->r9, f->r10 = c->r10, f->r11 = c->r11, f->r12 = c->r12,
    f->r13 = c->r13;
    f->r14 = c->r14, f->r15 = c->r15, f->rdi = c->rdi, f->rsi = c->rsi, f->rbp = c->rbp;
    f->rbx = c->rbx, f->rdx = c->rdx, f->rax = c->rax, f->rcx = c->rcx, f->rsp = c->rsp;
    f->rip = c->rip;
    f->rflags = (c->rflags & RFLAGS_USER) | (f->rflags & ~(uint64_t)RFLAGS_USER);
    f->cs = SELECTOR_USER_CODE;
    f->ss = SELECTOR_USER_DATA;
}

err_t linux_signal_deliver(struct trap_frame *f, struct task *t, const struct signal_info *info,
                           const struct signal_action *action, uint64_t old_mask)
{
    const int32_t automatic = INT32_MIN; // SS_AUTODISARM
    if (t->restartable_area)
        linux_sequence_end(f, t);
    uint64_t top = stack_for(f, t, action);
    uaddr_t fpu = round_down(top - fpu_frame_size(), 64);
    uaddr_t at = round_down(fpu - sizeof(struct frame), 16) - 8;
    if (!user_range_ok(at, top - at) || !(action->flags & ACTION_RESTORER))
        return -EFAULT;
    struct frame frame = { .return_address = action->restorer };
    frame.context.flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    frame.context.stack.address = t->alternate_stack;
    frame.context.stack.flags = (int32_t)t->alternate_flags;
    frame.context.stack.size = t->alternate_size;
    frame.context.mask = old_mask;
    linux_siginfo_fill(&frame.info, info);
    registers_save(&frame.context.registers, f);
    frame.context.registers.fpu = fpu;
    frame.context.registers.cr2 = info->address;
    frame.context.registers.old_mask = old_mask;
    err_t e = task_float_out(t, fpu);
    if (!e)
        e = user_copy_out(at, &frame, sizeof(frame));
    if (e)
        return e;
    t->restarting = false; // a call that the handler makes is not the one to be made again
    if ((int32_t)t->alternate_flags & automatic)
        t->alternate_stack = t->alternate_size = t->alternate_flags = 0;

    f->rip = action->handler;
    f->rsp = at;
    f->rdi = (uint64_t)info->number;
    f->rsi = at + offsetof(struct frame, info);
    f->rdx = at + offsetof(struct frame, context);
    f->rax = 0;
    f->rflags &= ~(uint64_t)(1 << 8 | 1 << 10); // no single stepping, direction up
    f->cs = SELECTOR_USER_CODE;
    f->ss = SELECTOR_USER_DATA;
    f->vector = 0;
    return 0;
}

static no_inline void refuse(struct task *t)
{
    struct signal_info fault = { .number = SIGNAL_SEGV, .code = SIGNAL_FROM_KERNEL };
    signal_force(t, &fault);
}

// The handler has returned: everything is put back as it was. What the processor refuses of the
// floating point state is a fault of the place that is returned to.
LINUX_CALL(rt_sigreturn)
{
    struct task *t = task_current();
    struct linux_ucontext c;
    uaddr_t at = f->rsp - sizeof(uint64_t); // the handler's `ret` took the return address off
    err_t e = user_copy_in(&c, at + offsetof(struct frame, context), sizeof(c));
    f->vector = 0;
    if (e) {
        refuse(t);
        return 0;
    }
    signal_set_mask(c.mask);
    t->alternate_stack = c.stack.address;
    t->alternate_size = c.stack.size;
    t->alternate_flags = (unsigned)c.stack.flags & 0x80000000u;
    registers_load(f, &c.registers);
    if (task_float_in(t, c.registers.fpu)) {
        (void)!task_float_in(t, 0);
        refuse(t);
    }
    return (int64_t)f->rax;
}
