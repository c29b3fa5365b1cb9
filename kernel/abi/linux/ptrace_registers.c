// SPDX-License-Identifier: GPL-3.0-or-later
// Registers of a stopped task as ptrace(2) shows them: struct user of <sys/user.h>, register sets,
// and PTRACE_GET_SYSCALL_INFO. What is written is hostile: flags and addresses that are not a
// program's are refused or left as they were.
#include "kernel/abi/linux/ptrace.h"
#include "kernel/abi/linux/types.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"

enum {
    SHOWN_CODE = 0x33, // Linux's selectors, by which debuggers know 64-bit code
    SHOWN_DATA = 0x2b,
    RFLAGS_TRACER = 0x50dd5, // CF PF AF ZF SF TF DF OF RF AC
    USER_SIZE = 912,         // struct user
    DEBUG_AT = 848,          // u_debugreg
    DEBUG_COUNT = 8,
    LEGACY_SIZE = 512, // struct user_fpregs_struct
    DESCRIPTION_AT = 464,
    SET_STATUS = 1, // NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE
    SET_FLOATS = 2,
    SET_EXTENDED = 0x202,
};

struct linux_registers {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, original_rax;
    uint64_t rip, cs, rflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};
_Static_assert(sizeof(struct linux_registers) == 27 * 8, "struct user_regs_struct");

static struct trap_frame *frame_of(const struct tracee *r)
{
    return trap_user_frame(r->trace.task->thread.stack_top);
}

int64_t linux_traced_call(const struct tracee *r, const struct trap_frame *f)
{
    if (f->vector == TRAP_SYSCALL)
        return (int64_t)f->error;
    return r->cause & TRACE_CALL_END ? (int64_t)r->call : -1;
}

static void registers_get(const struct tracee *r, struct linux_registers *to)
{
    const struct trap_frame *f = frame_of(r);
    const struct arch_user *bases =
        r->trace.bases_changed ? &r->trace.bases : &r->trace.task->thread.user;
    *to = (struct linux_registers){
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
        .original_rax = (uint64_t)linux_traced_call(r, f),
        .rip = f->rip,
        .cs = SHOWN_CODE,
        .rflags = f->rflags,
        .rsp = f->rsp,
        .ss = SHOWN_DATA,
        .fs_base = bases->fs_base,
        .gs_base = bases->gs_base,
    };
}

// A number of -1 says that this is no call (any more); another one, that it is one to be made, or
// to be made again where its result says so.
static void set_call(const struct tracee *r, struct trap_frame *f, uint64_t number)
{
    if (number == (uint64_t)linux_traced_call(r, f))
        return;
    if (f->vector == TRAP_SYSCALL || (int64_t)number >= 0)
        f->error = number;
    if ((int64_t)number >= 0)
        f->vector = TRAP_SYSCALL;
    else if (f->vector == TRAP_SYSCALL && r->cause != TRACE_CALL_BEGIN)
        f->vector = 0;
}

static err_t registers_set(struct tracee *r, const struct linux_registers *n)
{
    struct trap_frame *f = frame_of(r);
    if (n->fs_base >= USER_END || n->gs_base >= USER_END)
        return -EIO;
    set_call(r, f, n->original_rax);
    f->r15 = n->r15, f->r14 = n->r14, f->r13 = n->r13, f->r12 = n->r12, f->rbp = n->rbp;
    f->rbx = n->rbx, f->r11 = n->r11, f->r10 = n->r10, f->r9 = n->r9, f->r8 = n->r8;
    f->rax = n->rax, f->rcx = n->rcx, f->rdx = n->rdx, f->rsi = n->rsi, f->rdi = n->rdi;
    f->rip = n->rip, f->rsp = n->rsp;
    f->rflags = (f->rflags & ~(uint64_t)RFLAGS_TRACER) | (n->rflags & RFLAGS_TRACER);
    trace_set_bases(&r->trace, &(struct arch_user){ n->fs_base, n->gs_base });
    return 0;
}

static err_t registers_read(struct tracee *r, struct linux_registers *to)
{
    uint64_t flags;
    err_t e = tracee_lock(r, &flags);
    if (e)
        return e;
    registers_get(r, to);
    tracee_unlock(r, flags);
    return 0;
}

static err_t registers_write(struct tracee *r, const struct linux_registers *from)
{
    uint64_t flags;
    err_t e = tracee_lock(r, &flags);
    if (e)
        return e;
    e = registers_set(r, from);
    tracee_unlock(r, flags);
    return e;
}

int64_t linux_get_registers(struct tracee *r, uint64_t address, uint64_t data)
{
    struct linux_registers n;
    err_t e = registers_read(r, &n);
    return e ? e : user_copy_out(data, &n, sizeof(n));
}

int64_t linux_set_registers(struct tracee *r, uint64_t address, uint64_t data)
{
    struct linux_registers n;
    err_t e = user_copy_in(&n, data, sizeof(n));
    return e ? e : registers_write(r, &n);
}

static bool user_address_ok(uint64_t address)
{
    return is_aligned(address, 8) && address < USER_SIZE;
}

static bool is_debug(uint64_t address)
{
    return address >= DEBUG_AT && address < DEBUG_AT + 8 * DEBUG_COUNT;
}

int64_t linux_peek_user(struct tracee *r, uint64_t address, uint64_t data)
{
    struct linux_registers n;
    uint64_t value = 0, flags;
    if (!user_address_ok(address))
        return -EIO;
    err_t e = tracee_lock(r, &flags);
    if (e)
        return e;
    registers_get(r, &n);
    if (is_debug(address))
        value = trace_debug(&r->trace, (unsigned)(address - DEBUG_AT) / 8);
    tracee_unlock(r, flags);
    if (address < sizeof(n))
        memcpy(&value, (char *)&n + address, sizeof(value));
    return user_put_u64(data, value);
}

static err_t poke_debug(struct tracee *r, unsigned number, uint64_t value)
{
    uint64_t flags;
    struct arch_debug *fresh = heap_alloc(sizeof(*fresh));
    if (!fresh)
        return -ENOMEM;
    err_t e = tracee_lock(r, &flags);
    if (!e) {
        e = trace_set_debug(&r->trace, number, value, &fresh);
        tracee_unlock(r, flags);
    }
    heap_free(fresh);
    return e;
}

int64_t linux_poke_user(struct tracee *r, uint64_t address, uint64_t data)
{
    struct linux_registers n;
    if (!user_address_ok(address))
        return -EIO;
    if (is_debug(address))
        return poke_debug(r, (unsigned)(address - DEBUG_AT) / 8, data);
    if (address >= sizeof(n))
        return -EIO;
    err_t e = registers_read(r, &n);
    if (e)
        return e;
    memcpy((char *)&n + address, &data, sizeof(data));
    return registers_write(r, &n);
}

// The floating point state: fpu_frame_size() bytes, of which a tracer sees the processor's own, and
// at DESCRIPTION_AT which parts there are.
static err_t floats_read(struct tracee *r, char **bytes)
{
    uint64_t flags, parts;
    char *to = heap_alloc(fpu_frame_size());
    if (!to)
        return -ENOMEM;
    err_t e = tracee_lock(r, &flags);
    if (e) {
        heap_free(to);
        return e;
    }
    fpu_frame_write(trace_floats(&r->trace), to);
    tracee_unlock(r, flags);
    memcpy(&parts, to + DESCRIPTION_AT + 8, sizeof(parts));
    memset(to + DESCRIPTION_AT, 0, LEGACY_SIZE - DESCRIPTION_AT);
    memcpy(to + DESCRIPTION_AT, &parts, sizeof(parts));
    *bytes = to;
    return 0;
}

static size_t floats_size(void)
{
    return fpu_frame_size() > LEGACY_SIZE ? fpu_frame_size() - sizeof(uint32_t) : LEGACY_SIZE;
}

// `size` bytes of `bytes` take the place of what was there, if the processor would load that.
static err_t floats_write(struct tracee *r, const char *bytes, size_t size)
{
    uint64_t flags;
    char *frame = heap_alloc(fpu_frame_size());
    struct fpu_state *s = fpu_state_make();
    err_t e = frame && s ? tracee_lock(r, &flags) : -ENOMEM;
    if (e)
        goto drop;
    fpu_frame_write(trace_floats(&r->trace), frame);
    memcpy(frame, bytes, min_of(size, (size_t)DESCRIPTION_AT));
    if (size > LEGACY_SIZE)
        memcpy(frame + LEGACY_SIZE, bytes + LEGACY_SIZE, size - LEGACY_SIZE);
    e = fpu_frame_read(s, frame, fpu_frame_size());
    if (!e)
        trace_set_floats(&r->trace, &s);
    tracee_unlock(r, flags);
drop:
    heap_free(frame);
    fpu_state_drop(s);
    return e;
}

static int64_t floats_out(struct tracee *r, uaddr_t to, uint64_t *size, uint64_t whole)
{
    char *bytes;
    err_t e = floats_read(r, &bytes);
    if (e)
        return e;
    *size = min_of(*size, whole);
    if (whole == LEGACY_SIZE)
        memset(bytes + DESCRIPTION_AT, 0, LEGACY_SIZE - DESCRIPTION_AT);
    e = user_copy_out(to, bytes, *size);
    heap_free(bytes);
    return e;
}

static int64_t floats_in(struct tracee *r, uaddr_t from, uint64_t size)
{
    char *bytes = heap_alloc(size);
    if (!bytes)
        return -ENOMEM;
    err_t e = user_copy_in(bytes, from, size);
    if (!e)
        e = floats_write(r, bytes, size);
    heap_free(bytes);
    return e;
}

int64_t linux_get_floats(struct tracee *r, uint64_t address, uint64_t data)
{
    uint64_t size = LEGACY_SIZE;
    return floats_out(r, data, &size, LEGACY_SIZE);
}

int64_t linux_set_floats(struct tracee *r, uint64_t address, uint64_t data)
{
    return floats_in(r, data, LEGACY_SIZE);
}

static int64_t status_out(struct tracee *r, uaddr_t to, uint64_t *size)
{
    struct linux_registers n;
    err_t e = registers_read(r, &n);
    if (e)
        return e;
    *size = min_of(*size, (uint64_t)sizeof(n));
    return user_copy_out(to, &n, *size);
}

static int64_t status_in(struct tracee *r, uaddr_t from, uint64_t *size)
{
    struct linux_registers n;
    err_t e = registers_read(r, &n);
    if (e)
        return e;
    *size = min_of(*size, (uint64_t)sizeof(n));
    e = user_copy_in(&n, from, *size);
    return e ? e : registers_write(r, &n);
}

int64_t linux_get_set(struct tracee *r, uint64_t kind, uint64_t data)
{
    struct linux_iovec v;
    err_t e = user_copy_in(&v, data, sizeof(v));
    if (e)
        return e;
    if (kind != SET_STATUS && kind != SET_FLOATS && kind != SET_EXTENDED)
        return -EINVAL;
    if (v.size % 8)
        return -EINVAL;
    int64_t result = kind == SET_STATUS   ? status_out(r, v.base, &v.size)
                     : kind == SET_FLOATS ? floats_out(r, v.base, &v.size, LEGACY_SIZE)
                                          : floats_out(r, v.base, &v.size, floats_size());
    return result ? result : user_put_u64(data + offsetof(struct linux_iovec, size), v.size);
}

int64_t linux_set_set(struct tracee *r, uint64_t kind, uint64_t data)
{
    struct linux_iovec v;
    err_t e = user_copy_in(&v, data, sizeof(v));
    if (e)
        return e;
    if (kind != SET_STATUS && kind != SET_FLOATS && kind != SET_EXTENDED)
        return -EINVAL;
    if (v.size % 8)
        return -EINVAL;
    uint64_t whole = kind == SET_FLOATS ? (uint64_t)LEGACY_SIZE : floats_size();
    int64_t result;
    if (kind == SET_STATUS) {
        result = status_in(r, v.base, &v.size);
    } else if (kind == SET_EXTENDED && v.size < whole) {
        return -EFAULT;
    } else {
        v.size = min_of(v.size, whole);
        result = floats_in(r, v.base, v.size);
    }
    return result ? result : user_put_u64(data + offsetof(struct linux_iovec, size), v.size);
}

struct linux_call_info { // struct ptrace_syscall_info
    uint8_t kind, padding[3];
    uint32_t architecture;
    uint64_t rip, rsp;
    union {
        struct {
            uint64_t number, arguments[6];
            uint32_t datum, more; // of a filter's stop
        } begin;
        struct {
            int64_t result;
            uint8_t is_error, more[7];
        } end;
    };
};
_Static_assert(offsetof(struct linux_call_info, begin) == 24, "struct ptrace_syscall_info");

// How many bytes of it say something.
static size_t call_info(const struct tracee *r, struct linux_call_info *to)
{
    enum { NONE, BEGIN, END, FILTER, ERROR_LEAST = -4095 };
    const struct trap_frame *f = frame_of(r);
    *to = (struct linux_call_info){ .architecture = LINUX_ARCHITECTURE,
                                    .rip = f->rip,
                                    .rsp = f->rsp };
    if (r->cause & (TRACE_CALL_BEGIN | TRACE_FILTER)) {
        to->kind = r->cause & TRACE_FILTER ? FILTER : BEGIN;
        to->begin.number = f->error;
        for (unsigned i = 0; i < 6; i++)
            to->begin.arguments[i] = trap_argument(f, i);
        to->begin.datum = r->cause & TRACE_FILTER ? (uint32_t)r->message : 0;
        size_t end = offsetof(struct linux_call_info, begin.datum);
        return r->cause & TRACE_FILTER ? end + sizeof(uint64_t) : end;
    }
    if (r->cause & TRACE_CALL_END) {
        to->kind = END;
        to->end.result = (int64_t)f->rax;
        to->end.is_error = to->end.result < 0 && to->end.result >= ERROR_LEAST;
        return offsetof(struct linux_call_info, end.more);
    }
    return offsetof(struct linux_call_info, begin);
}

int64_t linux_get_call(struct tracee *r, uint64_t size, uint64_t data)
{
    struct linux_call_info info;
    uint64_t flags;
    err_t e = tracee_lock(r, &flags);
    if (e)
        return e;
    size_t known = call_info(r, &info);
    tracee_unlock(r, flags);
    e = user_copy_out(data, &info, min_of(size, (uint64_t)known));
    return e ? e : (int64_t)known;
}
