// SPDX-License-Identifier: GPL-3.0-or-later
// The cache of names and the walk along a path: what the files of this room share. (Others:
// node.h.)
//
// A name in the cache is found by its parent and text. Its part of the cache (names_part) has a
// spin lock (RANK_NAMES) that guards: being in the cache, `mounted`, `mounted_on`, the step of
// `references` to and from 0, and text, parent and hash, which change when it is moved (then the
// locks of the old and the new part are held, and the one lock of all moves). Names nobody holds
// stay in the cache as long as their part is within its bounds.
#pragma once
#include "kernel/scheme/node.h"

void names_init(void);
void file_init(void);
void node_init(void);

uint32_t names_hash(const struct name *parent, const char *text, size_t length);
// The cached name, with a reference; NULL: not known.
struct name *names_find(struct name *parent, const char *text, size_t length, uint32_t hash);
// A new name with one reference, not in the cache; takes references on parent and node (may be
// NULL).
struct name *names_make(struct name *parent, const char *text, size_t length, uint32_t hash,
                        struct node *node, struct mount *mount) must_check;
void names_add(struct name *n); // puts it into the cache; its parent's node is locked
void names_forget(
    struct name *n); // takes it out and marks it removed; the caller holds a reference
void names_fill(struct name *n, struct node *node); // a known absence becomes a thing
// a and b change places (parent and text). One of them may be out of the cache and stays so. The
// nodes of both parents are locked.
void names_swap(struct name *a, struct name *b);
// Gives back all unused names of the mount; the second: of all.
void names_prune(const struct mount *m);
void names_prune_all(void);

// `n` or what is mounted over it, with a reference; the reference on n moves in.
struct name *names_over(struct name *n);
// Hangs a mount's root over `at`, or takes it away. -ENOENT: `at` was removed.
err_t names_mount(struct name *at, struct name *root) must_check;
void names_unmount(struct name *root);
// The parent of a name with a reference (NULL: none) and its text, both of one moment.
struct name *names_up(struct name *n, char text[NAME_LENGTH_MAX + 1], size_t *length);
// What a mount's root covers, with a reference; NULL: nothing.
struct name *names_under(struct name *root);
// Counts moves, for who wants to read many places as of one moment.
uint32_t names_moves(void);
// True when `n` is `above` or lies below it within the same mount. Needs the scheme's move lock.
bool names_below(const struct name *n, const struct name *above);

// A walk along a path. After walk_begin(), walk_part() takes the next component into `part` and
// walk_step() goes there.
struct walk {
    const struct view *view;
    struct name *root; // `..` does not go above it
    struct name *at;
    unsigned flags; // enum find_flag
    unsigned links; // followed so far
    char *buffer;   // owns `rest` once a link was followed
    const char *rest;
    const char *part;
    uint16_t part_length;
    bool last;  // nothing follows `part`
    bool slash; // but slashes
};

err_t walk_begin(struct walk *w, const struct view *v, struct name *start, const char *path,
                 unsigned flags) must_check;
void walk_end(struct walk *w);
// Takes the next component; part_length 0: there is none.
err_t walk_part(struct walk *w) must_check;
err_t walk_step(struct walk *w, bool follow) must_check;
// Goes on at the target of a link, which is a child of w->at; its text replaces `part`.
err_t walk_link(struct walk *w, struct name *link) must_check;
// Goes to the last component's parent, which is a directory that may be searched.
err_t walk_to_parent(struct walk *w) must_check;
bool walk_part_is_dots(const struct walk *w); // "." or ".."
// -ENOENT where the next component names a scheme that the view's name space does not have.
err_t walk_may_name(const struct walk *w) must_check;

// A child of a directory, known to be absent (node NULL) or not, with a reference, before any mount
// over it. The second: the directory's node is locked already.
err_t names_child(struct name *dir, const char *text, size_t length, struct name **child)
    must_check;
err_t names_child_locked(struct name *dir, const char *text, size_t length, struct name **child)
    must_check;

// Opens what a name stands for, with all checks. `made`: just now, by this very call.
err_t name_open_place(const struct view *v, struct name *where, unsigned flags, bool made,
                      struct file **file) must_check;

struct mount *mount_root(void);
void mount_free(struct mount *m); // when its root name goes
void schemes_init(void);
void mounts_init(struct scheme *scheme, struct node *root); // takes the reference on scheme
// The scheme itself, or a new instance of one that is made for each mount, with its root node.
err_t scheme_instance(struct scheme *s, const char *source, const char *options,
                      struct scheme **instance, struct node **root) must_check;
// For name spaces: a scheme's number and first reference, before it can be found.
void scheme_prepare(struct scheme *s);
struct scheme *scheme_of_tree(void);  // "file", without a reference
struct name *schemes_directory(void); // the root of the tree of schemes, without a reference
