// SPDX-License-Identifier: GPL-3.0-or-later
// The table of mounts: which scheme's root covers which name.
//
// Each mount has its own tree of names. A bind mount, or a scheme mounted twice, gives a second
// tree to the same nodes; the scheme is then marked many_trees, and cached names are compared with
// their directory's generation. A mount lives as long as its root name, which all its names hold
// through their parents. mounts_lock (RANK_MOUNTS) guards the list and who covers whom.
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/notice.h"
#include "lib/string.h"

static struct mutex mounts_lock;
static struct list mounts = LIST_INIT(mounts);
static struct name *tree_root;

struct name *name_tree_root(void)
{
    return tree_root;
}

struct mount *mount_root(void)
{
    return tree_root->mount;
}

// The mount with its root name, which gets one reference, the table's. Takes the one on `scheme`.
static struct mount *mount_alloc(struct scheme *scheme, struct node *root, const char *source,
                                 const char *options, unsigned flags)
{
    struct mount *m = heap_alloc(sizeof(*m));
    if (!m)
        return NULL;
    m->source = heap_string(source ? source : scheme->name);
    m->options = heap_string(options ? options : "");
    if (m->source && m->options)
        m->root = names_make(NULL, "", 0, names_hash(NULL, (char *)&m, sizeof(m)), root, m);
    if (!m->root) {
        heap_free(m->source);
        heap_free(m->options);
        heap_free(m);
        return NULL;
    }
    m->scheme = scheme;
    m->flags = flags;
    list_init(&m->link);
    return m;
}

void mount_free(struct mount *m)
{
    scheme_put(m->scheme);
    heap_free(m->source);
    heap_free(m->options);
    heap_free(m);
}

// Hangs the mount over `at`. On failure it is gone.
static err_t mount_attach(struct mount *m, struct name *at)
{
    struct name *root = m->root;
    err_t e = 0;
    bool root_is = root->node->kind == NODE_DIRECTORY;
    if (root_is != (at->node->kind == NODE_DIRECTORY))
        e = -ENOTDIR;
    if (!e) {
        mutex_lock(&mounts_lock);
        e = names_mount(at, root);
        if (!e)
            list_push_back(&mounts, &m->link);
        mutex_unlock(&mounts_lock);
    }
    if (e)
        name_put(root);
    return e;
}

err_t mount_add(const struct view *v, const char *source, const char *path, const char *scheme,
                unsigned flags, const char *options)
{
    struct scheme *s, *instance;
    err_t e = scheme_find(scheme, strlen(scheme), &s);
    if (e)
        return e;
    struct name *at;
    e = name_find(v, NULL, path, 0, &at);
    if (e)
        goto put_scheme;
    struct node *root;
    e = scheme_instance(s, source, options, &instance, &root);
    if (e)
        goto put_at;
    if (instance == s)
        s->many_trees = true;
    struct mount *m = mount_alloc(instance, root, source, options, flags);
    node_put(root);
    if (!m) {
        scheme_put(instance);
        e = -ENOMEM;
        goto put_at;
    }
    e = mount_attach(m, at);
put_at:
    name_put(at);
put_scheme:
    scheme_put(s);
    return e;
}

// The mount whose root `path` leads to, with the reference on the root. -EINVAL: it leads
// elsewhere.
static err_t mount_at(const struct view *v, const char *path, struct mount **mount)
{
    struct name *where;
    err_t e = name_find(v, NULL, path, 0, &where);
    if (e)
        return e;
    if (where->mount && where->mount->root == where && !where->removed) {
        *mount = where->mount;
        return 0;
    }
    name_put(where);
    return -EINVAL;
}

err_t mount_change(const struct view *v, const char *path, unsigned flags)
{
    struct mount *m;
    err_t e = mount_at(v, path, &m);
    if (e)
        return e;
    m->flags = flags;
    name_put(m->root);
    return 0;
}

static bool is_mounted_locked(const struct scheme *s)
{
    list_for_each (link, &mounts)
        if (container_of(link, struct mount, link)->scheme == s)
            return true;
    return false;
}

err_t mount_remove(const struct view *v, const char *path, bool lazy)
{
    struct mount *m;
    err_t e = mount_at(v, path, &m);
    if (e)
        return e;
    struct name *root = m->root;
    if (!lazy)
        names_prune(m);
    mutex_lock(&mounts_lock);
    if (root == tree_root || !root->mounted_on)
        e = -EINVAL;
    else if (!lazy && __atomic_load_n(&root->references, __ATOMIC_ACQUIRE) > 2) // table and ours
        e = -EBUSY;
    bool last = false;
    if (!e) {
        names_unmount(root);
        list_remove(&m->link);
        last = !is_mounted_locked(m->scheme);
    }
    mutex_unlock(&mounts_lock);
    if (last)
        notice_unmounted(m->scheme);
    name_put(root);
    if (!e)
        name_put(root); // the table's
    return e;
}

static err_t bind_one(struct name *from, struct name *at)
{
    struct mount *old = from->mount;
    struct scheme *s = from->node->scheme;
    s->many_trees = true;
    scheme_get(s);
    struct mount *m = mount_alloc(s, from->node, old ? old->source : NULL,
                                  old ? old->options : NULL, old ? old->flags : 0);
    if (!m) {
        scheme_put(s);
        return -ENOMEM;
    }
    return mount_attach(m, at);
}

// A place that is covered below `from`, at this path from there.
struct covered {
    struct list link;
    struct name *root;
    char path[PATH_LENGTH_MAX];
};

// Is the name at or below `from`, going up through mounts?
static bool lies_below(struct name *n, const struct name *from)
{
    name_get(n);
    while (n) {
        if (n == from) {
            name_put(n);
            return true;
        }
        char text[NAME_LENGTH_MAX + 1];
        size_t length;
        struct name *up = names_up(n, text, &length);
        if (!up)
            up = names_under(n);
        name_put(n);
        n = up;
    }
    return false;
}

static err_t covered_collect(struct name *from, struct list *found)
{
    err_t e = 0;
    struct view below = { .root = from, .here = from };
    mutex_lock(&mounts_lock);
    list_for_each (link, &mounts) {
        struct mount *m = container_of(link, struct mount, link);
        if (!m->root->mounted_on || !lies_below(m->root->mounted_on, from))
            continue;
        struct covered *c = heap_alloc(sizeof(*c));
        if (!c) {
            e = -ENOMEM;
            break;
        }
        size_t length;
        if (name_path(&below, m->root, true, c->path, sizeof(c->path), &length)) {
            heap_free(c);
            continue;
        }
        name_get(m->root);
        c->root = m->root;
        list_push_back(found, &c->link);
    }
    mutex_unlock(&mounts_lock);
    return e;
}

// Binds what is mounted below `from` at the same places below `at`, outer ones first (the table's
// order).
static err_t bind_covered(struct name *from, struct name *at)
{
    struct list found = LIST_INIT(found);
    err_t e = covered_collect(from, &found);
    name_get(at);
    struct view new_tree = { .root = names_over(at), .override = true };
    new_tree.here = new_tree.root;
    while (!list_empty(&found)) {
        struct covered *c = list_first(&found, struct covered, link);
        struct name *place;
        if (!e && !name_find(&new_tree, NULL, c->path, FIND_NO_LINKS, &place)) {
            e = bind_one(c->root, place);
            name_put(place);
        }
        list_remove(&c->link);
        name_put(c->root);
        heap_free(c);
    }
    name_put(new_tree.root);
    return e;
}

err_t mount_bind(const struct view *v, const char *from, const char *path, bool deep)
{
    struct name *source, *at;
    err_t e = name_find(v, NULL, from, 0, &source);
    if (e)
        return e;
    e = name_find(v, NULL, path, 0, &at);
    if (!e) {
        e = bind_one(source, at);
        if (!e && deep)
            e = bind_covered(source, at);
        name_put(at);
    }
    name_put(source);
    return e;
}

void mount_visit(bool (*visit)(struct mount *m, void *data), void *data)
{
    mutex_lock(&mounts_lock);
    list_for_each (link, &mounts)
        if (!visit(container_of(link, struct mount, link), data))
            break;
    mutex_unlock(&mounts_lock);
}

void mounts_init(struct scheme *scheme, struct node *root)
{
    mutex_init(&mounts_lock, RANK_MOUNTS);
    struct mount *m = mount_alloc(scheme, root, "rootfs", NULL, 0);
    if (!m)
        panic("scheme: no memory for the root of the tree");
    tree_root = m->root;
    list_push_back(&mounts, &m->link);
}
