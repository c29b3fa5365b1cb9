// SPDX-License-Identifier: GPL-3.0-or-later
// ptrace(2): requests as a table over kernel/process/trace/tracer.h. What reads or writes registers
// is in ptrace_registers.c.
#include "kernel/abi/linux/ptrace.h"
#include "kernel/abi/linux/signals.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/context.h"
#include "kernel/process/trace/memory.h"

enum {
    TRACE_ME = 0,
    KILL = 8,
    ATTACH = 16,
    SEIZE = 0x4206,
    INTERRUPT = 0x4207,
    EVENT_OPTIONS = 0xfe, // PTRACE_O_TRACEFORK to TRACESECCOMP: bits of enum trace_cause
    OPTION_MARK_CALLS = 1,
    OPTION_EXIT_KILL = 1 << 20,
    MASK_SIZE = 8,
};

static bool options_in(uint64_t theirs, unsigned *ours)
{
    if (theirs & ~(uint64_t)(EVENT_OPTIONS | OPTION_MARK_CALLS | OPTION_EXIT_KILL))
        return false;
    *ours = (unsigned)theirs & EVENT_OPTIONS;
    *ours |= theirs & OPTION_MARK_CALLS ? TRACEE_MARK_CALLS : 0u;
    *ours |= theirs & OPTION_EXIT_KILL ? TRACEE_END_WITH_TRACER : 0u;
    return true;
}

static int64_t transfer(struct tracee *r, uaddr_t address, uint64_t *word, unsigned how)
{
    struct space *s = context_space(r->trace.task->process);
    if (!s)
        return -EIO;
    struct io io = io_kernel(word, sizeof(*word));
    err_t e = memory_transfer(s, address, &io, how | MEMORY_FORCE);
    space_put(s);
    return e ? -EIO : 0;
}

static int64_t peek(struct tracee *r, uint64_t address, uint64_t data)
{
    uint64_t word;
    int64_t e = transfer(r, address, &word, 0);
    return e ? e : user_put_u64(data, word);
}

static int64_t poke(struct tracee *r, uint64_t address, uint64_t data)
{
    return transfer(r, address, &data, MEMORY_WRITE);
}

static int64_t go(struct tracee *r, enum tracee_pace pace, uint64_t signal)
{
    return signal > SIGNAL_LAST ? -EIO : tracee_go(r, pace, (int)signal);
}

static int64_t run(struct tracee *r, uint64_t address, uint64_t data)
{
    return go(r, TRACEE_RUN, data);
}

static int64_t to_call(struct tracee *r, uint64_t address, uint64_t data)
{
    return go(r, TRACEE_TO_CALL, data);
}

static int64_t step(struct tracee *r, uint64_t address, uint64_t data)
{
    return go(r, TRACEE_STEP, data);
}

static int64_t detach(struct tracee *r, uint64_t address, uint64_t data)
{
    return data > SIGNAL_LAST ? -EIO : tracee_detach(r, (int)data);
}

static int64_t listen(struct tracee *r, uint64_t address, uint64_t data)
{
    return tracee_listen(r);
}

static int64_t set_options(struct tracee *r, uint64_t address, uint64_t data)
{
    unsigned options;
    uint64_t flags;
    if (!options_in(data, &options))
        return -EINVAL;
    err_t e = tracee_lock(r, &flags);
    if (e)
        return e;
    tracee_set_options_locked(r, options);
    tracee_unlock(r, flags);
    return 0;
}

static int64_t get_message(struct tracee *r, uint64_t address, uint64_t data)
{
    return user_put_u64(data, r->message);
}

// What stopped it. A stop of the process that a tracer who attached is told of has none.
static err_t info_of(const struct tracee *r, struct linux_siginfo *to)
{
    if (r->signal) {
        *to = (struct linux_siginfo){ 0 };
        linux_siginfo_fill(to, r->signal);
        return 0;
    }
    if (!r->seized && (r->cause & (TRACE_STOP | TRACE_ASKED)))
        return -EINVAL;
    struct credentials c;
    credentials_look(r->trace.task->process, &c);
    *to = (struct linux_siginfo){ .number = r->status & 0x7f,
                                  .code = r->status,
                                  .sent = { r->number, c.user, 0 } };
    return 0;
}

static int64_t get_info(struct tracee *r, uint64_t address, uint64_t data)
{
    struct linux_siginfo s;
    uint64_t flags;
    err_t e = tracee_lock(r, &flags);
    if (e)
        return e;
    e = info_of(r, &s);
    tracee_unlock(r, flags);
    return e ? e : user_copy_out(data, &s, sizeof(s));
}

static int64_t set_info(struct tracee *r, uint64_t address, uint64_t data)
{
    struct linux_siginfo s;
    uint64_t flags;
    err_t e = user_copy_in(&s, data, sizeof(s));
    if (!e)
        e = tracee_lock(r, &flags);
    if (e)
        return e;
    if (!r->signal)
        e = -EINVAL;
    else
        *r->signal = linux_info_of(&s);
    tracee_unlock(r, flags);
    return e;
}

struct peek_arguments { // struct ptrace_peeksiginfo_args
    uint64_t from;
    uint32_t flags;
    int32_t count;
};

static int64_t peek_infos(struct tracee *r, uint64_t address, uint64_t data)
{
    enum { SHARED = 1, MOST = 32 };
    struct peek_arguments a;
    uint64_t flags;
    err_t e = user_copy_in(&a, address, sizeof(a));
    if (e)
        return e;
    if ((a.flags & ~(uint32_t)SHARED) || a.count < 0)
        return -EINVAL;
    struct signal_info *infos = heap_alloc_array(MOST, sizeof(*infos));
    if (!infos)
        return -ENOMEM;
    struct task *t = r->trace.task;
    unsigned done = 0;
    e = tracee_lock(r, &flags);
    if (!e) {
        done = signal_queue_peek(a.flags & SHARED ? &t->process->pending : &t->pending, a.from,
                                 min_of((unsigned)a.count, (unsigned)MOST), infos);
        tracee_unlock(r, flags);
    }
    for (unsigned i = 0; i < done && !e; i++) {
        struct linux_siginfo s = { 0 };
        linux_siginfo_fill(&s, &infos[i]);
        e = user_copy_out(data + i * sizeof(s), &s, sizeof(s));
    }
    heap_free(infos);
    return e ? e : (int64_t)done;
}

static int64_t get_mask(struct tracee *r, uint64_t size, uint64_t data)
{
    return size != MASK_SIZE ? -EINVAL : user_put_u64(data, r->trace.task->mask);
}

static int64_t set_mask(struct tracee *r, uint64_t size, uint64_t data)
{
    uint64_t mask;
    if (size != MASK_SIZE)
        return -EINVAL;
    err_t e = user_get_u64(data, &mask);
    if (!e)
        signal_set_mask_of(r->trace.task, mask & ~SIGNALS_UNBLOCKABLE);
    return e;
}

static const struct {
    uint64_t request;
    linux_ptrace_work *work;
} requests[] = {
    { 1, peek },
    { 2, peek },
    { 3, linux_peek_user },
    { 4, poke },
    { 5, poke },
    { 6, linux_poke_user },
    { 7, run },
    { 9, step },
    { 12, linux_get_registers },
    { 13, linux_set_registers },
    { 14, linux_get_floats },
    { 15, linux_set_floats },
    { 17, detach },
    { 24, to_call },
    { 0x4200, set_options },
    { 0x4201, get_message },
    { 0x4202, get_info },
    { 0x4203, set_info },
    { 0x4204, linux_get_set },
    { 0x4205, linux_set_set },
    { 0x4208, listen },
    { 0x4209, peek_infos },
    { 0x420a, get_mask },
    { 0x420b, set_mask },
    { 0x420e, linux_get_call },
};

static linux_ptrace_work *work_of(uint64_t request)
{
    for (size_t i = 0; i < array_len(requests); i++) {
        if (requests[i].request == request)
            return requests[i].work;
    }
    return NULL;
}

static int64_t attach(int32_t number, bool seize, uint64_t address, uint64_t data)
{
    unsigned options = 0;
    struct task *t;
    if (seize && (address || !options_in(data, &options)))
        return -EIO;
    err_t e = task_find(number, &t);
    if (e)
        return e;
    e = tracer_attach(t, seize, options);
    task_put(t);
    return e;
}

// What needs no stop.
static int64_t any_time(struct tracee *r, uint64_t request)
{
    struct signal_info kill = signal_from_caller(SIGNAL_KILL, SIGNAL_FROM_USER);
    if (request == INTERRUPT)
        return tracee_interrupt(r);
    return signal_send_process(r->trace.task->process, &kill);
}

LINUX_CALL(ptrace)
{
    uint64_t request = ARG(0);
    if (request == TRACE_ME)
        return tracer_attach_self();
    if (request == ATTACH || request == SEIZE)
        return attach(ARG_INT(1), request == SEIZE, ARG(2), ARG(3));
    struct tracee *r;
    bool free = request == KILL || request == INTERRUPT;
    err_t e = tracee_find(ARG_INT(1), !free, &r);
    if (e)
        return e;
    linux_ptrace_work *work = work_of(request);
    int64_t result = free ? any_time(r, request) : work ? work(r, ARG(2), ARG(3)) : -EIO;
    tracee_put(r);
    return result;
}
