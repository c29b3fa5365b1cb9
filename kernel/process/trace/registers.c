// SPDX-License-Identifier: GPL-3.0-or-later
// Floating point state and segment bases of a stopped task. See trace.h.
#include "kernel/process/trace/trace.h"

const struct fpu_state *trace_floats(const struct trace *r)
{
    return r->floats ? r->floats : r->task->thread.fpu;
}

void trace_set_floats(struct trace *r, struct fpu_state **s)
{
    struct fpu_state *old = r->floats;
    r->floats = *s;
    *s = old;
}

void trace_set_bases(struct trace *r, const struct arch_user *bases)
{
    r->bases = *bases;
    r->bases_changed = true;
}

enum { DEBUG_STATUS = 6, DEBUG_CONTROL = 7 };

uint64_t trace_debug(const struct trace *r, unsigned number)
{
    const struct arch_debug *d = r->task->thread.debug;
    if (!d || !(r->task->thread.extras & EXTRA_DEBUG))
        return 0;
    if (number < DEBUG_ADDRESSES)
        return d->address[number];
    return number == DEBUG_STATUS ? d->status : number == DEBUG_CONTROL ? d->control : 0;
}

err_t trace_set_debug(struct trace *r, unsigned number, uint64_t value, struct arch_debug **fresh)
{
    struct thread *t = &r->task->thread;
    struct arch_debug d = { 0 };
    if (t->debug && (t->extras & EXTRA_DEBUG))
        d = *t->debug;
    if (number < DEBUG_ADDRESSES)
        d.address[number] = value;
    else if (number == DEBUG_STATUS)
        d.status = value;
    else if (number == DEBUG_CONTROL)
        d.control = arch_debug_control(value);
    else
        return -EIO;
    if ((number < DEBUG_ADDRESSES && value >= USER_END) || !arch_debug_allowed(&d))
        return -EINVAL;
    if (!t->debug) {
        t->debug = *fresh;
        *fresh = NULL;
    }
    *t->debug = d;
    t->extras |= EXTRA_DEBUG;
    return 0;
}
