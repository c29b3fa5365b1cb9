// SPDX-License-Identifier: GPL-3.0-or-later
// The RAM scheme, a server: files and directories in its own memory, which clients read, write and
// map.
//
//   ramd [NAME [MEGABYTES [VERSION]]]       ram, 64, 2
//
// It has no symbolic links and no hard links. Contents never need more than the bound; names may.
#include "user/libscheme/scheme.h"
#include "user/ramd/tree.h"

enum { HANDLES = 4096 };

static struct scheme_handle handles[HANDLES];
static const char *scheme_name = "ram";

static struct who caller_of(const struct scheme_call *c)
{
    return (struct who){ c->user, c->group };
}

static unsigned rights_of(uint64_t flags)
{
    return (flags & REDOX_O_RDONLY ? 4 : 0) | (flags & (REDOX_O_WRONLY | REDOX_O_TRUNC) ? 2 : 0);
}

static int64_t make(struct scheme_call *c, struct scheme_handle *h, const char *name, size_t length,
                    struct node **n)
{
    uint16_t mode = h->flags & 07777, kind = REDOX_MODE_FILE;
    if (h->flags & REDOX_O_DIRECTORY)
        kind = REDOX_MODE_DIR;
    if (!(h->flags & REDOX_O_CREAT))
        return -REDOX_ENOENT;
    return tree_make(*n, name, length, kind | mode, caller_of(c), n);
}

// May an existing node be opened like this?
static int64_t check(struct scheme_call *c, struct scheme_handle *h, struct node *n)
{
    uint64_t flags = h->flags;
    bool directory = tree_is_directory(n);
    if ((flags & REDOX_O_CREAT) && (flags & REDOX_O_EXCL))
        return -REDOX_EEXIST;
    if (flags & REDOX_O_STAT)
        return 0;
    if (directory && rights_of(flags) & 2)
        return -REDOX_EISDIR;
    if (!directory && flags & REDOX_O_DIRECTORY)
        return -REDOX_ENOTDIR;
    if (!tree_may(n, caller_of(c), rights_of(flags)))
        return -REDOX_EACCES;
    return flags & REDOX_O_TRUNC ? content_resize(&n->content, 0) : 0;
}

static int64_t ram_open(struct scheme_call *c, struct scheme_handle *h, const char *path,
                        size_t length)
{
    struct node *n;
    const char *name;
    size_t name_length;
    int64_t e = tree_find(path, length, caller_of(c), &n, &name, &name_length);
    if (!e)
        e = name_length ? make(c, h, name, name_length, &n) : check(c, h, n);
    if (e)
        return e;
    tree_open(n);
    h->data = n;
    return 0;
}

static void ram_close(struct scheme_call *c, struct scheme_handle *h)
{
    tree_close(h->data);
}

static int64_t read_directory(const struct node *n, char *buffer, size_t size, uint64_t offset)
{
    uint64_t at = 0;
    size_t done = 0;
    for (const struct node *child = n->children; child && done < size; child = child->next)
        for (size_t i = 0; i <= child->length && done < size; i++, at++)
            if (at >= offset)
                buffer[done++] = i < child->length ? child->name[i] : '\n';
    return (int64_t)done;
}

static int64_t ram_read(struct scheme_call *c, struct scheme_handle *h, void *buffer, size_t size,
                        uint64_t offset)
{
    struct node *n = h->data;
    n->accessed = tree_now();
    if (tree_is_directory(n))
        return read_directory(n, buffer, size, offset);
    return scheme_text(buffer, size, offset, n->content.bytes, n->content.size);
}

static int64_t ram_write(struct scheme_call *c, struct scheme_handle *h, const void *buffer,
                         size_t size, uint64_t offset)
{
    struct node *n = h->data;
    uint64_t end;
    if (__builtin_add_overflow(offset, size, &end))
        return -REDOX_EFBIG;
    int64_t e = size && end > n->content.size ? content_resize(&n->content, end) : 0;
    if (e)
        return e;
    if (size)
        memcpy(n->content.bytes + offset, buffer, size);
    n->modified = n->changed = tree_now();
    return (int64_t)size;
}

static int64_t ram_size(struct scheme_call *c, struct scheme_handle *h)
{
    const struct node *n = h->data;
    uint64_t size = n->content.size;
    for (const struct node *child = n->children; child; child = child->next)
        size += child->length + 1u;
    return (int64_t)size;
}

static int64_t ram_truncate(struct scheme_call *c, struct scheme_handle *h, uint64_t size)
{
    struct node *n = h->data;
    if (tree_is_directory(n))
        return -REDOX_EISDIR;
    n->modified = n->changed = tree_now();
    return content_resize(&n->content, size);
}

static int64_t ram_status(struct scheme_call *c, struct scheme_handle *h, struct redox_stat *s)
{
    const struct node *n = h->data;
    s->st_ino = n->inode;
    s->st_mode = n->mode;
    s->st_nlink = n->parent || n == &root;
    s->st_uid = n->user;
    s->st_gid = n->group;
    s->st_size = (uint64_t)ram_size(c, h);
    s->st_blksize = REDOX_PAGE_SIZE;
    s->st_blocks = (n->content.size + REDOX_PAGE_SIZE - 1) / REDOX_PAGE_SIZE * 8;
    s->mtime = (uint64_t)n->modified.tv_sec;
    s->mtime_nsec = (uint32_t)n->modified.tv_nsec;
    s->atime = (uint64_t)n->accessed.tv_sec;
    s->atime_nsec = (uint32_t)n->accessed.tv_nsec;
    s->ctime = (uint64_t)n->changed.tv_sec;
    s->ctime_nsec = (uint32_t)n->changed.tv_nsec;
    return 0;
}

static int64_t ram_totals(struct scheme_call *c, struct scheme_handle *h,
                          struct redox_statvfs *totals)
{
    totals->f_bsize = REDOX_PAGE_SIZE;
    totals->f_blocks = content_limit;
    totals->f_bfree = totals->f_bavail = content_limit - content_pages;
    return 0;
}

static int64_t ram_path(struct scheme_call *c, struct scheme_handle *h, char *buffer, size_t size)
{
    size_t at = 0;
    for (const char *name = scheme_name; *name && at < size; name++)
        buffer[at++] = *name;
    if (at < size)
        buffer[at++] = ':';
    return (int64_t)(at + tree_path(h->data, buffer + at, size - at));
}

static int64_t ram_rename(struct scheme_call *c, struct scheme_handle *h, const char *path,
                          size_t length)
{
    return tree_move(h->data, path, length, caller_of(c));
}

static int64_t ram_unlink(struct scheme_call *c, const char *path, size_t length)
{
    struct node *n;
    int64_t e = tree_find(path, length, caller_of(c), &n, NULL, NULL);
    return e ? e : tree_remove(n, false, caller_of(c));
}

static int64_t ram_rmdir(struct scheme_call *c, const char *path, size_t length)
{
    struct node *n;
    int64_t e = tree_find(path, length, caller_of(c), &n, NULL, NULL);
    return e ? e : tree_remove(n, true, caller_of(c));
}

static int64_t ram_chmod(struct scheme_call *c, struct scheme_handle *h, uint16_t mode)
{
    struct node *n = h->data;
    if (c->user != 0 && c->user != n->user)
        return -REDOX_EPERM;
    n->mode = (n->mode & REDOX_MODE_TYPE) | (mode & REDOX_MODE_PERM);
    n->changed = tree_now();
    return 0;
}

static int64_t ram_chown(struct scheme_call *c, struct scheme_handle *h, uint32_t user,
                         uint32_t group)
{
    struct node *n = h->data;
    bool user_kept = user == UINT32_MAX || user == n->user;
    bool group_kept = group == UINT32_MAX || group == n->group || group == c->group;
    if (c->user != 0 && (c->user != n->user || !user_kept || !group_kept))
        return -REDOX_EPERM;
    n->user = user == UINT32_MAX ? n->user : user;
    n->group = group == UINT32_MAX ? n->group : group;
    n->changed = tree_now();
    return 0;
}

static int64_t ram_times(struct scheme_call *c, struct scheme_handle *h,
                         const struct redox_timespec *times, size_t count)
{
    struct node *n = h->data;
    if (c->user != 0 && c->user != n->user)
        return -REDOX_EPERM;
    for (size_t i = 0; i < count; i++)
        if (times[i].tv_nsec < 0 || times[i].tv_nsec >= 1000000000)
            return -REDOX_EINVAL;
    n->accessed = times[0];
    n->modified = count > 1 ? times[1] : n->modified;
    n->changed = tree_now();
    return 0;
}

// An entry's place is its node's number; the next one has a greater number.
static int64_t ram_entries(struct scheme_call *c, struct scheme_handle *h, void *buffer,
                           size_t size, uint64_t start)
{
    const struct node *n = h->data;
    size_t at = 0;
    if (!tree_is_directory(n))
        return -REDOX_ENOTDIR;
    for (const struct node *child = n->children; child; child = child->next) {
        struct redox_dirent_header e = { .inode = child->inode,
                                         .next_opaque = child->inode,
                                         .length = (uint16_t)(sizeof(e) + child->length + 1u) };
        if (child->inode <= start)
            continue;
        if (size - at < e.length)
            return at ? (int64_t)at : -REDOX_EINVAL;
        memcpy((char *)buffer + at, &e, sizeof(e));
        memcpy((char *)buffer + at + sizeof(e), child->name, child->length + 1u);
        at += e.length;
    }
    return (int64_t)at;
}

static uint64_t whole_pages(uint64_t size)
{
    return (size + REDOX_PAGE_SIZE - 1) & ~(REDOX_PAGE_SIZE - 1ull);
}

static int64_t ram_map(struct scheme_call *c, struct scheme_handle *h, uint64_t offset, size_t size,
                       uint64_t flags)
{
    struct node *n = h->data;
    uint64_t end;
    if (tree_is_directory(n))
        return -REDOX_EISDIR;
    bool shared_writable = flags & REDOX_MAP_SHARED && flags & REDOX_PROT_WRITE;
    if (!(h->flags & REDOX_O_RDONLY) || (shared_writable && !(h->flags & REDOX_O_WRONLY)))
        return -REDOX_EACCES;
    if (offset % REDOX_PAGE_SIZE || __builtin_add_overflow(offset, size, &end))
        return -REDOX_EINVAL;
    int64_t e = content_pin(&n->content);
    if (e)
        return e;
    if (end > n->content.room)
        return -REDOX_ENXIO;
    n->content.touched = true;
    n->content.mapped += whole_pages(size);
    return (int64_t)(n->content.bytes + offset);
}

static int64_t ram_unmap(struct scheme_call *c, struct scheme_handle *h, uint64_t offset,
                         size_t size, uint64_t flags)
{
    struct node *n = h->data;
    uint64_t gone = whole_pages(size);
    n->content.mapped -= gone < n->content.mapped ? gone : n->content.mapped;
    return 0;
}

static const struct scheme_ops ops = {
    .open = ram_open,
    .unlink = ram_unlink,
    .rmdir = ram_rmdir,
    .close = ram_close,
    .read = ram_read,
    .write = ram_write,
    .size = ram_size,
    .truncate = ram_truncate,
    .status = ram_status,
    .totals = ram_totals,
    .path = ram_path,
    .rename = ram_rename,
    .chmod = ram_chmod,
    .chown = ram_chown,
    .times = ram_times,
    .entries = ram_entries,
    .map = ram_map,
    .unmap = ram_unmap,
};

int main(int argc, char **argv, char **envp)
{
    struct scheme_server s = { .ops = &ops, .handles = handles, .handle_count = HANDLES };
    scheme_name = argc > 1 ? argv[1] : scheme_name;
    if (argc > 2)
        content_limit = number_of(argv[2]) << 8;
    root.accessed = root.modified = root.changed = tree_now();
    int64_t e = scheme_make(&s, scheme_name, argc > 3 ? number_of(argv[3]) : 2);
    if (!e)
        e = scheme_serve(&s);
    if (e)
        print("ramd: %s: error %lld\n", scheme_name, (long long)-e);
    return e != 0;
}
