// SPDX-License-Identifier: GPL-3.0-or-later
// Schemes whose names are not a tree: they get all that follows "NAME:" at once and decide what it
// means ("time:4", "orbital:-/0/0/640/480/a: b//c", every user scheme).
//
// Such a scheme has `open_path` (node.h). name_open() hands it the rest of the path: raw where the
// name was spelt "NAME:rest", without empty parts, "." and ".." where it was "/scheme/NAME/rest".
// For look-ups without opening (stat by the Linux ABI, symbolic links into /scheme) `root` is
// path_scheme_root(): nodes that stand for a path and open it when they are asked.
#pragma once
#include "kernel/scheme/node.h"

// Opens what a path scheme calls `path`. `mode` has lost the umask already.
err_t path_scheme_open(struct scheme *s, const struct view *v, const char *path, size_t length,
                       unsigned flags, unsigned mode, struct file **file) must_check;

// For scheme_ops.root.
err_t path_scheme_root(struct scheme *s, const char *source, const char *options,
                       struct node **root) must_check;

// Takes a path apart when it begins with the name of a path scheme: *scheme with a reference, and
// the rest, a heap block of the caller's. *scheme NULL: an ordinary path. -ENODEV: "NAME:" of a
// scheme that the view's name space does not have.
err_t path_scheme_split(const struct view *v, const char *path, unsigned find_flags,
                        struct scheme **scheme, char **rest, size_t *length) must_check;

void memory_scheme_init(void); // memory_scheme.c: registers "memory"

// The Linux calls on paths, of path schemes. *done false: the path is not one of theirs.
err_t path_scheme_remove(const struct view *v, const char *path, bool directory, bool *done)
    must_check;
err_t path_scheme_make(const struct view *v, const char *path, enum node_kind kind, unsigned mode,
                       bool *done) must_check;
err_t path_scheme_rename(const struct view *v, const char *path, const char *new_path, bool *done)
    must_check;
