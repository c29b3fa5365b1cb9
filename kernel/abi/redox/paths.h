// SPDX-License-Identifier: GPL-3.0-or-later
// Redox's paths: from bytes in user memory to a name that the kernel's calls take.
//
//   struct redox_path p;
//   err_t e = redox_path_begin(&p, ARG(0), ARG(1));
//   if (!e)
//       e = name_remove(&p.view, NULL, p.text, false);
//   redox_path_end(&p);                                 in any case
//
// All spellings of a name become two: "NAME:rest" of a scheme that takes its paths whole (`scheme`
// is set, with a reference, and `rest` is its part), or an absolute path of the Linux tree.
#pragma once
#include "kernel/abi/redox/redox.h"

struct redox_path {
    char *text;
    struct view view; // the caller's
    struct credentials *hold;
    struct scheme *scheme; // NULL: a place in the tree
    char *rest;            // of the scheme's path; a heap block
    size_t length;         // of rest
};
// -ENAMETOOLONG, -EINVAL (not UTF-8, relative), -ENODEV (no such scheme), -EFAULT, -ENOMEM.
err_t redox_path_begin(struct redox_path *p, uaddr_t path, uint64_t size) must_check;
void redox_path_end(struct redox_path *p);
// -ENODEV where a path of the tree was not found because "/scheme/NAME" names no scheme.
err_t redox_path_error(const struct redox_path *p, err_t e);

// open.c: `flags` as programs give them; `start` (NULL: none) is where a relative path begins.
err_t redox_open_path(struct redox_path *p, struct name *start, uint64_t flags, struct file **file)
    must_check;
err_t redox_remove_path(struct redox_path *p, struct name *start, bool directory) must_check;

// links.c: symbolic links as files. One that is read, and one that is made by the first write;
// `flags` are those the file keeps. -EEXIST: there is something already.
err_t redox_link_read(struct name *link, unsigned flags, struct file **file) must_check;
err_t redox_link_make(const struct view *v, struct name *start, const char *path, unsigned flags,
                      struct file **file) must_check;

// directories.c: reading and seeking in a directory as text, one name in each line.
// Files of user schemes can be listed, but what reading gives is the server's business.
static inline bool redox_is_directory(const struct file *f)
{
    return f->ops->list && !f->ops->keeps_offset && !(f->flags & OPEN_PATH);
}
len_t redox_directory_read(struct file *f, struct io *io);
err_t redox_directory_seek(struct file *f, int64_t by, enum seek_from from, uint64_t *result)
    must_check;
// getdents, with the kinds of entries left unsaid, or as 0.5.4 or 0.5.18 numbers them.
enum redox_kinds { REDOX_KINDS_UNSAID, REDOX_KINDS_FIRST, REDOX_KINDS_LATER };
int64_t redox_entries(uint64_t number, uaddr_t to, uint64_t size, uint64_t opaque,
                      enum redox_kinds kinds);

// files.c: puts a file (its reference is used up in any case) at the lowest free number >= `least`,
// or at `number`, which must be free (-EEXIST).
int64_t redox_add_file(struct file *file, bool close_on_exec, int least);
int64_t redox_put_file(struct file *file, bool close_on_exec, uint64_t number);
