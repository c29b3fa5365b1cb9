// SPDX-License-Identifier: GPL-3.0-or-later
// See path_scheme.h. A stand-in node's data is its path, a heap block; it is immutable, so there is
// nothing to lock.
#include "kernel/scheme/path_scheme.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/names.h"
#include "kernel/scheme/namespace.h"
#include "lib/string.h"

static const struct node_ops stand_ins;

err_t path_scheme_open(struct scheme *s, const struct view *v, const char *path, size_t length,
                       unsigned flags, unsigned mode, struct file **file)
{
    err_t e = s->ops->open_path(s, v, path, length, flags, mode, file);
    if (!e && !(*file)->device)
        (*file)->device = s->device;
    return e;
}

static err_t stand_in_make(struct scheme *s, char *path, struct node **node)
{
    err_t e = path ? node_make(s, &stand_ins, NODE_UNKNOWN, 0777, node) : -ENOMEM;
    if (e)
        heap_free(path);
    else
        (*node)->data = path;
    return e;
}

static err_t stand_in_find(struct node *dir, const char *name, size_t length, struct node **node)
{
    const char *above = dir->data;
    size_t before = strlen(above), slash = before != 0;
    if (before + slash + length >= PATH_LENGTH_MAX)
        return -ENAMETOOLONG;
    char *path = heap_alloc(before + slash + length + 1);
    if (path) {
        memcpy(path, above, before);
        path[before] = '/';
        memcpy(path + before + slash, name, length);
        path[before + slash + length] = '\0';
    }
    return stand_in_make(dir->scheme, path, node);
}

static err_t stand_in_open(struct node *n, struct name *where, unsigned flags, struct file **file)
{
    const char *path = n->data;
    return path_scheme_open(n->scheme, NULL, path, strlen(path), flags, 0, file);
}

static err_t stand_in_status(struct node *n, struct file_status *status)
{
    struct file *f;
    err_t e = stand_in_open(n, NULL, OPEN_PATH, &f);
    if (e) // the scheme itself is there, also where it has nothing of that name
        return *(const char *)n->data ? e : 0;
    e = file_status(f, status);
    file_put(f);
    return e;
}

static err_t stand_in_set_status(struct node *n, const struct file_status *status, unsigned what)
{
    struct file *f;
    err_t e = stand_in_open(n, NULL, OPEN_PATH, &f);
    if (e)
        return e;
    e = f->ops->set_status ? f->ops->set_status(f, NULL, status, what) : -EPERM;
    file_put(f);
    return e;
}

static void stand_in_drop(struct node *n)
{
    heap_free(n->data);
}

static const struct node_ops stand_ins = {
    .find = stand_in_find,
    .open = stand_in_open,
    .status = stand_in_status,
    .set_status = stand_in_set_status,
    .drop = stand_in_drop,
    .do_not_cache = true,
};

err_t path_scheme_root(struct scheme *s, const char *source, const char *options,
                       struct node **root)
{
    return stand_in_make(s, heap_string(""), root);
}

// Drops empty parts and ".", and resolves "..", which never leads above the scheme's root.
static size_t path_tidy(char *path)
{
    char *to = path;
    const char *from = path;
    while (*from) {
        while (*from == '/')
            from++;
        const char *part = from;
        while (*from && *from != '/')
            from++;
        size_t length = (size_t)(from - part);
        if (length == 0 || (length == 1 && part[0] == '.'))
            continue;
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            while (to > path && *--to != '/')
                ;
            continue;
        }
        if (to > path)
            *to++ = '/';
        memmove(to, part, length);
        to += length;
    }
    *to = '\0';
    return (size_t)(to - path);
}

// Where the scheme's name is and where the rest begins; NULL: the path names a place in the tree.
static const char *name_part(const char *path, unsigned find_flags, size_t *length, bool *raw)
{
    static const char prefix[] = "/scheme/";
    *raw = false;
    const char *name = path, *end = path;
    if (strncmp(path, prefix, sizeof(prefix) - 1) == 0) {
        name = end = path + sizeof(prefix) - 1;
        while (*end && *end != '/' && *end != ':')
            end++;
        *length = (size_t)(end - name);
        *raw = end == name && *end == ':'; // "/scheme/:NAME" is ":NAME", for every ABI
        return *raw || (*length && *end != ':') ? name : NULL;
    }
    if (!(find_flags & FIND_SCHEMES))
        return NULL;
    while (*end && *end != ':' && *end != '/')
        end++;
    *raw = *end == ':';
    *length = (size_t)(end - name);
    return *raw ? name : NULL;
}

err_t path_scheme_split(const struct view *v, const char *path, unsigned find_flags,
                        struct scheme **scheme, char **rest, size_t *length)
{
    size_t name_length;
    bool raw;
    const char *name = name_part(path, find_flags, &name_length, &raw);
    *scheme = NULL;
    if (!name)
        return 0;
    struct scheme *s;
    err_t e = namespace_find(v ? v->names : NULL, name, name_length, &s);
    if (e)
        return raw && !(name_length == 4 && memcmp(name, "file", 4) == 0) ? e : 0;
    if (!s->ops->open_path) {
        scheme_put(s);
        return 0;
    }
    *rest = heap_string(name + name_length + (name[name_length] != '\0'));
    if (!*rest) {
        scheme_put(s);
        return -ENOMEM;
    }
    *length = raw ? strlen(*rest) : path_tidy(*rest);
    if (!raw && s->ops->knows_path && !s->ops->knows_path(*rest, *length)) {
        heap_free(*rest);
        scheme_put(s);
        return 0;
    }
    *scheme = s;
    return 0;
}

err_t path_scheme_remove(const struct view *v, const char *path, bool directory, bool *done)
{
    struct scheme *s;
    char *rest;
    size_t length;
    err_t e = path_scheme_split(v, path, 0, &s, &rest, &length);
    *done = e || s;
    if (!s)
        return e;
    e = s->ops->remove_path ? s->ops->remove_path(s, v, rest, length, directory) : -EPERM;
    heap_free(rest);
    scheme_put(s);
    return e;
}

err_t path_scheme_make(const struct view *v, const char *path, enum node_kind kind, unsigned mode,
                       bool *done)
{
    struct scheme *s;
    char *rest;
    size_t length;
    err_t e = path_scheme_split(v, path, 0, &s, &rest, &length);
    *done = e || s;
    if (!s)
        return e;
    struct file *f;
    unsigned how = OPEN_CREATE | OPEN_EXCLUSIVE | (kind == NODE_DIRECTORY ? OPEN_DIRECTORY : 0);
    mode &= ~(unsigned)(v ? v->umask : 0) & MODE_PERMISSIONS;
    e = kind == NODE_DIRECTORY || kind == NODE_FILE
            ? path_scheme_open(s, v, rest, length, how, mode, &f)
            : -EPERM;
    if (!e)
        file_put(f);
    heap_free(rest);
    scheme_put(s);
    return e;
}

err_t path_scheme_rename(const struct view *v, const char *path, const char *new_path, bool *done)
{
    struct scheme *from, *to = NULL;
    char *rest = NULL, *new_rest = NULL;
    size_t length, new_length;
    err_t e = path_scheme_split(v, path, 0, &from, &rest, &length);
    if (!e)
        e = path_scheme_split(v, new_path, 0, &to, &new_rest, &new_length);
    *done = e || from || to;
    struct file *f;
    if (!e && *done)
        e = from == to ? path_scheme_open(from, v, rest, length, OPEN_PATH, 0, &f) : -EXDEV;
    if (!e && *done) {
        e = f->ops->rename ? f->ops->rename(f, new_rest, new_length) : -EPERM;
        file_put(f);
    }
    if (from) {
        heap_free(rest);
        scheme_put(from);
    }
    if (to) {
        heap_free(new_rest);
        scheme_put(to);
    }
    return e;
}
