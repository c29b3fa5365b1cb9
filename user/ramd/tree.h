// SPDX-License-Identifier: GPL-3.0-or-later
// The RAM scheme's files and directories, and what they hold.
//
// A node lives while its directory names it or somebody has it open. A directory's children are in
// the order of their numbers, so a listing can go on after a number whatever happens between.
// Contents are a range of pages that grows by moving; once a client has mapped it, it stays where
// it is and has room to grow (MAPPED_ROOM). One thread.
#pragma once
#include "user/libredox/redox.h"

enum { NAME_MAX = 255 };
#define MAPPED_ROOM (64ull << 20)

struct content {
    char *bytes;   // `room` bytes of address space; pages come when they are touched
    uint64_t size; // all behind it is zero
    uint64_t room;
    uint64_t mapped; // bytes of it that clients have mapped
    bool touched;    // somebody had it mapped
};

struct node {
    struct node *parent, *children, *next; // parent NULL: the root, or without a name
    uint64_t inode;
    uint16_t mode; // with REDOX_MODE_DIR or REDOX_MODE_FILE
    uint32_t user, group;
    unsigned opens;
    struct redox_timespec accessed, modified, changed;
    struct content content;
    uint8_t length;
    char name[NAME_MAX + 1];
};

struct who {
    uint32_t user, group;
};

// tree.c
extern struct node root;
struct redox_timespec tree_now(void);
bool tree_is_directory(const struct node *n);
// May it be read (4), written (2), gone through (1)?
bool tree_may(const struct node *n, struct who who, unsigned rights);
// The node of a path: 0, -ENOENT, -ENOTDIR, -EACCES. With `last` it may be missing: then *found is
// its directory's node, and *last, *last_length its name; else *last_length is 0.
int64_t tree_find(const char *path, size_t length, struct who who, struct node **found,
                  const char **last, size_t *last_length);
struct node *tree_child(struct node *directory, const char *name, size_t length);
int64_t tree_make(struct node *directory, const char *name, size_t length, uint16_t mode,
                  struct who who, struct node **made);
int64_t tree_remove(struct node *n, bool directory, struct who who);
int64_t tree_move(struct node *n, const char *path, size_t length, struct who who);
void tree_open(struct node *n);
void tree_close(struct node *n); // and the node goes, when it has no name either
// "a/b/c" into `buffer`, cut off: what was written.
size_t tree_path(const struct node *n, char *buffer, size_t size);

// content.c
extern uint64_t content_pages, content_limit;             // in use, and as many as there may be
int64_t content_resize(struct content *c, uint64_t size); // 0, -ENOSPC, -EFBIG
int64_t content_pin(struct content *c);                   // before a client maps it
void content_drop(struct content *c);
