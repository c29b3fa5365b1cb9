// SPDX-License-Identifier: GPL-3.0-or-later
// Changing the tree: making, linking, removing and moving names.
//
// A directory's entries change under its node's lock. A removed directory is marked dead under its
// own lock too, so nothing is made in it after. Moving a directory to another one first takes the
// scheme's move lock: no ancestor relation changes meanwhile. Order of the node locks of a move:
// above before below, unrelated ones by address, then the directory that is replaced.
#include "kernel/scheme/tree.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/notice.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/string.h"

// May entries of the directory be changed?
static err_t directory_writable(const struct view *v, struct name *dir)
{
    if (dir->node->dead)
        return -ENOENT;
    return name_access(v, dir, ACCESS_WRITE | ACCESS_EXECUTE);
}

// In a sticky directory only the owner of the entry or of the directory takes an entry away.
static err_t entry_removable(const struct view *v, struct name *dir, struct node *n)
{
    err_t e = directory_writable(v, dir);
    if (!e && dir->node->mode & MODE_STICKY && !v->owner_override && v->user != n->user &&
        v->user != dir->node->user)
        e = -EPERM;
    return e;
}

static void directory_changed(struct node *dir)
{
    __atomic_fetch_add(&dir->generation, 1, __ATOMIC_RELEASE); // pairs with child_is_current()
}

// Who owns a new node; before anybody else sees it.
static void node_give(const struct view *v, const struct node *dir, struct node *n)
{
    n->user = v->user;
    n->group = v->group;
    if (dir->mode & MODE_SET_GROUP) {
        n->group = dir->group;
        if (n->kind == NODE_DIRECTORY)
            n->mode |= MODE_SET_GROUP;
    }
}

err_t tree_make_locked(const struct view *v, struct name *dir, struct name *child,
                       enum node_kind kind, unsigned mode, uint64_t device, const char *target)
{
    err_t e = directory_writable(v, dir);
    if (e)
        return e;
    if (!dir->node->ops->make)
        return -EPERM;
    mode = kind == NODE_LINK ? 0777 : mode & ~(unsigned)v->umask;
    struct node *n;
    e = dir->node->ops->make(dir->node, child->text, child->length, kind, mode & MODE_PERMISSIONS,
                             device, target, &n);
    if (e)
        return e;
    node_give(v, dir->node, n);
    directory_changed(dir->node);
    child->generation = dir->node->generation;
    names_fill(child, n);
    notice_entry(dir->node, n, child->text, child->length, NOTICE_CREATE, 0);
    node_put(n);
    return 0;
}

// name_make(), which also hands out what it made where `node` is not NULL.
static err_t make_and_get(const struct view *v, struct name *start, const char *path,
                          enum node_kind kind, unsigned mode, uint64_t device,
                          const char *link_target, struct node **node)
{
    if ((kind == NODE_CHARACTER || kind == NODE_BLOCK) && !v->makes_devices)
        return -EPERM;
    bool done;
    err_t e = path_scheme_make(v, path, kind, mode, &done);
    if (done)
        return e;
    struct walk w;
    e = walk_begin(&w, v, start, path, 0);
    if (!e)
        e = walk_to_parent(&w);
    if (!e && (w.part_length == 0 || walk_part_is_dots(&w)))
        e = -EEXIST;
    if (e)
        goto end_walk;

    struct name *child;
    mutex_lock(&w.at->node->lock);
    e = names_child_locked(w.at, w.part, w.part_length, &child);
    if (e)
        goto unlock;
    if (child->node)
        e = -EEXIST;
    else if (w.slash && kind != NODE_DIRECTORY)
        e = -ENOENT;
    else
        e = tree_make_locked(v, w.at, child, kind, mode, device, link_target);
    if (!e && node) {
        node_get(child->node);
        *node = child->node;
    }
    name_put(child);
unlock:
    mutex_unlock(&w.at->node->lock);
end_walk:
    walk_end(&w);
    return e;
}

err_t name_make(const struct view *v, struct name *start, const char *path, enum node_kind kind,
                unsigned mode, uint64_t device, const char *link_target)
{
    return make_and_get(v, start, path, kind, mode, device, link_target, NULL);
}

err_t name_make_node(const struct view *v, struct name *start, const char *path,
                     enum node_kind kind, unsigned mode, struct node **node)
{
    return make_and_get(v, start, path, kind, mode, 0, NULL, node);
}

err_t name_make_detached(struct name *parent, const char *label, struct node *node,
                         struct name **name)
{
    size_t length = strnlen(label, NAME_LENGTH_MAX);
    struct name *n =
        names_make(parent, label, length, names_hash(parent, label, length), node, parent->mount);
    if (!n)
        return -ENOMEM;
    n->removed = n->detached = true;
    *name = n;
    return 0;
}

static err_t link_locked(const struct view *v, struct name *from, struct name *dir,
                         struct name *child)
{
    if (child->node)
        return -EEXIST;
    if (from->mount != dir->mount || from->node->scheme != dir->node->scheme)
        return -EXDEV;
    err_t e = directory_writable(v, dir);
    if (e)
        return e;
    if (from->node->kind == NODE_DIRECTORY || !dir->node->ops->link)
        return -EPERM;
    e = dir->node->ops->link(dir->node, child->text, child->length, from->node);
    if (e)
        return e;
    directory_changed(dir->node);
    child->generation = dir->node->generation;
    names_fill(child, from->node);
    notice_node(from->node, NOTICE_ATTRIBUTES); // it has one name more
    notice_entry(dir->node, from->node, child->text, child->length, NOTICE_CREATE, 0);
    return 0;
}

err_t name_link(const struct view *v, struct name *from, struct name *start, const char *path)
{
    struct walk w;
    err_t e = walk_begin(&w, v, start, path, 0);
    if (!e)
        e = walk_to_parent(&w);
    if (!e && (w.part_length == 0 || walk_part_is_dots(&w)))
        e = -EEXIST;
    if (!e && w.slash)
        e = -ENOENT;
    if (!e) {
        struct name *child;
        mutex_lock(&w.at->node->lock);
        e = names_child_locked(w.at, w.part, w.part_length, &child);
        if (!e) {
            e = link_locked(v, from, w.at, child);
            name_put(child);
        }
        mutex_unlock(&w.at->node->lock);
    }
    walk_end(&w);
    return e;
}

static err_t remove_locked(const struct view *v, struct name *dir, struct name *child,
                           bool directory, bool slash)
{
    struct node *n = child->node;
    if (!n)
        return -ENOENT;
    err_t e = entry_removable(v, dir, n);
    if (e)
        return e;
    bool is_directory = n->kind == NODE_DIRECTORY;
    if (is_directory != directory)
        return directory ? -ENOTDIR : -EISDIR;
    if (slash && !is_directory)
        return -ENOTDIR;
    if (child->mounted)
        return -EBUSY;
    if (!dir->node->ops->remove)
        return -EPERM;
    if (is_directory)
        mutex_lock(&n->lock);
    e = dir->node->ops->remove(dir->node, child->text, child->length, n);
    if (is_directory) {
        if (!e)
            __atomic_store_n(&n->dead, true, __ATOMIC_RELAXED);
        mutex_unlock(&n->lock);
    }
    if (e)
        return e;
    directory_changed(dir->node);
    names_forget(child);
    if (!is_directory)
        notice_node(n, NOTICE_ATTRIBUTES); // it has one name less
    if (__atomic_load_n(&child->references, __ATOMIC_ACQUIRE) == 1)
        notice_unlinked(n);
    notice_entry(dir->node, n, child->text, child->length, NOTICE_DELETE, 0);
    return 0;
}

static err_t remove_odd_path(const struct walk *w, bool directory)
{
    if (w->part_length == 0)
        return directory ? -EBUSY : -EISDIR;
    if (!walk_part_is_dots(w))
        return 0;
    return !directory ? -EISDIR : w->part_length == 1 ? -EINVAL : -ENOTEMPTY;
}

err_t name_remove(const struct view *v, struct name *start, const char *path, bool directory)
{
    bool done;
    err_t e = path_scheme_remove(v, path, directory, &done);
    if (done)
        return e;
    struct walk w;
    e = walk_begin(&w, v, start, path, 0);
    if (!e)
        e = walk_to_parent(&w);
    if (!e)
        e = remove_odd_path(&w, directory);
    if (!e) {
        struct name *child;
        mutex_lock(&w.at->node->lock);
        e = names_child_locked(w.at, w.part, w.part_length, &child);
        if (e) {
            mutex_unlock(&w.at->node->lock);
        } else {
            e = remove_locked(v, w.at, child, directory, w.slash);
            mutex_unlock(&w.at->node->lock);
            name_put(child); // may free the file: without the lock
        }
    }
    walk_end(&w);
    return e;
}

// One rename under way.
struct move {
    const struct view *view;
    struct walk from, to;
    struct name *child, *target; // what is moved, and what is at the new place (node NULL: nothing)
    unsigned flags;
};

static void move_lock(struct move *m)
{
    struct name *a = m->from.at, *b = m->to.at;
    if (a->node == b->node) {
        mutex_lock(&a->node->lock);
        return;
    }
    mutex_lock(&a->node->scheme->moving);
    bool b_first = names_below(a, b) || (!names_below(b, a) && b->node < a->node);
    mutex_lock(b_first ? &b->node->lock : &a->node->lock);
    mutex_lock(b_first ? &a->node->lock : &b->node->lock);
}

static void move_unlock(struct move *m)
{
    struct name *a = m->from.at, *b = m->to.at;
    if (a->node != b->node) {
        mutex_unlock(&b->node->lock);
        mutex_unlock(&a->node->lock);
        mutex_unlock(&a->node->scheme->moving);
    } else {
        mutex_unlock(&a->node->lock);
    }
}

// What a directory may not replace and not be replaced by.
static err_t move_kinds(const struct move *m)
{
    const struct node *a = m->child->node, *b = m->target->node;
    bool a_is = a->kind == NODE_DIRECTORY;
    if (!a_is && m->from.slash)
        return -ENOTDIR;
    if (m->flags & RENAME_EXCHANGE_F)
        return b->kind != NODE_DIRECTORY && m->to.slash ? -ENOTDIR : 0;
    if (!a_is && m->to.slash)
        return -ENOTDIR;
    if (b && a_is != (b->kind == NODE_DIRECTORY))
        return a_is ? -ENOTDIR : -EISDIR;
    return 0;
}

static err_t move_allowed(const struct move *m)
{
    if (!m->child->node)
        return -ENOENT;
    if (m->target->node && m->flags & RENAME_NO_REPLACE_F)
        return -EEXIST;
    if (!m->target->node && m->flags & RENAME_EXCHANGE_F)
        return -ENOENT;
    err_t e = entry_removable(m->view, m->from.at, m->child->node);
    if (!e && m->target->node)
        e = entry_removable(m->view, m->to.at, m->target->node);
    if (!e)
        e = directory_writable(m->view, m->to.at);
    if (!e)
        e = move_kinds(m);
    if (e)
        return e;
    if (m->child->mounted || m->target->mounted)
        return -EBUSY;
    if (names_below(m->to.at, m->child)) // into itself
        return -EINVAL;
    if (m->target->node && names_below(m->from.at, m->target))
        return m->flags & RENAME_EXCHANGE_F ? -EINVAL : -ENOTEMPTY;
    return m->from.at->node->ops->rename ? 0 : -EPERM;
}

// Before the names change places: who watches the directories; then, who watches what was moved.
static void move_tell(const struct move *m, bool exchange)
{
    struct node *from = m->from.at->node, *to = m->to.at->node;
    notice_moved(from, m->child, to, m->target, m->child->node);
    if (!exchange && m->target->node)
        notice_node(m->target->node, NOTICE_ATTRIBUTES);
    notice_node(m->child->node, NOTICE_MOVE_SELF);
    if (exchange) {
        notice_moved(to, m->target, from, m->child, m->target->node);
        notice_node(m->target->node, NOTICE_MOVE_SELF);
    }
}

// Lets the scheme move the entry, then moves the name.
static err_t move_apply(struct move *m)
{
    struct name *from = m->from.at, *to = m->to.at, *child = m->child, *target = m->target;
    bool exchange = m->flags & RENAME_EXCHANGE_F;
    struct node *replaced = target->node;
    struct name *place = NULL;
    if (!exchange) {
        place = names_make(to, target->text, target->length, target->hash, NULL, to->mount);
        if (!place)
            return -ENOMEM;
    }
    bool lock = replaced && !exchange && replaced->kind == NODE_DIRECTORY;
    if (lock)
        mutex_lock(&replaced->lock);
    err_t e = from->node->ops->rename(from->node, child->text, child->length, child->node, to->node,
                                      target->text, target->length, replaced, exchange);
    if (lock) {
        if (!e)
            __atomic_store_n(&replaced->dead, true, __ATOMIC_RELAXED);
        mutex_unlock(&replaced->lock);
    }
    if (!e) {
        move_tell(m, exchange);
        directory_changed(from->node);
        if (to->node != from->node)
            directory_changed(to->node);
        if (!exchange)
            names_forget(target);
        names_swap(child, exchange ? target : place);
        child->generation = to->node->generation;
        if (exchange)
            target->generation = from->node->generation;
        notice_arrived(to->node);
        notice_arrived(from->node);
    }
    if (place)
        name_put(place);
    return e;
}

static err_t move_locked(struct move *m)
{
    err_t e = names_child_locked(m->from.at, m->from.part, m->from.part_length, &m->child);
    if (e)
        return e;
    e = names_child_locked(m->to.at, m->to.part, m->to.part_length, &m->target);
    if (e)
        return e;
    e = move_allowed(m);
    if (e || m->child->node == m->target->node) // one file under two names: nothing to do
        return e;
    return move_apply(m);
}

static err_t move_walk(struct move *m, struct name *start, const char *path, struct name *new_start,
                       const char *new_path)
{
    err_t e = walk_begin(&m->from, m->view, start, path, 0);
    if (!e)
        e = walk_to_parent(&m->from);
    if (!e)
        e = walk_begin(&m->to, m->view, new_start, new_path, 0);
    if (!e)
        e = walk_to_parent(&m->to);
    if (e)
        return e;
    if (m->from.at->mount != m->to.at->mount || m->from.at->node->scheme != m->to.at->node->scheme)
        return -EXDEV;
    if (!m->from.part_length || !m->to.part_length || walk_part_is_dots(&m->from) ||
        walk_part_is_dots(&m->to))
        return -EBUSY;
    return 0;
}

err_t name_rename(const struct view *v, struct name *start, const char *path,
                  struct name *new_start, const char *new_path, unsigned flags)
{
    if ((flags & RENAME_NO_REPLACE_F && flags & RENAME_EXCHANGE_F) ||
        flags & ~(unsigned)(RENAME_NO_REPLACE_F | RENAME_EXCHANGE_F))
        return -EINVAL;
    bool done;
    err_t e = path_scheme_rename(v, path, new_path, &done);
    if (done)
        return e;
    struct move m = { .view = v, .flags = flags };
    e = move_walk(&m, start, path, new_start, new_path);
    if (!e) {
        move_lock(&m);
        e = move_locked(&m);
        move_unlock(&m);
    }
    if (m.child)
        name_put(m.child);
    if (m.target)
        name_put(m.target);
    walk_end(&m.from);
    walk_end(&m.to);
    return e;
}

err_t name_read_link(const struct view *v, struct name *where, char *to, size_t room,
                     size_t *length)
{
    struct node *n = where->node;
    if (n->kind != NODE_LINK)
        return -EINVAL;
    if (n->ops->target)
        return n->ops->target(n, to, room, length);
    if (!n->ops->jump)
        return -EINVAL;
    struct name *place;
    err_t e = n->ops->jump(n, &place);
    if (e)
        return e;
    e = name_path(v, place, true, to, room, length);
    name_put(place);
    return e;
}
