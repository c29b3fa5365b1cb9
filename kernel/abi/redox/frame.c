// SPDX-License-Identifier: GPL-3.0-or-later
// What a program finds on its stack when a signal comes, and the way back. What comes back is
// hostile.
//
// UPCALL_ENTRY: struct redox_signal_stack at the stack pointer, 64-byte aligned; the program goes
// on at its entry with all other registers as they were, calls the handler itself, and comes back
// with the frame at its stack pointer.
//
// UPCALL_RESTORER, UPCALL_NONE: the handler is called with the restorer as its return address. The
// program does not know the frame above that; where the innermost is, the task remembers:
//
//   high   floating point state, 64-byte aligned
//          registers, mask, the frame outside of this one
//   low    return address               <- stack pointer in the handler, 16n + 8
//
// UPCALL_PAGES: nothing; see pages.h.
#include "kernel/abi/redox/pages.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/process/context/registers.h"
#include "lib/string.h"

enum {
    RED_ZONE = 256,
    // Flags a program may set for itself: CF PF AF ZF SF TF DF OF RF AC.
    RFLAGS_USER = 0x50dd5 | 1 << 8,
    RFLAGS_NEW = 1 << 8 | 1 << 10, // single stepping and direction begin anew
    NESTED_NEAR = 1 << 20,
};

struct restorer_frame {
    uint64_t return_address;
    struct redox_int_registers registers;
    uint64_t mask, outer, float_state;
};

static struct redox_int_registers registers_of(const struct trap_frame *f)
{
    struct redox_int_registers r;
    registers_from_frame(&r, f);
    return r;
}

static err_t registers_load(struct trap_frame *f, const struct redox_int_registers *r)
{
    if (r->rip >= USER_END || r->rsp >= REDOX_USER_END)
        return -EFAULT;
    f->r15 = r->r15, f->r14 = r->r14, f->r13 = r->r13, f->r12 = r->r12, f->rbp = r->rbp;
    f->rbx = r->rbx, f->r11 = r->r11, f->r10 = r->r10, f->r9 = r->r9, f->r8 = r->r8;
    f->rax = r->rax, f->rcx = r->rcx, f->rdx = r->rdx, f->rsi = r->rsi, f->rdi = r->rdi;
    f->rip = r->rip, f->rsp = r->rsp;
    f->rflags = (r->rflags & RFLAGS_USER) | (f->rflags & ~(uint64_t)RFLAGS_USER);
    return 0;
}

static void go_on_at(struct trap_frame *f, uaddr_t at, uaddr_t stack)
{
    f->rip = at;
    f->rsp = stack;
    f->rflags &= ~(uint64_t)RFLAGS_NEW;
    f->vector = 0; // whatever it was in is over
}

static uint64_t entry_stack(const struct trap_frame *f, const struct upcall *u)
{
    if (u->stack_size && f->rsp - u->stack >= u->stack_size)
        return round_down(u->stack + u->stack_size, 64);
    return round_down(f->rsp - RED_ZONE, 64);
}

static err_t deliver_entry(struct trap_frame *f, const struct upcall *u, int number,
                           const struct signal_action *action, uint64_t old_mask)
{
    struct redox_signal_stack frame = {
        .registers = registers_of(f),
        .old_mask = old_mask,
        .action_mask = action->mask,
        .action_flags = (uint32_t)action->flags,
        .signal = (uint32_t)number,
        .handler = action->handler,
    };
    uaddr_t at = entry_stack(f, u) - sizeof(frame);
    err_t e = u->entry < USER_END ? user_copy_out(at, &frame, sizeof(frame)) : -EFAULT;
    if (!e)
        go_on_at(f, u->entry, at);
    return e;
}

// Only the top of the signal stack is known: a frame just below it that we are below of says that
// we are on it.
static uint64_t restorer_stack(const struct trap_frame *f, const struct upcall *u)
{
    uint64_t top = u->stack;
    bool given = u->model == UPCALL_RESTORER && top != UINT64_MAX;
    bool on_it = u->frame && u->frame < top && top - u->frame < NESTED_NEAR && f->rsp < u->frame &&
                 u->frame - f->rsp < NESTED_NEAR;
    return given && !on_it ? top : f->rsp - RED_ZONE;
}

static err_t deliver_restorer(struct trap_frame *f, struct task *t, int number,
                              const struct signal_action *action, uint64_t old_mask)
{
    struct upcall *u = &t->upcall;
    if (!action->restorer)
        return SIGNAL_DROPPED;
    uint64_t top = restorer_stack(f, u);
    uaddr_t float_state = round_down(top - fpu_frame_size(), 64);
    uaddr_t at = round_down(float_state - sizeof(struct restorer_frame), 16) - 8;
    struct restorer_frame frame = {
        .return_address = action->restorer,
        .registers = registers_of(f),
        .mask = old_mask,
        .outer = u->frame,
        .float_state = float_state,
    };
    if (!user_range_ok(at, top - at) || action->handler >= USER_END)
        return -EFAULT;
    err_t e = task_float_out(t, float_state);
    if (!e)
        e = user_copy_out(at, &frame, sizeof(frame));
    if (e)
        return e;
    u->frame = at;
    go_on_at(f, action->handler, at);
    f->rdi = (uint64_t)number;
    f->rsi = f->rdx = f->rax = 0;
    return 0;
}

err_t redox_signal_deliver(struct trap_frame *f, struct task *t, const struct signal_info *info,
                           const struct signal_action *action, uint64_t old_mask)
{
    if (t->upcall.model == UPCALL_PAGES)
        return redox_pages_deliver(f, t, info);
    if (t->upcall.model == UPCALL_ENTRY)
        return deliver_entry(f, &t->upcall, info->number, action, old_mask);
    return deliver_restorer(f, t, info->number, action, old_mask);
}

void redox_signal_action(struct task *t, const struct signal_info *info,
                         struct signal_action *action)
{
    if (t->upcall.model == UPCALL_PAGES)
        redox_pages_action(t, info, action);
}

static err_t return_entry(struct trap_frame *f)
{
    struct redox_signal_stack frame;
    err_t e = user_copy_in(&frame, f->rsp, sizeof(frame));
    if (!e)
        e = registers_load(f, &frame.registers);
    if (!e)
        signal_set_mask(frame.old_mask);
    return e;
}

static err_t return_restorer(struct trap_frame *f, struct task *t)
{
    struct restorer_frame frame;
    err_t e = t->upcall.frame ? user_copy_in(&frame, t->upcall.frame, sizeof(frame)) : -EFAULT;
    if (!e)
        e = task_float_in(t, frame.float_state);
    if (!e)
        e = registers_load(f, &frame.registers);
    if (e)
        return e;
    t->upcall.frame = frame.outer;
    signal_set_mask(frame.mask);
    return 0;
}

REDOX_CALL(sigreturn)
{
    struct task *t = task_current();
    err_t e = t->upcall.model == UPCALL_ENTRY ? return_entry(f) : return_restorer(f, t);
    f->vector = 0; // the result is the frame's
    if (e) {
        struct signal_info fault = { .number = SIGNAL_SEGV, .code = SIGNAL_FROM_KERNEL };
        signal_force(t, &fault);
    }
    return 0;
}
