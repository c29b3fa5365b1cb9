// SPDX-License-Identifier: GPL-3.0-or-later
// Mapping open files into address spaces, the same way for every interface.
#include "kernel/scheme/file.h"
#include "kernel/memory/space.h"
#include "kernel/scheme/node.h"
#include "kernel/scheme/seal.h"

// What a file of a tree lets be mapped: its open mode, and for shared writing, write access. Other
// files have looked at who may when they were opened, or look in their `map`.
static err_t rights_of(const struct file *f, unsigned access, bool shared, unsigned *most)
{
    *most = MAP_READ | MAP_EXECUTE | MAP_WRITE;
    if (!f->node)
        return 0;
    if (!(f->flags & OPEN_READ))
        return -EACCES;
    if (shared && !(f->flags & OPEN_WRITE))
        *most &= ~(unsigned)MAP_WRITE;
    if (f->where && f->where->mount && (f->where->mount->flags & MOUNT_NO_EXECUTE))
        *most &= ~(unsigned)MAP_EXECUTE;
    return access & ~*most ? -EACCES : 0;
}

err_t file_map(struct file *f, struct space *s, const struct map_request *request, uaddr_t *address)
{
    struct map_request r = *request;
    if (f->flags & OPEN_PATH)
        return -EBADF;
    err_t e = rights_of(f, r.access, r.flags & MAPF_SHARED, &r.max_access);
    if (e)
        return e;
    if (!f->ops->map)
        return -ENODEV;
    unsigned most = r.max_access;
    bool shared = r.flags & MAPF_SHARED;
    e = seals_allow_mapping(f, r.access, shared, &r.max_access);
    if (e)
        return e;
    bool sealed = most != r.max_access;
    r.file = f;
    e = f->ops->map(f, &r);
    if (e)
        return e;
    if (!r.object) {
        r.file = NULL;
        r.offset = r.file_shift = 0;
    }
    e = r.access & ~r.max_access ? -EACCES : space_map(s, &r, address);
    // A seal that came meanwhile did not see the mapping: it goes again.
    if (!e && !sealed && seals_allow_mapping(f, most & MAP_WRITE, shared, &most)) {
        (void)!space_unmap(s, *address, r.size);
        e = -EPERM;
    }
    if (r.object)
        object_put(r.object);
    return e;
}
