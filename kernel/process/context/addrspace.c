// SPDX-License-Identifier: GPL-3.0-or-later
// addrspace: what a space maps as text, and changing it from outside. The handle carries the space,
// which lives as long; a handle that was opened on a process keeps that space when the process has
// got another one.
#include "kernel/memory/physical.h"
#include "kernel/process/context/operations.h"
#include "lib/number.h"
#include "lib/string.h"
#include <redox/flags.h>
#include <redox/types.h>

enum { GRANTS_A_READ = 16, WORD = 8, WORDS_MAX = 6 };

err_t open_addrspace(struct grip *g)
{
    g->space = context_space(g->process);
    g->space_in_use = true;
    return g->space ? 0 : -ESRCH;
}

void close_addrspace(struct grip *g)
{
    if (g->space)
        space_put(g->space);
}

struct grants {
    uint64_t skip, count, room;
    struct redox_grant list[GRANTS_A_READ];
};

static uint64_t grant_flags(const struct mapping *m)
{
    bool physical = m->object && m->object->pager->physical;
    bool shared = (m->flags & MAPF_SHARED) && !(m->flags & MAPF_LENT);
    return (m->access & MAP_READ ? REDOX_GRANT_READ : 0) |
           (m->access & MAP_WRITE ? REDOX_GRANT_WRITE : 0) |
           (m->access & MAP_EXECUTE ? REDOX_GRANT_EXEC : 0) | (shared ? REDOX_GRANT_SHARED : 0) |
           (m->file && !physical ? REDOX_GRANT_SCHEME : 0) | (physical ? REDOX_GRANT_PHYS : 0) |
           (m->object && m->object->pager == &contiguous_pager ? REDOX_GRANT_PHYS_CONTIGUOUS : 0) |
           (m->flags & MAPF_PINNED ? REDOX_GRANT_PINNED : 0);
}

static bool add_grant(const struct mapping *m, void *data)
{
    struct grants *g = data;
    if (g->skip) {
        g->skip--;
        return true;
    }
    bool in_file = m->file && !m->object->pager->physical;
    g->list[g->count++] = (struct redox_grant){
        .base = m->start,
        .size = m->end - m->start,
        .flags = grant_flags(m),
        .offset = in_file ? m->offset - m->file_shift : UINT64_MAX,
    };
    return g->count < g->room;
}

len_t read_addrspace(struct grip *g, struct io *io, uint64_t offset)
{
    struct grants grants = {
        .skip = offset / sizeof(struct redox_grant),
        .room = min_of(io->left / sizeof(struct redox_grant), (uint64_t)GRANTS_A_READ),
    };
    if (!grants.room)
        return -EINVAL;
    space_visit(g->space, add_grant, &grants);
    return grip_put_text(io, grants.list, grants.count * sizeof(grants.list[0]), 0);
}

static unsigned access_of(uint64_t flags)
{
    return (flags & REDOX_PROT_READ ? MAP_READ : 0) | (flags & REDOX_PROT_WRITE ? MAP_WRITE : 0) |
           (flags & REDOX_PROT_EXEC ? MAP_EXECUTE : 0);
}

static bool pages_ok(uaddr_t start, uint64_t size)
{
    return is_aligned(start, PAGE_SIZE) && is_aligned(size, PAGE_SIZE) && size &&
           range_fits(start, size, USER_END);
}

// Memory of one space into another, the same frames.
static err_t map_from(struct space *from, struct space *to, const struct map_request *request,
                      uaddr_t *address)
{
    struct map_request r = *request;
    struct space_shared shared;
    if (from == to)
        return -EBUSY;
    err_t e = space_share(from, r.offset, r.size, &shared);
    if (e)
        return e;
    r.object = shared.object;
    r.offset = shared.offset;
    r.flags |= MAPF_SHARED;
    e = space_map(to, &r, address);
    object_put(shared.object);
    return e;
}

// For FMAP. The mapping has no file: it would keep the handle, and two spaces each other.
err_t map_addrspace(struct grip *g, struct map_request *r)
{
    struct space_shared shared;
    if (g->space == process_current()->space)
        return -EBUSY;
    err_t e = space_share(g->space, r->offset, r->size, &shared);
    if (e)
        return e;
    r->object = shared.object;
    r->offset = shared.offset;
    r->file = NULL;
    r->flags |= MAPF_SHARED;
    return 0;
}

static err_t map_file(struct space *to, uint64_t number, const struct map_request *r, bool transfer)
{
    struct file *file;
    uaddr_t address;
    err_t e = number > INT32_MAX
                  ? -EBADF
                  : descriptor_file(process_current()->descriptors, (int)number, &file);
    if (e)
        return e;
    struct grip *from = grip_of(file);
    bool is_space = from && from->operation == operation_find("addrspace", 9);
    if (is_space)
        e = map_from(from->space, to, r, &address);
    else
        e = transfer ? -EBADF : file_map(file, to, r, &address);
    if (!e && transfer)
        e = space_unmap(from->space, r->offset, r->size);
    file_put(file);
    return e == -ENODEV ? -EOPNOTSUPP : e;
}

// words: descriptor, offset, address, size, flags
static err_t command_map(struct space *s, const uint64_t *words, bool transfer)
{
    uint64_t flags = words[4], end;
    struct map_request r = {
        .address = words[2],
        .size = words[3],
        .access = access_of(flags),
        .flags = MAPF_FIXED | (flags & REDOX_MAP_SHARED ? MAPF_SHARED : 0),
        .offset = words[1],
    };
    if (!(flags & REDOX_MAP_FIXED))
        return -EOPNOTSUPP;
    if ((flags & REDOX_MAP_FIXED_NOREPLACE) == REDOX_MAP_FIXED_NOREPLACE)
        r.flags |= MAPF_NO_REPLACE;
    if (!pages_ok(r.address, r.size))
        return -EINVAL;
    uaddr_t address;
    if (words[0] == UINT64_MAX && !transfer) {
        r.offset = 0;
        return space_map(s, &r, &address);
    }
    if (!is_aligned(r.offset, PAGE_SIZE) || add_overflows(r.offset, r.size, &end))
        return -EINVAL;
    return map_file(s, words[0], &r, transfer);
}

static err_t command(struct space *s, const uint64_t *words)
{
    switch (words[0]) {
    case REDOX_ADDRSPACE_MMAP:
        return command_map(s, words + 1, false);
    case REDOX_ADDRSPACE_TRANSFER:
        return command_map(s, words + 1, true);
    case REDOX_ADDRSPACE_MUNMAP:
        return pages_ok(words[1], words[2]) ? space_unmap(s, words[1], words[2]) : -EINVAL;
    case REDOX_ADDRSPACE_MPROTECT:
        return pages_ok(words[1], words[2])
                   ? space_protect_sparse(s, words[1], words[2], access_of(words[3]))
                   : -EINVAL;
    default:
        return -EINVAL;
    }
}

// One command for each write: the words it has, whatever follows.
len_t write_addrspace(struct grip *g, struct io *io)
{
    static const uint8_t counts[] = { 6, 3, 4, 6 };
    uint64_t words[WORDS_MAX];
    if (io->left < WORD)
        return -EINVAL;
    err_t e = io_get(io, words, WORD);
    if (!e && words[0] >= array_len(counts))
        e = -EINVAL;
    if (e)
        return e;
    size_t more = (counts[index_clamp(words[0], array_len(counts))] - 1u) * WORD;
    if (io->left < more)
        return -EINVAL;
    e = io_get(io, words + 1, more);
    if (!e)
        e = command(g->space, words);
    return e ? e : (len_t)(WORD + more);
}

// A child is not to share what a scheme shows, nor devices: its C library maps files anew.
static bool goes_to_child(const struct mapping *m)
{
    bool shared = (m->flags & MAPF_SHARED) && !(m->flags & MAPF_LENT);
    return !(shared && m->file) && !(m->object && m->object->pager->physical);
}

static err_t make_empty(struct grip *g, struct space **space)
{
    err_t e = space_make(space);
    if (e)
        return e;
    (*space)->mapped_limit = g->process->limits[LIMIT_SPACE].soft;
    (*space)->data_limit = g->process->limits[LIMIT_DATA].soft;
    (*space)->stack_limit = g->process->limits[LIMIT_STACK].soft;
    return 0;
}

struct file_search {
    uaddr_t address;
    bool mapped;
    struct file *file;
};

static bool find_file(const struct mapping *m, void *data)
{
    struct file_search *s = data;
    if (m->end <= s->address)
        return true;
    s->mapped = m->start <= s->address;
    if (s->mapped && m->file) {
        s->file = m->file;
        file_get(s->file);
    }
    return false;
}

// The file behind a mapping, as an open file of the caller's.
static err_t file_behind(struct space *space, const char *digits, size_t length, struct file **file)
{
    struct file_search s = { 0 };
    if (!number_parse(digits, length, 16, &s.address))
        return -EINVAL;
    space_visit(space, find_file, &s);
    *file = s.file;
    return s.file ? 0 : s.mapped ? -EBADF : -EINVAL;
}

err_t derive_addrspace(struct grip *g, const char *name, size_t length, struct grip *made)
{
    static const char behind[] = "grant-fd-", lowest[] = "mmap-min-addr";
    made->space_filled = length == 5 && memcmp(name, "empty", 5) == 0;
    if (made->space_filled)
        return make_empty(g, &made->space);
    if (length == 9 && memcmp(name, "exclusive", 9) == 0)
        return space_fork_some(g->space, goes_to_child, &made->space);
    if (length == strlen(lowest) && memcmp(name, lowest, length) == 0) {
        made->operation = operation_find(lowest, length);
        space_get(g->space);
        made->space = g->space;
        return 0;
    }
    if (length > strlen(behind) && memcmp(name, behind, strlen(behind)) == 0)
        return file_behind(g->space, name + strlen(behind), length - strlen(behind), &made->file);
    return -EINVAL;
}

len_t read_lowest(struct grip *g, struct io *io, uint64_t offset)
{
    uint64_t lowest = __atomic_load_n(&g->space->map_lowest, __ATOMIC_RELAXED);
    return grip_put_text(io, &lowest, sizeof(lowest), 0);
}

len_t write_lowest(struct grip *g, struct io *io)
{
    uint64_t lowest;
    err_t e = grip_take(io, &lowest, sizeof(lowest));
    if (!e && (!is_aligned(lowest, PAGE_SIZE) || lowest > USER_END))
        e = -EINVAL;
    if (e)
        return e;
    __atomic_store_n(&g->space->map_lowest, max_of(lowest, USER_LOWEST), __ATOMIC_RELAXED);
    return (len_t)io->done;
}
