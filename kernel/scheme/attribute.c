// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel/scheme/attribute.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"

struct attribute {
    struct attribute *next;
    size_t size;
    char *name;
    uint8_t value[];
};

// Of one node; there while it has any.
struct attributes {
    struct attribute *first;
    uint64_t bytes, pages; // kept, charged
};

static size_t bytes_of(const char *name, size_t size)
{
    return sizeof(struct attribute) + strlen(name) + 1 + size;
}

// Where the pointer to it is; NULL inside: it would come there.
static struct attribute **find(struct attributes *all, const char *name)
{
    struct attribute **at = &all->first;
    while (*at && strcmp((*at)->name, name))
        at = &(*at)->next;
    return at;
}

static struct attribute *make(const char *name, const void *value, size_t size)
{
    size_t bytes = bytes_of(name, size);
    struct attribute *a = heap_alloc(bytes);
    if (!a)
        return NULL;
    a->next = NULL;
    a->size = size;
    memcpy(a->value, value, size);
    a->name = (char *)a->value + size;
    memcpy(a->name, name, strlen(name) + 1);
    return a;
}

// Changes what is charged to `bytes` in all; -ENOSPC.
static err_t charge(struct node *n, struct attributes *all, uint64_t bytes)
{
    uint64_t pages = div_round_up(bytes, PAGE_SIZE);
    err_t e = bytes > ATTRIBUTES_MAX ? -ENOSPC : 0;
    if (!e && pages != all->pages)
        e = n->ops->charge(n, (int64_t)pages - (int64_t)all->pages);
    if (e)
        return e;
    all->bytes = bytes;
    all->pages = pages;
    return 0;
}

// `at` is where the old one is, or none; `fresh` comes there.
static err_t replace(struct node *n, struct attribute **at, struct attribute *fresh)
{
    struct attributes *all = n->attributes;
    struct attribute *old = *at;
    uint64_t less = old ? bytes_of(old->name, old->size) : 0;
    err_t e = charge(n, all, all->bytes - less + (fresh ? bytes_of(fresh->name, fresh->size) : 0));
    if (e)
        return e;
    if (fresh)
        fresh->next = old ? old->next : NULL;
    *at = fresh ? fresh : old->next;
    heap_free(old);
    return 0;
}

static err_t set_locked(struct node *n, struct attribute *fresh, unsigned flags)
{
    if (!n->attributes) {
        n->attributes = heap_alloc(sizeof(*n->attributes));
        if (!n->attributes)
            return -ENOMEM;
        *n->attributes = (struct attributes){ 0 };
    }
    struct attribute **at = find(n->attributes, fresh->name);
    if (*at && (flags & ATTRIBUTE_NEW))
        return -EEXIST;
    if (!*at && (flags & ATTRIBUTE_OLD))
        return -ENODATA;
    return replace(n, at, fresh);
}

err_t attribute_set(struct node *n, const char *name, const void *value, size_t size,
                    unsigned flags)
{
    if (!n->ops->charge)
        return -EOPNOTSUPP;
    struct attribute *fresh = make(name, value, size);
    if (!fresh)
        return -ENOMEM;
    mutex_lock(&n->lock);
    err_t e = set_locked(n, fresh, flags);
    mutex_unlock(&n->lock);
    if (e)
        heap_free(fresh);
    return e;
}

err_t attribute_get(struct node *n, const char *name, void *to, size_t room, size_t *size)
{
    if (!n->ops->charge)
        return -EOPNOTSUPP;
    err_t e = 0;
    mutex_lock(&n->lock);
    struct attribute *a = n->attributes ? *find(n->attributes, name) : NULL;
    if (!a)
        e = -ENODATA;
    else if (room && room < a->size)
        e = -ERANGE;
    else if (room)
        memcpy(to, a->value, a->size);
    *size = a ? a->size : 0;
    mutex_unlock(&n->lock);
    return e;
}

err_t attribute_remove(struct node *n, const char *name)
{
    if (!n->ops->charge)
        return -EOPNOTSUPP;
    err_t e = -ENODATA;
    mutex_lock(&n->lock);
    struct attribute **at = n->attributes ? find(n->attributes, name) : NULL;
    if (at && *at)
        e = replace(n, at, NULL);
    mutex_unlock(&n->lock);
    return e;
}

err_t attribute_visit(struct node *n, void (*visit)(const char *name, void *data), void *data)
{
    if (!n->ops->charge)
        return -EOPNOTSUPP;
    mutex_lock(&n->lock);
    for (struct attribute *a = n->attributes ? n->attributes->first : NULL; a; a = a->next)
        visit(a->name, data);
    mutex_unlock(&n->lock);
    return 0;
}

void attribute_drop_all(struct node *n)
{
    struct attributes *all = n->attributes;
    if (!all)
        return;
    while (all->first) {
        struct attribute *a = all->first;
        all->first = a->next;
        heap_free(a);
    }
    if (all->pages)
        (void)!n->ops->charge(n, -(int64_t)all->pages);
    heap_free(all);
    n->attributes = NULL;
}
