// SPDX-License-Identifier: GPL-3.0-or-later
// Calls for drivers: physical memory and ports, root's only. Those on memory are of 0.3 and 0.4;
// later programs map `memory:physical`, which follows the same rules (kernel/memory/physical.h).
#include "kernel/memory/physical.h"
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"

#define PHYSICAL_END (1ull << 52)

static struct space *space_mine(void)
{
    return process_current()->space;
}

REDOX_CALL(iopl)
{
    enum { LEVEL_OF_PORTS = 3 };
    if (!redox_is_root())
        return -EPERM;
    if (ARG(0) > LEVEL_OF_PORTS)
        return -EINVAL;
    struct thread *t = thread_current();
    preempt_off();
    t->extras &= (uint8_t)~EXTRA_PORTS;
    if (ARG(0) == LEVEL_OF_PORTS)
        t->extras |= EXTRA_PORTS;
    arch_ports_load(t->extras & EXTRA_PORTS);
    preempt_on();
    return 0;
}

REDOX_CALL(virttophys)
{
    phys_t at;
    if (!redox_is_root())
        return -EPERM;
    if (ARG(0) >= USER_END)
        return -EFAULT;
    err_t e = space_physical(space_mine(), ARG(0), &at);
    return e ? e : (int64_t)at;
}

// Sizes are rounded up; what is larger than any allocation is left as it is.
static uint64_t whole_pages(uint64_t size)
{
    return size > PHYSICAL_ALLOC_MAX ? size : round_up(size, PAGE_SIZE);
}

REDOX_CALL(physalloc)
{
    phys_t at;
    if (!redox_is_root())
        return -EPERM;
    err_t e = physical_alloc(space_mine(), whole_pages(ARG(0)), false, &at);
    return e ? e : (int64_t)at;
}

// As much as there is between `least` and *size.
static err_t alloc_part(uint64_t *size, uint64_t least, bool low, phys_t *at)
{
    err_t e = physical_alloc(space_mine(), *size, low, at);
    while (e == -ENOMEM && *size > least) {
        *size = max_of(round_up(*size / 2, PAGE_SIZE), least);
        e = physical_alloc(space_mine(), *size, low, at);
    }
    return e;
}

REDOX_CALL(physalloc3)
{
    const uint64_t known = REDOX_PHYSALLOC_SPACE_32 | REDOX_PHYSALLOC_SPACE_64 |
                           REDOX_PHYSALLOC_PARTIAL | REDOX_PHYSALLOC_STRATEGY_GREEDY;
    uint64_t size = whole_pages(ARG(0)), flags = ARG(1), least;
    phys_t at;
    if (!redox_is_root())
        return -EPERM;
    if (flags & ~known)
        return -EINVAL;
    err_t e = user_get_u64(ARG(2), &least);
    if (e)
        return e;
    least = flags & REDOX_PHYSALLOC_PARTIAL ? max_of(whole_pages(least), PAGE_SIZE) : size;
    e = alloc_part(&size, least, flags & REDOX_PHYSALLOC_SPACE_32, &at);
    if (e)
        return e;
    e = user_put_u64(ARG(2), size);
    if (e && !physical_free(at, size))
        return e;
    return (int64_t)at;
}

REDOX_CALL(physfree)
{
    if (!redox_is_root())
        return -EPERM;
    return is_aligned(ARG(0), PAGE_SIZE) ? physical_free(ARG(0), whole_pages(ARG(1))) : -EINVAL;
}

static enum caching caching_of(uint64_t flags)
{
    if (flags & REDOX_PHYSMAP_WRITE_COMBINE)
        return CACHING_COMBINE;
    return flags & REDOX_PHYSMAP_NO_CACHE ? CACHING_NONE : CACHING_AUTO;
}

REDOX_CALL(physmap)
{
    const uint64_t known =
        REDOX_PHYSMAP_WRITE | REDOX_PHYSMAP_WRITE_COMBINE | REDOX_PHYSMAP_NO_CACHE;
    uint64_t size, flags = ARG(2);
    if (!redox_is_root())
        return -EPERM;
    if ((flags & ~known) || !is_aligned(ARG(0), PAGE_SIZE) || !ARG(1) ||
        add_overflows(ARG(1), PAGE_SIZE - 1, &size))
        return -EINVAL;
    size = round_down(size, PAGE_SIZE);
    if (!range_fits(ARG(0), size, PHYSICAL_END))
        return -EINVAL;
    struct map_request r = {
        .size = size,
        .access = MAP_READ | (flags & REDOX_PHYSMAP_WRITE ? MAP_WRITE : 0),
        .offset = ARG(0),
    };
    err_t e = physical_object(ARG(0), size, caching_of(flags), &r.object);
    if (e)
        return e;
    uaddr_t address = 0;
    e = space_map(space_mine(), &r, &address);
    object_put(r.object);
    return e ? e : (int64_t)address;
}

struct physical_mapping {
    uaddr_t start;
    uint64_t size; // 0: not found
};

static bool find_mapping(const struct mapping *m, void *data)
{
    struct physical_mapping *p = data;
    bool shows = m->object && (m->object->pager->physical || m->object->pager == &contiguous_pager);
    if (m->start == p->start && shows)
        p->size = m->end - m->start;
    return m->start < p->start;
}

// The size is not told: it is that of what was mapped.
REDOX_CALL(physunmap)
{
    struct physical_mapping p = { .start = ARG(0) };
    if (!redox_is_root())
        return -EPERM;
    if (!p.start)
        return 0;
    space_visit(space_mine(), find_mapping, &p);
    return p.size ? space_unmap(space_mine(), p.start, p.size) : -EFAULT;
}
