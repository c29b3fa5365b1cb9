// SPDX-License-Identifier: GPL-3.0-or-later
// Memory that stays resident (mlock). Nothing is swapped out here, so it means that the pages are
// made now, that nobody discards them, and that they are counted.
#include "kernel/memory/space_inside.h"
#include <redox/errno.h>

// Bytes of [start, end) in mappings that are not locked yet, or in all those that are.
static uint64_t count(struct space *s, uaddr_t start, uaddr_t end, bool locked)
{
    uint64_t bytes = 0;
    for (struct mapping *m = mapping_find(s, start); m && m->start < end; m = mapping_next(m))
        if (locked == !!(m->flags & MAPF_LOCKED))
            bytes += min_of(m->end, end) - max_of(m->start, start);
    return bytes;
}

// Whether [start, end) may be locked too.
static bool fits(struct space *s, uaddr_t start, uaddr_t end, uint64_t limit)
{
    uint64_t total;
    return limit == UINT64_MAX ||
           (!add_overflows(count(s, 0, USER_END, true), count(s, start, end, false), &total) &&
            total <= limit);
}

err_t space_lock(struct space *s, uaddr_t start, uint64_t size, uint64_t limit, bool populate)
{
    if (!range_fits(start, size, USER_END))
        return -ENOMEM;
    rwlock_read(&s->lock);
    bool may = fits(s, start, start + size, limit);
    rwlock_read_end(&s->lock);
    err_t e = may ? space_set_flags(s, start, size, MAPF_LOCKED, 0) : -ENOMEM;
    return e || !populate ? e : space_populate(s, start, size);
}

static void populate_all(struct space *s)
{
    uaddr_t at = 0;
    for (;;) {
        rwlock_read(&s->lock);
        struct mapping *m = mapping_find(s, at);
        uaddr_t start = m ? m->start : 0, end = m ? m->end : 0;
        bool wanted = m && m->access && (m->flags & MAPF_LOCKED);
        rwlock_read_end(&s->lock);
        if (!end)
            return;
        if (wanted)
            (void)!space_populate(s, start, end - start); // what cannot be made comes, or faults
        at = end;
    }
}

err_t space_lock_all(struct space *s, bool now, bool later, uint64_t limit, bool populate)
{
    rwlock_write(&s->lock);
    bool may = !now || fits(s, 0, USER_END, limit);
    if (may) {
        s->lock_later = later ? MAPF_LOCKED | (populate ? MAPF_POPULATE : 0u) : 0;
        for (struct mapping *m = mapping_find(s, 0); m && now; m = mapping_next(m))
            if (!(m->flags & MAPF_PINNED))
                m->flags |= MAPF_LOCKED;
    }
    rwlock_write_end(&s->lock);
    if (may && now && populate)
        populate_all(s);
    return may ? 0 : -ENOMEM;
}

void space_unlock_all(struct space *s)
{
    rwlock_write(&s->lock);
    s->lock_later = 0;
    for (struct mapping *m = mapping_find(s, 0); m; m = mapping_next(m))
        m->flags &= ~MAPF_LOCKED;
    rwlock_write_end(&s->lock);
}
