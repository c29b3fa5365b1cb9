// SPDX-License-Identifier: GPL-3.0-or-later
// Scheme "shm": named pieces of memory that programs map together. Each is a file of a tmpfs that
// only this scheme reaches; it stays until it is removed and nobody has it open or mapped. Mapping
// more than there is makes it larger when it may be written, since Redox programs set no size.
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/space.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/kernel_schemes.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/scheme/tmp.h"
#include "lib/format.h"
#include "lib/string.h"

static struct scheme shm_scheme;
static struct node *shm_root;                   // a directory without directories in it
static struct file_ops shm_files, shm_listings; // a tmpfs's, but for what is set below

static err_t shm_map(struct file *f, struct map_request *r)
{
    uint64_t end;
    if (add_overflows(r->offset, r->size, &end))
        return -EOVERFLOW;
    if (f->flags & OPEN_WRITE && end > __atomic_load_n(&f->node->size, __ATOMIC_ACQUIRE)) {
        err_t e = f->node->ops->resize(f->node, end);
        if (e)
            return e;
    }
    return tmp_files.map(f, r);
}

static err_t shm_path(struct file *f, char *to, size_t room, size_t *length)
{
    *length = (size_t)format_text(to, room, "shm:%s", f->data ? (const char *)f->data : "");
    return *length < room ? 0 : -ERANGE;
}

static void shm_close(struct file *f)
{
    heap_free(f->data);
}

static err_t find_or_make(const struct view *v, const char *name, size_t length, unsigned flags,
                          unsigned mode, struct node **node)
{
    mutex_lock(&shm_root->lock);
    err_t e = shm_root->ops->find(shm_root, name, length, node);
    if (!e && flags & OPEN_CREATE && flags & OPEN_EXCLUSIVE) {
        node_put(*node);
        e = -EEXIST;
    } else if (e == -ENOENT && flags & OPEN_CREATE) {
        e = shm_root->ops->make(shm_root, name, length, NODE_FILE, mode, 0, NULL, node);
        if (!e && v) {
            (*node)->user = v->user;
            (*node)->group = v->group;
        }
    } else if (!e) {
        unsigned access = (flags & OPEN_READ ? ACCESS_READ : 0u) |
                          (flags & (OPEN_WRITE | OPEN_TRUNCATE) ? ACCESS_WRITE : 0u);
        e = flags & OPEN_PATH ? 0 : node_access(v, *node, access);
        if (e)
            node_put(*node);
    }
    mutex_unlock(&shm_root->lock);
    return e;
}

static err_t open_node(struct node *n, const char *name, unsigned flags, struct file **file)
{
    enum { ONCE = OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE };
    char *copy = heap_string(name);
    if (!copy)
        return -ENOMEM;
    err_t e = n->ops->open(n, NULL, flags & ~(unsigned)ONCE, file);
    if (!e && flags & OPEN_TRUNCATE && n->kind == NODE_FILE && !(flags & OPEN_PATH)) {
        e = n->ops->resize(n, 0);
        if (e)
            file_put(*file);
    }
    if (e) {
        heap_free(copy);
        return e;
    }
    (*file)->data = copy;
    (*file)->ops = n->kind == NODE_DIRECTORY ? &shm_listings : &shm_files;
    return 0;
}

// Programs put '/' before names, which have none inside.
static err_t shm_name(const char **path, size_t *length)
{
    while (**path == '/') {
        ++*path;
        --*length;
    }
    if (*length > NAME_LENGTH_MAX)
        return -ENAMETOOLONG;
    bool dots = string_equal(*path, ".") || string_equal(*path, "..");
    return strchr(*path, '/') || dots ? -EINVAL : 0;
}

static err_t shm_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                           unsigned flags, unsigned mode, struct file **file)
{
    err_t e = shm_name(&path, &length);
    if (e)
        return e;
    if (length == 0) {
        if (flags & (OPEN_WRITE | OPEN_CREATE))
            return -EISDIR;
        return open_node(shm_root, path, flags, file);
    }
    struct node *n;
    e = find_or_make(v, path, length, flags, mode, &n);
    if (e)
        return e;
    e = flags & OPEN_DIRECTORY ? -ENOTDIR : open_node(n, path, flags, file);
    node_put(n);
    return e;
}

static err_t shm_remove_path(struct scheme *s, const struct view *v, const char *path,
                             size_t length, bool directory)
{
    err_t e = shm_name(&path, &length);
    if (!e && length == 0)
        e = -EBUSY;
    if (e)
        return e;
    struct node *n;
    mutex_lock(&shm_root->lock);
    e = shm_root->ops->find(shm_root, path, length, &n);
    bool found = !e;
    if (found && directory)
        e = -ENOTDIR;
    else if (found && v && v->user != n->user && !v->owner_override)
        e = -EACCES;
    else if (found)
        e = shm_root->ops->remove(shm_root, path, length, n);
    mutex_unlock(&shm_root->lock);
    if (found)
        node_put(n);
    return e;
}

static const struct scheme_ops shm_ops = {
    .root = path_scheme_root,
    .totals = tmp_totals,
    .open_path = shm_open_path,
    .remove_path = shm_remove_path,
};

static struct scheme shm_scheme = { .name = "shm", .ops = &shm_ops };

void shm_scheme_init(void)
{
    err_t e = scheme_register(&shm_scheme);
    struct file *listing;
    if (!e)
        e = tmp_root_make(&shm_scheme, NULL, "mode=1777", &shm_root);
    if (!e)
        e = shm_root->ops->open(shm_root, NULL, OPEN_READ, &listing);
    if (e) {
        log_error("scheme: cannot make shm (error %d)", -e);
        return;
    }
    shm_files = tmp_files;
    shm_files.map = shm_map;
    shm_listings = *listing->ops;
    file_put(listing);
    shm_files.path = shm_listings.path = shm_path;
    shm_files.close = shm_listings.close = shm_close;
}
