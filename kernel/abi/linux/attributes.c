// SPDX-License-Identifier: GPL-3.0-or-later
// What files are: stat in all forms, access, and changing modes, owners and times.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "lib/string.h"

// Finds the node that (directory, path, flags) mean: a path, or with an empty one the descriptor
// itself.
static err_t find_at(struct linux_path *p, int directory, uaddr_t path, unsigned flags,
                     struct name **where)
{
    err_t e = linux_path_begin(p, directory, path);
    if (e)
        return e;
    unsigned find = (flags & LINUX_AT_SYMLINK_NOFOLLOW ? FIND_NO_FOLLOW : 0) |
                    (flags & LINUX_AT_EMPTY_PATH ? FIND_EMPTY : 0);
    e = name_find(&p->view, p->start, p->text, find, where);
    if (e)
        linux_path_end(p);
    return e;
}

static void stat_fill(struct linux_stat *s, const struct file_status *status)
{
    struct linux_timespec a = linux_timespec_of(status->times.accessed);
    struct linux_timespec m = linux_timespec_of(status->times.modified);
    struct linux_timespec c = linux_timespec_of(status->times.changed);
    *s = (struct linux_stat){
        .device = linux_device(status->device),
        .inode = status->inode,
        .links = status->links,
        .mode = linux_mode(status->kind, status->mode),
        .user = status->user,
        .group = status->group,
        .special = linux_device(status->special),
        .size = (int64_t)status->size,
        .block_size = (int64_t)status->block_size,
        .blocks = (int64_t)status->blocks,
        .accessed = a.seconds,
        .accessed_nanos = a.nanos,
        .modified = m.seconds,
        .modified_nanos = m.nanos,
        .changed = c.seconds,
        .changed_nanos = c.nanos,
    };
}

static err_t status_of_descriptor(int number, struct file_status *status)
{
    struct file *file;
    err_t e = linux_file(number, &file);
    if (e)
        return e;
    e = file_status(file, status);
    file_put(file);
    return e;
}

static err_t status_at(int directory, uaddr_t path, unsigned flags, struct file_status *status)
{
    // The common form of fstat: an empty path and a descriptor that need not have a name.
    if (flags & LINUX_AT_EMPTY_PATH) {
        char first = 0;
        err_t e = path ? user_copy_in(&first, path, 1) : 0;
        if (e)
            return e;
        if (!first && directory != AT_CURRENT)
            return status_of_descriptor(directory, status);
    }
    struct linux_path p;
    struct name *where;
    err_t e = find_at(&p, directory, path, flags, &where);
    if (e)
        return e;
    e = node_status(where->node, status);
    name_put(where);
    linux_path_end(&p);
    return e;
}

static int64_t stat_out(err_t e, const struct file_status *status, uaddr_t to)
{
    struct linux_stat s;
    if (e)
        return e;
    stat_fill(&s, status);
    return user_copy_out(to, &s, sizeof(s));
}

LINUX_CALL(stat)
{
    struct file_status status;
    err_t e = status_at(AT_CURRENT, ARG(0), 0, &status);
    return stat_out(e, &status, ARG(1));
}

LINUX_CALL(lstat)
{
    struct file_status status;
    err_t e = status_at(AT_CURRENT, ARG(0), LINUX_AT_SYMLINK_NOFOLLOW, &status);
    return stat_out(e, &status, ARG(1));
}

LINUX_CALL(fstat)
{
    struct file_status status;
    err_t e = status_of_descriptor(ARG_INT(0), &status);
    return stat_out(e, &status, ARG(1));
}

LINUX_CALL(newfstatat)
{
    enum { NO_AUTOMOUNT = 0x800 };
    unsigned flags = (unsigned)ARG(3);
    if (flags & ~(unsigned)(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH | NO_AUTOMOUNT))
        return -EINVAL;
    struct file_status status;
    err_t e = status_at(ARG_INT(0), ARG(1), flags, &status);
    return stat_out(e, &status, ARG(2));
}

static struct linux_statx_time statx_time(nanos_t t)
{
    struct linux_timespec s = linux_timespec_of(t);
    return (struct linux_statx_time){ s.seconds, (uint32_t)s.nanos, 0 };
}

LINUX_CALL(statx)
{
    enum { BASIC = 0x7ff, BIRTH = 0x800, RESERVED = 0x80000000u, SYNC_KIND = 0x6000, AUTO = 0x800 };
    unsigned flags = (unsigned)ARG(2);
    if ((flags & ~(unsigned)(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH | SYNC_KIND | AUTO)) ||
        (ARG(3) & RESERVED))
        return -EINVAL;
    struct file_status status;
    err_t e = status_at(ARG_INT(0), ARG(1), flags, &status);
    if (e)
        return e;
    struct linux_statx x = {
        .mask = BASIC | BIRTH,
        .block_size = (uint32_t)status.block_size,
        .links = (uint32_t)status.links,
        .user = status.user,
        .group = status.group,
        .mode = (uint16_t)linux_mode(status.kind, status.mode),
        .inode = status.inode,
        .size = status.size,
        .blocks = status.blocks,
        .accessed = statx_time(status.times.accessed),
        .created = statx_time(status.times.created),
        .changed = statx_time(status.times.changed),
        .modified = statx_time(status.times.modified),
        .special_major = (uint32_t)(status.special >> 8),
        .special_minor = (uint32_t)(status.special & 0xff),
        .device_major = (uint32_t)(status.device >> 8),
        .device_minor = (uint32_t)(status.device & 0xff),
    };
    return user_copy_out(ARG(4), &x, sizeof(x));
}

// access() asks with the real ids, unless told to use the effective ones.
static int64_t access_at(int directory, uaddr_t path, unsigned mode, unsigned flags)
{
    if ((mode & ~7u) ||
        (flags & ~(unsigned)(LINUX_AT_EACCESS | LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH)))
        return -EINVAL;
    struct linux_path p;
    struct name *where;
    err_t e = linux_path_begin(&p, directory, path);
    if (e)
        return e;
    if (!(flags & LINUX_AT_EACCESS)) {
        p.view.user = p.hold->user;
        p.view.group = p.hold->group;
        uint64_t as_root = p.hold->user == 0 ? p.hold->permitted : 0;
        p.view.override = as_root >> CAPABILITY_DAC_OVERRIDE & 1;
        p.view.read_override = as_root >> CAPABILITY_DAC_READ_SEARCH & 1;
    }
    unsigned find = (flags & LINUX_AT_SYMLINK_NOFOLLOW ? FIND_NO_FOLLOW : 0) |
                    (flags & LINUX_AT_EMPTY_PATH ? FIND_EMPTY : 0);
    e = name_find(&p.view, p.start, p.text, find, &where);
    if (!e) {
        if (mode)
            e = name_access(&p.view, where, mode);
        name_put(where);
    }
    linux_path_end(&p);
    return e;
}

LINUX_CALL(access)
{
    return access_at(AT_CURRENT, ARG(0), (unsigned)ARG(1), 0);
}

LINUX_CALL(faccessat)
{
    return access_at(ARG_INT(0), ARG(1), (unsigned)ARG(2), 0);
}

LINUX_CALL(faccessat2)
{
    return access_at(ARG_INT(0), ARG(1), (unsigned)ARG(2), (unsigned)ARG(3));
}

static int64_t set_at(int directory, uaddr_t path, unsigned flags, const struct file_status *status,
                      unsigned what)
{
    struct linux_path p;
    struct name *where;
    err_t e = find_at(&p, directory, path, flags, &where);
    if (e)
        return e;
    if (what)
        e = name_set_status(&p.view, where, status, what);
    name_put(where);
    linux_path_end(&p);
    return e;
}

static int64_t set_descriptor(int number, const struct file_status *status, unsigned what)
{
    struct file *file;
    err_t e = linux_file(number, &file);
    if (e)
        return e;
    if (file->flags & OPEN_PATH)
        e = -EBADF;
    else if (!file->ops->set_status && !file->node)
        e = -EINVAL;
    else
        e = view_set_status(file, status, what);
    file_put(file);
    return e;
}

static int64_t change_mode(int directory, uaddr_t path, uint64_t mode)
{
    struct file_status status = { .mode = mode & MODE_PERMISSIONS };
    return set_at(directory, path, 0, &status, STATUS_MODE);
}

LINUX_CALL(chmod)
{
    return change_mode(AT_CURRENT, ARG(0), ARG(1));
}

LINUX_CALL(fchmodat)
{
    return change_mode(ARG_INT(0), ARG(1), ARG(2));
}

LINUX_CALL(fchmod)
{
    struct file_status status = { .mode = ARG(1) & MODE_PERMISSIONS };
    return set_descriptor(ARG_INT(0), &status, STATUS_MODE);
}

// UINT32_MAX leaves an owner as it is.
static unsigned owner_what(struct file_status *status, uint64_t user, uint64_t group)
{
    *status = (struct file_status){ .user = (uint32_t)user, .group = (uint32_t)group };
    return (status->user != UINT32_MAX ? STATUS_USER : 0) |
           (status->group != UINT32_MAX ? STATUS_GROUP : 0);
}

static int64_t change_owner(int directory, uaddr_t path, uint64_t user, uint64_t group,
                            unsigned flags)
{
    if (flags & ~(unsigned)(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
        return -EINVAL;
    struct file_status status;
    unsigned what = owner_what(&status, user, group);
    return set_at(directory, path, flags, &status, what);
}

LINUX_CALL(chown)
{
    return change_owner(AT_CURRENT, ARG(0), ARG(1), ARG(2), 0);
}

LINUX_CALL(lchown)
{
    return change_owner(AT_CURRENT, ARG(0), ARG(1), ARG(2), LINUX_AT_SYMLINK_NOFOLLOW);
}

LINUX_CALL(fchownat)
{
    return change_owner(ARG_INT(0), ARG(1), ARG(2), ARG(3), (unsigned)ARG(4));
}

LINUX_CALL(fchown)
{
    struct file_status status;
    unsigned what = owner_what(&status, ARG(1), ARG(2));
    return set_descriptor(ARG_INT(0), &status, what);
}

// Time stamps as utimensat gives them: two times, each may say "now" or "leave it".
static err_t stamps_in(uaddr_t at, struct file_status *status, unsigned *what)
{
    enum { NOW = (1l << 30) - 1, OMIT = (1l << 30) - 2 };
    nanos_t now = clock_wall();
    nanos_t *to[] = { &status->times.accessed, &status->times.modified };
    static const unsigned bits[] = { STATUS_ACCESSED, STATUS_MODIFIED };
    struct linux_timespec t[2] = { { 0, NOW }, { 0, NOW } };
    *status = (struct file_status){ 0 };
    *what = at ? 0 : STATUS_TIMES_NOW;
    err_t e = at ? user_copy_in(t, at, sizeof(t)) : 0;
    if (e)
        return e;
    if (t[0].nanos == NOW && t[1].nanos == NOW)
        *what = STATUS_TIMES_NOW;
    for (unsigned i = 0; i < 2; i++) {
        if (t[i].nanos == OMIT)
            continue;
        if (t[i].nanos != NOW && (t[i].nanos < 0 || t[i].nanos >= NANOS_PER_SECOND))
            return -EINVAL;
        *to[i] = t[i].nanos == NOW ? now : linux_nanos(t[i].seconds, t[i].nanos);
        *what |= bits[i];
    }
    return 0;
}

LINUX_CALL(utimensat)
{
    struct file_status status;
    unsigned what, flags = (unsigned)ARG(3);
    if (flags & ~(unsigned)(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
        return -EINVAL;
    err_t e = stamps_in(ARG(2), &status, &what);
    if (e)
        return e;
    if (!ARG(1))
        return set_descriptor(ARG_INT(0), &status, what);
    return set_at(ARG_INT(0), ARG(1), flags, &status, what);
}

static int64_t set_two_times(int directory, uaddr_t path, bool now, nanos_t accessed,
                             nanos_t modified)
{
    nanos_t current = clock_wall();
    struct file_status status = { .times = { .accessed = now ? current : accessed,
                                             .modified = now ? current : modified } };
    unsigned what = STATUS_ACCESSED | STATUS_MODIFIED | (now ? STATUS_TIMES_NOW : 0);
    return path || directory == AT_CURRENT ? set_at(directory, path, 0, &status, what)
                                           : set_descriptor(directory, &status, what);
}

LINUX_CALL(utime)
{
    int64_t seconds[2] = { 0 };
    err_t e = ARG(1) ? user_copy_in(seconds, ARG(1), sizeof(seconds)) : 0;
    return e ? e
             : set_two_times(AT_CURRENT, ARG(0), !ARG(1), linux_nanos(seconds[0], 0),
                             linux_nanos(seconds[1], 0));
}

static int64_t set_micros(int directory, uaddr_t path, uaddr_t times)
{
    struct linux_timeval t[2] = { 0 };
    err_t e = times ? user_copy_in(t, times, sizeof(t)) : 0;
    if (e)
        return e;
    if (t[0].micros < 0 || t[0].micros >= 1000000 || t[1].micros < 0 || t[1].micros >= 1000000)
        return -EINVAL;
    return set_two_times(directory, path, !times, linux_nanos(t[0].seconds, t[0].micros * 1000),
                         linux_nanos(t[1].seconds, t[1].micros * 1000));
}

LINUX_CALL(utimes)
{
    return set_micros(AT_CURRENT, ARG(0), ARG(1));
}

LINUX_CALL(futimesat)
{
    return set_micros(ARG_INT(0), ARG(1), ARG(2));
}

LINUX_CALL(truncate)
{
    struct file_status status = { .size = ARG(1) };
    if ((int64_t)ARG(1) < 0)
        return -EINVAL;
    err_t e = process_check_file_size(ARG(1));
    return e ? e : set_at(AT_CURRENT, ARG(0), 0, &status, STATUS_SIZE);
}

static int64_t totals_out(const struct scheme_totals *t, unsigned mount_flags, uaddr_t to)
{
    struct linux_statfs s = {
        .type = (int64_t)t->magic,
        .block_size = (int64_t)t->block_size,
        .blocks = t->blocks,
        .blocks_free = t->blocks_free,
        .blocks_available = t->blocks_free,
        .files = t->nodes,
        .files_free = t->nodes_free,
        .name_length = (int64_t)t->name_max,
        .fragment_size = (int64_t)t->block_size,
        .flags = mount_flags & MOUNT_READ_ONLY,
    };
    return user_copy_out(to, &s, sizeof(s));
}

LINUX_CALL(statfs)
{
    struct linux_path p;
    struct name *where;
    err_t e = find_at(&p, AT_CURRENT, ARG(0), 0, &where);
    if (e)
        return e;
    struct scheme_totals t;
    int64_t result = node_totals(where->node, &t);
    if (!result)
        result = totals_out(&t, where->mount ? where->mount->flags : 0, ARG(1));
    name_put(where);
    linux_path_end(&p);
    return result;
}

LINUX_CALL(fstatfs)
{
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    struct scheme_totals t;
    int64_t result = file->node || file->ops->totals ? file_totals(file, &t) : -ENOSYS;
    if (!result)
        result = totals_out(&t, 0, ARG(1));
    file_put(file);
    return result;
}
