// SPDX-License-Identifier: GPL-3.0-or-later
// Nodes and directories of tmpfs.
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/sched/timer.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/attribute.h"
#include "kernel/scheme/tmp.h"
#include "lib/rbtree.h"
#include "lib/string.h"

enum { BUCKETS_FIRST = 8 };

struct entry {
    struct hash_link link;
    struct rb_node order; // by position
    uint64_t position;    // from 2 on; never used again in this directory
    struct node *node;
    uint32_t hash;
    uint16_t length;
    char text[];
};

struct directory {
    struct hash_table table;
    struct rb_tree order;
    uint64_t next_position, count;
};

static uint64_t entry_hash(const struct hash_link *link)
{
    return container_of(link, struct entry, link)->hash;
}

static struct directory *directory_make(void)
{
    struct directory *d = heap_alloc(sizeof(*d));
    struct hash_link **buckets = heap_alloc_array(BUCKETS_FIRST, sizeof(*buckets));
    if (!d || !buckets) {
        heap_free(d);
        heap_free(buckets);
        return NULL;
    }
    hash_table_init(&d->table, buckets, BUCKETS_FIRST);
    d->order = RB_TREE_INIT;
    d->next_position = 2;
    return d;
}

// Twice the buckets when there is more than one entry for each; without memory it just gets slower.
static void directory_grow(struct directory *d)
{
    uint64_t count = d->table.mask + 1;
    if (d->count < count)
        return;
    struct hash_link **buckets = heap_alloc_array(2 * count, sizeof(*buckets));
    if (!buckets)
        return;
    struct hash_table bigger;
    hash_table_init(&bigger, buckets, 2 * count);
    hash_table_move(&d->table, &bigger, entry_hash);
    heap_free(d->table.buckets);
    d->table = bigger;
}

static uint32_t text_hash(const struct directory *d, const char *name, size_t length)
{
    return names_hash((const struct name *)d, name, length); // any address will do as a salt
}

static struct entry *directory_find(struct directory *d, const char *name, size_t length)
{
    uint32_t hash = text_hash(d, name, length);
    hash_for_each (link, &d->table, hash) {
        struct entry *e = container_of(link, struct entry, link);
        if (e->hash == hash && e->length == length && memcmp(e->text, name, length) == 0)
            return e;
    }
    return NULL;
}

static struct entry *entry_make(const char *name, size_t length)
{
    struct entry *e = heap_alloc(sizeof(*e) + length + 1);
    if (!e)
        return NULL;
    memcpy(e->text, name, length);
    e->length = (uint16_t)length;
    return e;
}

static bool entry_before(const struct rb_node *a, const struct rb_node *b)
{
    return container_of(a, struct entry, order)->position <
           container_of(b, struct entry, order)->position;
}

// Puts an entry for `node` at the end; takes a reference on it.
static void directory_add(struct node *dir, struct entry *e, struct node *node)
{
    struct directory *d = dir->data;
    node_get(node);
    e->node = node;
    e->hash = text_hash(d, e->text, e->length);
    e->position = d->next_position++;
    d->count++;
    directory_grow(d);
    hash_insert(&d->table, e->hash, &e->link);
    rb_insert(&d->order, &e->order, entry_before);
    if (node->kind == NODE_DIRECTORY)
        dir->links++;
    dir->size = d->count * 32;
    dir->times.modified = dir->times.changed = clock_wall();
}

// Takes the entry out and frees it; its reference on the node goes to the caller.
static void directory_take(struct node *dir, struct entry *e)
{
    struct directory *d = dir->data;
    hash_remove(&e->link);
    rb_remove(&d->order, &e->order);
    d->count--;
    if (e->node->kind == NODE_DIRECTORY)
        dir->links--;
    dir->size = d->count * 32;
    dir->times.modified = dir->times.changed = clock_wall();
    heap_free(e);
}

static err_t tmp_find(struct node *dir, const char *name, size_t length, struct node **node)
{
    struct entry *e = directory_find(dir->data, name, length);
    if (!e)
        return -ENOENT;
    node_get(e->node);
    *node = e->node;
    return 0;
}

static err_t tmp_make(struct node *dir, const char *name, size_t length, enum node_kind kind,
                      unsigned mode, uint64_t device, const char *target, struct node **node)
{
    struct entry *entry = entry_make(name, length);
    if (!entry)
        return -ENOMEM;
    err_t e = tmp_node_make(dir->scheme, kind, mode, device, target, node);
    if (e)
        heap_free(entry);
    else
        directory_add(dir, entry, *node);
    return e;
}

static err_t tmp_link(struct node *dir, const char *name, size_t length, struct node *node)
{
    struct entry *entry = entry_make(name, length);
    if (!entry)
        return -ENOMEM;
    __atomic_fetch_add(&node->links, 1, __ATOMIC_RELAXED);
    node->times.changed = clock_wall();
    directory_add(dir, entry, node);
    return 0;
}

// One name less for the node, and the reference its entry had.
static void node_unlinked(struct node *n)
{
    if (n->kind == NODE_DIRECTORY)
        n->links = 0;
    else
        __atomic_fetch_sub(&n->links, 1, __ATOMIC_RELAXED);
    n->times.changed = clock_wall();
    node_put(n);
}

static bool directory_is_full(const struct node *n)
{
    return n->kind == NODE_DIRECTORY && ((struct directory *)n->data)->count;
}

static err_t tmp_remove(struct node *dir, const char *name, size_t length, struct node *node)
{
    struct entry *entry = directory_find(dir->data, name, length);
    if (!entry || entry->node != node)
        return -ENOENT;
    if (directory_is_full(node))
        return -ENOTEMPTY;
    directory_take(dir, entry);
    node_unlinked(node);
    return 0;
}

static err_t tmp_exchange(struct node *from, struct entry *a, struct node *to, struct entry *b)
{
    struct node *n = a->node;
    a->node = b->node;
    b->node = n;
    if (a->node->kind != b->node->kind) {
        bool in = a->node->kind == NODE_DIRECTORY, out = b->node->kind == NODE_DIRECTORY;
        from->links += (uint32_t)in - (uint32_t)out;
        to->links += (uint32_t)out - (uint32_t)in;
    }
    nanos_t now = clock_wall();
    from->times.modified = from->times.changed = now;
    to->times.modified = to->times.changed = now;
    a->node->times.changed = b->node->times.changed = now;
    return 0;
}

static err_t tmp_rename(struct node *from, const char *name, size_t length, struct node *node,
                        struct node *to, const char *new_name, size_t new_length,
                        struct node *replaced, bool exchange)
{
    struct entry *entry = directory_find(from->data, name, length);
    struct entry *old = directory_find(to->data, new_name, new_length);
    if (!entry || entry->node != node || (old ? old->node : NULL) != replaced)
        return -ENOENT;
    if (exchange)
        return tmp_exchange(from, entry, to, old);
    if (replaced && directory_is_full(replaced))
        return -ENOTEMPTY;
    struct entry *fresh = entry_make(new_name, new_length);
    if (!fresh)
        return -ENOMEM;
    if (old) {
        directory_take(to, old);
        node_unlinked(replaced);
    }
    directory_take(from, entry);
    directory_add(to, fresh, node);
    node_put(node); // the old entry's
    node->times.changed = clock_wall();
    return 0;
}

static err_t tmp_temporary(struct node *dir, unsigned mode, struct node **node)
{
    err_t e = tmp_node_make(dir->scheme, NODE_FILE, mode, 0, NULL, node);
    if (!e)
        (*node)->links = 0;
    return e;
}

static err_t tmp_target(struct node *link, char *to, size_t room, size_t *length)
{
    *length = link->size;
    return string_copy(to, link->data, room) ? 0 : -ERANGE;
}

static err_t tmp_list(struct file *f, uint64_t offset, struct directory_sink *s)
{
    if (!file_list_dots(f, &offset, s))
        return 0;
    struct node *dir = f->node;
    mutex_lock(&dir->lock);
    struct rb_node *next = NULL;
    for (struct rb_node *n = ((struct directory *)dir->data)->order.root; n;) {
        bool behind = container_of(n, struct entry, order)->position >= offset;
        if (behind)
            next = n;
        n = behind ? n->left : n->right;
    }
    for (; next; next = rb_next(next)) {
        struct entry *e = container_of(next, struct entry, order);
        if (!s->entry(s, e->text, e->length, e->node->inode, e->node->kind, e->position + 1))
            break;
    }
    mutex_unlock(&dir->lock);
    return 0;
}

static err_t tmp_directory_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    struct directory *d = f->node->data;
    return file_seek_within(f, by, from, d->next_position, result);
}

static err_t tmp_directory_sync(struct file *f, bool data_only)
{
    return 0;
}

static const struct file_ops tmp_directories = {
    .name = "tmp",
    .seek = tmp_directory_seek,
    .list = tmp_list,
    .sync = tmp_directory_sync,
};

static err_t tmp_open(struct node *n, struct name *where, unsigned flags, struct file **file)
{
    const struct file_ops *ops = n->kind == NODE_DIRECTORY ? &tmp_directories : &tmp_files;
    return file_make(ops, n, where, flags, NULL, file);
}

// All entries of a directory that goes, at the end of `entries` (through their hash links).
static void directory_empty(struct node *n, struct hash_link **entries)
{
    struct directory *d = n->data;
    for (uint64_t i = 0; i <= d->table.mask; i++) {
        while (d->table.buckets[i]) {
            struct hash_link *link = d->table.buckets[i];
            hash_remove(link);
            link->next = *entries;
            *entries = link;
        }
    }
    d->order = RB_TREE_INIT;
    d->count = 0;
}

// A directory that goes with things in it: a whole tree goes. Flattened, so as not to recurse.
static void directory_drop(struct node *n)
{
    struct hash_link *entries = NULL;
    directory_empty(n, &entries);
    while (entries) {
        struct entry *e = container_of(entries, struct entry, link);
        entries = entries->next;
        struct node *child = e->node;
        if (child->kind == NODE_DIRECTORY &&
            __atomic_load_n(&child->references, __ATOMIC_ACQUIRE) == 1)
            directory_empty(child, &entries);
        node_put(child);
        heap_free(e);
    }
    struct directory *d = n->data;
    heap_free(d->table.buckets);
    heap_free(d);
}

static err_t tmp_charge(struct node *n, int64_t pages)
{
    struct tmp_tree *t = tmp_tree(n);
    uint64_t used = __atomic_add_fetch(&t->pages_used, (uint64_t)pages, __ATOMIC_RELAXED);
    if (pages <= 0 || used <= t->pages_limit)
        return 0;
    __atomic_fetch_sub(&t->pages_used, (uint64_t)pages, __ATOMIC_RELAXED);
    return -ENOSPC;
}

static void tmp_node_drop(struct node *n)
{
    attribute_drop_all(n);
    struct tmp_tree *t = tmp_tree(n);
    if (n->kind == NODE_DIRECTORY)
        directory_drop(n);
    else
        heap_free(n->data);
    __atomic_fetch_sub(&t->nodes_used, 1, __ATOMIC_RELAXED);
}

static const struct node_ops tmp_nodes = {
    .find = tmp_find,
    .make = tmp_make,
    .link = tmp_link,
    .remove = tmp_remove,
    .rename = tmp_rename,
    .temporary = tmp_temporary,
    .open = tmp_open,
    .resize = tmp_file_resize,
    .charge = tmp_charge,
    .drop = tmp_node_drop,
};

static const struct node_ops tmp_links = { .target = tmp_target,
                                           .charge = tmp_charge,
                                           .drop = tmp_node_drop };
static const struct node_ops tmp_specials = { .charge = tmp_charge,
                                              .drop = tmp_node_drop }; // devices, pipes, sockets

static err_t node_fill(struct node *n, uint64_t device, const char *target)
{
    switch (n->kind) {
    case NODE_FILE:
        return tmp_file_init(n);
    case NODE_DIRECTORY:
        n->links = 2;
        n->data = directory_make();
        return n->data ? 0 : -ENOMEM;
    case NODE_LINK:
        n->size = strlen(target);
        n->data = heap_string(target);
        return n->data ? 0 : -ENOMEM;
    default:
        n->device = device;
        return 0;
    }
}

err_t tmp_node_make(struct scheme *s, enum node_kind kind, unsigned mode, uint64_t device,
                    const char *target, struct node **node)
{
    struct tmp_tree *t = s->data;
    if (__atomic_add_fetch(&t->nodes_used, 1, __ATOMIC_RELAXED) > t->nodes_limit) {
        __atomic_fetch_sub(&t->nodes_used, 1, __ATOMIC_RELAXED);
        return -ENOSPC;
    }
    const struct node_ops *ops = kind == NODE_FILE || kind == NODE_DIRECTORY ? &tmp_nodes
                                 : kind == NODE_LINK                         ? &tmp_links
                                                                             : &tmp_specials;
    struct node *n;
    err_t e = node_make(s, ops, kind, mode, &n);
    if (e) {
        __atomic_fetch_sub(&t->nodes_used, 1, __ATOMIC_RELAXED);
        return e;
    }
    e = node_fill(n, device, target);
    if (e) {
        if (kind == NODE_DIRECTORY) // nothing to empty
            n->kind = NODE_UNKNOWN;
        node_put(n);
        return e;
    }
    *node = n;
    return 0;
}
