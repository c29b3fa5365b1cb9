// SPDX-License-Identifier: GPL-3.0-or-later
// regs/int, regs/float, regs/env.
//
// A context that has not started is written to directly (under program_lock, so that it does not
// start meanwhile). One that runs is held, and owes: what was written waits in context.owed until
// it is on its way to user mode, because in the middle of a system call its arguments must not
// change under the kernel's eyes, and its other registers are the processor's. Guard of `owed`: the
// process's signal lock.
#include "kernel/process/context/registers.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/operations.h"
#include "lib/string.h"
#include <redox/types.h>

enum { KIND_INT = 1, KIND_FLOAT = 2, KIND_ENV = 4, OLD_INT_SIZE = 168, USER_BITS = 47 };
#define RFLAGS_USER 0x240dd5ull // CF PF AF ZF SF TF DF OF AC ID

struct registers_owed {
    unsigned kinds;
    struct redox_int_registers whole;
    struct redox_float_registers floats;
    struct redox_env_registers env;
};

void registers_from_frame(struct redox_int_registers *r, const struct trap_frame *f)
{
    *r = (struct redox_int_registers){
        .r15 = f->r15,
        .r14 = f->r14,
        .r13 = f->r13,
        .r12 = f->r12,
        .rbp = f->rbp,
        .rbx = f->rbx,
        .r11 = f->r11,
        .r10 = f->r10,
        .r9 = f->r9,
        .r8 = f->r8,
        .rax = f->rax,
        .rcx = f->rcx,
        .rdx = f->rdx,
        .rsi = f->rsi,
        .rdi = f->rdi,
        .rip = f->rip,
        .cs = f->cs,
        .rflags = f->rflags,
        .rsp = f->rsp,
        .ss = f->ss,
    };
}

// cs, ss and the flags that are not a program's stay. The call it was in gives no result any more.
static void int_to_frame(struct trap_frame *f, const struct redox_int_registers *r)
{
    uint64_t rflags = (f->rflags & ~RFLAGS_USER) | (r->rflags & RFLAGS_USER);
    *f = (struct trap_frame){
        .r15 = r->r15,
        .r14 = r->r14,
        .r13 = r->r13,
        .r12 = r->r12,
        .rbp = r->rbp,
        .rbx = r->rbx,
        .r11 = r->r11,
        .r10 = r->r10,
        .r9 = r->r9,
        .r8 = r->r8,
        .rax = r->rax,
        .rcx = r->rcx,
        .rdx = r->rdx,
        .rsi = r->rsi,
        .rdi = r->rdi,
        .rip = r->rip,
        .cs = SELECTOR_USER_CODE,
        .rflags = rflags,
        .rsp = r->rsp,
        .ss = SELECTOR_USER_DATA,
        .error = f->error,
    };
}

// `frame`: a block of fpu_frame_size() bytes.
static void float_from_state(struct redox_float_registers *r, const struct fpu_state *s,
                             char *frame)
{
    fpu_frame_write(s, frame);
    memcpy(r, frame, sizeof(*r));
}

static err_t float_to_state(struct fpu_state *s, const struct redox_float_registers *r, char *frame)
{
    fpu_frame_write(s, frame);
    memcpy(frame, r, sizeof(*r));
    return fpu_frame_read(s, frame, fpu_frame_size());
}

static void env_load(struct task *t, const struct redox_env_registers *env)
{
    preempt_off();
    t->thread.user.fs_base = env->fsbase;
    t->thread.user.gs_base = env->gsbase;
    arch_user_load(&t->thread.user);
    preempt_on();
}

static err_t float_load(struct task *t, const struct redox_float_registers *r)
{
    char *frame = heap_alloc(fpu_frame_size());
    if (!frame)
        return -ENOMEM;
    preempt_off();
    fpu_save_current(t->thread.fpu);
    err_t e = float_to_state(t->thread.fpu, r, frame);
    fpu_load_current(t->thread.fpu);
    preempt_on();
    heap_free(frame);
    return e;
}

static struct registers_owed *owed_take(struct process *p)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct registers_owed *o = p->context.owed;
    p->context.owed = NULL;
    spin_unlock_irq(&p->signal_lock, flags);
    return o;
}

bool registers_take_owed(struct task *t, struct trap_frame *f)
{
    if (likely(!__atomic_load_n(&t->process->context.owed, __ATOMIC_ACQUIRE)))
        return false;
    struct registers_owed *o = owed_take(t->process);
    if (o->kinds & KIND_INT)
        int_to_frame(f, &o->whole);
    if (o->kinds & KIND_ENV)
        env_load(t, &o->env);
    if (o->kinds & KIND_FLOAT)
        (void)!float_load(t, &o->floats); // checked when it was written
    heap_free(o);
    return true;
}

void registers_drop_owed(struct process *p)
{
    heap_free(owed_take(p));
}

// What `kind` of `from` says becomes owed; everything it had before stays.
static err_t owe(struct process *p, const struct registers_owed *from, unsigned kind)
{
    struct registers_owed *fresh = heap_alloc(sizeof(*fresh));
    if (!fresh)
        return -ENOMEM;
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    struct registers_owed *o = p->context.owed;
    if (!o) {
        p->context.owed = o = fresh;
        fresh = NULL;
    }
    o->kinds |= kind;
    if (kind == KIND_INT)
        o->whole = from->whole;
    else if (kind == KIND_FLOAT)
        o->floats = from->floats;
    else
        o->env = from->env;
    spin_unlock_irq(&p->signal_lock, flags);
    heap_free(fresh);
    return 0;
}

static bool is_owed(struct process *p, struct registers_owed *to, unsigned kind)
{
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    bool owed = p->context.owed && (p->context.owed->kinds & kind);
    if (owed)
        *to = *p->context.owed;
    spin_unlock_irq(&p->signal_lock, flags);
    return owed;
}

// Writes to one that has not started; false: it has.
static bool write_new(struct task *t, const struct registers_owed *r, unsigned kind)
{
    uint64_t flags = spin_lock_irq(&program_lock);
    bool is_new = t->process->context.life == CONTEXT_NEW;
    if (is_new && kind == KIND_INT)
        int_to_frame(trap_user_frame(t->thread.stack_top), &r->whole);
    if (is_new && kind == KIND_ENV)
        t->thread.user = (struct arch_user){ r->env.fsbase, r->env.gsbase };
    spin_unlock_irq(&program_lock, flags);
    return is_new;
}

static err_t write_other(struct process *p, const struct registers_owed *r, unsigned kind)
{
    struct task *t;
    err_t e = hold_begin(p, &t);
    if (e)
        return e;
    if (kind == KIND_FLOAT || !write_new(t, r, kind)) {
        e = owe(p, r, kind);
        thread_set_work(&t->thread, WORK_NOTIFY);
    }
    hold_end(t);
    return e;
}

static err_t read_float_of(struct task *t, struct redox_float_registers *r)
{
    char *frame = heap_alloc(fpu_frame_size());
    if (!frame)
        return -ENOMEM;
    preempt_off();
    if (t == task_current())
        fpu_save_current(t->thread.fpu);
    float_from_state(r, t->thread.fpu, frame);
    preempt_on();
    heap_free(frame);
    return 0;
}

static void read_env_of(struct task *t, struct redox_env_registers *env)
{
    preempt_off();
    if (t == task_current())
        arch_user_save(&t->thread.user);
    *env = (struct redox_env_registers){ t->thread.user.fs_base, t->thread.user.gs_base };
    preempt_on();
}

static err_t read_registers(struct process *p, struct registers_owed *r, unsigned kind)
{
    struct task *t;
    err_t e = hold_begin(p, &t);
    if (e)
        return e;
    if (!is_owed(p, r, kind)) {
        if (kind == KIND_INT)
            registers_from_frame(&r->whole, trap_user_frame(t->thread.stack_top));
        else if (kind == KIND_ENV)
            read_env_of(t, &r->env);
        else
            e = read_float_of(t, &r->floats);
    }
    hold_end(t);
    return e;
}

err_t open_int_registers(struct grip *g)
{
    return g->process == process_current() ? -EBADF : 0;
}

len_t read_int_registers(struct grip *g, struct io *io, uint64_t offset)
{
    struct registers_owed r;
    err_t e = g->process == process_current() ? -EBADF : read_registers(g->process, &r, KIND_INT);
    return e ? e : grip_put_text(io, &r.whole, sizeof(r.whole), 0);
}

len_t write_int_registers(struct grip *g, struct io *io)
{
    struct registers_owed r;
    uint64_t old_selector;
    bool old = io->left == OLD_INT_SIZE;
    if (g->process == process_current())
        return -EBADF;
    if (!old && io->left != sizeof(r.whole))
        return -EINVAL;
    err_t e = io_get(io, &r.whole, sizeof(r.whole));
    if (!e && old)
        e = io_get(io, &old_selector, sizeof(old_selector));
    if (!e)
        e = write_other(g->process, &r, KIND_INT);
    return e ? e : (len_t)io->done;
}

len_t read_float_registers(struct grip *g, struct io *io, uint64_t offset)
{
    struct registers_owed r;
    err_t e = read_registers(g->process, &r, KIND_FLOAT);
    return e ? e : grip_put_text(io, &r.floats, sizeof(r.floats), 0);
}

// Bits of MXCSR that this processor does not have would fault when they are loaded.
static err_t check_floats(const struct redox_float_registers *r)
{
    struct fpu_state *s = fpu_state_make();
    char *frame = s ? heap_alloc(fpu_frame_size()) : NULL;
    err_t e = frame ? float_to_state(s, r, frame) : -ENOMEM;
    heap_free(frame);
    fpu_state_drop(s);
    return e;
}

len_t write_float_registers(struct grip *g, struct io *io)
{
    struct registers_owed r;
    err_t e = grip_take(io, &r.floats, sizeof(r.floats));
    if (!e)
        e = check_floats(&r.floats);
    if (!e)
        e = g->process == process_current() ? float_load(task_current(), &r.floats)
                                            : write_other(g->process, &r, KIND_FLOAT);
    return e ? e : (len_t)io->done;
}

len_t read_env_registers(struct grip *g, struct io *io, uint64_t offset)
{
    struct registers_owed r;
    err_t e = read_registers(g->process, &r, KIND_ENV);
    return e ? e : grip_put_text(io, &r.env, sizeof(r.env), 0);
}

// WRFSBASE faults on these in the kernel; a program must not have the kernel's half either.
static bool is_user_base(uint64_t base)
{
    return base >> USER_BITS == 0;
}

len_t write_env_registers(struct grip *g, struct io *io)
{
    struct registers_owed r;
    err_t e = grip_take(io, &r.env, sizeof(r.env));
    if (!e && (!is_user_base(r.env.fsbase) || !is_user_base(r.env.gsbase)))
        e = -EINVAL;
    if (!e && g->process == process_current())
        env_load(task_current(), &r.env);
    else if (!e)
        e = write_other(g->process, &r, KIND_ENV);
    return e ? e : (len_t)io->done;
}
