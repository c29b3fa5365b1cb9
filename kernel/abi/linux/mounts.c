// SPDX-License-Identifier: GPL-3.0-or-later
// mount and umount: Linux's names of file systems are names of schemes.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "lib/string.h"

enum {
    MS_RDONLY = 1,
    MS_NOSUID = 2,
    MS_NODEV = 4,
    MS_NOEXEC = 8,
    MS_REMOUNT = 32,
    MS_NOATIME = 1024,
    MS_BIND = 4096,
    MS_MOVE = 8192,
    MS_REC = 16384,
    MS_PRIVATE = 1 << 18,
    MS_SLAVE = 1 << 19,
    MS_SHARED = 1 << 20,
    MNT_FORCE = 1,
    MNT_DETACH = 2,
};

// What Linux calls a file system, and the scheme that answers.
static const struct {
    const char *theirs, *scheme;
} kinds[] = {
    { "tmpfs", "tmp" }, { "ramfs", "tmp" },  { "devtmpfs", "dev" },
    { "proc", "proc" }, { "devpts", "pts" }, { "sysfs", "sysfs" },
};

static const char *scheme_of(const char *kind)
{
    for (size_t i = 0; i < array_len(kinds); i++) {
        if (!strcmp(kinds[i].theirs, kind))
            return kinds[i].scheme;
    }
    return kind;
}

static unsigned flags_of(uint64_t flags)
{
    return (flags & MS_RDONLY ? MOUNT_READ_ONLY : 0) | (flags & MS_NOSUID ? MOUNT_NO_SUID : 0) |
           (flags & MS_NODEV ? MOUNT_NO_DEVICES : 0) | (flags & MS_NOEXEC ? MOUNT_NO_EXECUTE : 0) |
           (flags & MS_NOATIME ? MOUNT_NO_TIMES : 0);
}

// A string that may be left out: *text is NULL then; heap_free() it.
static err_t text_in(uaddr_t from, char **text)
{
    size_t length;
    *text = NULL;
    if (!from)
        return 0;
    *text = heap_alloc(PATH_LENGTH_MAX);
    if (!*text)
        return -ENOMEM;
    return user_string_in(*text, from, PATH_LENGTH_MAX, &length);
}

static err_t mount_with(const struct view *v, const char *source, const char *path,
                        const char *kind, uint64_t flags, const char *options)
{
    if (flags & MS_REMOUNT)
        return mount_change(v, path, flags_of(flags));
    if (flags & (MS_PRIVATE | MS_SLAVE | MS_SHARED))
        return 0; // there is one name space, so nothing is propagated
    if (flags & MS_BIND)
        return source ? mount_bind(v, source, path, flags & MS_REC) : -EINVAL;
    if ((flags & MS_MOVE) || !kind)
        return -EINVAL;
    return mount_add(v, source ? source : "none", path, scheme_of(kind), flags_of(flags), options);
}

LINUX_CALL(mount)
{
    char *source = NULL, *path = NULL, *kind = NULL, *options = NULL;
    if (!process_has(CAPABILITY_SYS_ADMIN))
        return -EPERM;
    err_t e = text_in(ARG(0), &source);
    if (!e)
        e = text_in(ARG(1), &path);
    if (!e)
        e = text_in(ARG(2), &kind);
    if (!e)
        e = text_in(ARG(4), &options);
    if (!e && !path)
        e = -EFAULT;
    if (!e) {
        struct view v;
        struct credentials *hold;
        view_begin(&v, &hold);
        e = mount_with(&v, source, path, kind, ARG(3), options);
        view_end(&v, hold);
    }
    heap_free(source);
    heap_free(path);
    heap_free(kind);
    heap_free(options);
    return e;
}

LINUX_CALL(umount2)
{
    struct linux_path p;
    if (!process_has(CAPABILITY_SYS_ADMIN))
        return -EPERM;
    if (ARG(1) & ~(uint64_t)(MNT_FORCE | MNT_DETACH | 4 | 8))
        return -EINVAL;
    err_t e = linux_path_begin(&p, AT_CURRENT, ARG(0));
    if (e)
        return e;
    e = mount_remove(&p.view, p.text, ARG(1) & MNT_DETACH);
    linux_path_end(&p);
    return e;
}
