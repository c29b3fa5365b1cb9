// SPDX-License-Identifier: GPL-3.0-or-later
// The names of message queues (post_queue.h): a table under one mutex (RANK_SLEEP_LEAF), which is
// taken to open and to unlink only. The table has a reference on each node.
#include "kernel/memory/heap.h"
#include "kernel/process/post_inside.h"
#include "kernel/process/process.h"
#include "lib/hash.h"
#include "lib/string.h"

enum { BUCKETS = 256 };

struct entry {
    struct hash_link link;
    struct node *node;
    char name[];
};

static struct mutex names_lock = MUTEX_INIT(names_lock, RANK_SLEEP_LEAF);
static struct hash_link *buckets[BUCKETS];
static struct hash_table names = { buckets, BUCKETS - 1 };
static unsigned count;

static const struct scheme_ops no_ops;
static struct scheme scheme = { .name = "mqueue", .ops = &no_ops, .references = 1 };

static uint64_t hash_of(const char *name)
{
    return hash_bytes(0, name, strlen(name));
}

static struct entry *find_locked(const char *name)
{
    hash_for_each (link, &names, hash_of(name)) {
        struct entry *e = container_of(link, struct entry, link);
        if (strcmp(e->name, name) == 0)
            return e;
    }
    return NULL;
}

static void node_drop(struct node *n)
{
    post_queue_drop(n->data);
}

static const struct node_ops nodes = { .drop = node_drop };

static err_t check_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0)
        return -ENOENT;
    if (length > NAME_LENGTH_MAX)
        return -ENAMETOOLONG;
    for (size_t i = 0; i < length; i++)
        if (name[i] == '/')
            return -EACCES;
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? -EACCES : 0;
}

static err_t check_size(const struct post_open *how, bool more)
{
    uint64_t most = more ? POST_COUNT_HARD : POST_COUNT_MAX;
    uint64_t size = more ? POST_SIZE_HARD : POST_SIZE_MAX;
    bool good = how->most > 0 && how->most <= most && how->size > 0 && how->size <= size;
    return good ? 0 : -EINVAL;
}

static err_t queue_node(const struct view *v, const struct post_open *how, struct node **node)
{
    struct post_queue *q;
    err_t e = post_queue_make(how->most, how->size, &q);
    if (e)
        return e;
    e = node_make(&scheme, &nodes, NODE_FILE, how->mode & ~(unsigned)v->umask, node);
    if (e) {
        post_queue_drop(q);
        return e;
    }
    (*node)->data = q;
    (*node)->user = v->user;
    (*node)->group = v->group;
    return 0;
}

static err_t make_locked(const struct view *v, const char *name, const struct post_open *how,
                         struct node **node)
{
    bool more = process_has(CAPABILITY_SYS_RESOURCE);
    if (count >= POST_QUEUES_MAX * (more ? 16u : 1u))
        return -ENOSPC;
    err_t e = check_size(how, more);
    size_t size = strlen(name) + 1;
    struct entry *entry = e ? NULL : heap_alloc(sizeof(*entry) + size);
    if (!entry)
        return e ? e : -ENOMEM;
    e = queue_node(v, how, &entry->node);
    if (e) {
        heap_free(entry);
        return e;
    }
    memcpy(entry->name, name, size);
    hash_insert(&names, hash_of(name), &entry->link);
    count++;
    *node = entry->node;
    return 0;
}

static err_t open_locked(const struct view *v, const char *name, const struct post_open *how,
                         struct file **file)
{
    struct entry *entry = find_locked(name);
    struct node *node = entry ? entry->node : NULL;
    err_t e = 0;
    if (!entry)
        e = how->flags & OPEN_CREATE ? make_locked(v, name, how, &node) : -ENOENT;
    else if ((how->flags & OPEN_CREATE) && (how->flags & OPEN_EXCLUSIVE))
        e = -EEXIST;
    else
        e = node_access(v, node,
                        (how->flags & OPEN_READ ? ACCESS_READ : 0u) |
                            (how->flags & OPEN_WRITE ? ACCESS_WRITE : 0u));
    unsigned keep = OPEN_READ | OPEN_WRITE | OPEN_NONBLOCK;
    return e ? e : file_make(&post_files, node, NULL, how->flags & keep, NULL, file);
}

err_t post_open(const char *name, const struct post_open *how, struct file **file)
{
    struct view v;
    struct credentials *hold;
    err_t e = check_name(name);
    if (e)
        return e;
    view_begin(&v, &hold);
    mutex_lock(&names_lock);
    e = open_locked(&v, name, how, file);
    mutex_unlock(&names_lock);
    view_end(&v, hold);
    return e;
}

err_t post_unlink(const char *name)
{
    struct view v;
    struct credentials *hold;
    err_t e = check_name(name);
    if (e)
        return e;
    view_begin(&v, &hold);
    mutex_lock(&names_lock);
    struct entry *entry = find_locked(name);
    if (!entry)
        e = -ENOENT;
    else if (v.user != entry->node->user && !v.owner_override) // as in a sticky directory of root's
        e = -EPERM;
    if (!e) {
        hash_remove(&entry->link);
        count--;
        entry->node->links = 0;
    }
    mutex_unlock(&names_lock);
    view_end(&v, hold);
    if (!e) {
        node_put(entry->node);
        heap_free(entry);
    }
    return e;
}
