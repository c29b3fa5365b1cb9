// SPDX-License-Identifier: GPL-3.0-or-later
// The scheme without a name: what schemes there are. ":" lists those that the caller can name,
// ":NAME" stands for one of them; opened to create it makes a user scheme, and unlinked it ends it.
#include "kernel/memory/heap.h"
#include "kernel/scheme/handle.h"
#include "kernel/scheme/kernel_schemes.h"
#include "kernel/scheme/namespace.h"
#include "kernel/scheme/path_scheme.h"
#include "lib/string.h"

struct listing {
    char *text;
    size_t length;
    bool no_memory;
};

static bool listing_add(const char *name, size_t length, void *data)
{
    struct listing *l = data;
    if (length == 0)
        return true;
    char *text = heap_resize(l->text, l->length + length + 1);
    l->no_memory = !text;
    if (!text)
        return false;
    memcpy(text + l->length, name, length);
    text[l->length + length] = '\n';
    l->text = text;
    l->length += length + 1;
    return true;
}

static err_t open_listing(struct scheme *s, struct namespace *names, unsigned flags,
                          struct file **file)
{
    struct listing l = { .text = heap_alloc(1) };
    if (l.text)
        namespace_visit(names, listing_add, &l);
    if (l.no_memory) {
        heap_free(l.text);
        return -ENOMEM;
    }
    return handle_listing(s, "", 0555, flags, NODE_DIRECTORY, l.text, l.length, file);
}

static struct scheme_makers makers;

void root_scheme_set_makers(const struct scheme_makers *set)
{
    makers = *set;
}

static err_t root_open_path(struct scheme *s, const struct view *v, const char *path, size_t length,
                            unsigned flags, unsigned mode, struct file **file)
{
    struct namespace *names = v ? v->names : NULL;
    if (length == 0)
        return flags & (OPEN_WRITE | OPEN_CREATE) ? -EISDIR : open_listing(s, names, flags, file);
    if (flags & OPEN_CREATE)
        return makers.make ? makers.make(path, length, flags, file) : -EACCES;
    struct scheme *named;
    err_t e = namespace_find(names, path, length, &named);
    if (e)
        return e == -ENODEV ? -ENOENT : e;
    scheme_put(named);
    return handle_place(s, path, NODE_FILE, 0600, flags, file);
}

static err_t root_remove_path(struct scheme *s, const struct view *v, const char *path,
                              size_t length, bool directory)
{
    if (directory)
        return length ? -ENOTDIR : -EACCES;
    return makers.remove ? makers.remove(path, length) : -EACCES;
}

static const struct scheme_ops root_scheme_ops = { .open_path = root_open_path,
                                                   .remove_path = root_remove_path };

static struct scheme root_scheme = { .name = "", .ops = &root_scheme_ops };

void root_scheme_init(void)
{
    handle_scheme_add(&root_scheme);
}
