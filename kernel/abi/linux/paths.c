// SPDX-License-Identifier: GPL-3.0-or-later
// Calls on names: open, make, remove, rename, link, and where a process stands in the tree.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"

// The place of the directory that a descriptor is, with a reference.
static err_t place_of_descriptor(int directory, struct name **place)
{
    struct file *file;
    err_t e = linux_file(directory, &file);
    if (e)
        return e;
    if (file->where)
        name_get(*place = file->where);
    else
        e = -ENOTDIR;
    file_put(file);
    return e;
}

err_t linux_path_begin(struct linux_path *p, int directory, uaddr_t path)
{
    size_t length;
    *p = (struct linux_path){ .text = heap_alloc(PATH_LENGTH_MAX) };
    if (!p->text)
        return -ENOMEM;
    err_t e = user_string_in(p->text, path, PATH_LENGTH_MAX, &length);
    if (e)
        goto free_text;
    view_begin(&p->view, &p->hold);
    if (directory == AT_CURRENT || p->text[0] == '/')
        return 0;

    e = place_of_descriptor(directory, &p->start);
    if (!e)
        return 0;
    view_end(&p->view, p->hold);
free_text:
    heap_free(p->text);
    return e;
}

void linux_path_end(struct linux_path *p)
{
    if (p->start)
        name_put(p->start);
    view_end(&p->view, p->hold);
    heap_free(p->text);
}

// An unnamed file is made by O_TMPFILE alone: whole, writable, and not by O_CREAT as well.
static bool unnamed_wrong(uint64_t flags)
{
    const unsigned unnamed = LINUX_O_TMPFILE & ~LINUX_O_DIRECTORY;
    return flags & unnamed && ((flags & (LINUX_O_TMPFILE | LINUX_O_CREAT)) != LINUX_O_TMPFILE ||
                               !(flags & LINUX_O_ACCESS));
}

static int64_t open_at(int directory, uaddr_t path, unsigned flags, unsigned mode)
{
    struct linux_path p;
    struct file *file;
    if (!(flags & LINUX_O_PATH) && unnamed_wrong(flags))
        return -EINVAL;
    err_t e = linux_path_begin(&p, directory, path);
    if (e)
        return e;
    e = name_open(&p.view, p.start, p.text, linux_open_flags(flags), mode & MODE_PERMISSIONS, 0,
                  &file);
    linux_path_end(&p);
    return e ? e : linux_add_file(file, flags & LINUX_O_CLOEXEC, 0);
}

LINUX_CALL(open)
{
    return open_at(AT_CURRENT, ARG(0), (unsigned)ARG(1), (unsigned)ARG(2));
}

LINUX_CALL(openat)
{
    return open_at(ARG_INT(0), ARG(1), (unsigned)ARG(2), (unsigned)ARG(3));
}

// openat2(2) refuses what open() passes over.
static err_t how_check(const struct linux_open_how *h)
{
    enum { KNOWN = 037777703, PLACE = LINUX_O_PATH | LINUX_O_CLOEXEC | LINUX_O_DIRECTORY };
    bool makes = h->flags & LINUX_O_CREAT || (h->flags & LINUX_O_TMPFILE & ~LINUX_O_DIRECTORY) != 0;
    if ((h->flags & ~(uint64_t)KNOWN) || (h->resolve & ~(uint64_t)RESOLVE_ALL) ||
        (h->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) == (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
        return -EINVAL;
    if (makes ? h->mode & ~(uint64_t)MODE_PERMISSIONS : h->mode != 0)
        return -EINVAL;
    if (unnamed_wrong(h->flags))
        return -EINVAL;
    if ((h->flags & LINUX_O_PATH) && (h->flags & ~(uint64_t)(PLACE | LINUX_O_NOFOLLOW)))
        return -EINVAL;
    if ((h->resolve & RESOLVE_CACHED) && (makes || h->flags & LINUX_O_TRUNC))
        return -EAGAIN;
    return 0;
}

// Where a path starts that must not leave its directory: there, also when it is absolute.
static err_t start_in(struct linux_path *p, int directory)
{
    if (p->start)
        return 0;
    if (directory == AT_CURRENT) {
        p->start = p->view.here;
        name_get(p->start);
        return 0;
    }
    return place_of_descriptor(directory, &p->start);
}

LINUX_CALL(openat2)
{
    static const struct {
        unsigned resolve, find;
    } finds[] = {
        { RESOLVE_NO_XDEV, FIND_NO_CROSS },     { RESOLVE_NO_MAGICLINKS, FIND_NO_MAGIC },
        { RESOLVE_NO_SYMLINKS, FIND_NO_LINKS }, { RESOLVE_BENEATH, FIND_BENEATH },
        { RESOLVE_IN_ROOT, FIND_IN_ROOT },
    };
    struct linux_open_how how;
    struct linux_path p;
    struct file *file;
    if (ARG(3) < sizeof(how) || ARG(3) > PAGE_SIZE)
        return ARG(3) < sizeof(how) ? -EINVAL : -E2BIG;
    err_t e = linux_struct_in(&how, sizeof(how), ARG(2), ARG(3));
    if (!e)
        e = how_check(&how);
    if (!e)
        e = linux_path_begin(&p, ARG_INT(0), ARG(1));
    if (e)
        return e;
    unsigned find = 0;
    for (size_t i = 0; i < array_len(finds); i++)
        find |= how.resolve & finds[i].resolve ? finds[i].find : 0u;
    if (find & (FIND_BENEATH | FIND_IN_ROOT))
        e = start_in(&p, ARG_INT(0));
    if (!e)
        e = name_open(&p.view, p.start, p.text, linux_open_flags((unsigned)how.flags),
                      (unsigned)how.mode, find, &file);
    linux_path_end(&p);
    return e ? e : linux_add_file(file, how.flags & LINUX_O_CLOEXEC, 0);
}

LINUX_CALL(creat)
{
    return open_at(AT_CURRENT, ARG(0), LINUX_O_CREAT | LINUX_O_TRUNC | 1, (unsigned)ARG(1));
}

static int64_t make_at(int directory, uaddr_t path, enum node_kind kind, unsigned mode,
                       uint64_t device, const char *target)
{
    struct linux_path p;
    err_t e = linux_path_begin(&p, directory, path);
    if (e)
        return e;
    e = name_make(&p.view, p.start, p.text, kind, mode & MODE_PERMISSIONS, device, target);
    linux_path_end(&p);
    return e;
}

LINUX_CALL(mkdir)
{
    return make_at(AT_CURRENT, ARG(0), NODE_DIRECTORY, (unsigned)ARG(1), 0, NULL);
}

LINUX_CALL(mkdirat)
{
    return make_at(ARG_INT(0), ARG(1), NODE_DIRECTORY, (unsigned)ARG(2), 0, NULL);
}

static int64_t make_node(int directory, uaddr_t path, unsigned mode, uint64_t device)
{
    enum node_kind kind = mode >> 12 & 15;
    if (kind == NODE_UNKNOWN)
        kind = NODE_FILE;
    if (kind != NODE_FILE && kind != NODE_PIPE && kind != NODE_SOCKET && kind != NODE_CHARACTER &&
        kind != NODE_BLOCK)
        return kind == NODE_DIRECTORY ? -EPERM : -EINVAL;
    if ((kind == NODE_CHARACTER || kind == NODE_BLOCK) && !process_has(CAPABILITY_SYS_ADMIN))
        return -EPERM;
    return make_at(directory, path, kind, mode, device & 0xfffff, NULL);
}

LINUX_CALL(mknod)
{
    return make_node(AT_CURRENT, ARG(0), (unsigned)ARG(1), ARG(2));
}

LINUX_CALL(mknodat)
{
    return make_node(ARG_INT(0), ARG(1), (unsigned)ARG(2), ARG(3));
}

static int64_t symlink_at(uaddr_t target, int directory, uaddr_t path)
{
    char *text = heap_alloc(PATH_LENGTH_MAX);
    size_t length;
    if (!text)
        return -ENOMEM;
    int64_t result = user_string_in(text, target, PATH_LENGTH_MAX, &length);
    if (!result && length == 0)
        result = -ENOENT;
    if (!result)
        result = make_at(directory, path, NODE_LINK, 0777, 0, text);
    heap_free(text);
    return result;
}

LINUX_CALL(symlink)
{
    return symlink_at(ARG(0), AT_CURRENT, ARG(1));
}

LINUX_CALL(symlinkat)
{
    return symlink_at(ARG(0), ARG_INT(1), ARG(2));
}

static int64_t remove_at(int directory, uaddr_t path, bool is_directory)
{
    struct linux_path p;
    err_t e = linux_path_begin(&p, directory, path);
    if (e)
        return e;
    e = name_remove(&p.view, p.start, p.text, is_directory);
    linux_path_end(&p);
    return e;
}

LINUX_CALL(unlink)
{
    return remove_at(AT_CURRENT, ARG(0), false);
}

LINUX_CALL(rmdir)
{
    return remove_at(AT_CURRENT, ARG(0), true);
}

LINUX_CALL(unlinkat)
{
    unsigned flags = (unsigned)ARG(2);
    if (flags & ~(unsigned)LINUX_AT_REMOVEDIR)
        return -EINVAL;
    return remove_at(ARG_INT(0), ARG(1), flags & LINUX_AT_REMOVEDIR);
}

static int64_t rename_at(int from, uaddr_t path, int to, uaddr_t new_path, unsigned flags)
{
    struct linux_path old, new;
    if (flags & ~(unsigned)(RENAME_NO_REPLACE_F | RENAME_EXCHANGE_F) ||
        flags == (RENAME_NO_REPLACE_F | RENAME_EXCHANGE_F))
        return -EINVAL;
    err_t e = linux_path_begin(&old, from, path);
    if (e)
        return e;
    e = linux_path_begin(&new, to, new_path);
    if (!e) {
        e = name_rename(&old.view, old.start, old.text, new.start, new.text, flags);
        linux_path_end(&new);
    }
    linux_path_end(&old);
    return e;
}

LINUX_CALL(rename)
{
    return rename_at(AT_CURRENT, ARG(0), AT_CURRENT, ARG(1), 0);
}

LINUX_CALL(renameat)
{
    return rename_at(ARG_INT(0), ARG(1), ARG_INT(2), ARG(3), 0);
}

LINUX_CALL(renameat2)
{
    return rename_at(ARG_INT(0), ARG(1), ARG_INT(2), ARG(3), (unsigned)ARG(4));
}

static int64_t link_at(int from, uaddr_t path, int to, uaddr_t new_path, unsigned flags)
{
    struct linux_path old, new;
    struct name *where;
    if (flags & ~(unsigned)(LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH))
        return -EINVAL;
    err_t e = linux_path_begin(&old, from, path);
    if (e)
        return e;
    unsigned find = (flags & LINUX_AT_SYMLINK_FOLLOW ? 0 : FIND_NO_FOLLOW) |
                    (flags & LINUX_AT_EMPTY_PATH ? FIND_EMPTY : 0);
    e = name_find(&old.view, old.start, old.text, find, &where);
    if (e)
        goto end_old;
    e = linux_path_begin(&new, to, new_path);
    if (!e) {
        e = name_link(&old.view, where, new.start, new.text);
        linux_path_end(&new);
    }
    name_put(where);
end_old:
    linux_path_end(&old);
    return e;
}

LINUX_CALL(link)
{
    return link_at(AT_CURRENT, ARG(0), AT_CURRENT, ARG(1), 0);
}

LINUX_CALL(linkat)
{
    return link_at(ARG_INT(0), ARG(1), ARG_INT(2), ARG(3), (unsigned)ARG(4));
}

static int64_t read_link(int directory, uaddr_t path, uaddr_t to, uint64_t room)
{
    struct linux_path p;
    struct name *where;
    size_t length = 0;
    if ((int64_t)room <= 0)
        return -EINVAL;
    err_t e = linux_path_begin(&p, directory, path);
    if (e)
        return e;
    e = name_find(&p.view, p.start, p.text, FIND_NO_FOLLOW | FIND_EMPTY, &where);
    if (!e) {
        e = name_read_link(&p.view, where, p.text, PATH_LENGTH_MAX, &length);
        name_put(where);
    }
    length = min_of(length, (size_t)room);
    if (!e)
        e = user_copy_out(to, p.text, length);
    linux_path_end(&p);
    return e ? e : (int64_t)length;
}

LINUX_CALL(readlink)
{
    return read_link(AT_CURRENT, ARG(0), ARG(1), ARG(2));
}

LINUX_CALL(readlinkat)
{
    return read_link(ARG_INT(0), ARG(1), ARG(2), ARG(3));
}

static int64_t change_place(uaddr_t path, struct name **which)
{
    struct linux_path p;
    err_t e = linux_path_begin(&p, AT_CURRENT, path);
    if (e)
        return e;
    e = place_enter(&p.view, p.text, which);
    linux_path_end(&p);
    return e;
}

LINUX_CALL(chdir)
{
    return change_place(ARG(0), &process_current()->place->here);
}

LINUX_CALL(chroot)
{
    if (!process_has(CAPABILITY_SYS_CHROOT))
        return -EPERM;
    return change_place(ARG(0), &process_current()->place->root);
}

LINUX_CALL(fchdir)
{
    struct file *file;
    err_t e = linux_file(ARG_INT(0), &file);
    if (e)
        return e;
    struct view v;
    struct credentials *hold;
    view_begin(&v, &hold);
    if (!file->where || !file->node || file->node->kind != NODE_DIRECTORY)
        e = -ENOTDIR;
    else
        e = name_access(&v, file->where, ACCESS_EXECUTE);
    view_end(&v, hold);
    if (!e) {
        name_get(file->where);
        place_set(&process_current()->place->here, file->where);
    }
    file_put(file);
    return e;
}

LINUX_CALL(getcwd)
{
    char *text = heap_alloc(PATH_LENGTH_MAX);
    if (!text)
        return -ENOMEM;
    struct view v;
    struct credentials *hold;
    size_t length;
    view_begin(&v, &hold);
    err_t e = name_path(&v, v.here, false, text, PATH_LENGTH_MAX, &length);
    view_end(&v, hold);
    if (!e)
        e = length + 1 > ARG(1) ? -ERANGE : user_copy_out(ARG(0), text, length + 1);
    heap_free(text);
    return e ? e : (int64_t)length + 1;
}

LINUX_CALL(umask)
{
    struct place *place = process_current()->place;
    return __atomic_exchange_n(&place->umask, (uint16_t)(ARG(0) & 0777), __ATOMIC_RELAXED);
}

// What getdents hands out: entries packed into the caller's buffer until one does not fit.
struct dirent_sink {
    struct directory_sink sink;
    uaddr_t to;
    uint64_t left, done;
    err_t error;
    bool old; // the kind stands in the last byte, the name where else the kind would
};

static bool take_entry(struct directory_sink *sink, const char *name, size_t length, uint64_t inode,
                       unsigned kind, uint64_t next_offset)
{
    struct dirent_sink *s = container_of(sink, struct dirent_sink, sink);
    uint64_t size = round_up(sizeof(struct linux_dirent64) + length + 1, 8);
    if (size > s->left) {
        if (s->done == 0)
            s->error = -EINVAL;
        return false;
    }
    union {
        struct linux_dirent64 entry;
        char bytes[round_up(sizeof(struct linux_dirent64) + NAME_LENGTH_MAX + 1, 8)];
    } out;
    if (size > sizeof(out))
        return true;                              // a name that no directory of ours can hold
    __builtin_memset(out.bytes + size - 8, 0, 8); // the name's end, and what fills up
    out.entry.inode = inode;
    out.entry.next_offset = (int64_t)next_offset;
    out.entry.length = (uint16_t)size;
    out.entry.kind = (uint8_t)kind;
    if (s->old) {
        __builtin_memcpy(&out.entry.kind, name, length);
        out.bytes[offsetof(struct linux_dirent64, kind) + length] = '\0';
        out.bytes[size - 1] = (char)kind;
    } else {
        __builtin_memcpy(out.entry.name, name, length);
    }
    s->error = user_copy_out(s->to + s->done, &out, size);
    if (s->error)
        return false;
    s->done += size;
    s->left -= size;
    return true;
}

static int64_t list(int number, uaddr_t to, uint64_t room, bool old)
{
    struct file *file;
    err_t e = linux_file(number, &file);
    if (e)
        return e;
    struct dirent_sink s = { .sink.entry = take_entry, .to = to, .left = room, .old = old };
    e = file_list(file, &s.sink);
    file_put(file);
    if (s.done)
        return (int64_t)s.done;
    return e ? e : s.error;
}

LINUX_CALL(getdents64)
{
    return list(ARG_INT(0), ARG(1), (uint32_t)ARG(2), false);
}

LINUX_CALL(getdents)
{
    return list(ARG_INT(0), ARG(1), (uint32_t)ARG(2), true);
}
