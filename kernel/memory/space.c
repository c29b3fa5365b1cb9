// SPDX-License-Identifier: GPL-3.0-or-later
// Address spaces: making, sharing out by fork, and what programs ask of their mappings.
#include "kernel/memory/space.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/memory.h"
#include "kernel/memory/physical.h"
#include "kernel/memory/space_inside.h"
#include <redox/errno.h>

#define MAP_BELOW_STACK GIB(20)      // room for the stack and its random place above other mappings
#define MAP_RANDOM      (1ull << 28) // pages
#define LOW_END         GIB(2)       // MAPF_LOW

enum { ALL_ACCESS = MAP_READ | MAP_WRITE | MAP_EXECUTE };

static struct slab_cache *space_cache;

void space_init(void)
{
    space_cache = slab_cache_make("space", sizeof(struct space), 64);
    mappings_init();
    object_init();
    space_fault_init();
    trap_set_page_fault_handler(memory_page_fault);
}

static struct space *space_alloc(void)
{
    static uint64_t last_id;
    struct space *s = slab_alloc(space_cache);
    if (!s)
        return NULL;
    s->references = 1;
    s->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    rwlock_init(&s->lock, RANK_SPACE);
    spin_init(&s->table_lock, RANK_PAGE_TABLE);
    s->mappings = range_tree_make();
    s->top_table = table_make();
    if (!s->top_table) {
        slab_free(space_cache, s);
        return NULL;
    }
    // The kernel's half: its top entries never change after boot.
    entry_t *top = table_at(s->top_table), *kernel = table_at(memory_kernel_table());
    for (unsigned i = TABLE_ENTRIES / 2; i < TABLE_ENTRIES; i++)
        top[i] = kernel[i];
    return s;
}

err_t space_make(struct space **space)
{
    struct space *s = space_alloc();
    if (!s)
        return -ENOMEM;
    s->mapped_limit = s->data_limit = s->stack_limit = UINT64_MAX;
    s->map_lowest = USER_LOWEST;
    s->map_hint = USER_END - MAP_BELOW_STACK - (cpu_random() % MAP_RANDOM) * PAGE_SIZE;
    *space = s;
    return 0;
}

void space_fix_places(struct space *s)
{
    s->fixed_places = true;
    s->map_hint = USER_END - MAP_BELOW_STACK;
}

void space_get(struct space *s)
{
    __atomic_fetch_add(&s->references, 1, __ATOMIC_RELAXED);
}

static void remove_all(struct space *s)
{
    struct list dead = LIST_INIT(dead);
    rwlock_write(&s->lock);
    while (!rb_empty(&s->mappings)) {
        struct mapping *m = mapping_find(s, 0);
        m->flags |= MAPF_GONE;
        mapping_remove(m, &dead);
    }
    space_zap(s, 0, USER_END);
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
}

void space_put(struct space *s)
{
    if (__atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL))
        return;
    space_leave_all(s);
    remove_all(s);
    physical_space_gone(s);
    table_drop(s->top_table);
    slab_free(space_cache, s);
}

static err_t fork_mapping(struct space *from, struct space *to, const struct mapping *m)
{
    if (m->flags & MAPF_NO_FORK)
        return 0;
    if (m->flags & MAPF_LENT)
        return space_fork_lent(to, m);
    struct mapping *copy = mapping_make(m, m->start, m->end, m->offset);
    if (!copy)
        return -ENOMEM;
    copy->flags &= ~MAPF_LOCKED;
    mapping_insert(to, copy);
    if (m->flags & (MAPF_SHARED | MAPF_WIPE_ON_FORK))
        return 0;
    return space_copy_entries(from, to, m);
}

static void copy_bounds(struct space *to, const struct space *from)
{
    to->mapped_limit = from->mapped_limit;
    to->data_limit = from->data_limit;
    to->stack_limit = from->stack_limit;
    to->map_lowest = from->map_lowest;
    to->map_hint = from->map_hint;
    to->heap_start = from->heap_start;
    to->heap_end = from->heap_end;
    to->stack_top = from->stack_top;
    to->arguments_start = from->arguments_start;
    to->auxiliary_start = from->auxiliary_start;
    to->auxiliary_end = from->auxiliary_end;
    to->arguments_end = from->arguments_end;
    to->environment_start = from->environment_start;
    to->environment_end = from->environment_end;
    to->code_start = from->code_start;
    to->code_end = from->code_end;
    to->data_start = from->data_start;
    to->data_end = from->data_end;
}

static bool keep_all(const struct mapping *m)
{
    return true;
}

err_t space_fork(struct space *from, struct space **to)
{
    return space_fork_some(from, keep_all, to);
}

err_t space_fork_some(struct space *from, bool (*keep)(const struct mapping *m), struct space **to)
{
    struct space *s = space_alloc();
    if (!s)
        return -ENOMEM;
    err_t e = 0;
    rwlock_write(&from->lock);
    copy_bounds(s, from);
    for (struct mapping *m = mapping_find(from, 0); m && !e; m = mapping_next(m))
        e = keep(m) ? fork_mapping(from, s, m) : 0;
    space_flush(from, 0, USER_END, false); // what was writable no longer is
    s->resident_peak = s->resident_pages;
    rwlock_write_end(&from->lock);
    if (e) {
        space_put(s);
        return e;
    }
    *to = s;
    return 0;
}

static bool bounds_fit(uaddr_t start, uint64_t size)
{
    return is_aligned(start, PAGE_SIZE) && start >= USER_LOWEST &&
           range_fits(start, size, USER_END);
}

static bool is_free(struct space *s, uaddr_t start, uint64_t size)
{
    struct mapping *m = mapping_find(s, start);
    return !m || m->start >= start + size;
}

// Where a mapping without a fixed place goes: where the caller wishes, else the highest room below
// the hint.
static err_t find_place(struct space *s, const struct map_request *r, uint64_t size, uaddr_t *at)
{
    uaddr_t wish = round_down(r->address, PAGE_SIZE);
    uaddr_t low_end = r->flags & MAPF_LOW ? LOW_END : USER_CODE_END;
    if (wish && bounds_fit(wish, size) && wish + size <= low_end && is_free(s, wish, size)) {
        *at = wish;
        return 0;
    }
    // Large anonymous memory starts where a large page can.
    uint64_t align = !r->object && size >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE;
    uaddr_t high = min_of(s->map_hint, low_end);
    if (mappings_gap(s, size, align, s->map_lowest, high, at) ||
        mappings_gap(s, size, PAGE_SIZE, max_of(s->map_lowest, USER_LOWEST + MIB(1)), low_end, at))
        return 0;
    return -ENOMEM;
}

static err_t make_room(struct space *s, const struct map_request *r, uint64_t size,
                       struct list *dead, uaddr_t *at)
{
    if (!(r->flags & MAPF_FIXED))
        return find_place(s, r, size, at);
    *at = r->address;
    if (!bounds_fit(*at, size))
        return is_aligned(*at, PAGE_SIZE) ? -ENOMEM : -EINVAL;
    if (*at + size > USER_CODE_END && r->access & MAP_EXECUTE)
        return -ENOMEM;
    if ((r->flags & MAPF_NO_REPLACE) && !is_free(s, *at, size))
        return -EEXIST;
    return mappings_unmap(s, *at, *at + size, dead);
}

static err_t map_locked(struct space *s, const struct map_request *r, uint64_t size,
                        struct list *dead, uaddr_t *address)
{
    uint64_t total;
    if (add_overflows(s->mapped_bytes, size, &total) || total > s->mapped_limit ||
        s->mapping_count >= SPACE_MAPPINGS_MAX)
        return -ENOMEM;
    struct mapping like = {
        .access = r->access,
        .max_access = r->max_access ? r->max_access : ALL_ACCESS,
        .flags = r->flags & ~(MAPF_FIXED | MAPF_NO_REPLACE | MAPF_POPULATE | MAPF_LOW),
        .object = r->object,
        .file = r->file,
        .file_shift = r->file_shift,
    };
    uaddr_t at;
    err_t e = make_room(s, r, size, dead, &at);
    if (e)
        return e;
    if (at + size > USER_CODE_END)
        like.max_access &= ~(unsigned)MAP_EXECUTE;
    struct mapping *m = mapping_make(&like, at, at + size, r->offset);
    if (!m)
        return -ENOMEM;
    mapping_insert(s, m);
    mapping_merge(s, m, dead);
    *address = at;
    return 0;
}

err_t space_map(struct space *s, const struct map_request *request, uaddr_t *address)
{
    struct map_request r = *request;
    uint64_t size = round_up(r.size, PAGE_SIZE), end;
    r.flags |= __atomic_load_n(&s->lock_later, __ATOMIC_RELAXED);
    if (!r.size || !is_aligned(r.offset, PAGE_SIZE))
        return -EINVAL;
    if (size < r.size || size > USER_END)
        return -ENOMEM;
    if (add_overflows(r.offset, size, &end))
        return -EOVERFLOW;

    struct memory_object *own = NULL;
    if (r.object && (r.object->pager->physical || r.object->pager->never_copied))
        r.flags |= MAPF_SHARED; // there is no page to copy, or a copy would not be the thing
    if (!r.object && (r.flags & MAPF_SHARED)) {
        own = r.object = object_make(&anonymous_pager, NULL, size);
        if (!own)
            return -ENOMEM;
    }
    struct list dead = LIST_INIT(dead);
    rwlock_write(&s->lock);
    err_t e = map_locked(s, &r, size, &dead, address);
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
    if (own)
        object_put(own);
    if (!e && (r.flags & MAPF_POPULATE) && r.access)
        (void)!space_populate(s, *address, size); // what is missing comes with its fault
    return e;
}

// Rounds [start, start + size) to pages and checks it.
static err_t range_check(uaddr_t start, uint64_t *size)
{
    uint64_t bytes = round_up(*size, PAGE_SIZE);
    if (!is_aligned(start, PAGE_SIZE) || bytes < *size || !range_fits(start, bytes, USER_END))
        return -EINVAL;
    *size = bytes;
    return 0;
}

err_t space_unmap(struct space *s, uaddr_t start, uint64_t size)
{
    err_t e = range_check(start, &size);
    if (e || !size)
        return -EINVAL;
    struct list dead = LIST_INIT(dead);
    rwlock_write(&s->lock);
    e = mappings_unmap(s, start, start + size, &dead);
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
    return e;
}

// 0 when mappings cover [start, end) without a hole and `check` (may be NULL) likes each of them.
static err_t covered(struct space *s, uaddr_t start, uaddr_t end,
                     err_t (*check)(const struct mapping *m, unsigned what), unsigned what)
{
    struct mapping *m = mapping_at(s, start);
    for (uaddr_t at = start; at < end; m = mapping_next(m)) {
        if (!m || m->start > at)
            return -ENOMEM;
        if (m->flags & MAPF_PINNED)
            return -EBUSY;
        err_t e = check ? check(m, what) : 0;
        if (e)
            return e;
        at = m->end;
        if (at >= end)
            break;
    }
    return 0;
}

// Splits at the bounds, lets `change` alter each mapping, joins what became equal.
static err_t change_range(struct space *s, uaddr_t start, uaddr_t end,
                          void (*change)(struct space *s, struct mapping *m, unsigned a,
                                         unsigned b),
                          unsigned a, unsigned b, struct list *dead)
{
    err_t e = mappings_split(s, start, end);
    if (e)
        return e;
    for (struct mapping *m = mapping_find(s, start); m && m->start < end; m = mapping_next(m))
        change(s, m, a, b);
    for (struct mapping *m = mapping_find(s, start); m && m->start < end;) {
        uaddr_t behind = m->end;
        mapping_merge(s, m, dead);
        m = mapping_find(s, behind);
    }
    return 0;
}

static err_t may_have(const struct mapping *m, unsigned access)
{
    return access & ~m->max_access ? -EACCES : 0;
}

static void change_access(struct space *s, struct mapping *m, unsigned access, unsigned unused)
{
    m->access = access;
    space_protect_entries(s, m, m->start, m->end);
}

err_t space_protect(struct space *s, uaddr_t start, uint64_t size, unsigned access)
{
    err_t e = range_check(start, &size);
    if (e || !size)
        return e;
    struct list dead = LIST_INIT(dead);
    rwlock_write(&s->lock);
    e = covered(s, start, start + size, may_have, access);
    if (!e)
        e = change_range(s, start, start + size, change_access, access, 0, &dead);
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
    return e;
}

// As space_protect() for the mappings there are in the range; the holes stay holes.
err_t space_protect_sparse(struct space *s, uaddr_t start, uint64_t size, unsigned access)
{
    err_t e = range_check(start, &size);
    if (e || !size)
        return e;
    struct list dead = LIST_INIT(dead);
    uaddr_t end = start + size;
    rwlock_write(&s->lock);
    if (mappings_pinned(s, start, end))
        e = -EBUSY;
    for (struct mapping *m = mapping_find(s, start); m && m->start < end && !e; m = mapping_next(m))
        e = may_have(m, access);
    if (!e)
        e = change_range(s, start, end, change_access, access, 0, &dead);
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
    return e;
}

static void change_flags(struct space *s, struct mapping *m, unsigned set, unsigned clear)
{
    m->flags = (m->flags & ~clear) | set;
}

err_t space_set_flags(struct space *s, uaddr_t start, uint64_t size, unsigned set, unsigned clear)
{
    err_t e = range_check(start, &size);
    if (e || !size)
        return e;
    struct list dead = LIST_INIT(dead);
    rwlock_write(&s->lock);
    e = covered(s, start, start + size, NULL, 0);
    if (!e)
        e = change_range(s, start, start + size, change_flags, set, clear, &dead);
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
    return e;
}

static err_t may_discard(const struct mapping *m, unsigned unused)
{
    return m->flags & MAPF_LOCKED ? -EINVAL : 0;
}

err_t space_discard(struct space *s, uaddr_t start, uint64_t size)
{
    err_t e = range_check(start, &size);
    if (e || !size)
        return e;
    rwlock_write(&s->lock);
    e = covered(s, start, start + size, may_discard, 0);
    if (!e)
        e = space_split_large(s, start);
    if (!e)
        e = space_split_large(s, start + size);
    if (!e)
        space_zap(s, start, start + size);
    rwlock_write_end(&s->lock);
    return e;
}

static err_t heap_grow(struct space *s, uaddr_t old_end, uaddr_t new_end, struct list *dead)
{
    struct map_request r = {
        .address = old_end,
        .size = new_end - old_end,
        .access = MAP_READ | MAP_WRITE,
        .flags = MAPF_FIXED | MAPF_NO_REPLACE | MAPF_HEAP | (s->lock_later & MAPF_LOCKED),
    };
    uaddr_t at;
    if (new_end - s->heap_start > s->data_limit || new_end > s->map_hint)
        return -ENOMEM;
    return map_locked(s, &r, r.size, dead, &at);
}

err_t space_set_heap_end(struct space *s, uaddr_t end)
{
    struct list dead = LIST_INIT(dead);
    err_t e = 0;
    rwlock_write(&s->lock);
    uaddr_t old_end = round_up(s->heap_end, PAGE_SIZE), new_end = round_up(end, PAGE_SIZE);
    if (end < s->heap_start || end >= USER_END)
        e = -ENOMEM;
    else if (new_end > old_end)
        e = heap_grow(s, old_end, new_end, &dead);
    else if (new_end < old_end)
        e = mappings_unmap(s, new_end, old_end, &dead);
    if (!e)
        s->heap_end = end;
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
    return e;
}
