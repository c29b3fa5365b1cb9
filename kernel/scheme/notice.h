// SPDX-License-Identifier: GPL-3.0-or-later
// Notices: files that tell what happens to the files and directories they watch.
//
//   struct file *queue;  e = notice_queue_make(&layout, 0, &queue);
//   e = notice_watch(queue, node, NOTICE_MODIFY, NOTICE_REPLACE, &number);
//   ... file_read(queue, &io): records as `layout` says
//
// Who changes something tells of it: notice_file() of an open file, notice_name() of a place in the
// tree, notice_entry() of a directory's entry. What nobody watches costs one comparison: an open
// file (and a name) remembers at which `notice_stamp` it was found unwatched, and the stamp moves
// when something begins to be watched. A watch keeps its node; when nothing but watches keeps a
// node that has no name any more, that is its end (NOTICE_DELETE_SELF).
//
// Locks: a node's head->lock (RANK_NOTICE) guards its list of watches, the queue's lock
// (RANK_NOTICE_QUEUE) what it was told and its numbers. Telling needs no sleeping lock and may be
// done under any. Limits: for each user. Thread context. Tests: tests/programs/notices.c.
#pragma once
#include "kernel/scheme/node.h"

enum notice_event { // the numbers of inotify(7)
    NOTICE_ACCESS = 0x1,
    NOTICE_MODIFY = 0x2,
    NOTICE_ATTRIBUTES = 0x4,
    NOTICE_CLOSE_WRITE = 0x8,
    NOTICE_CLOSE_OTHER = 0x10,
    NOTICE_OPEN = 0x20,
    NOTICE_MOVED_FROM = 0x40,
    NOTICE_MOVED_TO = 0x80,
    NOTICE_CREATE = 0x100,
    NOTICE_DELETE = 0x200,
    NOTICE_DELETE_SELF = 0x400,
    NOTICE_MOVE_SELF = 0x800,
    NOTICE_ALL = 0xfff,
    NOTICE_UNMOUNT = 0x2000,
    NOTICE_OVERFLOW = 0x4000,
    NOTICE_IGNORED = 0x8000,
    NOTICE_EXCLUDE_UNLINKED = 0x04000000,
    NOTICE_DIRECTORY = 0x40000000, // it happened to a directory
};
#define NOTICE_ONCE 0x80000000u

enum notice_mode { // what to do where the queue watches the node already
    NOTICE_REPLACE,
    NOTICE_ADD,
    NOTICE_NEW, // -EEXIST
};

enum {
    NOTICE_EVENTS_MAX = 16384, // of one queue; then it overflows
    NOTICE_QUEUES_MAX = 128,   // of one user
    NOTICE_WATCHES_MAX = 65536,
    NOTICE_BYTES_MAX = MIB(16), // of one user: what nobody has read
};

// One thing that happened.
struct notice {
    int watch; // -1: none
    uint32_t event, cookie;
    size_t length; // of the name in the watched directory; 0: it was the watched thing itself
    const char *name;
};

// How a notice is read: a head, then the name, NUL-terminated and padded to a multiple of `align`.
enum { NOTICE_HEAD_MAX = 32 };
struct notice_layout {
    size_t head, align;
    void (*encode)(const struct notice *n, size_t name_room, void *head);
};

extern uint64_t notice_stamp; // moves when something begins to be watched

static inline bool notice_stale(uint64_t quiet)
{
    return unlikely(quiet != __atomic_load_n(&notice_stamp, __ATOMIC_ACQUIRE));
}

// The first two under the inlines, for events of things that may be watched.
void notice_tell_file(struct file *f, unsigned event);
void notice_tell_name(struct name *where, unsigned event);

static inline void notice_file(struct file *f, unsigned event)
{
    if (notice_stale(f->quiet))
        notice_tell_file(f, event);
}

static inline void notice_name(struct name *where, unsigned event)
{
    if (notice_stale(where->quiet))
        notice_tell_name(where, event);
}

// To the node itself, not to its directory.
void notice_node(struct node *n, unsigned event);
// Something happened to an entry of a directory, which stands for `what`.
void notice_entry(struct node *dir, const struct node *what, const char *text, size_t length,
                  unsigned event, uint32_t cookie);
// `what` moved from one directory to another. Before or after; both may be the same.
void notice_moved(struct node *from, const struct name *old, struct node *to,
                  const struct name *now, struct node *what);
// The node lost a name that nobody else holds, and whose reference goes now: if it was the last,
// the node is told before its directory is.
void notice_unlinked(struct node *n);
// A name came into the directory: whoever is known to be unwatched is looked at again.
void notice_arrived(const struct node *dir);
// The scheme is mounted nowhere any more: its watches end.
void notice_unmounted(const struct scheme *s);

// For node.c. Gives back a reference on a node that was ever watched; true: it was the last.
bool notice_node_put(struct node *n) must_check;
void notice_node_drop(struct node *n); // the node goes

err_t notice_queue_make(const struct notice_layout *layout, unsigned flags, struct file **file)
    must_check; // -EMFILE: the user has too many
bool notice_queue_is(const struct file *f);
// Watches a node, or changes for what. *number: the watch's. -ENOSPC: too many; -EEXIST.
err_t notice_watch(struct file *queue, struct node *n, unsigned wanted, enum notice_mode mode,
                   int *number) must_check;
err_t notice_unwatch(struct file *queue, int number) must_check; // -EINVAL
