// SPDX-License-Identifier: GPL-3.0-or-later
// Walking along a path, one component after the other: cache, `..`, mounts, symbolic links.
//
// A link's target and what was still to go become one new text, so that a walk never recurses and
// what follows the last component (a slash) keeps its meaning through links.
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/namespace.h"
#include "lib/string.h"

enum { WALK_TEXT_MAX = 2 * PATH_LENGTH_MAX }; // a link's target and the rest of the path

// Is the cached name still what its directory holds? Asked where another tree of names, or a
// device, may have changed the directory behind this one's back.
static bool child_is_current(struct node *dir, struct name *child)
{
    if (dir->scheme->many_trees && __atomic_load_n(&child->generation, __ATOMIC_RELAXED) !=
                                       __atomic_load_n(&dir->generation, __ATOMIC_ACQUIRE))
        return false;
    if (dir->ops->still_valid && !dir->ops->still_valid(dir, child->text, child->length))
        return false;
    return true;
}

// Asks the scheme. The directory's node is locked.
static err_t child_ask(struct name *dir, const char *text, size_t length, uint32_t hash,
                       struct name *cached, struct name **child)
{
    struct node *node = NULL;
    err_t e = dir->node->ops->find(dir->node, text, length, &node);
    if (e && e != -ENOENT)
        return e;
    if (cached && cached->node == node) {
        __atomic_store_n(&cached->generation, dir->node->generation, __ATOMIC_RELAXED);
        name_get(cached);
        *child = cached;
    } else {
        if (cached)
            names_forget(cached);
        struct name *n = names_make(dir, text, length, hash, node, dir->mount);
        if (n && !dir->node->ops->do_not_cache && !dir->node->dead) {
            n->generation = dir->node->generation;
            names_add(n);
        }
        *child = n;
    }
    if (node)
        node_put(node);
    return *child ? 0 : -ENOMEM;
}

err_t names_child_locked(struct name *dir, const char *text, size_t length, struct name **child)
{
    if (length > NAME_LENGTH_MAX)
        return -ENAMETOOLONG;
    uint32_t hash = names_hash(dir, text, length);
    struct name *cached = names_find(dir, text, length, hash);
    if (cached && child_is_current(dir->node, cached)) {
        *child = cached;
        return 0;
    }
    err_t e = child_ask(dir, text, length, hash, cached, child);
    if (cached)
        name_put(cached);
    return e;
}

err_t names_child(struct name *dir, const char *text, size_t length, struct name **child)
{
    if (length > NAME_LENGTH_MAX)
        return -ENAMETOOLONG;
    if (!dir->node->ops->find)
        return -ENOTDIR;
    if (!dir->node->ops->do_not_cache) {
        struct name *cached = names_find(dir, text, length, names_hash(dir, text, length));
        if (cached && child_is_current(dir->node, cached)) {
            *child = cached;
            return 0;
        }
        if (cached)
            name_put(cached);
    }
    mutex_lock(&dir->node->lock);
    err_t e = names_child_locked(dir, text, length, child);
    mutex_unlock(&dir->node->lock);
    return e;
}

static const char schemes_prefix[] = "/scheme/";

// Who may not name the tree (the scheme "file") reaches other schemes' trees by their full names,
// and what it holds open.
static err_t walk_without_tree(struct walk *w, struct name **start, const char *path)
{
    size_t prefix = sizeof(schemes_prefix) - 1;
    if (*path == 0 && w->flags & FIND_EMPTY)
        return 0;
    if (strncmp(path, schemes_prefix, prefix) != 0)
        return -ENOENT;
    w->rest = path + prefix;
    w->root = *start = schemes_directory();
    return 0;
}

err_t walk_may_name(const struct walk *w)
{
    struct namespace *names = w->view ? w->view->names : NULL;
    struct scheme *s;
    if (likely(!names) || w->at->node != schemes_directory()->node || walk_part_is_dots(w))
        return 0;
    if (namespace_find(names, w->part, w->part_length, &s))
        return -ENOENT;
    scheme_put(s);
    return 0;
}

// "NAME:rest" with a scheme's name before the colon.
static const char *scheme_colon(const char *path)
{
    const char *p = path;
    while (*p && *p != ':' && *p != '/')
        p++;
    return *p == ':' && p != path ? p : NULL;
}

// Where the walk starts, and what `..` and absolute links may not leave. No references yet.
static err_t walk_start(struct walk *w, const struct view *v, struct name **start, const char *path)
{
    unsigned flags = w->flags;
    w->root = flags & (FIND_IN_ROOT | FIND_BENEATH) ? *start : v->root;
    const char *colon = flags & FIND_SCHEMES ? scheme_colon(path) : NULL;
    if (colon) {
        size_t length = strlen(path);
        w->buffer = heap_alloc(length + 1);
        if (!w->buffer)
            return -ENOMEM;
        memcpy(w->buffer, path, length + 1);
        w->buffer[colon - path] = '/';
        w->rest = w->buffer;
        w->root = *start = schemes_directory();
        return 0;
    }
    if (unlikely(v->names && !namespace_has_tree(v->names)))
        return walk_without_tree(w, start, path);
    if (*path == '/') {
        if (flags & FIND_BENEATH)
            return -EXDEV;
        *start = w->root;
        return 0;
    }
    return *path == 0 && !(flags & FIND_EMPTY) ? -ENOENT : 0;
}

err_t walk_begin(struct walk *w, const struct view *v, struct name *start, const char *path,
                 unsigned flags)
{
    *w = (struct walk){ .view = v, .flags = flags, .rest = path };
    if (!start)
        start = v->here;
    err_t e = walk_start(w, v, &start, path);
    if (e) {
        w->root = NULL; // walk_end() gives back what was taken: nothing
        return e;
    }
    name_get(w->root);
    name_get(start);
    w->at = start;
    return 0;
}

void walk_end(struct walk *w)
{
    if (w->at)
        name_put(w->at);
    if (w->root)
        name_put(w->root);
    heap_free(w->buffer);
    *w = (struct walk){ 0 };
}

err_t walk_part(struct walk *w)
{
    const char *p = w->rest;
    while (*p == '/')
        p++;
    w->part = p;
    while (*p && *p != '/')
        p++;
    if (p - w->part > NAME_LENGTH_MAX)
        return -ENAMETOOLONG;
    w->part_length = (uint16_t)(p - w->part);
    w->slash = *p == '/';
    while (*p == '/')
        p++;
    w->last = *p == 0;
    w->rest = p;
    return 0;
}

bool walk_part_is_dots(const struct walk *w)
{
    return w->part[0] == '.' && (w->part_length == 1 || (w->part_length == 2 && w->part[1] == '.'));
}

static void walk_go(struct walk *w, struct name *to)
{
    name_put(w->at);
    w->at = to;
}

// `..`: up, and out of mounts, but not above the root.
static err_t walk_up(struct walk *w)
{
    struct name *n = w->at;
    name_get(n);
    while (n != w->root) {
        char text[NAME_LENGTH_MAX + 1];
        size_t length;
        struct name *up = names_up(n, text, &length);
        if (up) {
            name_put(n);
            up = names_over(up);
            if (w->flags & FIND_NO_CROSS && up->mount != w->at->mount) {
                name_put(up);
                return -EXDEV;
            }
            walk_go(w, up);
            return 0;
        }
        up = names_under(n);
        if (!up)
            break; // the top of everything, or detached
        name_put(n);
        n = up;
    }
    bool at_root = n == w->root;
    name_put(n);
    return at_root && w->flags & FIND_BENEATH ? -EXDEV : 0;
}

// Puts the link's target before what is still to go.
static err_t walk_text(struct walk *w, struct node *link)
{
    size_t rest = strlen(w->rest), length;
    char *text = heap_alloc(WALK_TEXT_MAX);
    if (!text)
        return -ENOMEM;
    err_t e = link->ops->target(link, text, PATH_LENGTH_MAX, &length);
    if (!e && length == 0)
        e = -ENOENT;
    if (!e && length + 1 + rest + 1 > WALK_TEXT_MAX)
        e = -ENAMETOOLONG;
    if (e) {
        heap_free(text);
        return e;
    }
    if (w->slash)
        text[length++] = '/';
    memcpy(text + length, w->rest, rest + 1);
    heap_free(w->buffer);
    w->buffer = text;
    w->rest = text;
    return 0;
}

err_t walk_link(struct walk *w, struct name *link)
{
    struct node *n = link->node;
    if (w->flags & FIND_NO_LINKS || ++w->links > LINK_DEPTH_MAX)
        return -ELOOP;
    if (n->ops->jump) {
        if (w->flags & FIND_NO_MAGIC)
            return -ELOOP;
        if (w->flags & (FIND_BENEATH | FIND_IN_ROOT))
            return -EXDEV;
        struct name *place;
        err_t e = n->ops->jump(n, &place);
        if (e)
            return e;
        walk_go(w, place);
        return 0;
    }
    if (!n->ops->target)
        return -EINVAL;
    err_t e = walk_text(w, n);
    if (e || *w->rest != '/')
        return e;
    if (w->flags & FIND_BENEATH)
        return -EXDEV;
    name_get(w->root);
    walk_go(w, w->root);
    return 0;
}

static err_t walk_may_search(struct walk *w)
{
    if (w->at->node->kind != NODE_DIRECTORY && w->at->node->kind != NODE_UNKNOWN)
        return -ENOTDIR;
    return node_access(w->view, w->at->node, ACCESS_EXECUTE);
}

err_t walk_step(struct walk *w, bool follow)
{
    err_t e = walk_may_search(w);
    if (e)
        return e;
    if (walk_part_is_dots(w))
        return w->part_length == 1 ? 0 : walk_up(w);

    struct name *child;
    e = walk_may_name(w);
    if (!e)
        e = names_child(w->at, w->part, w->part_length, &child);
    if (e)
        return e;
    struct node *node = __atomic_load_n(&child->node, __ATOMIC_ACQUIRE);
    if (!node) {
        name_put(child);
        return -ENOENT;
    }
    if (node->kind == NODE_LINK && follow) {
        e = walk_link(w, child);
        name_put(child);
        return e;
    }
    child = names_over(child);
    if (w->flags & FIND_NO_CROSS && child->mount != w->at->mount) {
        name_put(child);
        return -EXDEV;
    }
    walk_go(w, child);
    bool may = child->node->kind == NODE_DIRECTORY || child->node->kind == NODE_UNKNOWN;
    return w->slash && !may ? -ENOTDIR : 0;
}

err_t walk_to_parent(struct walk *w)
{
    for (;;) {
        err_t e = walk_part(w);
        if (e)
            return e;
        if (w->part_length == 0)
            return 0;
        if (w->last)
            return walk_may_search(w);
        e = walk_step(w, true);
        if (e)
            return e;
    }
}

err_t name_find(const struct view *v, struct name *start, const char *path, unsigned flags,
                struct name **where)
{
    struct walk w;
    err_t e = walk_begin(&w, v, start, path, flags);
    while (!e) {
        e = walk_part(&w);
        if (e || w.part_length == 0)
            break;
        e = walk_step(&w, !w.last || w.slash || !(flags & FIND_NO_FOLLOW));
    }
    if (!e && flags & FIND_DIRECTORY && w.at->node->kind != NODE_DIRECTORY)
        e = -ENOTDIR;
    if (!e) {
        *where = w.at;
        w.at = NULL;
    }
    walk_end(&w);
    return e;
}

struct name *name_parent(const struct view *v, struct name *n)
{
    struct walk w = { .root = v ? v->root : name_tree_root(), .at = n };
    name_get(n);
    if (walk_up(&w)) // cannot fail without flags
        return n;
    return w.at;
}

// One component to the left of what is there already. -ERANGE.
static err_t path_prepend(char *to, size_t *at, const char *text, size_t length)
{
    if (*at < length)
        return -ERANGE;
    *at -= length;
    memcpy(to + *at, text, length);
    return 0;
}

// Writes the path to the end of `to`, from *at on. Consumes the reference on n.
static err_t path_build(const struct name *root, struct name *n, char *to, size_t *at)
{
    err_t e = 0;
    bool any = false;
    while (!e && n != root) {
        char text[NAME_LENGTH_MAX + 1];
        size_t length;
        struct name *up = names_up(n, text, &length);
        if (up) {
            e = path_prepend(to, at, text, length);
            if (!e)
                e = path_prepend(to, at, "/", 1);
            any = true;
        } else {
            up = names_under(n);
            if (!up)
                break;
        }
        name_put(n);
        n = up;
    }
    name_put(n);
    if (!e && !any)
        e = path_prepend(to, at, "/", 1);
    return e;
}

err_t name_path(const struct view *v, struct name *where, bool mark_deleted, char *to, size_t room,
                size_t *length)
{
    static const char deleted[] = " (deleted)";
    if (where->removed && !mark_deleted)
        return -ENOENT;
    const struct name *root = v ? v->root : name_tree_root();
    for (unsigned tries = 0;; tries++) {
        uint32_t moves = names_moves();
        size_t at = room;
        err_t e = path_prepend(to, &at, "", 1);
        if (!e && where->removed)
            e = path_prepend(to, &at, deleted, sizeof(deleted) - 1);
        if (!e) {
            name_get(where);
            e = path_build(root, where, to, &at);
        }
        if (moves != names_moves() && tries < 8)
            continue;
        if (e)
            return e;
        *length = room - at - 1;
        memmove(to, to + at, room - at);
        return 0;
    }
}
