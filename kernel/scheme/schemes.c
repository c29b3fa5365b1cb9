// SPDX-License-Identifier: GPL-3.0-or-later
// The registry of schemes, and the tree that shows it: /scheme/NAME is the root of scheme NAME.
//
// registry_lock (RANK_LEAF) guards the list; the names of /scheme are cached like all others, so it
// is taken only when a scheme is named for the first time. A scheme that is made anew for each
// mount has one instance that /scheme/NAME shows, made when it is first asked for. /scheme/file is
// the tree of the Linux view itself, mounts included.
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/namespace.h"
#include "lib/string.h"

static struct spinlock registry_lock = SPINLOCK_INIT(RANK_LEAF);
static struct list registry = LIST_INIT(registry);
static uint32_t next_device = 1;
static struct mutex instances; // RANK_SCHEMES: guards `instance` and `shown` of all schemes
static struct name *directory;

static struct scheme *registry_find(const char *name, size_t length)
{
    list_for_each (link, &registry) {
        struct scheme *s = container_of(link, struct scheme, registry_link);
        if (strlen(s->name) == length && memcmp(s->name, name, length) == 0)
            return s;
    }
    return NULL;
}

void scheme_prepare(struct scheme *s)
{
    s->device = __atomic_fetch_add(&next_device, 1, __ATOMIC_RELAXED);
    s->references = 1;
    mutex_init(&s->moving, RANK_NAMESPACE);
}

err_t scheme_register(struct scheme *s)
{
    scheme_prepare(s);
    err_t e = 0;
    spin_lock(&registry_lock);
    if (registry_find(s->name, strlen(s->name)))
        e = -EEXIST;
    else
        list_push_back(&registry, &s->registry_link);
    spin_unlock(&registry_lock);
    if (!e && directory) // what was known to be absent may be there now
        __atomic_fetch_add(&directory->node->generation, 1, __ATOMIC_RELEASE);
    return e;
}

// What /scheme/NAME was is forgotten, so that the cache of names does not keep the scheme.
static void directory_forget(const char *name)
{
    size_t length = strlen(name);
    mutex_lock(&directory->node->lock);
    __atomic_fetch_add(&directory->node->generation, 1, __ATOMIC_RELEASE);
    struct name *n = names_find(directory, name, length, names_hash(directory, name, length));
    if (n) {
        names_forget(n);
        name_put(n);
    }
    mutex_unlock(&directory->node->lock);
}

void scheme_unregister(struct scheme *s)
{
    spin_lock(&registry_lock);
    bool there = s->registry_link.next && !list_empty(&s->registry_link);
    if (there)
        list_remove(&s->registry_link);
    spin_unlock(&registry_lock);
    if (!there)
        return; // a name space had it for itself
    directory_forget(s->name);
    scheme_put(s);
}

err_t scheme_find(const char *name, size_t length, struct scheme **scheme)
{
    spin_lock(&registry_lock);
    struct scheme *s = registry_find(name, length);
    if (s)
        scheme_get(s);
    spin_unlock(&registry_lock);
    *scheme = s;
    return s ? 0 : -ENODEV;
}

void scheme_get(struct scheme *s)
{
    __atomic_fetch_add(&s->references, 1, __ATOMIC_RELAXED);
}

void scheme_put(struct scheme *s)
{
    if (__atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL))
        return;
    struct scheme *template = s->template;
    if (s->ops->drop)
        s->ops->drop(s);
    if (template) {
        heap_free(s);
        scheme_put(template);
    }
}

void scheme_visit(void (*visit)(struct scheme *s, void *data), void *data)
{
    spin_lock(&registry_lock);
    list_for_each (link, &registry)
        visit(container_of(link, struct scheme, registry_link), data);
    spin_unlock(&registry_lock);
}

err_t scheme_instance(struct scheme *s, const char *source, const char *options,
                      struct scheme **instance, struct node **root)
{
    if (!s->ops->root)
        return -ENODEV;
    if (!s->for_each_mount) {
        err_t e = s->ops->root(s, source, options, root);
        if (e)
            return e;
        scheme_get(s);
        *instance = s;
        return 0;
    }
    struct scheme *made = heap_alloc(sizeof(*made));
    if (!made)
        return -ENOMEM;
    made->name = s->name;
    made->ops = s->ops;
    made->is_tree = s->is_tree;
    scheme_prepare(made);
    made->template = s;
    scheme_get(s);
    err_t e = made->ops->root(made, source, options, root);
    if (e) {
        scheme_put(made);
        return e;
    }
    *instance = made;
    return 0;
}

// The root node that /scheme/NAME shows.
static err_t shown_root(struct scheme *s, struct node **root)
{
    if (!s->for_each_mount) {
        s->many_trees = true;
        return s->ops->root ? s->ops->root(s, NULL, NULL, root) : -ENOENT;
    }
    err_t e = 0;
    mutex_lock(&instances);
    if (!s->instance) {
        e = scheme_instance(s, s->name, NULL, &s->instance, root);
        if (!e)
            s->instance->shown = *root; // keeps the instance's reference for ever
    }
    if (!e) {
        node_get(s->instance->shown);
        *root = s->instance->shown;
    }
    mutex_unlock(&instances);
    return e;
}

static err_t file_jump(struct node *link, struct name **place)
{
    *place = name_tree_root();
    name_get(*place);
    return 0;
}

static err_t file_target(struct node *link, char *to, size_t room, size_t *length)
{
    *length = 1;
    return string_copy(to, "/", room) ? 0 : -ERANGE;
}

static const struct node_ops file_link = { .jump = file_jump, .target = file_target };

// The tree that Linux programs see, as a scheme: /scheme/file leads to its root.
static err_t file_root(struct scheme *s, const char *source, const char *options,
                       struct node **root)
{
    return node_make(s, &file_link, NODE_LINK, 0777, root);
}

static const struct scheme_ops file_ops = { .root = file_root };
static struct scheme file_scheme = { .name = "file", .ops = &file_ops };

struct scheme *scheme_of_tree(void)
{
    return &file_scheme;
}

static err_t directory_find(struct node *dir, const char *name, size_t length, struct node **node)
{
    struct scheme *s;
    if (scheme_find(name, length, &s))
        return -ENOENT;
    err_t e = shown_root(s, node);
    scheme_put(s);
    return e == -ENODEV ? -ENOENT : e;
}

struct listing {
    struct namespace *names;
    unsigned count;
    struct {
        char text[64];
        uint64_t device;
        bool is_link;
    } entries[256];
};

// What cannot be shown as a directory, and names that are too long, are left out.
static bool listing_add(const char *name, size_t length, void *data)
{
    struct listing *l = data;
    struct scheme *s;
    if (l->count == array_len(l->entries) || namespace_find(l->names, name, length, &s))
        return true;
    if (length && length < sizeof(l->entries[0].text) && s->ops->root) {
        memcpy(l->entries[l->count].text, name, length + 1);
        l->entries[l->count].is_link = s == &file_scheme;
        l->entries[l->count++].device = s->device;
    }
    scheme_put(s);
    return true;
}

static err_t directory_list(struct file *f, uint64_t offset, struct directory_sink *s)
{
    if (!file_list_dots(f, &offset, s))
        return 0;
    struct listing *l = heap_alloc(sizeof(*l));
    if (!l)
        return -ENOMEM;
    struct caller caller;
    caller_look(&caller);
    l->names = caller.names;
    namespace_visit(l->names, listing_add, l);
    for (uint64_t i = offset - 2; i < l->count; i++)
        if (!s->entry(s, l->entries[i].text, strlen(l->entries[i].text), l->entries[i].device,
                      l->entries[i].is_link ? NODE_LINK : NODE_DIRECTORY, i + 3))
            break;
    heap_free(l);
    return 0;
}

static err_t directory_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    return file_seek_within(f, by, from, 0, result);
}

static const struct file_ops directory_files = {
    .name = "schemes",
    .seek = directory_seek,
    .list = directory_list,
};

static err_t directory_open(struct node *n, struct name *where, unsigned flags, struct file **file)
{
    return file_make(&directory_files, n, where, flags, NULL, file);
}

static const struct node_ops directory_nodes = {
    .find = directory_find,
    .open = directory_open,
};

static err_t directory_root(struct scheme *s, const char *source, const char *options,
                            struct node **root)
{
    node_get(directory->node);
    *root = directory->node;
    return 0;
}

static const struct scheme_ops directory_ops = { .root = directory_root };
static struct scheme directory_scheme = {
    .name = "scheme",
    .ops = &directory_ops,
    .is_tree = true,
    .many_trees = true,
};

struct name *schemes_directory(void)
{
    return directory;
}

void schemes_init(void)
{
    mutex_init(&instances, RANK_SCHEMES);
    struct node *node;
    err_t e = scheme_register(&directory_scheme);
    if (!e)
        e = scheme_register(&file_scheme);
    if (!e)
        e = node_make(&directory_scheme, &directory_nodes, NODE_DIRECTORY, 0555, &node);
    if (e)
        panic("scheme: no memory for the registry");
    directory = names_make(NULL, "", 0, 0, node, NULL);
    if (!directory)
        panic("scheme: no memory for the registry");
    node_put(node);
}
