// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/process/file_lock.h"
#include "kernel/memory/heap.h"
#include "kernel/process/process.h"

enum { LOCKS_OF_ONE_OWNER = 4096 };

struct file_lock {
    struct list link;
    struct file_lock_range range;
    enum file_lock_kind kind;
    const void *owner; // a descriptor table, or an open file
    int32_t process;   // who asked for it, for F_GETLK; 0: a lock of an open file
};

static const struct file_lock_range whole = { 0, UINT64_MAX };

static bool overlaps(const struct file_lock_range *a, const struct file_lock_range *b)
{
    return a->start < b->end && b->start < a->end;
}

// The first lock of somebody else, of the same family, that is in the way.
static struct file_lock *conflict_locked(struct node *n, const void *owner, bool of_process,
                                         enum file_lock_kind kind,
                                         const struct file_lock_range *range)
{
    list_for_each (link, &n->locks) {
        struct file_lock *l = list_entry(link, struct file_lock, link);
        if (l->owner != owner && (l->process != 0) == of_process && overlaps(&l->range, range) &&
            (kind == LOCK_EXCLUSIVE || l->kind == LOCK_EXCLUSIVE))
            return l;
    }
    return NULL;
}

// Takes the owner's locks out of a range; a lock that sticks out on both sides is cut in two with
// `spare`.
static void clear_locked(struct node *n, const void *owner, const struct file_lock_range *range,
                         struct file_lock **spare)
{
    list_for_each_safe (link, &n->locks) {
        struct file_lock *l = list_entry(link, struct file_lock, link);
        if (l->owner != owner || !overlaps(&l->range, range))
            continue;
        bool before = l->range.start<range->start, after = l->range.end> range->end;
        if (before && after && *spare) {
            struct file_lock *rest = *spare;
            *spare = NULL;
            *rest = *l;
            rest->range.start = range->end;
            l->range.end = range->start;
            list_insert_between(&rest->link, link, link->next);
        } else if (before) {
            l->range.end = range->start;
        } else if (after) {
            l->range.start = range->end;
        } else {
            list_remove(link);
            heap_free(l);
        }
    }
}

// An owner's locks on one file are bounded: each costs kernel memory and every search's time.
static bool too_many_locked(const struct node *n, const void *owner)
{
    unsigned count = 0;
    list_for_each (link, &n->locks)
        count += list_entry(link, struct file_lock, link)->owner == owner;
    return count >= LOCKS_OF_ONE_OWNER;
}

// One try: 0 done, -EAGAIN somebody is in the way, -ENOLCK.
static err_t try_lock(struct node *n, struct file_lock *fresh, struct file_lock **spare)
{
    err_t e = 0;
    spin_lock(&n->locks_lock);
    if (fresh->kind != LOCK_NONE &&
        conflict_locked(n, fresh->owner, fresh->process != 0, fresh->kind, &fresh->range)) {
        e = -EAGAIN;
    } else if ((fresh->kind != LOCK_NONE || fresh->range.end != UINT64_MAX) &&
               too_many_locked(n, fresh->owner)) { // an unlock may cut a lock in two
        e = -ENOLCK;
    } else {
        clear_locked(n, fresh->owner, &fresh->range, spare);
        if (fresh->kind != LOCK_NONE)
            list_push_back(&n->locks, &fresh->link);
    }
    spin_unlock(&n->locks_lock);
    return e;
}

static err_t set_lock(struct node *n, const struct file_lock *wanted, bool wait)
{
    struct file_lock *fresh = heap_alloc(sizeof(*fresh)), *spare = heap_alloc(sizeof(*spare));
    err_t e = fresh && spare ? 0 : -ENOMEM, tried = -EAGAIN;
    if (!e) {
        *fresh = *wanted;
        if (wait)
            e = wait_until(&n->locks_wait, (tried = try_lock(n, fresh, &spare)) != -EAGAIN,
                           WAIT_FOREVER);
        else
            e = tried = try_lock(n, fresh, &spare);
    }
    if (!e)
        e = tried;
    if (!tried)
        wait_wake_all(&n->locks_wait);
    if (tried || wanted->kind == LOCK_NONE)
        heap_free(fresh);
    heap_free(spare);
    return e;
}

err_t file_lock_range(struct file *f, enum file_lock_kind kind, const struct file_lock_range *range,
                      bool wait)
{
    struct process *p = process_current();
    if (!f->node || (kind == LOCK_SHARED && !(f->flags & OPEN_READ)) ||
        (kind == LOCK_EXCLUSIVE && !(f->flags & OPEN_WRITE)))
        return -EBADF;
    struct file_lock l = {
        .range = *range, .kind = kind, .owner = p->descriptors, .process = p->number
    };
    return set_lock(f->node, &l, wait);
}

bool file_lock_test(struct file *f, enum file_lock_kind kind, const struct file_lock_range *range,
                    struct file_lock_found *found)
{
    struct node *n = f->node;
    if (!n)
        return false;
    spin_lock(&n->locks_lock);
    struct file_lock *l = conflict_locked(n, process_current()->descriptors, true, kind, range);
    if (l)
        *found = (struct file_lock_found){ l->kind, l->range, l->process };
    spin_unlock(&n->locks_lock);
    return l;
}

err_t file_lock_whole(struct file *f, enum file_lock_kind kind, bool wait)
{
    if (!f->node)
        return -EBADF;
    struct file_lock l = { .range = whole, .kind = kind, .owner = f };
    err_t e = set_lock(f->node, &l, wait);
    return e == -EAGAIN ? -EWOULDBLOCK : e;
}

static void drop_all(struct node *n, const void *owner)
{
    struct file_lock *spare = NULL;
    if (!n || list_empty(&n->locks))
        return;
    spin_lock(&n->locks_lock);
    clear_locked(n, owner, &whole, &spare);
    spin_unlock(&n->locks_lock);
    wait_wake_all(&n->locks_wait);
}

void file_lock_closed(struct file *f, const struct descriptors *table)
{
    drop_all(f->node, table);
}

void file_lock_released(struct file *f)
{
    drop_all(f->node, f);
}
