// SPDX-License-Identifier: GPL-3.0-or-later
// See handle.h. A handle's node keeps the path in node->data; the file's data is the scheme's.
#include "kernel/scheme/handle.h"
#include "kernel/console/log.h"
#include "kernel/memory/heap.h"
#include "lib/format.h"
#include "lib/hash.h"
#include "lib/string.h"

// Flags that say how to open; the others stay with the open file.
enum {
    OPEN_ONCE = OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE | OPEN_NO_TERMINAL | OPEN_DIRECTORY,
};

static void handle_drop(struct node *n)
{
    heap_free(n->data);
}

// One path is one object, however often it is opened.
static uint64_t inode_of(const char *path)
{
    return hash_bytes(1, path, strlen(path)) | 1;
}

static const struct node_ops handle_nodes = { .drop = handle_drop };

err_t handle_node(struct scheme *s, const char *path, enum node_kind kind, unsigned mode,
                  struct node **node)
{
    char *copy = heap_string(path);
    if (!copy)
        return -ENOMEM;
    err_t e = node_make(s, &handle_nodes, kind, mode, node);
    if (e) {
        heap_free(copy);
        return e;
    }
    (*node)->data = copy;
    if (!s->opens_anew)
        (*node)->inode = inode_of(path);
    return 0;
}

err_t handle_make(struct scheme *s, const struct file_ops *ops, const char *path,
                  enum node_kind kind, unsigned mode, unsigned flags, void *data,
                  struct file **file)
{
    if (flags & OPEN_DIRECTORY && kind != NODE_DIRECTORY)
        return -ENOTDIR;
    struct node *n;
    err_t e = handle_node(s, path, kind, mode, &n);
    if (e)
        return e;
    e = file_make(ops, n, NULL, flags & ~(unsigned)OPEN_ONCE, data, file);
    node_put(n);
    return e;
}

const char *handle_rest(const struct file *f)
{
    return f->node->data;
}

err_t handle_path(struct file *f, char *to, size_t room, size_t *length)
{
    if (f->where)
        return name_path(NULL, f->where, true, to, room, length);
    int n = format_text(to, room, "%s:%s", f->node->scheme->name, handle_rest(f));
    *length = (size_t)n;
    return *length < room ? 0 : -ERANGE;
}

static const struct file_ops places = { .name = "place", .path = handle_path };

err_t handle_place(struct scheme *s, const char *path, enum node_kind kind, unsigned mode,
                   unsigned flags, struct file **file)
{
    err_t e =
        handle_make(s, &places, path, kind, mode, flags & (OPEN_PATH | OPEN_DIRECTORY), NULL, file);
    if (!e)
        (*file)->node->inode = inode_of(path);
    return e;
}

struct text_file {
    char *bytes;
    size_t length;
    enum node_kind entries; // of a listing
};

static len_t text_read(struct file *f, struct io *io, uint64_t offset)
{
    struct text_file *t = f->data;
    if (offset >= t->length)
        return 0;
    return io_result(io, io_put(io, t->bytes + offset, min_of(t->length - offset, io->left)));
}

static err_t text_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    struct text_file *t = f->data;
    return file_seek_within(f, by, from, t->length, result);
}

static void text_close(struct file *f)
{
    struct text_file *t = f->data;
    heap_free(t->bytes);
    heap_free(t);
}

// The number that whoever opens this line's name finds.
static uint64_t entry_inode(const char *path, const char *name, size_t size)
{
    char whole[2 * NAME_LENGTH_MAX];
    size_t length = strlen(path);
    bool slash = length && path[length - 1] != '/';
    int n = format_text(whole, sizeof(whole), "%s%s%.*s", path, slash ? "/" : "", (int)size, name);
    return n < (int)sizeof(whole) ? inode_of(whole) : 1;
}

// Offsets of entries: 2 + where the line begins.
static err_t listing_list(struct file *f, uint64_t offset, struct directory_sink *s)
{
    struct text_file *t = f->data;
    if (!file_list_dots(f, &offset, s))
        return 0;
    for (size_t at = offset - 2; at < t->length;) {
        const char *name = t->bytes + at;
        const char *end = memchr(name, '\n', t->length - at);
        size_t size = end ? (size_t)(end - name) : t->length - at;
        at += size + 1;
        uint64_t inode = entry_inode(handle_rest(f), name, size);
        if (size && !s->entry(s, name, size, inode, t->entries, at + 2))
            break;
    }
    return 0;
}

static err_t listing_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
{
    return file_seek_within(f, by, from, 0, result);
}

static const struct file_ops text_files = {
    .name = "text",
    .read = text_read,
    .seek = text_seek,
    .path = handle_path,
    .close = text_close,
};

static const struct file_ops listings = {
    .name = "listing",
    .seek = listing_seek,
    .list = listing_list,
    .path = handle_path,
    .close = text_close,
};

static err_t text_make(struct scheme *s, const char *path, enum node_kind kind, unsigned mode,
                       unsigned flags, struct text_file text, struct file **file)
{
    const struct file_ops *ops = kind == NODE_DIRECTORY ? &listings : &text_files;
    struct text_file *t = heap_alloc(sizeof(*t));
    err_t e = t && text.bytes ? 0 : -ENOMEM;
    if (!e) {
        *t = text;
        if (flags & OPEN_PATH)
            flags &= OPEN_PATH | OPEN_DIRECTORY;
        e = handle_make(s, ops, path, kind, mode, flags & ~(unsigned)OPEN_WRITE, t, file);
    }
    if (e) {
        heap_free(t);
        heap_free(text.bytes);
        return e;
    }
    if (kind == NODE_FILE)
        (*file)->node->size = text.length;
    return 0;
}

err_t handle_text(struct scheme *s, const char *path, unsigned mode, unsigned flags, char *text,
                  size_t length, struct file **file)
{
    return text_make(s, path, NODE_FILE, mode, flags, (struct text_file){ text, length, 0 }, file);
}

err_t handle_listing(struct scheme *s, const char *path, unsigned mode, unsigned flags,
                     enum node_kind entries, char *text, size_t length, struct file **file)
{
    return text_make(s, path, NODE_DIRECTORY, mode, flags,
                     (struct text_file){ text, length, entries }, file);
}

void handle_scheme_add(struct scheme *s)
{
    err_t e = scheme_register(s);
    if (e)
        log_error("scheme: cannot register %s (error %d)", s->name, -e);
}
