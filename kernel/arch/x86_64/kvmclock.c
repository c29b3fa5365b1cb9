// SPDX-License-Identifier: GPL-3.0-or-later
// KVM's clock (kvmclock.h). Each CPU reads only its own record; the hypervisor writes it while the
// CPU does not run: an odd version means that the record is being changed.
#include "kernel/arch/x86_64/kvmclock.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/arch/x86_64/scale.h"
#include "kernel/arch/x86_64/walk.h"

struct record {
    uint32_t version, reserved;
    uint64_t tsc, nanos;
    uint32_t mult;
    int8_t shift;
    uint8_t flags, reserved2[2];
} align_to(64);
_Static_assert(offsetof(struct record, flags) == 29, "the hypervisor's layout");

enum { RECORD_STABLE = 1 << 0, MSR_ENABLE = 1 };

static DEFINE_PERCPU(struct record, record);
static nanos_t newest; // over all CPUs, used when they do not agree

void kvmclock_start(void)
{
    phys_t at = walk_phys(&this_cpu(record));
    if (at != 0)
        msr_write(MSR_KVM_SYSTEM_TIME, at | MSR_ENABLE);
}

static struct record record_read(void)
{
    const volatile struct record *r = &this_cpu(record);
    struct record copy;
    uint32_t version;
    do {
        version = __atomic_load_n(&r->version, __ATOMIC_ACQUIRE);
        copy = (struct record){
            .version = version,
            .tsc = r->tsc,
            .nanos = r->nanos,
            .mult = r->mult,
            .shift = r->shift,
            .flags = r->flags,
        };
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) || version != __atomic_load_n(&r->version, __ATOMIC_RELAXED));
    return copy;
}

bool kvmclock_stable(void)
{
    return record_read().flags & RECORD_STABLE;
}

uint64_t kvmclock_tsc_hz(void)
{
    struct record r = record_read();
    if (r.version == 0 || r.mult == 0)
        return 0;
    uint64_t hz = scale_divide((uint64_t)NANOS_PER_SECOND, 1ull << 32, r.mult);
    if (hz == UINT64_MAX || r.shift < -31 || r.shift > 31)
        return 0;
    return r.shift < 0 ? hz << -r.shift : hz >> r.shift;
}

static nanos_t kvmclock_read(bool *stable)
{
    uint64_t flags = irq_save();
    struct record r = record_read();
    uint64_t ticks = tsc_ordered() - r.tsc;
    irq_restore(flags);
    ticks = r.shift < 0 ? ticks >> -r.shift : ticks << r.shift;
    *stable = r.flags & RECORD_STABLE;
    return (nanos_t)(r.nanos + scale_apply(ticks, r.mult));
}

nanos_t kvmclock_now(void)
{
    bool stable;
    nanos_t now = kvmclock_read(&stable);
    if (stable)
        return now;
    nanos_t seen = __atomic_load_n(&newest, __ATOMIC_RELAXED);
    do {
        if (seen >= now)
            return seen;
    } while (!__atomic_compare_exchange_n(&newest, &seen, now, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return now;
}
