// SPDX-License-Identifier: GPL-3.0-or-later
// Symbolic links as Redox programs handle them: opened themselves, read to learn where they lead,
// written once to be made.
#include "kernel/abi/redox/paths.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"

static len_t link_read(struct file *f, struct io *io, uint64_t offset)
{
    char *target = heap_alloc(PATH_LENGTH_MAX);
    if (!target)
        return -ENOMEM;
    struct view v;
    struct credentials *hold;
    size_t length = 0;
    view_begin(&v, &hold);
    err_t e = name_read_link(&v, f->where, target, PATH_LENGTH_MAX, &length);
    view_end(&v, hold);
    if (!e && offset < length)
        e = io_put(io, target + offset, min_of(io->left, length - offset));
    heap_free(target);
    return io_result(io, e);
}

static err_t link_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    return file_seek_within(f, by, from, f->node->size, result);
}

static const struct file_ops read_ops = { .name = "link", .read = link_read, .seek = link_seek };

err_t redox_link_read(struct name *link, unsigned flags, struct file **file)
{
    return file_make(&read_ops, link->node, link, flags & ~(unsigned)OPEN_WRITE, NULL, file);
}

// A link that is to be made: where, and under which name.
struct link_to_make {
    struct name *parent;
    char name[];
};

static err_t made_find(struct file *f, struct name **where)
{
    struct link_to_make *l = f->data;
    struct view v;
    struct credentials *hold;
    view_begin(&v, &hold);
    err_t e = name_find(&v, l->parent, l->name, FIND_NO_FOLLOW, where);
    view_end(&v, hold);
    return e;
}

static len_t made_write(struct file *f, struct io *io, uint64_t offset)
{
    struct link_to_make *l = f->data;
    size_t size = io->left;
    if (size == 0)
        return -EINVAL;
    if (size >= PATH_LENGTH_MAX)
        return -ENAMETOOLONG;
    char *target = heap_alloc(size + 1);
    if (!target)
        return -ENOMEM;
    err_t e = io_get(io, target, size);
    if (!e && strnlen(target, size) != size)
        e = -EINVAL;
    if (!e) {
        struct view v;
        struct credentials *hold;
        view_begin(&v, &hold);
        e = name_make(&v, l->parent, l->name, NODE_LINK, 0777, 0, target);
        view_end(&v, hold);
    }
    heap_free(target);
    return e ? e : (len_t)size;
}

static err_t made_status(struct file *f, struct file_status *status)
{
    struct name *where;
    err_t e = made_find(f, &where);
    if (!e) {
        e = node_status(where->node, status);
        name_put(where);
    }
    return e;
}

static err_t made_path(struct file *f, char *to, size_t room, size_t *length)
{
    struct name *where;
    err_t e = made_find(f, &where);
    if (!e) {
        e = name_path(NULL, where, false, to, room, length);
        name_put(where);
    }
    return e;
}

static void made_close(struct file *f)
{
    struct link_to_make *l = f->data;
    name_put(l->parent);
    heap_free(l);
}

static const struct file_ops make_ops = {
    .name = "new link",
    .write = made_write,
    .status = made_status,
    .path = made_path,
    .close = made_close,
};

// How much of a path is its directory, with the slash.
static size_t directory_length(const char *path)
{
    size_t length = 0;
    for (size_t i = 0; path[i]; i++)
        length = path[i] == '/' ? i + 1 : length;
    return length;
}

err_t redox_link_make(const struct view *v, struct name *start, const char *path, unsigned flags,
                      struct file **file)
{
    struct name *there;
    if (!(flags & OPEN_WRITE))
        return -EINVAL;
    err_t e = name_find(v, start, path, FIND_NO_FOLLOW, &there);
    if (!e) {
        name_put(there);
        return -EEXIST;
    }
    size_t length = strlen(path), directory = directory_length(path);
    struct link_to_make *l = heap_alloc(sizeof(*l) + length + 1);
    if (!l)
        return -ENOMEM;
    memcpy(l->name, path, directory);
    e = name_find(v, start, l->name, FIND_DIRECTORY | FIND_EMPTY, &l->parent);
    if (e) {
        heap_free(l);
        return e;
    }
    memcpy(l->name, path + directory, length - directory + 1);
    e = l->name[0] ? file_make(&make_ops, NULL, NULL, flags & ~(unsigned)OPEN_READ, l, file)
                   : -EISDIR;
    if (e) {
        name_put(l->parent);
        heap_free(l);
    }
    return e;
}
