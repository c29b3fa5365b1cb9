// SPDX-License-Identifier: GPL-3.0-or-later
// The cache of names (names.h tells how it is locked).
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/page.h"
#include "kernel/scheme/names.h"
#include "lib/string.h"

enum { PARTS = 256, PART_LEAST = 8 };

struct part {
    struct spinlock lock;
    struct list recent; // names nobody holds (and some that are held again), oldest first
    unsigned unused;    // length of that list
} align_to(64);

static struct part parts[PARTS];
static struct hash_table cache;
static unsigned part_limit; // of part.unused
static uint64_t seed;
static struct slab_cache *names;
static struct spinlock moves = SPINLOCK_INIT(RANK_NAMES_MOVE); // one at a time: it locks two parts
static uint32_t move_count;

void names_init(void)
{
    struct memory_totals totals;
    memory_totals(&totals);
    uint64_t buckets = PARTS * 4;
    while (buckets < totals.total / KIB(32) && buckets < 1u << 20)
        buckets *= 2;
    struct hash_link **heads = heap_alloc_array(buckets, sizeof(*heads));
    if (!heads)
        panic("scheme: no memory for the cache of names");
    hash_table_init(&cache, heads, buckets);
    for (unsigned i = 0; i < PARTS; i++) {
        spin_init(&parts[i].lock, RANK_NAMES);
        list_init(&parts[i].recent);
    }
    part_limit = max_of((unsigned)(totals.total / KIB(16) / PARTS), (unsigned)PART_LEAST);
    seed = cpu_random();
    names = slab_cache_make("name", sizeof(struct name), 8);
}

uint32_t names_hash(const struct name *parent, const char *text, size_t length)
{
    return (uint32_t)hash_bytes(seed ^ (uintptr_t)parent, text, length);
}

static struct part *part_of(uint32_t hash)
{
    return &parts[hash % PARTS];
}

// Locks the part that the name is in; its hash may change until that is done.
static struct part *part_lock(const struct name *n)
{
    for (;;) {
        uint32_t hash = __atomic_load_n(&n->hash, __ATOMIC_RELAXED);
        struct part *p = part_of(hash);
        spin_lock(&p->lock);
        if (__atomic_load_n(&n->hash, __ATOMIC_RELAXED) == hash)
            return p;
        spin_unlock(&p->lock);
    }
}

static bool text_set(struct name *n, const char *text, size_t length)
{
    n->text = n->short_text;
    if (length >= sizeof(n->short_text)) {
        n->text = heap_alloc(length + 1);
        if (!n->text)
            return false;
    }
    memcpy(n->text, text, length);
    n->text[length] = 0;
    n->length = (uint16_t)length;
    return true;
}

struct name *names_make(struct name *parent, const char *text, size_t length, uint32_t hash,
                        struct node *node, struct mount *mount)
{
    struct name *n = slab_alloc(names);
    if (!n)
        return NULL;
    if (!text_set(n, text, length)) {
        slab_free(names, n);
        return NULL;
    }
    n->references = 1;
    n->hash = hash;
    n->mount = mount;
    list_init(&n->recent);
    n->parent = parent;
    if (parent)
        name_get(parent);
    n->node = node;
    if (node)
        node_get(node);
    return n;
}

// Frees a name that is in no list. Its parent, whose reference the caller has to put.
static struct name *name_drop(struct name *n)
{
    struct name *parent = n->parent;
    if (n->node)
        node_put(n->node);
    if (n->mount && n->mount->root == n)
        mount_free(n->mount);
    if (n->text != n->short_text)
        heap_free(n->text);
    slab_free(names, n);
    return parent;
}

void name_get(struct name *n)
{
    __atomic_fetch_add(&n->references, 1, __ATOMIC_RELAXED);
}

static void recent_remove(struct part *p, struct name *n)
{
    if (list_empty(&n->recent))
        return;
    list_remove(&n->recent);
    p->unused--;
}

static void cache_remove(struct part *p, struct name *n)
{
    hash_remove(&n->bucket);
    n->cached = false;
    recent_remove(p, n);
}

// The oldest unused name of a part that has too many, out of the cache; NULL: none.
static struct name *part_oldest(struct part *p, unsigned limit)
{
    while (p->unused > limit) {
        struct name *n = list_first(&p->recent, struct name, recent);
        if (n->references == 0) {
            cache_remove(p, n);
            return n;
        }
        recent_remove(p, n);
    }
    return NULL;
}

// Drops one reference; what has to be dropped next because of that.
static struct name *name_put_one(struct name *n)
{
    uint32_t seen = __atomic_load_n(&n->references, __ATOMIC_RELAXED);
    while (seen > 1)
        if (__atomic_compare_exchange_n(&n->references, &seen, seen - 1, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return NULL;

    struct part *p = part_lock(n);
    if (__atomic_sub_fetch(&n->references, 1, __ATOMIC_ACQ_REL)) {
        spin_unlock(&p->lock);
        return NULL;
    }
    struct name *gone = n;
    if (n->cached) {
        recent_remove(p, n);
        list_push_back(&p->recent, &n->recent);
        p->unused++;
        gone = part_oldest(p, part_limit);
    }
    spin_unlock(&p->lock);
    return gone ? name_drop(gone) : NULL;
}

void name_put(struct name *n)
{
    while (n)
        n = name_put_one(n);
}

struct name *names_find(struct name *parent, const char *text, size_t length, uint32_t hash)
{
    struct name *found = NULL;
    struct part *p = part_of(hash);
    spin_lock(&p->lock);
    hash_for_each (link, &cache, hash) {
        struct name *n = container_of(link, struct name, bucket);
        if (n->hash == hash && n->parent == parent && n->length == length &&
            memcmp(n->text, text, length) == 0) {
            name_get(n);
            found = n;
            break;
        }
    }
    spin_unlock(&p->lock);
    return found;
}

void names_add(struct name *n)
{
    struct part *p = part_lock(n);
    hash_insert(&cache, n->hash, &n->bucket);
    n->cached = true;
    spin_unlock(&p->lock);
}

void names_forget(struct name *n)
{
    struct part *p = part_lock(n);
    if (n->cached)
        cache_remove(p, n);
    n->removed = true;
    spin_unlock(&p->lock);
}

void names_fill(struct name *n, struct node *node)
{
    node_get(node);
    __atomic_store_n(&n->node, node, __ATOMIC_RELEASE); // pairs with the loads in walk.c
}

void names_prune_all(void)
{
    names_prune(NULL);
}

void names_swap(struct name *a, struct name *b)
{
    spin_lock(&moves);
    struct part *pa = part_of(a->hash), *pb = part_of(b->hash);
    spin_lock(pa < pb ? &pa->lock : &pb->lock);
    if (pb != pa)
        spin_lock_nested(pa < pb ? &pb->lock : &pa->lock);
    __atomic_fetch_add(&move_count, 1, __ATOMIC_SEQ_CST);

    hash_remove(&a->bucket);
    hash_remove(&b->bucket);
    recent_remove(pa, a);
    recent_remove(pb, b);
    struct name old = *a;
    bool a_short = a->text == a->short_text, b_short = b->text == b->short_text;
    memcpy(a->short_text, b->short_text, sizeof(a->short_text));
    a->text = b_short ? a->short_text : b->text;
    a->length = b->length;
    a->parent = b->parent;
    memcpy(b->short_text, old.short_text, sizeof(b->short_text));
    b->text = a_short ? b->short_text : old.text;
    b->length = old.length;
    b->parent = old.parent;
    __atomic_store_n(&a->hash, b->hash, __ATOMIC_RELAXED);
    __atomic_store_n(&b->hash, old.hash, __ATOMIC_RELAXED);
    if (a->cached)
        hash_insert(&cache, a->hash, &a->bucket);
    if (b->cached)
        hash_insert(&cache, b->hash, &b->bucket);

    __atomic_fetch_add(&move_count, 1, __ATOMIC_SEQ_CST);
    if (pb != pa)
        spin_unlock(&pb->lock);
    spin_unlock(&pa->lock);
    spin_unlock(&moves);
}

uint32_t names_moves(void)
{
    return __atomic_load_n(&move_count, __ATOMIC_SEQ_CST);
}

// The first unused name of the mount (NULL: of any) in one part, out of the cache; NULL: none.
static struct name *part_take_unused(struct part *p, const struct mount *m)
{
    struct name *taken = NULL;
    spin_lock(&p->lock);
    list_for_each (link, &p->recent) {
        struct name *n = container_of(link, struct name, recent);
        if ((!m || n->mount == m) && n->references == 0) {
            cache_remove(p, n);
            taken = n;
            break;
        }
    }
    spin_unlock(&p->lock);
    return taken;
}

// Dropping a name may leave its parent unused, in a part already passed: again until there is none.
void names_prune(const struct mount *m)
{
    bool some;
    do {
        some = false;
        for (unsigned i = 0; i < PARTS; i++) {
            struct name *n;
            while ((n = part_take_unused(&parts[i], m))) {
                name_put(name_drop(n));
                some = true;
            }
        }
    } while (some);
}

struct name *names_over(struct name *n)
{
    while (__atomic_load_n(&n->mounted, __ATOMIC_ACQUIRE)) {
        struct part *p = part_lock(n);
        struct name *root = n->mounted;
        if (root)
            name_get(root);
        spin_unlock(&p->lock);
        if (!root)
            break;
        name_put(n);
        n = root;
    }
    return n;
}

err_t names_mount(struct name *at, struct name *root)
{
    struct part *p = part_lock(at);
    err_t e = at->removed ? -ENOENT : at->mounted ? -EBUSY : 0;
    if (!e) {
        name_get(at);
        root->mounted_on = at;
        __atomic_store_n(&at->mounted, root, __ATOMIC_RELEASE);
    }
    spin_unlock(&p->lock);
    return e;
}

void names_unmount(struct name *root)
{
    struct part *p = part_lock(root);
    struct name *at = root->mounted_on;
    root->mounted_on = NULL;
    spin_unlock(&p->lock);
    p = part_lock(at);
    __atomic_store_n(&at->mounted, NULL, __ATOMIC_RELEASE);
    spin_unlock(&p->lock);
    name_put(at);
}

struct name *names_under(struct name *root)
{
    struct part *p = part_lock(root);
    struct name *at = root->mounted_on;
    if (at)
        name_get(at);
    spin_unlock(&p->lock);
    return at;
}

struct name *names_up(struct name *n, char text[NAME_LENGTH_MAX + 1], size_t *length)
{
    struct part *p = part_lock(n);
    struct name *parent = n->parent;
    if (parent)
        name_get(parent);
    memcpy(text, n->text, n->length + 1u);
    *length = n->length;
    spin_unlock(&p->lock);
    return parent;
}

size_t name_text(struct name *n, char to[NAME_LENGTH_MAX + 1])
{
    size_t length;
    struct name *parent = names_up(n, to, &length);
    if (parent)
        name_put(parent);
    return length;
}

bool names_below(const struct name *n, const struct name *above)
{
    while (n && n != above)
        n = n->parent;
    return n != NULL;
}
