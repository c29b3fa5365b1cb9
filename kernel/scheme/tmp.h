// SPDX-License-Identifier: GPL-3.0-or-later
// tmpfs: the tree of files that live in memory only. Scheme "tmp"; "dev" uses its nodes too.
//
// A file's pages are those of its memory object, so mappings and read/write see the same bytes. A
// directory is a hash table of entries, and a tree of them by their position, which an entry keeps
// as long as it lives: a listing is stable whatever is made or removed meanwhile. Locks: node->lock
// guards a directory's entries and a file's size. Mount options: size= (bytes, with k, m, g, or a
// percentage of memory), nr_inodes=, mode=, uid=, gid=.
#pragma once
#include "kernel/scheme/node.h"

void tmp_init(void); // registers the scheme

// Gives scheme `s` a new tree of its own: sets s->data, hands out the root. Both texts may be NULL.
err_t tmp_root_make(struct scheme *s, const char *source, const char *options, struct node **root)
    must_check;
err_t tmp_totals(struct scheme *s, struct scheme_totals *totals) must_check;
void tmp_drop(struct scheme *s);

// A file in no directory (memfd_create); its path reads /label (deleted).
err_t memory_file_make(const char *label, unsigned flags, struct file **file) must_check;

// The size and number of nodes that one tree may use; for tmp_node.c and tmp_file.c.
struct tmp_tree {
    struct scheme *scheme;
    uint64_t pages_limit, pages_used; // atomic
    uint64_t nodes_limit, nodes_used; // atomic
};

static inline struct tmp_tree *tmp_tree(const struct node *n)
{
    return n->scheme->data;
}

extern const struct file_ops tmp_files;
err_t tmp_file_init(struct node *n) must_check; // gives a file its memory object
err_t tmp_file_resize(struct node *n, uint64_t size) must_check;
// Makes `p`, whose reference moves in, the page of a file at `index`; its size is set after that.
// On failure the page stays the caller's.
err_t tmp_file_adopt(struct node *n, uint64_t index, struct page *p) must_check;
bool tmp_file_is(const struct node *n);
err_t tmp_node_make(struct scheme *s, enum node_kind kind, unsigned mode, uint64_t device,
                    const char *target, struct node **node) must_check;

// Text of a size option: "64m", "50%" (of `whole`); false: it is none.
bool tmp_parse_size(const char *text, size_t length, uint64_t whole, uint64_t *size);
