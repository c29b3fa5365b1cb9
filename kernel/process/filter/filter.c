// SPDX-License-Identifier: GPL-3.0-or-later
// Chains of filters, and what their answers do. See filter.h.
#include "kernel/process/filter/filter.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/process/context/context.h"
#include "kernel/process/ipc.h"
#include "kernel/process/trace/trace.h"
#include "lib/string.h"

enum { CHAIN_MAX = 32768, CHAIN_LINK = 4, DATUM = 0xffff, ERROR_MAX = 4095, FILTERED_CALL = 1 };
#define ACTION_MASK 0xffff0000u

struct call_filter {
    uint32_t references;
    bool logs;
    size_t count, chain; // instructions: its own; of all from here on, with CHAIN_LINK for each
    struct call_filter *previous;
    struct scheme_account *account;
    uint64_t bytes;
    struct bpf_instruction code[];
};

// What a program reads (struct seccomp_data).
struct call_record {
    int32_t number;
    uint32_t architecture;
    uint64_t rip, arguments[6];
};
_Static_assert(sizeof(struct call_record) == 64, "what programs are checked for");

static void filter_put(struct call_filter *c)
{
    while (c && __atomic_sub_fetch(&c->references, 1, __ATOMIC_ACQ_REL) == 0) {
        struct call_filter *previous = c->previous;
        ipc_discharge(c->account, c->bytes);
        heap_free(c);
        c = previous;
    }
}

static void filter_get(struct call_filter *c)
{
    if (c)
        __atomic_fetch_add(&c->references, 1, __ATOMIC_RELAXED);
}

bool filter_has_action(uint32_t action)
{
    static const uint32_t known[] = { FILTER_KILL_PROCESS, FILTER_KILL_TASK, FILTER_TRAP,
                                      FILTER_ERROR,        FILTER_TRACE,     FILTER_LOG,
                                      FILTER_ALLOW };
    for (size_t i = 0; i < array_len(known); i++) {
        if (known[i] == action)
            return true;
    }
    return false;
}

static err_t filter_make(const struct bpf_instruction *code, size_t count, bool logs,
                         struct call_filter **filter)
{
    uint64_t bytes = sizeof(struct call_filter) + count * sizeof(*code);
    struct scheme_account *account = ipc_charge(bytes);
    if (!account)
        return -ENOMEM;
    struct call_filter *c = heap_alloc(bytes);
    if (!c) {
        ipc_discharge(account, bytes);
        return -ENOMEM;
    }
    c->references = 1;
    c->account = account;
    c->bytes = bytes;
    c->logs = logs;
    c->count = count;
    memcpy(c->code, code, count * sizeof(*code));
    *filter = c;
    return 0;
}

static bool is_behind(const struct call_filter *one, const struct call_filter *chain)
{
    for (; chain && chain != one; chain = chain->previous)
        ;
    return one == chain;
}

// The number of a task of the process whose filters are not among ours; 0: none.
static int32_t other_locked(const struct task *self)
{
    list_for_each (link, &self->process->tasks) {
        const struct task *t = list_entry(link, struct task, process_link);
        bool strict = t->filter_mode == FILTER_STRICT;
        if (t != self && (strict || !is_behind(t->filter, self->filter)))
            return t->number;
    }
    return 0;
}

// Puts `c` in force for a task, whose chain lives on behind it.
static void set_locked(struct task *t, struct call_filter *c)
{
    struct call_filter *old = t->filter;
    filter_get(c);
    __atomic_store_n(&t->filter, c, __ATOMIC_RELEASE);
    t->filter_mode = FILTER_PROGRAMS;
    task_choose_call(t);
    filter_put(old);
}

static err_t enter_locked(struct task *self, struct call_filter *c, unsigned flags, int32_t *other)
{
    size_t before = self->filter ? self->filter->chain : 0;
    *other = flags & FILTER_ALL_TASKS ? other_locked(self) : 0;
    if (*other)
        return -ESRCH;
    if (before + c->count + CHAIN_LINK > CHAIN_MAX)
        return -ENOMEM;
    c->chain = before + c->count + CHAIN_LINK;
    filter_get(c->previous = self->filter);
    list_for_each (link, &self->process->tasks) {
        struct task *t = list_entry(link, struct task, process_link);
        if (t == self || (flags & FILTER_ALL_TASKS))
            set_locked(t, c);
    }
    return 0;
}

err_t filter_add(const struct bpf_instruction *code, size_t count, unsigned flags, int32_t *other)
{
    struct task *self = task_current();
    struct call_filter *c;
    if (!self->process->no_new_privileges && !process_has(CAPABILITY_SYS_ADMIN))
        return -EACCES;
    void *room = heap_alloc(BPF_CHECK_ROOM);
    err_t e = room ? bpf_check(code, count, sizeof(struct call_record), room) : -ENOMEM;
    heap_free(room);
    if (!e && self->filter_mode == FILTER_STRICT)
        e = -EINVAL;
    if (!e)
        e = filter_make(code, count, flags & FILTER_LOGS, &c);
    if (e)
        return e;
    uint64_t irq = spin_lock_irq(&self->process->signal_lock);
    e = enter_locked(self, c, flags, other);
    spin_unlock_irq(&self->process->signal_lock, irq);
    filter_put(c);
    return e;
}

err_t filter_strict(void)
{
    struct task *self = task_current();
    if (self->filter_mode == FILTER_PROGRAMS)
        return -EINVAL;
    uint64_t flags = spin_lock_irq(&self->process->signal_lock);
    self->filter_mode = FILTER_STRICT;
    task_choose_call(self);
    spin_unlock_irq(&self->process->signal_lock, flags);
    return 0;
}

void filter_inherit_locked(struct task *child, const struct task *from)
{
    struct call_filter *old = child->filter;
    filter_get(from->filter);
    child->filter = from->filter;
    child->filter_mode = from->filter_mode;
    if (child->filter_mode)
        task_choose_call(child);
    filter_put(old);
}

void filter_inherit(struct task *child)
{
    struct process *p = process_current();
    uint64_t flags = spin_lock_irq(&p->signal_lock);
    filter_inherit_locked(child, task_current());
    spin_unlock_irq(&p->signal_lock, flags);
}

void filter_drop(struct task *t)
{
    filter_put(t->filter);
    t->filter = NULL;
}

unsigned filter_count(const struct task *t)
{
    unsigned n = 0;
    uint64_t flags = spin_lock_irq(&t->process->signal_lock);
    for (const struct call_filter *c = t->filter; c; c = c->previous)
        n++;
    spin_unlock_irq(&t->process->signal_lock, flags);
    return n;
}

// The strictest of all answers; of equal ones the newest filter's. KILL_PROCESS is negative, and so
// the strictest by number.
static uint32_t answer(struct trap_frame *f, struct task *t, bool *logs)
{
    struct call_record r = { .number = (int32_t)f->error,
                             .architecture = t->process->abi->architecture,
                             .rip = f->rip };
    for (unsigned i = 0; i < array_len(r.arguments); i++)
        r.arguments[i] = trap_argument(f, i);
    uint32_t strictest = FILTER_ALLOW;
    const struct call_filter *c = __atomic_load_n(&t->filter, __ATOMIC_ACQUIRE);
    for (; c; c = c->previous) {
        uint32_t one = bpf_run(c->code, &r, sizeof(r));
        if ((int32_t)(one & ACTION_MASK) < (int32_t)(strictest & ACTION_MASK)) {
            strictest = one;
            *logs = c->logs;
        }
    }
    return strictest;
}

static void tell_log(const struct trap_frame *f, const struct task *t, uint32_t action)
{
    log_info("filter: %s[%d] made call %ld at ip %lx: action %x", t->process->name, t->number,
             (long)f->error, (unsigned long)f->rip, action);
}

// The registers are again those it made the call with; the call has no number any more.
static void trap(struct trap_frame *f, struct task *t, uint32_t datum)
{
    struct signal_info info = {
        .number = SIGNAL_SYSTEM,
        .code = FILTERED_CALL,
        .error = (int32_t)datum,
        .address = f->rip,
        .status = (int32_t)f->error,
        .value = t->process->abi->architecture,
    };
    trap_set_result(f, (int64_t)f->error);
    f->vector = 0;
    signal_force(t, &info);
}

// True: the call is not made. A tracer may have changed it: then it is looked at again.
static bool ask_tracer(struct trap_frame *f, struct task *t, uint32_t datum, bool *again)
{
    struct trace_event e = { .cause = TRACE_FILTER, .a = datum };
    trap_set_result(f, -ENOSYS);
    struct trace_verdict v = { 0 };
    if (trace_on(t))
        v = trace_point(f, &e);
    *again = v.stopped;
    return !v.stopped || v.skip || (int64_t)f->error < 0;
}

static void kill(uint32_t action)
{
    if (action == FILTER_KILL_TASK)
        task_exit(SIGNAL_SYSTEM);
    program_die(SIGNAL_SYSTEM);
}

static bool act(struct trap_frame *f, struct task *t, uint32_t said, bool *again)
{
    uint32_t action = said & ACTION_MASK, datum = said & DATUM;
    switch (action) {
    case FILTER_ALLOW:
        return false;
    case FILTER_LOG:
        tell_log(f, t, action);
        return false;
    case FILTER_TRACE:
        return !*again && ask_tracer(f, t, datum, again);
    case FILTER_ERROR:
        trap_set_result(f, -(int64_t)min_of(datum, (uint32_t)ERROR_MAX));
        return true;
    case FILTER_TRAP:
        trap(f, t, datum);
        return true;
    default:
        tell_log(f, t, action);
        kill(action);
        return true;
    }
}

static bool call_by_programs(struct trap_frame *f, struct task *t)
{
    bool again = false, was_again;
    do {
        bool logs = false;
        was_again = again;
        uint32_t said = answer(f, t, &logs);
        if (logs && (said & ACTION_MASK) != FILTER_LOG)
            tell_log(f, t, said);
        if (act(f, t, said, &again))
            return true;
    } while (again != was_again);
    return false;
}

bool filter_call(struct trap_frame *f, struct task *t)
{
    if (t->filter_mode == FILTER_PROGRAMS)
        return call_by_programs(f, t);
    if (t->process->abi->is_plain_call && t->process->abi->is_plain_call(f->error))
        return false;
    task_exit(SIGNAL_KILL);
}
