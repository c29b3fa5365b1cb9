// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernel's own path schemes have in common: open files that know their path, files of
// fixed text, and listings.
//
//   if (flags & OPEN_PATH)
//       return handle_place(s, path, NODE_CHARACTER, 0666, flags, file);
//   ... make `data` ...
//   return handle_make(s, &time_files, path, NODE_CHARACTER, 0666, flags, data, file);
//
// Each handle has a node of its own, so that status, locks and owners work as for any file; but the
// inode's number comes from the path (unless the scheme opens_anew). Its
// path reads "SCHEME:path" (handle_path, for file_ops.path; files with a place in the tree show
// that). Flags that only say how to open are not kept. Thread context.
#pragma once
#include "kernel/scheme/node.h"

// `path` is copied. `data` stays the caller's when it fails.
err_t handle_make(struct scheme *s, const struct file_ops *ops, const char *path,
                  enum node_kind kind, unsigned mode, unsigned flags, void *data,
                  struct file **file) must_check;
// The node alone, for files that another room makes (with file_ops.path that calls handle_path).
err_t handle_node(struct scheme *s, const char *path, enum node_kind kind, unsigned mode,
                  struct node **node) must_check;
err_t handle_path(struct file *f, char *to, size_t room, size_t *length);
// The path after "SCHEME:"; lives as long as the file.
const char *handle_rest(const struct file *f);

// For OPEN_PATH: only status and path.
err_t handle_place(struct scheme *s, const char *path, enum node_kind kind, unsigned mode,
                   unsigned flags, struct file **file) must_check;

// A file whose bytes are these. `text`, a heap block, moves in also when it fails. Never written:
// OPEN_WRITE is taken off, so that writing gives -EBADF.
err_t handle_text(struct scheme *s, const char *path, unsigned mode, unsigned flags, char *text,
                  size_t length, struct file **file) must_check;

// A directory whose entries are the lines of a text (as handle_text). What is listed is of the kind
// `entries`.
err_t handle_listing(struct scheme *s, const char *path, unsigned mode, unsigned flags,
                     enum node_kind entries, char *text, size_t length, struct file **file)
    must_check;

// scheme_register() for what there must be: a failure is logged.
void handle_scheme_add(struct scheme *s);
