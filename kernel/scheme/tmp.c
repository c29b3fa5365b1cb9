// SPDX-License-Identifier: GPL-3.0-or-later
// The scheme "tmp": its instances, their options and limits, and files that are in no directory.
#include "kernel/scheme/tmp.h"
#include "kernel/console/panic.h"
#include "kernel/memory/heap.h"
#include "kernel/memory/page.h"
#include "kernel/scheme/names.h"
#include "lib/string.h"

enum { TMP_MAGIC = 0x01021994 }; // as Linux's statfs(2) tells it

struct options {
    uint64_t size, nodes, mode, user, group;
};

static bool parse_number(const char *text, size_t length, unsigned base, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit >= base || mul_overflows(*value, (uint64_t)base, value) ||
            add_overflows(*value, (uint64_t)digit, value))
            return false;
    }
    return length > 0;
}

bool tmp_parse_size(const char *text, size_t length, uint64_t whole, uint64_t *size)
{
    if (length == 0)
        return false;
    unsigned shift = 0;
    switch (text[length - 1]) {
    case '%': {
        uint64_t percent;
        if (!parse_number(text, length - 1, 10, &percent) || percent > 1000)
            return false;
        *size = whole / 100 * percent;
        return true;
    }
    case 'k':
    case 'K':
        shift = 10;
        break;
    case 'm':
    case 'M':
        shift = 20;
        break;
    case 'g':
    case 'G':
        shift = 30;
        break;
    default:
        return parse_number(text, length, 10, size);
    }
    return parse_number(text, length - 1, 10, size) && !mul_overflows(*size, 1ull << shift, size);
}

// One "name=value". Unknown names are passed over, as mount programs pass on what is not for us.
static err_t option_apply(struct options *o, const char *text, size_t length, uint64_t whole)
{
    const char *equals = memchr(text, '=', length);
    if (!equals)
        return 0;
    size_t name = (size_t)(equals - text), rest = length - name - 1;
    const char *value = equals + 1;
    bool good = true;
    if (name == 4 && memcmp(text, "size", 4) == 0)
        good = tmp_parse_size(value, rest, whole, &o->size);
    else if (name == 9 && memcmp(text, "nr_inodes", 9) == 0)
        good = tmp_parse_size(value, rest, 0, &o->nodes);
    else if (name == 4 && memcmp(text, "mode", 4) == 0)
        good = parse_number(value, rest, 8, &o->mode) && o->mode <= MODE_PERMISSIONS;
    else if (name == 3 && memcmp(text, "uid", 3) == 0)
        good = parse_number(value, rest, 10, &o->user) && o->user < UINT32_MAX;
    else if (name == 3 && memcmp(text, "gid", 3) == 0)
        good = parse_number(value, rest, 10, &o->group) && o->group < UINT32_MAX;
    return good ? 0 : -EINVAL;
}

static err_t options_parse(struct options *o, const char *text)
{
    struct memory_totals totals;
    memory_totals(&totals);
    *o = (struct options){ .size = totals.total / 2,
                           .nodes = totals.total / PAGE_SIZE / 2,
                           .mode = 01777 };
    while (text && *text) {
        const char *end = strchr(text, ',');
        size_t length = end ? (size_t)(end - text) : strlen(text);
        err_t e = option_apply(o, text, length, totals.total);
        if (e)
            return e;
        text += length + (end ? 1 : 0);
    }
    if (o->size == 0) // no limit, as Linux reads it
        o->size = totals.total;
    if (o->nodes == 0)
        o->nodes = UINT64_MAX;
    return 0;
}

err_t tmp_root_make(struct scheme *s, const char *source, const char *text, struct node **root)
{
    struct options o;
    err_t e = options_parse(&o, text);
    if (e)
        return e;
    struct tmp_tree *t = heap_alloc(sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->scheme = s;
    t->pages_limit = div_round_up(o.size, PAGE_SIZE);
    t->nodes_limit = o.nodes;
    s->data = t;
    e = tmp_node_make(s, NODE_DIRECTORY, (unsigned)o.mode, 0, NULL, root);
    if (e) {
        heap_free(t);
        s->data = NULL;
        return e;
    }
    (*root)->user = (uint32_t)o.user;
    (*root)->group = (uint32_t)o.group;
    return 0;
}

void tmp_drop(struct scheme *s)
{
    heap_free(s->data);
    s->data = NULL;
}

err_t tmp_totals(struct scheme *s, struct scheme_totals *totals)
{
    const struct tmp_tree *t = s->data;
    uint64_t pages = __atomic_load_n(&t->pages_used, __ATOMIC_RELAXED);
    uint64_t nodes = __atomic_load_n(&t->nodes_used, __ATOMIC_RELAXED);
    totals->magic = TMP_MAGIC;
    totals->block_size = PAGE_SIZE;
    totals->blocks = t->pages_limit;
    totals->blocks_free = t->pages_limit - min_of(pages, t->pages_limit);
    totals->nodes = t->nodes_limit;
    totals->nodes_free = t->nodes_limit - min_of(nodes, t->nodes_limit);
    return 0;
}

err_t memory_file_make(const char *label, unsigned flags, struct file **file)
{
    struct name *root = name_tree_root();
    struct node *n;
    err_t e = tmp_node_make(root->node->scheme, NODE_FILE, 0777, 0, NULL, &n);
    if (e)
        return e;
    n->links = 0;
    struct name *where;
    e = name_make_detached(root, label, n, &where);
    if (!e) {
        e = file_make(&tmp_files, n, where, flags, NULL, file);
        name_put(where);
    }
    node_put(n);
    return e;
}

static const struct scheme_ops tmp_ops = {
    .root = tmp_root_make,
    .totals = tmp_totals,
    .drop = tmp_drop,
};

static struct scheme tmp_scheme = {
    .name = "tmp",
    .ops = &tmp_ops,
    .is_tree = true,
    .for_each_mount = true,
};

void tmp_init(void)
{
    if (scheme_register(&tmp_scheme))
        panic("scheme: cannot register tmp");
}
