// SPDX-License-Identifier: GPL-3.0-or-later
// Nodes: making and dropping them, who may do what with them, their status.
#include "kernel/scheme/node.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/notice.h"

static struct slab_cache *nodes;

void node_init(void)
{
    nodes = slab_cache_make("node", sizeof(struct node), 8);
}

err_t node_make(struct scheme *s, const struct node_ops *ops, enum node_kind kind, unsigned mode,
                struct node **node)
{
    struct node *n = slab_alloc(nodes);
    if (!n)
        return -ENOMEM;
    n->references = 1;
    n->ops = ops;
    n->scheme = s;
    scheme_get(s);
    n->kind = kind;
    n->mode = (uint16_t)(mode & MODE_PERMISSIONS);
    n->links = 1;
    n->inode = __atomic_add_fetch(&s->next_inode, 1, __ATOMIC_RELAXED);
    nanos_t now = clock_wall();
    n->times = (struct time_stamps){ now, now, now, now };
    mutex_init(&n->lock, RANK_NODE);
    list_init(&n->locks);
    spin_init(&n->locks_lock, RANK_QUEUE);
    wait_queue_init(&n->locks_wait);
    *node = n;
    return 0;
}

void node_get(struct node *n)
{
    __atomic_fetch_add(&n->references, 1, __ATOMIC_RELAXED);
}

void node_put(struct node *n)
{
    if (unlikely(__atomic_load_n(&n->notice, __ATOMIC_RELAXED) != NULL)) {
        if (!notice_node_put(n))
            return;
        notice_node_drop(n);
    } else if (__atomic_sub_fetch(&n->references, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    if (n->ops->drop)
        n->ops->drop(n);
    if (n->object)
        object_put(n->object);
    scheme_put(n->scheme);
    slab_free(nodes, n);
}

static bool view_in_group(const struct view *v, uint32_t group)
{
    if (v->group == group)
        return true;
    for (unsigned i = 0; i < v->group_count; i++)
        if (v->groups[i] == group)
            return true;
    return false;
}

err_t node_access(const struct view *v, struct node *n, unsigned access)
{
    if (!v)
        return 0;
    unsigned mode = __atomic_load_n(&n->mode, __ATOMIC_RELAXED), bits = mode;
    if (v->user == n->user)
        bits >>= 6;
    else if (view_in_group(v, n->group))
        bits >>= 3;
    if ((bits & access) == access)
        return 0;
    bool runs = n->kind == NODE_DIRECTORY || mode & 0111;
    unsigned looks = ACCESS_READ | (n->kind == NODE_DIRECTORY ? ACCESS_EXECUTE : 0);
    if (v->read_override && !(access & ~looks))
        return 0;
    return v->override && (!(access & ACCESS_EXECUTE) || runs) ? 0 : -EACCES;
}

err_t name_access(const struct view *v, struct name *where, unsigned access)
{
    struct node *n = where->node;
    unsigned flags = where->mount ? where->mount->flags : 0;
    bool stored = n->kind == NODE_FILE || n->kind == NODE_DIRECTORY || n->kind == NODE_LINK;
    if (access & ACCESS_WRITE && stored && flags & MOUNT_READ_ONLY)
        return -EROFS;
    if (access & ACCESS_EXECUTE && n->kind == NODE_FILE && flags & MOUNT_NO_EXECUTE)
        return -EACCES;
    return node_access(v, n, access);
}

err_t node_status(struct node *n, struct file_status *status)
{
    *status = (struct file_status){
        .device = n->scheme->device,
        .inode = n->inode,
        .links = n->links,
        .size = __atomic_load_n(&n->size, __ATOMIC_RELAXED),
        .block_size = 4096,
        .special = n->device,
        .kind = n->kind,
        .mode = n->mode,
        .user = n->user,
        .group = n->group,
        .times = n->times,
    };
    if (n->object)
        status->blocks = __atomic_load_n(&n->object->resident, __ATOMIC_RELAXED) * 8;
    return n->ops->status ? n->ops->status(n, status) : 0;
}

err_t node_totals(struct node *n, struct scheme_totals *totals)
{
    *totals = (struct scheme_totals){ .block_size = 4096, .name_max = NAME_LENGTH_MAX };
    const struct scheme_ops *ops = n->scheme->ops;
    return ops->totals ? ops->totals(n->scheme, totals) : 0;
}

// May the caller of `v` ask for these changes? (chmod, chown, utimensat, truncate)
static err_t change_allowed(const struct view *v, struct node *n, const struct file_status *s,
                            unsigned what)
{
    if (!v || (v->override && v->owner_override && v->gives_away))
        return 0;
    bool owner = v->user == n->user || v->owner_override;
    if (what & STATUS_MODE && !owner)
        return -EPERM;
    if (what & STATUS_USER && !v->gives_away && (v->user != n->user || s->user != n->user))
        return -EPERM;
    if (what & STATUS_GROUP && !v->gives_away &&
        (v->user != n->user || (s->group != n->group && !view_in_group(v, s->group))))
        return -EPERM;
    if (what & (STATUS_ACCESSED | STATUS_MODIFIED) && !owner) {
        if (!(what & STATUS_TIMES_NOW))
            return -EPERM;
        return node_access(v, n, ACCESS_WRITE);
    }
    return 0;
}

// The bits that a change of owner takes from a program (chown(2)).
static unsigned mode_after_chown(const struct node *n)
{
    unsigned mode = n->mode & ~MODE_SET_USER;
    if (mode & 0010)
        mode &= ~MODE_SET_GROUP;
    return mode;
}

static void change_apply(const struct view *v, struct node *n, const struct file_status *s,
                         unsigned what)
{
    if (what & (STATUS_USER | STATUS_GROUP) && n->kind == NODE_FILE)
        n->mode = (uint16_t)mode_after_chown(n);
    if (what & STATUS_USER)
        n->user = s->user;
    if (what & STATUS_GROUP)
        n->group = s->group;
    if (what & STATUS_MODE) {
        unsigned mode = s->mode & MODE_PERMISSIONS;
        if (v && !v->override && n->kind != NODE_DIRECTORY && !view_in_group(v, n->group))
            mode &= ~MODE_SET_GROUP;
        n->mode = (uint16_t)mode;
    }
    if (what & STATUS_ACCESSED)
        n->times.accessed = s->times.accessed;
    if (what & STATUS_MODIFIED)
        n->times.modified = s->times.modified;
    n->times.changed = clock_wall();
}

static err_t node_cut(const struct view *v, struct node *n, uint64_t size)
{
    if (n->kind == NODE_DIRECTORY)
        return -EISDIR;
    if (n->kind != NODE_FILE || !n->ops->resize || size > INT64_MAX)
        return -EINVAL;
    err_t e = node_access(v, n, ACCESS_WRITE);
    if (e)
        return e;
    return __atomic_load_n(&n->writers, __ATOMIC_RELAXED) < 0 ? -ETXTBSY : n->ops->resize(n, size);
}

err_t node_set_status(const struct view *v, struct node *n, const struct file_status *status,
                      unsigned what)
{
    err_t e = 0;
    if (what & STATUS_SIZE) {
        e = node_cut(v, n, status->size);
        what &= ~STATUS_SIZE;
        if (e || !what)
            return e;
    }
    if (what & STATUS_MODE && n->kind == NODE_LINK)
        return -EOPNOTSUPP;
    mutex_lock(&n->lock);
    e = change_allowed(v, n, status, what);
    if (!e && n->ops->set_status)
        e = n->ops->set_status(n, status, what);
    if (!e)
        change_apply(v, n, status, what);
    mutex_unlock(&n->lock);
    return e;
}

// What watchers are told when these were changed (as inotify(7) has it).
static unsigned change_event(unsigned what)
{
    unsigned times = what & (STATUS_ACCESSED | STATUS_MODIFIED);
    if (what & (STATUS_MODE | STATUS_USER | STATUS_GROUP) ||
        times == (STATUS_ACCESSED | STATUS_MODIFIED))
        return NOTICE_ATTRIBUTES;
    return what & (STATUS_SIZE | STATUS_MODIFIED) ? NOTICE_MODIFY : times ? NOTICE_ACCESS : 0;
}

static bool mount_is_read_only(const struct name *n)
{
    return n && n->mount && n->mount->flags & MOUNT_READ_ONLY;
}

err_t name_set_status(const struct view *v, struct name *n, const struct file_status *status,
                      unsigned what)
{
    if (mount_is_read_only(n))
        return -EROFS;
    err_t e = node_set_status(v, n->node, status, what);
    if (!e)
        notice_name(n, change_event(what));
    return e;
}

err_t file_set_status(const struct view *v, struct file *f, const struct file_status *status,
                      unsigned what)
{
    if (f->ops->set_status)
        return f->ops->set_status(f, v, status, what);
    if (!f->node)
        return -EPERM;
    if (mount_is_read_only(f->where))
        return -EROFS;
    err_t e = node_set_status(v, f->node, status, what);
    if (!e)
        notice_file(f, change_event(what));
    return e;
}
