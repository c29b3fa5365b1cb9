// SPDX-License-Identifier: GPL-3.0-or-later
// Calls that take a path: open in all its meanings, remove, link.
#include "kernel/abi/redox/paths.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"
#include "kernel/scheme/path_scheme.h"

enum { MODE_UMASKED = 0777 };

// What the Linux tree's own open does not know: mkdir, and links as files. Flags as
// redox_open_flags gives them.
static err_t open_in_tree(struct redox_path *p, struct name *start, unsigned flags, unsigned mode,
                          struct file **file)
{
    const struct view *v = &p->view;
    unsigned make_directory = OPEN_CREATE | OPEN_DIRECTORY;
    if (flags & OPEN_LINK && flags & OPEN_CREATE)
        return redox_link_make(v, start, p->text, flags & ~(unsigned)OPEN_LINK, file);
    if ((flags & make_directory) == make_directory) {
        err_t e = name_make(v, start, p->text, NODE_DIRECTORY, mode, 0, NULL);
        if (e && (e != -EEXIST || flags & OPEN_EXCLUSIVE))
            return e;
        flags &= ~(unsigned)(OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE | OPEN_WRITE);
    }
    if (flags & OPEN_LINK) {
        flags &= ~(unsigned)OPEN_LINK;
        struct name *where;
        err_t e = name_find(v, start, p->text, FIND_NO_FOLLOW, &where);
        if (e)
            return e;
        bool is_link = where->node->kind == NODE_LINK && !(flags & OPEN_PATH);
        if (is_link)
            e = redox_link_read(where, flags, file);
        name_put(where);
        if (e || is_link)
            return e;
        flags |= OPEN_NO_FOLLOW;
    }
    return name_open(v, start, p->text, flags, mode, 0, file);
}

err_t redox_open_path(struct redox_path *p, struct name *start, uint64_t theirs, struct file **file)
{
    unsigned flags = redox_open_flags(theirs), mode = (unsigned)theirs & REDOX_O_MODE;
    if (!p->scheme)
        return redox_path_error(p, open_in_tree(p, start, flags, mode, file));
    mode &= ~(unsigned)(p->view.umask & MODE_UMASKED);
    return path_scheme_open(p->scheme, &p->view, p->rest, p->length, flags, mode, file);
}

REDOX_CALL(open)
{
    struct redox_path p;
    struct file *file = NULL;
    err_t e = redox_path_begin(&p, ARG(0), ARG(1));
    if (!e)
        e = redox_open_path(&p, NULL, ARG(2), &file);
    redox_path_end(&p);
    return e ? e : redox_add_file(file, ARG(2) & REDOX_O_CLOEXEC, 0);
}

err_t redox_remove_path(struct redox_path *p, struct name *start, bool directory)
{
    if (!p->scheme)
        return redox_path_error(p, name_remove(&p->view, start, p->text, directory));
    const struct scheme_ops *ops = p->scheme->ops;
    return ops->remove_path ? ops->remove_path(p->scheme, &p->view, p->rest, p->length, directory)
                            : -EACCES;
}

static int64_t remove_call(uaddr_t path, uint64_t size, bool directory)
{
    struct redox_path p;
    err_t e = redox_path_begin(&p, path, size);
    if (!e)
        e = redox_remove_path(&p, NULL, directory);
    redox_path_end(&p);
    return e;
}

REDOX_CALL(rmdir)
{
    return remove_call(ARG(0), ARG(1), true);
}

REDOX_CALL(unlink)
{
    return remove_call(ARG(0), ARG(1), false);
}
