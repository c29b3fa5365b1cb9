// SPDX-License-Identifier: GPL-3.0-or-later
// From a path to an open file: finding or making what it names, the checks, and who opens it.
#include "kernel/memory/heap.h"
#include "kernel/scheme/device.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/notice.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/scheme/pipe.h"
#include "kernel/scheme/tree.h"
#include "lib/format.h"

// Flags that say how to open; the others stay with the open file.
enum { OPEN_ONCE = OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE | OPEN_NO_TERMINAL };

static const struct file_ops place_files = { .name = "place" };

static err_t kind_allowed(const struct name *where, unsigned flags)
{
    enum node_kind kind = where->node->kind;
    if (flags & OPEN_DIRECTORY && kind != NODE_DIRECTORY)
        return -ENOTDIR;
    if (flags & OPEN_PATH)
        return 0;
    unsigned mount = where->mount ? where->mount->flags : 0;
    switch (kind) {
    case NODE_LINK:
        return -ELOOP;
    case NODE_SOCKET:
        return -ENXIO;
    case NODE_DIRECTORY:
        return flags & (OPEN_WRITE | OPEN_CREATE) ? -EISDIR : flags & OPEN_EXECUTE ? -EACCES : 0;
    case NODE_CHARACTER:
    case NODE_BLOCK:
        return mount & MOUNT_NO_DEVICES || flags & OPEN_EXECUTE ? -EACCES : 0;
    case NODE_PIPE:
        return flags & OPEN_EXECUTE ? -EACCES : 0;
    default:
        return 0;
    }
}

static unsigned access_needed(unsigned flags)
{
    unsigned access = 0;
    if (flags & OPEN_READ && !(flags & OPEN_EXECUTE))
        access |= ACCESS_READ;
    if (flags & (OPEN_WRITE | OPEN_TRUNCATE))
        access |= ACCESS_WRITE;
    if (flags & OPEN_EXECUTE)
        access |= ACCESS_EXECUTE;
    return access;
}

static err_t node_open(struct node *n, struct name *where, unsigned flags, struct file **file)
{
    switch (n->kind) {
    case NODE_PIPE:
        return fifo_open(n, where, flags, file);
    case NODE_CHARACTER:
    case NODE_BLOCK:
        if (!n->ops->open)
            return device_open(n, where, flags, file);
        break;
    default:
        break;
    }
    return n->ops->open ? n->ops->open(n, where, flags, file) : -ENXIO;
}

err_t name_open_place(const struct view *v, struct name *where, unsigned flags, bool made,
                      struct file **file)
{
    struct node *n = where->node;
    if (flags & OPEN_PATH)
        flags &= OPEN_PATH | OPEN_DIRECTORY | OPEN_NO_FOLLOW;
    err_t e = kind_allowed(where, flags);
    if (e)
        return e;
    if (flags & OPEN_PATH)
        return file_make(&place_files, n, where, flags, NULL, file);
    e = made ? 0 : name_access(v, where, access_needed(flags));
    if (!e && flags & OPEN_NO_ACCESS_TIME && v && v->user != n->user && !v->owner_override)
        e = -EPERM;
    if (e)
        return e;
    e = node_open(n, where, flags & ~(unsigned)(OPEN_ONCE & ~OPEN_NO_TERMINAL), file);
    if (e)
        return e;
    __atomic_fetch_and(&(*file)->flags, ~(unsigned)OPEN_ONCE, __ATOMIC_RELAXED);
    if (flags & OPEN_TRUNCATE && !made && n->kind == NODE_FILE) {
        e = n->ops->resize ? n->ops->resize(n, 0) : -EINVAL;
        if (e) {
            file_put(*file);
            return e;
        }
        notice_file(*file, NOTICE_MODIFY);
    }
    notice_file(*file, NOTICE_OPEN);
    return 0;
}

// Makes the last component, if it is still absent. *made tells; else the caller looks again.
static err_t open_make(struct walk *w, unsigned mode, struct name **child, bool *made)
{
    mutex_lock(&w->at->node->lock);
    err_t e = names_child_locked(w->at, w->part, w->part_length, child);
    if (!e) {
        *made = !(*child)->node;
        if (*made)
            e = tree_make_locked(w->view, w->at, *child, NODE_FILE, mode, 0, NULL);
        if (e)
            name_put(*child);
    }
    mutex_unlock(&w->at->node->lock);
    return e;
}

// Finds or makes the last component of the walk. *where NULL: it was a link, walk on.
static err_t open_last(struct walk *w, unsigned flags, unsigned mode, struct name **where,
                       bool *made)
{
    *where = NULL;
    if (w->part_length == 0 || walk_part_is_dots(w)) {
        if (flags & OPEN_EXCLUSIVE)
            return -EEXIST;
        return -EISDIR;
    }
    struct name *child;
    err_t e = walk_may_name(w);
    if (!e)
        e = names_child(w->at, w->part, w->part_length, &child);
    if (e)
        return e;
    if (!__atomic_load_n(&child->node, __ATOMIC_ACQUIRE)) {
        name_put(child);
        if (w->slash)
            return -EISDIR;
        e = open_make(w, mode, &child, made);
        if (e)
            return e;
    }
    if (*made) {
        *where = child;
        return 0;
    }
    if (flags & OPEN_EXCLUSIVE) {
        name_put(child);
        return -EEXIST;
    }
    if (child->node->kind == NODE_LINK && !(flags & OPEN_NO_FOLLOW && !w->slash)) {
        bool jumps = child->node->ops->jump;
        e = walk_link(w, child);
        name_put(child);
        if (!e && jumps) { // no text to walk on with: it is there
            name_get(w->at);
            *where = w->at;
        }
        return e;
    }
    child = names_over(child);
    if (w->slash && child->node->kind != NODE_DIRECTORY) {
        name_put(child);
        return -ENOTDIR;
    }
    *where = child;
    return 0;
}

static err_t open_or_make(const struct view *v, struct name *start, const char *path,
                          unsigned flags, unsigned mode, unsigned find_flags, struct file **file)
{
    struct walk w;
    struct name *where = NULL;
    bool made = false;
    err_t e = walk_begin(&w, v, start, path, find_flags);
    while (!e && !where) {
        e = walk_to_parent(&w);
        if (!e)
            e = open_last(&w, flags, mode, &where, &made);
    }
    if (!e) {
        e = name_open_place(v, where, flags, made, file);
        name_put(where);
    }
    walk_end(&w);
    return e;
}

// An unnamed file in a directory (O_TMPFILE).
static err_t open_temporary(const struct view *v, struct name *dir, unsigned flags, unsigned mode,
                            struct file **file)
{
    if (dir->node->kind != NODE_DIRECTORY)
        return -ENOTDIR;
    if (!(flags & OPEN_WRITE))
        return -EINVAL;
    if (!dir->node->ops->temporary)
        return -EOPNOTSUPP;
    err_t e = name_access(v, dir, ACCESS_WRITE | ACCESS_EXECUTE);
    if (e)
        return e;
    struct node *n;
    e = dir->node->ops->temporary(dir->node, mode & ~(unsigned)v->umask & MODE_PERMISSIONS, &n);
    if (e)
        return e;
    n->user = v->user;
    n->group = dir->node->mode & MODE_SET_GROUP ? dir->node->group : v->group;
    char label[32];
    (void)format_text(label, sizeof(label), "#%llu", (unsigned long long)n->inode);
    struct name *where;
    e = name_make_detached(dir, label, n, &where);
    if (!e) {
        flags &= ~(unsigned)(OPEN_DIRECTORY | OPEN_TEMPORARY);
        e = name_open_place(v, where, flags, true, file);
        name_put(where);
    }
    if (!e) // fcntl tells of it
        __atomic_fetch_or(&(*file)->flags, (unsigned)OPEN_TEMPORARY, __ATOMIC_RELAXED);
    node_put(n);
    return e;
}

// Schemes that take their paths whole. *scheme NULL: not one of them.
static err_t open_whole_path(const struct view *v, const char *path, unsigned open_flags,
                             unsigned mode, unsigned find_flags, struct file **file, bool *done)
{
    struct scheme *s;
    char *rest;
    size_t length;
    err_t e = path_scheme_split(v, path, find_flags, &s, &rest, &length);
    *done = e || s;
    if (e || !s)
        return e;
    mode &= ~(unsigned)(v ? v->umask : 0) & MODE_PERMISSIONS;
    e = path_scheme_open(s, v, rest, length, open_flags, mode, file);
    heap_free(rest);
    scheme_put(s);
    return e;
}

err_t name_open(const struct view *v, struct name *start, const char *path, unsigned open_flags,
                unsigned mode, unsigned find_flags, struct file **file)
{
    bool done;
    err_t e = open_whole_path(v, path, open_flags, mode, find_flags, file, &done);
    if (done)
        return e;
    if (open_flags & OPEN_PATH)
        open_flags &= OPEN_PATH | OPEN_DIRECTORY | OPEN_NO_FOLLOW;
    if (open_flags & OPEN_CREATE && open_flags & OPEN_EXCLUSIVE)
        open_flags |= OPEN_NO_FOLLOW;
    if (open_flags & OPEN_CREATE && !(open_flags & OPEN_TEMPORARY)) {
        if (open_flags & OPEN_DIRECTORY)
            return -EINVAL;
        return open_or_make(v, start, path, open_flags, mode, find_flags, file);
    }
    if (open_flags & OPEN_NO_FOLLOW)
        find_flags |= FIND_NO_FOLLOW;
    struct name *where;
    e = name_find(v, start, path, find_flags, &where);
    if (e)
        return e;
    if (open_flags & OPEN_TEMPORARY)
        e = open_temporary(v, where, open_flags, mode, file);
    else
        e = name_open_place(v, where, open_flags, false, file);
    name_put(where);
    return e;
}
