// SPDX-License-Identifier: GPL-3.0-or-later
// The scheme memory: what a program can map without a file behind it.
//
//   memory:, memory:zeroed                 fresh zeros
//   memory:zeroed@wb?phys_contiguous       zeros whose frames are neighbours, for devices (root)
//   memory:physical, @wb, @uc, @wc, @dev   physical addresses, the offset being the address (root)
//
// Which of them a file is lies in its data, a row of the table; nothing changes, so there is no
// lock.
#include "kernel/console/log.h"
#include "kernel/memory/physical.h"
#include "kernel/scheme/caller.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/string.h"

enum { NAME_MOST = 64 };
#define PHYSICAL_END (1ull << 52)

enum memory_kind_named { MEMORY_ZEROED, MEMORY_CONTIGUOUS, MEMORY_PHYSICAL };

struct memory_name {
    const char *text;
    enum memory_kind_named kind;
    enum caching caching;
};

static const struct memory_name names[] = {
    { "", MEMORY_ZEROED, CACHING_BACK },
    { "zeroed", MEMORY_ZEROED, CACHING_BACK },
    { "zeroed@wb", MEMORY_ZEROED, CACHING_BACK },
    { "zeroed@wb?phys_contiguous", MEMORY_CONTIGUOUS, CACHING_BACK },
    { "zeroed?phys_contiguous", MEMORY_CONTIGUOUS, CACHING_BACK },
    { "physical", MEMORY_PHYSICAL, CACHING_AUTO },
    { "physical@wb", MEMORY_PHYSICAL, CACHING_BACK },
    { "physical@uc", MEMORY_PHYSICAL, CACHING_NONE },
    { "physical@wc", MEMORY_PHYSICAL, CACHING_COMBINE },
    { "physical@dev", MEMORY_PHYSICAL, CACHING_NONE },
};

static err_t map_physical(struct map_request *r, enum caching caching)
{
    if (!r->size || !is_aligned(r->offset, PAGE_SIZE) || !is_aligned(r->size, PAGE_SIZE) ||
        !range_fits(r->offset, r->size, PHYSICAL_END))
        return -EINVAL;
    return physical_object(r->offset, r->size, caching, &r->object);
}

static err_t memory_map(struct file *f, struct map_request *r)
{
    const struct memory_name *n = f->data;
    uint64_t whole = round_up(r->size, PAGE_SIZE);
    r->object = NULL; // anonymous memory
    if (n->kind == MEMORY_PHYSICAL)
        return map_physical(r, n->caching);
    if (n->kind == MEMORY_CONTIGUOUS)
        return whole < r->size ? -ENOMEM
                               : contiguous_object(whole, false, r->offset, &r->object, NULL);
    return 0;
}

static err_t memory_path(struct file *f, char *to, size_t room, size_t *length)
{
    const struct memory_name *n = f->data;
    char label[NAME_MOST];
    memcpy(label, "memory:", sizeof("memory:"));
    memcpy(label + sizeof("memory:") - 1, n->text, strlen(n->text) + 1);
    return file_label(to, room, length, label);
}

static err_t memory_status(struct file *f, struct file_status *status)
{
    *status = (struct file_status){ .kind = NODE_CHARACTER, .mode = 0666, .links = 1 };
    status->block_size = PAGE_SIZE;
    return 0;
}

static void totals_fill(struct scheme_totals *totals)
{
    struct memory_totals now;
    memory_totals(&now);
    *totals = (struct scheme_totals){
        .block_size = PAGE_SIZE,
        .blocks = now.total / PAGE_SIZE,
        .blocks_free = now.free / PAGE_SIZE,
    };
}

static err_t memory_file_totals(struct file *f, struct scheme_totals *totals)
{
    totals_fill(totals);
    return 0;
}

static err_t memory_totals_of(struct scheme *s, struct scheme_totals *totals)
{
    totals_fill(totals);
    return 0;
}

static const struct file_ops memory_files = {
    .name = "memory",
    .map = memory_map,
    .path = memory_path,
    .status = memory_status,
    .totals = memory_file_totals,
};

static err_t memory_open(struct scheme *s, const struct view *v, const char *path, size_t length,
                         unsigned flags, unsigned mode, struct file **file)
{
    const struct memory_name *n = names;
    while (n < names + array_len(names) && !string_equal(n->text, path))
        n++;
    if (n == names + array_len(names))
        return -ENOENT;
    struct caller c;
    caller_look(&c);
    if (n->kind != MEMORY_ZEROED && !c.override)
        return -EACCES;
    return file_make(&memory_files, NULL, NULL, flags, (void *)n, file);
}

void memory_scheme_init(void)
{
    static const struct scheme_ops ops = {
        .root = path_scheme_root,
        .totals = memory_totals_of,
        .open_path = memory_open,
    };
    static struct scheme memory = { .name = "memory", .ops = &ops };
    if (scheme_register(&memory))
        log_error("memory: the scheme could not be registered");
}
