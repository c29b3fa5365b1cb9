// SPDX-License-Identifier: GPL-3.0-or-later
// mremap: a mapping shrinks, grows in place, or moves with its pages.
#include "kernel/memory/space_inside.h"
#include <redox/errno.h>

struct remap {
    struct space *space;
    uaddr_t old, target; // target: with `fixed`
    uint64_t old_size, new_size;
    bool may_move, fixed, no_replace, keep_old;
    struct list *dead;
};

static err_t remap_check(const struct remap *r)
{
    uaddr_t end;
    if (!is_aligned(r->old, PAGE_SIZE) || !r->new_size || !r->old_size)
        return -EINVAL;
    if (!range_fits(r->old, r->old_size, USER_CODE_END) || r->new_size > USER_CODE_END)
        return -EINVAL;
    if (r->keep_old && (!r->may_move || r->new_size != r->old_size))
        return -EINVAL;
    if (!r->fixed)
        return 0;
    if (!r->may_move || !is_aligned(r->target, PAGE_SIZE) || r->target < USER_LOWEST ||
        !range_fits(r->target, r->new_size, USER_CODE_END))
        return -EINVAL;
    end = r->target + r->new_size;
    return r->target < r->old + r->old_size && r->old < end ? -EINVAL : 0;
}

static err_t limit_check(const struct remap *r)
{
    uint64_t gone = r->keep_old ? 0 : r->old_size;
    uint64_t more = r->new_size > gone ? r->new_size - gone : 0;
    return r->space->mapped_bytes + more > r->space->mapped_limit ? -ENOMEM : 0;
}

static bool grows_in_place(struct remap *r, struct mapping *m)
{
    struct mapping *after = mapping_next(m);
    uaddr_t end = r->old + r->new_size;
    if (m->end != r->old + r->old_size || end > USER_CODE_END || (after && after->start < end))
        return false;
    mapping_resize(m, m->start, end);
    mapping_merge(r->space, m, r->dead);
    return true;
}

static err_t find_target(struct remap *r, const struct mapping *m)
{
    struct space *s = r->space;
    struct mapping *there = r->no_replace ? mapping_find(s, r->target) : NULL;
    if (there && there->start < r->target + r->new_size)
        return -EEXIST;
    if (r->fixed)
        return mappings_unmap(s, r->target, r->target + r->new_size, r->dead);
    // The same place within a large page, so that large pages can move whole.
    uint64_t align = m->object ? PAGE_SIZE : LARGE_PAGE_SIZE, inside = r->old % align;
    uaddr_t at;
    if (mappings_gap(s, r->new_size + inside, align, USER_LOWEST, s->map_hint, &at))
        r->target = at + inside;
    else if (!mappings_gap(s, r->new_size, PAGE_SIZE, USER_LOWEST, USER_CODE_END, &r->target))
        return -ENOMEM;
    return 0;
}

// `m` is exactly the old range; the new mapping takes its pages, then it goes, or stays without
// any, and unlocked.
static err_t move_to_target(struct remap *r, struct mapping *m)
{
    struct space *s = r->space;
    if (r->space->mapping_count >= SPACE_MAPPINGS_MAX)
        return -ENOMEM;
    struct mapping *n = mapping_make(m, r->target, r->target + r->new_size, m->offset);
    if (!n)
        return -ENOMEM;
    uint64_t size = min_of(r->old_size, r->new_size);
    mapping_insert(s, n);
    if (m->object)
        mutex_lock(&m->object->lock); // truncation looks at both or at neither
    err_t e = space_move_entries(s, r->old, r->target, size);
    if (m->object)
        mutex_unlock(&m->object->lock);
    if (e) {
        mapping_remove(n, r->dead);
        return e;
    }
    if (r->keep_old) {
        m->flags &= ~(uint32_t)MAPF_LOCKED;
    } else {
        mapping_remove(m, r->dead);
        space_zap(s, r->old, r->old + r->old_size);
    }
    mapping_merge(s, n, r->dead);
    return 0;
}

static err_t remap_locked(struct remap *r, uaddr_t *address)
{
    struct space *s = r->space;
    struct mapping *m = mapping_at(s, r->old);
    if (!m || r->old + r->old_size > m->end)
        return -EFAULT;
    if (m->flags & MAPF_PINNED)
        return -EBUSY;
    *address = r->old;
    if (!r->fixed && !r->keep_old && r->new_size <= r->old_size)
        return r->new_size == r->old_size
                   ? 0
                   : mappings_unmap(s, r->old + r->new_size, r->old + r->old_size, r->dead);
    err_t e = limit_check(r);
    if (e)
        return e;
    if (!r->fixed && !r->keep_old && grows_in_place(r, m))
        return 0;
    if (!r->may_move)
        return -ENOMEM;
    e = find_target(r, m);
    if (!e)
        e = mappings_split(s, r->old, r->old + r->old_size);
    if (!e)
        e = move_to_target(r, mapping_at(s, r->old));
    *address = r->target;
    return e;
}

err_t space_remap(struct space *s, uaddr_t old, uint64_t old_size, uint64_t new_size,
                  unsigned flags, uaddr_t *address)
{
    struct list dead = LIST_INIT(dead);
    struct remap r = {
        .space = s,
        .old = old,
        .target = *address,
        .old_size = round_up(old_size, PAGE_SIZE),
        .new_size = round_up(new_size, PAGE_SIZE),
        .may_move = flags & REMAP_MAY_MOVE,
        .fixed = flags & REMAP_FIXED,
        .no_replace = flags & REMAP_NO_REPLACE,
        .keep_old = flags & REMAP_KEEP_OLD,
        .dead = &dead,
    };
    err_t e = remap_check(&r);
    if (e)
        return e;
    rwlock_write(&s->lock);
    e = remap_locked(&r, address);
    rwlock_write_end(&s->lock);
    mappings_release(&dead);
    return e;
}
