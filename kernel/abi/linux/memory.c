// SPDX-License-Identifier: GPL-3.0-or-later
// Calls on the address space.
#include "kernel/abi/linux/linux.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"

enum {
    PROT_READ = 1,
    PROT_WRITE = 2,
    PROT_EXEC = 4,
    PROT_SEM = 8,
    PROT_GROWSDOWN = 0x01000000,
    MAP_KIND = 0x0f,
    MAP_SHARED = 1,
    MAP_PRIVATE = 2,
    MAP_SHARED_VALIDATE = 3,
    MAP_FIXED = 0x10,
    MAP_ANONYMOUS = 0x20,
    MAP_32BIT = 0x40,
    MAP_GROWSDOWN = 0x100,
    MAP_LOCKED = 0x2000,
    MAP_POPULATE = 0x8000,
    MAP_STACK = 0x20000,
    MAP_FIXED_NOREPLACE = 0x100000,
    MREMAP_MAYMOVE = 1,
    MREMAP_FIXED = 2,
    MREMAP_DONTUNMAP = 4,
};

static struct space *space_mine(void)
{
    return process_current()->space;
}

static unsigned access_of(uint64_t protection)
{
    return (protection & PROT_READ ? MAP_READ : 0) | (protection & PROT_WRITE ? MAP_WRITE : 0) |
           (protection & PROT_EXEC ? MAP_EXECUTE : 0);
}

static unsigned flags_of(uint64_t flags)
{
    return (flags & MAP_SHARED ? MAPF_SHARED : 0) | (flags & MAP_FIXED ? MAPF_FIXED : 0) |
           (flags & MAP_FIXED_NOREPLACE ? MAPF_FIXED | MAPF_NO_REPLACE : 0) |
           (flags & MAP_POPULATE ? MAPF_POPULATE : 0) |
           (flags & MAP_LOCKED ? MAPF_LOCKED | MAPF_POPULATE : 0) |
           (flags & MAP_GROWSDOWN ? MAPF_GROWS_DOWN : 0) | (flags & MAP_32BIT ? MAPF_LOW : 0);
}

static err_t map_file(const struct map_request *r, int number, uaddr_t *address)
{
    struct file *file;
    err_t e = linux_file(number, &file);
    if (e)
        return e;
    e = file_map(file, space_mine(), r, address);
    file_put(file);
    return e;
}

LINUX_CALL(mmap)
{
    struct map_request r = {
        .address = ARG(0),
        .size = ARG(1),
        .access = access_of(ARG(2)),
        .flags = flags_of(ARG(3)),
        .offset = ARG(5),
    };
    uint64_t kind = ARG(3) & MAP_KIND, end;
    if (r.size == 0 || (kind != MAP_SHARED && kind != MAP_PRIVATE && kind != MAP_SHARED_VALIDATE) ||
        !is_aligned(r.offset, PAGE_SIZE) ||
        ((r.flags & MAPF_FIXED) && !is_aligned(r.address, PAGE_SIZE)))
        return -EINVAL;
    if (r.size > USER_END || add_overflows(r.offset, r.size, &end))
        return r.size > USER_END ? -ENOMEM : -EOVERFLOW;

    uaddr_t address = r.address;
    err_t e = ARG(3) & MAP_ANONYMOUS ? space_map(space_mine(), &r, &address)
                                     : map_file(&r, ARG_INT(4), &address);
    return e ? e : (int64_t)address;
}

LINUX_CALL(munmap)
{
    if (!is_aligned(ARG(0), PAGE_SIZE) || ARG(1) == 0)
        return -EINVAL;
    return space_unmap(space_mine(), ARG(0), ARG(1));
}

LINUX_CALL(mprotect)
{
    if (!is_aligned(ARG(0), PAGE_SIZE) ||
        (ARG(2) & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN)))
        return -EINVAL;
    if (ARG(1) == 0)
        return 0;
    return space_protect(space_mine(), ARG(0), ARG(1), access_of(ARG(2)));
}

LINUX_CALL(brk)
{
    struct space *s = space_mine();
    uaddr_t wanted = ARG(0);
    // A refused brk answers with the break that is (brk(2), "C library/kernel differences").
    if (wanted < s->heap_start || space_set_heap_end(s, wanted))
        return (int64_t)s->heap_end;
    return (int64_t)wanted;
}

LINUX_CALL(mremap)
{
    uint64_t flags = ARG(3);
    uaddr_t address = ARG(4);
    if ((flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) ||
        ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)) || !is_aligned(ARG(0), PAGE_SIZE) ||
        ((flags & MREMAP_FIXED) && !is_aligned(address, PAGE_SIZE)) || ARG(2) == 0)
        return -EINVAL;
    unsigned remap = (flags & MREMAP_MAYMOVE ? REMAP_MAY_MOVE : 0) |
                     (flags & MREMAP_FIXED ? REMAP_FIXED : 0) |
                     (flags & MREMAP_DONTUNMAP ? REMAP_KEEP_OLD : 0);
    err_t e = space_remap(space_mine(), ARG(0), ARG(1), ARG(2), remap, &address);
    return e ? e : (int64_t)address;
}

LINUX_CALL(msync)
{
    enum { ASYNC = 1, INVALIDATE = 2, SYNC = 4 };
    uint64_t flags = ARG(2);
    if ((flags & ~(uint64_t)(ASYNC | INVALIDATE | SYNC)) ||
        (flags & (ASYNC | SYNC)) == (ASYNC | SYNC) || !is_aligned(ARG(0), PAGE_SIZE))
        return -EINVAL;
    return ARG(1) ? space_sync(space_mine(), ARG(0), ARG(1), flags & INVALIDATE) : 0;
}

LINUX_CALL(mincore)
{
    uint8_t bytes[256];
    if (!is_aligned(ARG(0), PAGE_SIZE))
        return -EINVAL;
    if (!user_range_ok(ARG(0), ARG(1)))
        return -ENOMEM;
    uint64_t pages = round_up(ARG(1), PAGE_SIZE) >> PAGE_SHIFT;
    for (uint64_t done = 0; done < pages;) {
        uint64_t part = min_of(pages - done, (uint64_t)sizeof(bytes));
        err_t e = space_residency(space_mine(), ARG(0) + (done << PAGE_SHIFT), part, bytes);
        if (!e)
            e = user_copy_out(ARG(2) + done, bytes, part);
        if (e)
            return e;
        done += part;
    }
    return 0;
}

// In pieces, between which a signal may end it.
static err_t populate(uaddr_t start, uint64_t size, unsigned access)
{
    const uint64_t piece = 256 * PAGE_SIZE;
    uaddr_t end;
    err_t e = 0;
    if (add_overflows(start, round_up(size, PAGE_SIZE), &end))
        return -EINVAL;
    for (uaddr_t at = start; at < end && !e; at += piece)
        e = signal_pending(task_current())
                ? -EINTR
                : space_prefault(space_mine(), at, min_of(piece, end - at), access);
    return e;
}

// MADV_* of madvise(2).
enum advice {
    ADVICE_NORMAL = 0,
    ADVICE_RANDOM = 1,
    ADVICE_SEQUENTIAL = 2,
    ADVICE_WILL_NEED = 3,
    ADVICE_DONT_NEED = 4,
    ADVICE_FREE = 8,
    ADVICE_DONT_FORK = 10,
    ADVICE_DO_FORK = 11,
    ADVICE_MERGEABLE = 12,
    ADVICE_UNMERGEABLE = 13,
    ADVICE_HUGE = 14,
    ADVICE_NO_HUGE = 15,
    ADVICE_DONT_DUMP = 16,
    ADVICE_DO_DUMP = 17,
    ADVICE_WIPE = 18,
    ADVICE_KEEP = 19,
    ADVICE_COLD = 20,
    ADVICE_PAGE_OUT = 21,
    ADVICE_POPULATE_READ = 22,
    ADVICE_POPULATE_WRITE = 23,
};

LINUX_CALL(madvise)
{
    uaddr_t start = ARG(0);
    uint64_t size = ARG(1);
    struct space *s = space_mine();
    if (!is_aligned(start, PAGE_SIZE) || size > USER_END)
        return -EINVAL;
    switch (ARG_INT(2)) {
    case ADVICE_DONT_NEED:
    case ADVICE_FREE:
        return size ? space_discard(s, start, size) : 0;
    case ADVICE_WILL_NEED:
        return 0; // a wish, and faults are cheap
    case ADVICE_POPULATE_READ:
        return populate(start, size, MAP_READ);
    case ADVICE_POPULATE_WRITE:
        return populate(start, size, MAP_WRITE);
    case ADVICE_DONT_FORK:
        return space_set_flags(s, start, size, MAPF_NO_FORK, 0);
    case ADVICE_DO_FORK:
        return space_set_flags(s, start, size, 0, MAPF_NO_FORK);
    case ADVICE_WIPE:
        return space_set_flags(s, start, size, MAPF_WIPE_ON_FORK, 0);
    case ADVICE_KEEP:
        return space_set_flags(s, start, size, 0, MAPF_WIPE_ON_FORK);
    case ADVICE_NO_HUGE:
        return space_set_flags(s, start, size, MAPF_NO_HUGE, 0);
    case ADVICE_HUGE:
        return space_set_flags(s, start, size, 0, MAPF_NO_HUGE);
    case ADVICE_NORMAL:
    case ADVICE_RANDOM:
    case ADVICE_SEQUENTIAL:
    case ADVICE_MERGEABLE:
    case ADVICE_UNMERGEABLE:
    case ADVICE_DONT_DUMP:
    case ADVICE_DO_DUMP:
    case ADVICE_COLD:
    case ADVICE_PAGE_OUT:
        return 0;
    default:
        return -EINVAL;
    }
}

// How much the caller may lock; 0: nothing at all.
static uint64_t lock_limit(void)
{
    struct process *p = process_current();
    return process_has(CAPABILITY_IPC_LOCK) ? UINT64_MAX : p->limits[LIMIT_LOCKED].soft;
}

static int64_t lock(uaddr_t start, uint64_t size, bool populate)
{
    uint64_t limit = lock_limit(), bytes = start % PAGE_SIZE, rounded, end;
    if (add_overflows(size, bytes, &bytes) || add_overflows(bytes, PAGE_SIZE - 1, &rounded) ||
        add_overflows(start, rounded, &end))
        return -EINVAL;
    if (limit == 0)
        return -EPERM;
    return bytes == 0 ? 0
                      : space_lock(space_mine(), round_down(start, PAGE_SIZE),
                                   round_down(rounded, PAGE_SIZE), limit, populate);
}

LINUX_CALL(mlock)
{
    return lock(ARG(0), ARG(1), true);
}

LINUX_CALL(mlock2)
{
    enum { ON_FAULT = 1 };
    return ARG(2) & ~(uint64_t)ON_FAULT ? -EINVAL : lock(ARG(0), ARG(1), !(ARG(2) & ON_FAULT));
}

LINUX_CALL(munlock)
{
    uint64_t bytes;
    if (add_overflows(ARG(1), ARG(0) % PAGE_SIZE, &bytes))
        return -EINVAL;
    err_t e =
        bytes ? space_set_flags(space_mine(), round_down(ARG(0), PAGE_SIZE), bytes, 0, MAPF_LOCKED)
              : 0;
    return e == -EINVAL ? -ENOMEM : e;
}

LINUX_CALL(mlockall)
{
    enum { CURRENT = 1, FUTURE = 2, ON_FAULT = 4 };
    uint64_t flags = ARG(0), limit = lock_limit();
    if ((flags & ~(uint64_t)(CURRENT | FUTURE | ON_FAULT)) || !(flags & (CURRENT | FUTURE)))
        return -EINVAL;
    if (limit == 0)
        return -EPERM;
    return space_lock_all(space_mine(), flags & CURRENT, flags & FUTURE, limit,
                          !(flags & ON_FAULT));
}

LINUX_CALL(munlockall)
{
    space_unlock_all(space_mine());
    return 0;
}

// All memory is one node: every policy means the same.
enum { POLICY_LAST = 5, POLICY_FLAGS = 0xe000 };

static bool policy_ok(int32_t mode)
{
    return mode >= 0 && (mode & ~POLICY_FLAGS) <= POLICY_LAST;
}

LINUX_CALL(set_mempolicy)
{
    uint64_t nodes = 0;
    if (!policy_ok(ARG_INT(0)))
        return -EINVAL;
    err_t e = ARG(1) && ARG(2) > 1 ? user_get_u64(ARG(1), &nodes) : 0;
    return !e && nodes & ~1ull ? -EINVAL : e;
}

LINUX_CALL(mbind)
{
    return !is_aligned(ARG(0), PAGE_SIZE) || !policy_ok(ARG_INT(2)) ? -EINVAL : 0;
}

LINUX_CALL(get_mempolicy)
{
    enum { NODE = 1, ADDRESS = 2, ALLOWED = 4 };
    uint64_t flags = ARG(4);
    if ((flags & ~(uint64_t)(NODE | ADDRESS | ALLOWED)) || (ARG(1) && ARG(2) < 1) ||
        (flags & ALLOWED && flags & (NODE | ADDRESS)) || (ARG(3) && !(flags & ADDRESS)))
        return -EINVAL;
    if (flags & ADDRESS && !space_is_mapped(space_mine(), round_down(ARG(3), PAGE_SIZE), PAGE_SIZE))
        return -EFAULT;
    err_t e = ARG(0) ? user_put_u32(ARG(0), 0) : 0;
    return !e && ARG(1) ? user_put_u64(ARG(1), flags & ALLOWED ? 1 : 0) : e;
}
