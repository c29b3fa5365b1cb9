// SPDX-License-Identifier: GPL-3.0-or-later
// What files are: status, totals, full names; changing modes, owners, times, sizes and names.
#include "kernel/abi/redox/paths.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/names.h"
#include "lib/string.h"

enum { KIND_SHIFT = 12, MODE_MASK = 0xffff };

static void stat_fill(struct redox_stat *s, const struct file_status *status)
{
    struct redox_timespec m = redox_timespec_of(status->times.modified);
    struct redox_timespec a = redox_timespec_of(status->times.accessed);
    struct redox_timespec c = redox_timespec_of(status->times.changed);
    unsigned kind = status->kind ? status->kind : NODE_FILE;
    memset(s, 0, sizeof(*s)); // the padding, too
    s->st_dev = status->device;
    s->st_ino = status->inode;
    s->st_mode = (uint16_t)(kind << KIND_SHIFT | (status->mode & MODE_PERMISSIONS));
    s->st_nlink = (uint32_t)status->links;
    s->st_uid = status->user;
    s->st_gid = status->group;
    s->st_size = status->size;
    s->st_blksize = (uint32_t)status->block_size;
    s->st_blocks = status->blocks;
    s->mtime = (uint64_t)m.tv_sec;
    s->mtime_nsec = (uint32_t)m.tv_nsec;
    s->atime = (uint64_t)a.tv_sec;
    s->atime_nsec = (uint32_t)a.tv_nsec;
    s->ctime = (uint64_t)c.tv_sec;
    s->ctime_nsec = (uint32_t)c.tv_nsec;
}

REDOX_CALL(fstat)
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    struct file_status status;
    struct redox_stat s;
    e = ARG(2) < sizeof(s) ? -EINVAL : file_status(file, &status);
    file_put(file);
    if (e)
        return e;
    stat_fill(&s, &status);
    return user_copy_out(ARG(1), &s, sizeof(s));
}

REDOX_CALL(fstatvfs)
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    struct scheme_totals t;
    struct redox_statvfs s;
    e = ARG(2) < sizeof(s) ? -EINVAL : file_totals(file, &t);
    file_put(file);
    if (e)
        return e;
    memset(&s, 0, sizeof(s));
    s.f_bsize = (uint32_t)t.block_size;
    s.f_blocks = t.blocks;
    s.f_bfree = s.f_bavail = t.blocks_free;
    return user_copy_out(ARG(1), &s, sizeof(s));
}

// An absolute path of the tree becomes a scheme and the rest: what lies below /scheme is
// "NAME:rest", all else is "file:/path". There is room for one more name than *length says.
static void path_to_scheme(char *path, size_t *length)
{
    static const char file[] = "file:", unified[] = "/scheme/";
    size_t prefix = sizeof(unified) - 1, added = sizeof(file) - 1;
    if (strncmp(path, unified, prefix) != 0) {
        memmove(path + added, path, *length + 1);
        memcpy(path, file, added);
        *length += added;
        return;
    }
    *length -= prefix;
    memmove(path, path + prefix, *length + 1);
    size_t name = 0;
    while (path[name] && path[name] != '/')
        name++;
    if (!path[name]) // the scheme itself
        path[++*length] = '\0';
    path[name] = ':';
}

static err_t full_path(struct file *f, char *to, size_t room, size_t *length)
{
    struct view v;
    struct credentials *hold;
    err_t e = -EBADF;
    room -= sizeof("file:");
    view_begin(&v, &hold);
    if (f->ops->path)
        e = f->ops->path(f, to, room, length);
    else if (f->where)
        e = name_path(&v, f->where, true, to, room, length);
    view_end(&v, hold);
    if (!e && to[0] == '/')
        path_to_scheme(to, length);
    return e;
}

REDOX_CALL(fpath)
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    size_t length = 0;
    char *path = heap_alloc(2 * PATH_LENGTH_MAX);
    e = path ? full_path(file, path, 2 * PATH_LENGTH_MAX, &length) : -ENOMEM;
    file_put(file);
    length = min_of(length, ARG(2));
    if (!e)
        e = user_copy_out(ARG(1), path, length);
    heap_free(path);
    return e ? e : (int64_t)length;
}

static int64_t change_status(uint64_t number, const struct file_status *status, unsigned what)
{
    struct file *file;
    err_t e = redox_file(number, &file);
    if (e)
        return e;
    e = view_set_status(file, status, what);
    file_put(file);
    return e;
}

REDOX_CALL(fchmod)
{
    struct file_status status = { .mode = ARG(1) & MODE_MASK & MODE_PERMISSIONS };
    return change_status(ARG(0), &status, STATUS_MODE);
}

REDOX_CALL(fchown)
{
    struct file_status status = { .user = (uint32_t)ARG(1), .group = (uint32_t)ARG(2) };
    unsigned what = (status.user == UINT32_MAX ? 0 : STATUS_USER) |
                    (status.group == UINT32_MAX ? 0 : STATUS_GROUP);
    return change_status(ARG(0), &status, what);
}

REDOX_CALL(futimens)
{
    struct redox_timespec t[2];
    struct file_status status = { 0 };
    unsigned what = STATUS_ACCESSED;
    if (ARG(2) != sizeof(t[0]) && ARG(2) != sizeof(t))
        return -EINVAL;
    err_t e = user_copy_in(t, ARG(1), ARG(2));
    if (e)
        return e;
    for (unsigned i = 0; i < ARG(2) / sizeof(t[0]); i++)
        if (t[i].tv_nsec < 0 || t[i].tv_nsec >= NANOS_PER_SECOND)
            return -EINVAL;
    status.times.accessed = redox_time(&t[0]);
    if (ARG(2) == sizeof(t)) {
        status.times.modified = redox_time(&t[1]);
        what |= STATUS_MODIFIED;
    }
    return change_status(ARG(0), &status, what);
}

REDOX_CALL(ftruncate)
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    e = file->flags & OPEN_WRITE ? process_check_file_size(ARG(1)) : 0;
    if (!e)
        e = file_resize(file, ARG(1));
    file_put(file);
    return e;
}

REDOX_CALL(fsync)
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    e = file_sync(file, false);
    file_put(file);
    return e;
}

// The descriptor's own name moves to the new path.
static err_t rename_place(struct file *file, struct redox_path *to)
{
    char text[NAME_LENGTH_MAX + 1];
    if (!file->where)
        return -EXDEV;
    if (file->where->removed)
        return -ENOENT;
    (void)name_text(file->where, text);
    struct name *parent = name_parent(&to->view, file->where);
    err_t e = name_rename(&to->view, parent, text, NULL, to->text, 0);
    name_put(parent);
    return redox_path_error(to, e);
}

static err_t rename_to(struct file *file, struct redox_path *to)
{
    if (!to->scheme)
        return file->ops->rename ? -EXDEV : rename_place(file, to);
    if (!file->ops->rename || file->device != to->scheme->device)
        return -EXDEV;
    return file->ops->rename(file, to->rest, to->length);
}

static int64_t with_path(struct trap_frame *f,
                         err_t (*act)(struct file *file, struct redox_path *to))
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    struct redox_path to;
    e = redox_path_begin(&to, ARG(1), ARG(2));
    if (!e)
        e = act(file, &to);
    redox_path_end(&to);
    file_put(file);
    return e;
}

REDOX_CALL(frename)
{
    return with_path(f, rename_to);
}

static err_t link_to(struct file *file, struct redox_path *to)
{
    if (to->scheme && file->ops->link && file->device == to->scheme->device)
        return file->ops->link(file, to->rest, to->length);
    if (!file->where || to->scheme)
        return -EXDEV;
    return redox_path_error(to, name_link(&to->view, file->where, NULL, to->text));
}

REDOX_CALL(flink)
{
    return with_path(f, link_to);
}
