// SPDX-License-Identifier: GPL-3.0-or-later
// See debug.h. DR7 is 0 on a CPU unless the running thread has registers, so they cost nobody else
// more than a flag that a switch looks at anyway.
#include "kernel/arch/x86_64/debug.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/memory/layout.h"

enum { KIND_EXECUTE = 0, KIND_IO = 2, CONTROL_ALWAYS = 1 << 10 };
#define CONTROL_USER 0xffff03ffull // enables, exactness, kinds and sizes

static DEFINE_PERCPU(bool, debug_loaded);

static unsigned kind_of(const struct arch_debug *d, unsigned i)
{
    return d->control >> (16 + 4 * i) & 3;
}

bool arch_debug_allowed(const struct arch_debug *d)
{
    static const uint64_t sizes[] = { 1, 2, 8, 4 };
    for (unsigned i = 0; i < DEBUG_ADDRESSES; i++) {
        uint64_t size = sizes[d->control >> (18 + 4 * i) & 3];
        if (!(d->control >> 2 * i & 3))
            continue;
        if (kind_of(d, i) == KIND_IO || (kind_of(d, i) == KIND_EXECUTE && size != 1) ||
            !is_aligned(d->address[i], size) || d->address[i] >= USER_END)
            return false;
    }
    return true;
}

uint64_t arch_debug_control(uint64_t control)
{
    return control & CONTROL_USER;
}

bool arch_debug_hit(struct arch_debug *d, uint64_t dr6)
{
    bool execute = false;
    d->status |= dr6 & (DR6_REGISTERS | DR6_STEP);
    for (unsigned i = 0; i < DEBUG_ADDRESSES; i++)
        execute |= (dr6 >> i & 1) && (d->control >> 2 * i & 3) && kind_of(d, i) == KIND_EXECUTE;
    return execute;
}

void arch_debug_load(const struct arch_debug *d)
{
    bool *loaded = &this_cpu(debug_loaded);
    if (*loaded)
        dr7_write(CONTROL_ALWAYS);
    *loaded = d;
    if (!d)
        return;
    dr0_write(d->address[0]);
    dr1_write(d->address[1]);
    dr2_write(d->address[2]);
    dr3_write(d->address[3]);
    dr7_write(d->control | CONTROL_ALWAYS);
}
