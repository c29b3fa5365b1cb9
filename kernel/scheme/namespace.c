// SPDX-License-Identifier: GPL-3.0-or-later
// See namespace.h. names_lock (RANK_LEAF) guards all lists here; the registry (schemes.c) has its
// own lock of the same rank, so the two are never held together.
#include "kernel/scheme/namespace.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/names.h"
#include "lib/string.h"

struct entry {
    struct list link;
    struct scheme *scheme; // its name is the entry's
};

struct namespace
{
    uint32_t references; // under the lock where they may reach 0
    uint64_t number;
    int32_t maker; // it holds a reference; 0: no more
    struct list link;
    struct list entries; // struct entry
};

static const char *const automatic[] = { "", "event", "itimer", "memory", "pipe", "sys", "time" };
static const char *const null_names[] = { "memory", "pipe", "thisproc" };

static struct spinlock names_lock = SPINLOCK_INIT(RANK_LEAF);
static struct list all = LIST_INIT(all);
static uint64_t last_number = NAMESPACE_ROOT;
static uint32_t count_of_all;
static struct namespace null_space = { .references = 1, .number = NAMESPACE_NULL };

static bool one_of(const char *const *names, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return true;
    return false;
}

static struct entry *entry_find(struct namespace *n, const char *name, size_t length)
{
    list_for_each (link, &n->entries) {
        struct entry *e = list_entry(link, struct entry, link);
        if (strlen(e->scheme->name) == length && memcmp(e->scheme->name, name, length) == 0)
            return e;
    }
    return NULL;
}

uint64_t namespace_number(const struct namespace *n)
{
    return n ? n->number : NAMESPACE_ROOT;
}

void namespace_get(struct namespace *n)
{
    if (!n || n == &null_space)
        return;
    spin_lock(&names_lock);
    n->references++;
    spin_unlock(&names_lock);
}

static void namespace_drop(struct namespace *n)
{
    struct list *link;
    while ((link = list_pop_front(&n->entries))) {
        struct entry *e = list_entry(link, struct entry, link);
        scheme_put(e->scheme);
        heap_free(e);
    }
    heap_free(n);
}

void namespace_put(struct namespace *n)
{
    if (!n || n == &null_space)
        return;
    spin_lock(&names_lock);
    bool last = --n->references == 0;
    if (last) {
        list_remove(&n->link);
        count_of_all--;
    }
    spin_unlock(&names_lock);
    if (last)
        namespace_drop(n);
}

err_t namespace_by_number(uint64_t number, struct namespace **found)
{
    *found = number == NAMESPACE_NULL ? &null_space : NULL;
    if (number == NAMESPACE_NULL || number == NAMESPACE_ROOT)
        return 0;
    spin_lock(&names_lock);
    list_for_each (link, &all) {
        struct namespace *n = list_entry(link, struct namespace, link);
        if (n->number == number) {
            n->references++;
            *found = n;
            break;
        }
    }
    spin_unlock(&names_lock);
    return *found ? 0 : -ENOENT;
}

err_t namespace_find(struct namespace *n, const char *name, size_t length, struct scheme **scheme)
{
    *scheme = NULL;
    if (!n)
        return scheme_find(name, length, scheme);
    if (n == &null_space) {
        bool has = one_of(null_names, array_len(null_names), name, length);
        return has ? scheme_find(name, length, scheme) : -ENODEV;
    }
    spin_lock(&names_lock);
    struct entry *e = entry_find(n, name, length);
    if (e) {
        scheme_get(e->scheme);
        *scheme = e->scheme;
    }
    spin_unlock(&names_lock);
    if (e)
        return 0;
    bool has = one_of(automatic, array_len(automatic), name, length);
    return has ? scheme_find(name, length, scheme) : -ENODEV;
}

bool namespace_has_tree(struct namespace *n)
{
    struct scheme *s;
    if (!n)
        return true;
    if (namespace_find(n, "file", 4, &s))
        return false;
    bool is_tree = s == scheme_of_tree();
    scheme_put(s);
    return is_tree;
}

// Takes over the reference on the scheme.
static err_t entry_make(struct scheme *s, struct entry **entry)
{
    *entry = heap_alloc(sizeof(**entry));
    if (!*entry) {
        scheme_put(s);
        return -ENOMEM;
    }
    (*entry)->scheme = s;
    return 0;
}

static err_t add_names(struct namespace *n, struct namespace *from,
                       const struct namespace_name *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct scheme *s;
        struct entry *entry;
        err_t e = namespace_find(from, names[i].text, names[i].length, &s);
        if (e)
            return e;
        if (entry_find(n, names[i].text, names[i].length)) {
            scheme_put(s); // named twice
            continue;
        }
        e = entry_make(s, &entry);
        if (e)
            return e;
        list_push_back(&n->entries, &entry->link);
    }
    return 0;
}

err_t namespace_make(struct namespace *from, const struct namespace_name *names, size_t count,
                     int32_t maker, uint64_t *number)
{
    if (count > NAMESPACE_NAMES_MAX)
        return -E2BIG;
    struct namespace *n = heap_alloc(sizeof(*n));
    if (!n)
        return -ENOMEM;
    n->references = 1;
    n->maker = maker;
    list_init(&n->entries);
    err_t e = add_names(n, from, names, count);
    if (!e) {
        spin_lock(&names_lock);
        if (count_of_all == NAMESPACES_MAX) {
            e = -EAGAIN;
        } else {
            count_of_all++;
            *number = n->number = ++last_number;
            list_push_back(&all, &n->link);
        }
        spin_unlock(&names_lock);
    }
    if (e)
        namespace_drop(n);
    return e;
}

// One that this process made and still holds; the reference becomes the caller's.
static struct namespace *take_from(int32_t maker)
{
    struct namespace *found = NULL;
    spin_lock(&names_lock);
    list_for_each (link, &all) {
        struct namespace *n = list_entry(link, struct namespace, link);
        if (n->maker == maker) {
            n->maker = 0;
            found = n;
            break;
        }
    }
    spin_unlock(&names_lock);
    return found;
}

void namespace_maker_ended(int32_t maker)
{
    struct namespace *n;
    if (!__atomic_load_n(&count_of_all, __ATOMIC_RELAXED))
        return; // what this process has made, it has seen
    while ((n = take_from(maker)))
        namespace_put(n);
}

err_t namespace_add(struct namespace *n, struct scheme *s)
{
    if (!n)
        return scheme_register(s);
    if (n == &null_space)
        return -EACCES;
    struct scheme *there;
    struct entry *entry;
    if (!namespace_find(n, s->name, strlen(s->name), &there)) {
        scheme_put(there);
        return -EEXIST;
    }
    entry = heap_alloc(sizeof(*entry));
    if (!entry)
        return -ENOMEM;
    scheme_prepare(s);
    entry->scheme = s;
    spin_lock(&names_lock);
    bool taken = entry_find(n, s->name, strlen(s->name));
    if (!taken)
        list_push_back(&n->entries, &entry->link);
    spin_unlock(&names_lock);
    if (taken)
        heap_free(entry);
    return taken ? -EEXIST : 0;
}

// Takes one name space's entry of the scheme out; NULL: there is none any more.
static struct entry *take_entry_of(const struct scheme *s)
{
    list_for_each (link, &all) {
        struct namespace *n = list_entry(link, struct namespace, link);
        list_for_each (inner, &n->entries) {
            struct entry *e = list_entry(inner, struct entry, link);
            if (e->scheme == s) {
                list_remove(&e->link);
                return e;
            }
        }
    }
    return NULL;
}

void namespace_remove(struct scheme *s)
{
    for (;;) {
        spin_lock(&names_lock);
        struct entry *e = take_entry_of(s);
        spin_unlock(&names_lock);
        if (!e)
            break;
        heap_free(e);
        scheme_put(s);
    }
    scheme_unregister(s);
}

// Names, copied under a lock: each ends with NUL.
struct name_copies {
    struct namespace *from;
    char *text;
    size_t room, used; // `used` counts also what did not fit
};

static void name_copy(struct scheme *s, void *data)
{
    struct name_copies *c = data;
    size_t length = strlen(s->name), size = length + 1;
    if (c->from == &null_space && !one_of(null_names, array_len(null_names), s->name, length))
        return;
    if (c->from && c->from != &null_space &&
        !one_of(automatic, array_len(automatic), s->name, length))
        return;
    if (c->used + size <= c->room)
        memcpy(c->text + c->used, s->name, size);
    c->used += size;
}

// What the name space has of the registry, and then its own, unless it is there already.
static void copy_all(struct name_copies *c)
{
    struct namespace *n = c->from;
    scheme_visit(name_copy, c);
    if (!n || n == &null_space)
        return;
    c->from = NULL; // all of these
    spin_lock(&names_lock);
    list_for_each (link, &n->entries) {
        struct scheme *s = list_entry(link, struct entry, link)->scheme;
        if (!one_of(automatic, array_len(automatic), s->name, strlen(s->name)))
            name_copy(s, c);
    }
    spin_unlock(&names_lock);
    c->from = n;
}

void namespace_visit(struct namespace *n,
                     bool (*visit)(const char *name, size_t length, void *data), void *data)
{
    struct name_copies c = { .from = n, .room = 1024 };
    for (;;) {
        c.text = heap_alloc(c.room);
        c.used = 0;
        if (!c.text)
            return;
        copy_all(&c);
        if (c.used <= c.room)
            break;
        c.room = c.used;
        heap_free(c.text);
    }
    for (size_t at = 0; at < c.used; at += strlen(c.text + at) + 1)
        if (!visit(c.text + at, strlen(c.text + at), data))
            break;
    heap_free(c.text);
}
