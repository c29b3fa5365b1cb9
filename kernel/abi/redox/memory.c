// SPDX-License-Identifier: GPL-3.0-or-later
// Calls on the address space.
#include "kernel/abi/redox/redox.h"
#include "kernel/arch/x86_64/user_memory.h"

static struct space *space_mine(void)
{
    return process_current()->space;
}

static unsigned access_of(uint64_t flags)
{
    return (flags & REDOX_PROT_READ ? MAP_READ : 0) | (flags & REDOX_PROT_WRITE ? MAP_WRITE : 0) |
           (flags & REDOX_PROT_EXEC ? MAP_EXECUTE : 0);
}

// FIXED_NOREPLACE contains FIXED. Without an address there is nothing to be fixed to.
static unsigned flags_of(uint64_t flags, uaddr_t address)
{
    unsigned mine = flags & REDOX_MAP_SHARED ? MAPF_SHARED : 0;
    if (!address || !(flags & REDOX_MAP_FIXED))
        return mine;
    if ((flags & REDOX_MAP_FIXED_NOREPLACE) == REDOX_MAP_FIXED_NOREPLACE)
        mine |= MAPF_NO_REPLACE;
    return mine | MAPF_FIXED;
}

static bool place_ok(const struct map_request *r)
{
    return is_aligned(r->address, PAGE_SIZE) && r->size && r->size < USER_END &&
           range_fits(r->address, r->size, USER_END);
}

static err_t map_anonymous(struct map_request *r, uaddr_t *address)
{
    r->offset = 0;
    return is_aligned(r->size, PAGE_SIZE) ? space_map(space_mine(), r, address) : -EINVAL;
}

static err_t map_file(const struct map_request *r, uint64_t number, uaddr_t *address)
{
    struct file *file;
    uint64_t end;
    if (!is_aligned(r->offset, PAGE_SIZE) || add_overflows(r->offset, r->size, &end))
        return -EINVAL;
    err_t e = redox_file(number, &file);
    if (e)
        return e;
    e = file_map(file, space_mine(), r, address);
    file_put(file);
    return e == -ENODEV ? -EOPNOTSUPP : e;
}

REDOX_CALL(fmap)
{
    struct redox_map map;
    if (ARG(2) < sizeof(map))
        return -EINVAL;
    err_t e = user_copy_in(&map, ARG(1), sizeof(map));
    if (e)
        return e;
    struct map_request r = {
        .address = map.address,
        .size = map.size,
        .access = access_of(map.flags),
        .flags = flags_of(map.flags, map.address),
        .offset = map.offset,
    };
    if (!place_ok(&r))
        return -EINVAL;
    uaddr_t address = r.address;
    e = ARG(0) == UINT64_MAX ? map_anonymous(&r, &address) : map_file(&r, ARG(0), &address);
    return e ? e : (int64_t)address;
}

REDOX_CALL(funmap)
{
    uint64_t size = ARG(1);
    if (!is_aligned(ARG(0), PAGE_SIZE) || !size || !range_fits(ARG(0), size, USER_END))
        return -EINVAL;
    return space_unmap(space_mine(), ARG(0), size);
}

// Both are gone since 0.4: the structure of the first had no address.
REDOX_CALL(fmap_old)
{
    return -ENOSYS;
}

REDOX_CALL(funmap_old)
{
    return -ENOSYS;
}

static bool pages_ok(uaddr_t start, uint64_t size)
{
    return is_aligned(start, PAGE_SIZE) && is_aligned(size, PAGE_SIZE) && size &&
           range_fits(start, size, USER_END);
}

REDOX_CALL(mprotect)
{
    if (!pages_ok(ARG(0), ARG(1)))
        return -EINVAL;
    return space_protect_sparse(space_mine(), ARG(0), ARG(1), access_of(ARG(2)));
}

REDOX_CALL(mremap)
{
    const uint64_t known =
        REDOX_MREMAP_FIXED_REPLACE | REDOX_PROT_READ | REDOX_PROT_WRITE | REDOX_PROT_EXEC;
    uint64_t flags = ARG(4);
    uaddr_t address = ARG(2);
    if (!pages_ok(ARG(0), ARG(1)) || !is_aligned(ARG(3), PAGE_SIZE) || !ARG(3) ||
        !is_aligned(address, PAGE_SIZE))
        return -EINVAL;
    if (flags & ~known)
        return flags & REDOX_MREMAP_KEEP_OLD ? -EOPNOTSUPP : -EINVAL;
    unsigned remap = REMAP_MAY_MOVE;
    if (flags & REDOX_MREMAP_FIXED)
        remap |= REMAP_FIXED;
    if ((flags & REDOX_MREMAP_FIXED_REPLACE) == REDOX_MREMAP_FIXED)
        remap |= REMAP_NO_REPLACE;
    struct space *s = space_mine();
    err_t e = space_remap(s, ARG(0), ARG(1), ARG(3), remap, &address);
    if (!e)
        e = space_protect(s, address, ARG(3), access_of(flags));
    return e ? e : (int64_t)address;
}
