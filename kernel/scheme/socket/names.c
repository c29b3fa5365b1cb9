// SPDX-License-Identifier: GPL-3.0-or-later
// Names of sockets: one table for names of any bytes, for those of scheme chan, and for nodes of
// the tree. An address stays the socket's when it closes, and that of connections it accepted; the
// table finds it only as long as its owner is open.
//
// A path that leads to scheme chan ("/scheme/chan/NAME") is a name of that scheme, so programs of
// both interfaces meet there. Locks: one for each part of the table (RANK_SOCKET_NAMES).
#include "kernel/memory/heap.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/scheme/random.h"
#include "kernel/scheme/socket/inside.h"
#include "lib/format.h"
#include "lib/string.h"

enum { PARTS = 64, PART_BUCKETS = 16, MADE_UP = 5, MADE_UP_TRIES = 1 << 20 };

static struct part {
    struct spinlock lock;
    struct hash_link *buckets[PART_BUCKETS];
} parts[PARTS];
static uint64_t seed;

void names_of_sockets_init(void)
{
    for (unsigned i = 0; i < PARTS; i++)
        spin_init(&parts[i].lock, RANK_SOCKET_NAMES);
    random_bytes(&seed, sizeof(seed));
}

static uint64_t address_hash(const struct address *a)
{
    if (a->kind == ADDRESS_NODE)
        return hash_word(seed, (uint64_t)(uintptr_t)a->node);
    return hash_bytes(seed + a->kind + a->type, a->name.bytes, a->name.length);
}

static bool address_same(const struct address *a, const struct address *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == ADDRESS_NODE)
        return a->node == b->node;
    return a->type == b->type && a->name.length == b->name.length &&
           memcmp(a->name.bytes, b->name.bytes, a->name.length) == 0;
}

static struct part *part_of(uint64_t hash)
{
    return &parts[hash / PART_BUCKETS % PARTS];
}

// Under the part's lock.
static struct address *table_find(struct part *part, uint64_t hash, const struct address *like)
{
    struct hash_table t = { part->buckets, PART_BUCKETS - 1 };
    hash_for_each (link, &t, hash) {
        struct address *a = container_of(link, struct address, link);
        if (address_same(a, like))
            return a;
    }
    return NULL;
}

// -EADDRINUSE: another one is there.
static err_t table_add(struct address *a)
{
    uint64_t hash = address_hash(a);
    struct part *part = part_of(hash);
    struct hash_table t = { part->buckets, PART_BUCKETS - 1 };
    spin_lock(&part->lock);
    bool taken = table_find(part, hash, a);
    if (!taken)
        hash_insert(&t, hash, &a->link);
    spin_unlock(&part->lock);
    return taken ? -EADDRINUSE : 0;
}

static err_t table_owner(const struct address *like, struct socket **socket)
{
    uint64_t hash = address_hash(like);
    struct part *part = part_of(hash);
    spin_lock(&part->lock);
    struct address *a = table_find(part, hash, like);
    *socket = a ? a->owner : NULL;
    if (*socket)
        socket_get_ref(*socket); // still open: it leaves the table before it goes
    spin_unlock(&part->lock);
    return *socket ? 0 : -ECONNREFUSED;
}

void address_get(struct address *a)
{
    __atomic_fetch_add(&a->references, 1, __ATOMIC_RELAXED);
}

void address_put(struct address *a)
{
    if (!a || __atomic_sub_fetch(&a->references, 1, __ATOMIC_ACQ_REL))
        return;
    if (a->node)
        node_put(a->node);
    heap_free(a);
}

struct address *address_of(struct socket *s)
{
    return __atomic_load_n(&s->address, __ATOMIC_ACQUIRE);
}

void address_end(struct socket *s)
{
    struct address *a = s->address;
    if (!a || a->owner != s)
        return;
    struct part *part = part_of(address_hash(a));
    spin_lock(&part->lock);
    hash_remove(&a->link);
    a->owner = NULL;
    spin_unlock(&part->lock);
}

static struct address *address_make(struct socket *s, enum address_kind kind,
                                    const struct socket_name *name)
{
    struct address *a = heap_alloc(sizeof(*a));
    if (!a)
        return NULL;
    a->references = 1;
    a->kind = kind;
    a->type = kind == ADDRESS_BYTES ? s->type : 0;
    a->owner = s;
    a->name = *name;
    return a;
}

// Puts it into the table and makes it the socket's; drops it when that fails. Under s->setup.
static err_t address_publish(struct socket *s, struct address *a)
{
    err_t e = table_add(a);
    if (e)
        address_put(a);
    else
        __atomic_store_n(&s->address, a, __ATOMIC_RELEASE);
    return e;
}

static err_t bind_bytes(struct socket *s, enum address_kind kind, const struct socket_name *name)
{
    struct address *a = address_make(s, kind, name);
    return a ? address_publish(s, a) : -ENOMEM;
}

// A name that nobody has: five hexadecimal digits, as others make them up.
static err_t bind_made_up(struct socket *s)
{
    static uint32_t next;
    for (unsigned tries = 0; tries < MADE_UP_TRIES; tries++) {
        struct socket_name name = { .length = 1 + MADE_UP };
        uint32_t n = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) & 0xfffff;
        format_text(name.bytes + 1, MADE_UP + 1, "%05x", n);
        err_t e = bind_bytes(s, ADDRESS_BYTES, &name);
        if (e != -EADDRINUSE)
            return e;
    }
    return -ENOSPC;
}

static void path_of(const struct socket_name *name, char path[SOCKET_NAME_MAX + 1])
{
    memcpy(path, name->bytes, name->length);
    path[name->length] = '\0';
}

// The name within scheme chan that a path of the tree means. *is_chan: it means one.
static err_t chan_name(const struct view *v, const char *path, struct socket_name *name,
                       bool *is_chan)
{
    struct scheme *s;
    char *rest;
    size_t length;
    *is_chan = false;
    err_t e = path_scheme_split(v, path, 0, &s, &rest, &length);
    if (e || !s)
        return e;
    *is_chan = strcmp(s->name, "chan") == 0;
    scheme_put(s);
    if (*is_chan && (length == 0 || length > SOCKET_NAME_MAX))
        e = -EINVAL;
    if (!e && *is_chan) {
        name->length = (uint16_t)length;
        memcpy(name->bytes, rest, length);
    }
    heap_free(rest);
    return e;
}

static err_t bind_path(struct socket *s, const struct view *v, const struct socket_name *name)
{
    char path[SOCKET_NAME_MAX + 1];
    struct socket_name of_chan;
    bool is_chan;
    path_of(name, path);
    err_t e = chan_name(v, path, &of_chan, &is_chan);
    if (e || is_chan)
        return e ? e : bind_bytes(s, ADDRESS_CHAN, &of_chan);
    struct address *a = address_make(s, ADDRESS_NODE, name);
    if (!a)
        return -ENOMEM;
    e = name_make_node(v, NULL, path, NODE_SOCKET, 0777, &a->node);
    if (!e)
        return address_publish(s, a);
    address_put(a);
    return e == -EEXIST ? -EADDRINUSE : e;
}

err_t address_bind(struct socket *s, const struct view *v, const struct socket_name *name)
{
    if (s->address)
        return -EINVAL;
    if (name->length == 0)
        return bind_made_up(s);
    return name->bytes[0] ? bind_path(s, v, name) : bind_bytes(s, ADDRESS_BYTES, name);
}

static err_t chan_like(const char *text, struct address *like)
{
    size_t length = strlen(text);
    if (length > SOCKET_NAME_MAX)
        return -ENAMETOOLONG;
    *like = (struct address){ .kind = ADDRESS_CHAN };
    like->name.length = (uint16_t)length;
    memcpy(like->name.bytes, text, length);
    return 0;
}

err_t address_bind_chan(struct socket *s, const char *name)
{
    struct address like;
    err_t e = chan_like(name, &like);
    if (!e && s->address)
        e = -EINVAL;
    return e ? e : bind_bytes(s, ADDRESS_CHAN, &like.name);
}

err_t address_find_chan(const char *name, struct socket **socket)
{
    struct address like;
    err_t e = chan_like(name, &like);
    return e ? e : table_owner(&like, socket);
}

// What a path leads to: who may write to the node may connect.
static err_t find_path(const struct view *v, const struct socket_name *name, struct socket **socket)
{
    char path[SOCKET_NAME_MAX + 1];
    struct address like = { .kind = ADDRESS_CHAN };
    bool is_chan;
    path_of(name, path);
    err_t e = chan_name(v, path, &like.name, &is_chan);
    if (e || is_chan)
        return e ? e : table_owner(&like, socket);
    struct name *where;
    e = name_find(v, NULL, path, 0, &where);
    if (e)
        return e;
    like.kind = ADDRESS_NODE;
    like.node = where->node;
    e = node_access(v, where->node, ACCESS_WRITE);
    if (!e)
        e = where->node->kind == NODE_SOCKET ? table_owner(&like, socket) : -ECONNREFUSED;
    name_put(where);
    return e;
}

err_t address_find(const struct view *v, const struct socket_name *name, enum socket_type type,
                   struct socket **socket)
{
    struct address like = { .kind = ADDRESS_BYTES, .type = (uint8_t)type, .name = *name };
    return name->bytes[0] ? find_path(v, name, socket) : table_owner(&like, socket);
}
