// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/device.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "kernel/scheme/tmp.h"
#include "lib/string.h"

enum { REGISTRY_BUCKETS = 256 };

static struct spinlock registry_lock = SPINLOCK_INIT(RANK_LEAF);
static struct hash_link *buckets[REGISTRY_BUCKETS];
static struct hash_table registry = { buckets, REGISTRY_BUCKETS - 1 };
static struct wait_queue unused = WAIT_QUEUE_INIT(unused);
static struct node *dev_root;

static struct device_entry *registry_find(enum node_kind kind, uint64_t device)
{
    hash_for_each (link, &registry, hash_word(kind, device)) {
        struct device_entry *d = container_of(link, struct device_entry, by_number);
        if (d->kind == kind && d->device == device)
            return d;
    }
    return NULL;
}

static void dev_changed(struct node *dir)
{
    __atomic_fetch_add(&dir->generation, 1, __ATOMIC_RELEASE);
}

// The directory that `name` lies in, made where it is missing, with a reference; *last: what
// follows.
static err_t dev_directory(const char *name, struct node **dir, const char **last)
{
    struct node *at = dev_root;
    node_get(at);
    const char *slash;
    while ((slash = strchr(name, '/'))) {
        size_t length = (size_t)(slash - name);
        struct node *next;
        mutex_lock(&at->lock);
        err_t e = at->ops->find(at, name, length, &next);
        if (e == -ENOENT) {
            e = at->ops->make(at, name, length, NODE_DIRECTORY, 0755, 0, NULL, &next);
            dev_changed(at);
        }
        mutex_unlock(&at->lock);
        node_put(at);
        if (e)
            return e;
        at = next;
        name = slash + 1;
    }
    if (at->kind != NODE_DIRECTORY) {
        node_put(at);
        return -ENOTDIR;
    }
    *dir = at;
    *last = name;
    return 0;
}

static err_t dev_node_make(struct device_entry *d)
{
    struct node *dir, *n;
    const char *name;
    err_t e = dev_directory(d->name, &dir, &name);
    if (e)
        return e;
    mutex_lock(&dir->lock);
    e = dir->ops->find(dir, name, strlen(name), &n);
    if (e == -ENOENT) {
        e = dir->ops->make(dir, name, strlen(name), d->kind, d->mode, d->device, NULL, &n);
        dev_changed(dir);
    } else if (!e && (n->kind != d->kind || n->device != d->device)) {
        node_put(n);
        e = -EEXIST;
    }
    mutex_unlock(&dir->lock);
    node_put(dir);
    if (!e)
        node_put(n);
    return e;
}

static void dev_node_remove(struct device_entry *d)
{
    struct node *dir, *n;
    const char *name;
    if (dev_directory(d->name, &dir, &name))
        return;
    mutex_lock(&dir->lock);
    bool found = !dir->ops->find(dir, name, strlen(name), &n);
    if (found && n->kind == d->kind && n->device == d->device) {
        if (dir->ops->remove(dir, name, strlen(name), n))
            log_warn("dev: %s cannot be removed", d->name);
        dev_changed(dir);
    }
    mutex_unlock(&dir->lock);
    if (found)
        node_put(n);
    node_put(dir);
}

err_t device_register(struct device_entry *d)
{
    err_t e = 0;
    spin_lock(&registry_lock);
    if (registry_find(d->kind, d->device))
        e = -EEXIST;
    else
        hash_insert(&registry, hash_word(d->kind, d->device), &d->by_number);
    spin_unlock(&registry_lock);
    if (e)
        return e;
    e = dev_node_make(d);
    if (e)
        device_unregister(d);
    return e;
}

static bool device_is_unused(struct device_entry *d)
{
    return __atomic_load_n(&d->users, __ATOMIC_ACQUIRE) == 0;
}

void device_unregister(struct device_entry *d)
{
    dev_node_remove(d);
    spin_lock(&registry_lock);
    hash_remove(&d->by_number);
    spin_unlock(&registry_lock);
    if (wait_until_uninterrupted(&unused, device_is_unused(d), WAIT_FOREVER))
        log_warn("dev: %s is still being opened", d->name);
}

err_t device_open(struct node *n, struct name *where, unsigned flags, struct file **file)
{
    spin_lock(&registry_lock);
    struct device_entry *d = registry_find(n->kind, n->device);
    if (d)
        __atomic_fetch_add(&d->users, 1, __ATOMIC_ACQUIRE);
    spin_unlock(&registry_lock);
    if (!d)
        return -ENXIO;
    err_t e = d->open(d, n, where, flags, file);
    if (__atomic_sub_fetch(&d->users, 1, __ATOMIC_RELEASE) == 0)
        wait_wake_all(&unused);
    return e;
}

err_t simple_device_open(struct device_entry *d, struct node *n, struct name *where, unsigned flags,
                         struct file **file)
{
    const struct simple_device *s = container_of(d, struct simple_device, entry);
    return file_make(s->ops, n, where, flags, d->data, file);
}

static err_t dev_scheme_root(struct scheme *s, const char *source, const char *options,
                             struct node **root)
{
    node_get(dev_root);
    *root = dev_root;
    return 0;
}

static const struct scheme_ops dev_ops = { .root = dev_scheme_root, .totals = tmp_totals };

// many_trees: devices come and go without the cache of names being told.
static struct scheme dev_scheme = {
    .name = "dev",
    .ops = &dev_ops,
    .is_tree = true,
    .many_trees = true,
};

// What programs expect beside devices: shells and libraries open /dev/fd/N and /dev/stdin.
static void dev_add(const char *name, enum node_kind kind, unsigned mode, const char *target)
{
    struct node *n;
    mutex_lock(&dev_root->lock);
    err_t e = dev_root->ops->make(dev_root, name, strlen(name), kind, mode, 0, target, &n);
    mutex_unlock(&dev_root->lock);
    if (e)
        log_error("dev: no memory for %s", name);
    else
        node_put(n);
}

void device_init(void)
{
    err_t e = scheme_register(&dev_scheme);
    if (!e)
        e = tmp_root_make(&dev_scheme, NULL, "mode=755", &dev_root);
    if (e)
        panic("scheme: cannot make dev");
    dev_add("fd", NODE_LINK, 0777, "/proc/self/fd");
    dev_add("stdin", NODE_LINK, 0777, "/proc/self/fd/0");
    dev_add("stdout", NODE_LINK, 0777, "/proc/self/fd/1");
    dev_add("stderr", NODE_LINK, 0777, "/proc/self/fd/2");
    dev_add("shm", NODE_DIRECTORY, 01777, NULL);
    memory_devices_init();
    log_device_init();
}
