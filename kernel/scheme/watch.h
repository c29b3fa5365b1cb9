// SPDX-License-Identifier: GPL-3.0-or-later
// Watch lists: one file that tells which of many others became ready (what epoll is made of), and
// the counter file (eventfd's).
//
//   struct file *list;  e = watch_list_make(0, &list);
//   e = watch_add(list, f, 5, POLL_IN, 0, data);          5: the descriptor, part of the key
//   e = watch_wait(list, events, 16, WAIT_FOREVER, &n);
//
// Waiting costs by what is ready, not by what is watched: wakers put the watch on the list's queue.
// A watch holds no reference on its file; it ends with it. Lists may watch lists, five deep.
// Locks: the list's mutex (RANK_WATCH) guards the set of watches; its wait queue's
// (RANK_WATCH_WAIT) what is ready, under wait queues' locks; a watch's lock (RANK_WATCH_ITEM) its
// tie to the file. Threads only.
#pragma once
#include "kernel/scheme/file.h"

enum watch_mode {
    WATCH_EDGE = 1,      // told once for each time it becomes ready
    WATCH_ONCE = 2,      // told once, then silent until watch_change()
    WATCH_EXCLUSIVE = 8, // of several lists that watch a file so, not all are told
    WATCH_ANY = 4,       // files that are always ready are told, too, instead of being refused
};

struct watch_event {
    unsigned ready;  // enum poll_event
    unsigned wanted; // what it was added with
    int number;
    uint64_t data;
};

err_t watch_list_make(unsigned flags, struct file **list) must_check;
bool watch_list_is(const struct file *f);
// -EEXIST; -EPERM: the file is always ready (it has no poll operation); -ELOOP: lists that watch
// each other in a circle or too deep; -EINVAL: the list itself, or not a list.
err_t watch_add(struct file *list, struct file *f, int number, unsigned wanted, unsigned mode,
                uint64_t data) must_check;
err_t watch_change(struct file *list, struct file *f, int number, unsigned wanted, unsigned mode,
                   uint64_t data) must_check; // -ENOENT; -EINVAL: it is WATCH_EXCLUSIVE
err_t watch_remove(struct file *list, struct file *f, int number) must_check; // -ENOENT
// Takes events one by one, in thread context without locks; an error ends the call, and that event
// is told again.
struct watch_sink {
    err_t (*take)(struct watch_sink *s, const struct watch_event *event);
};
// *count: how many events were taken; 0 at the deadline (0: only looks). -EINTR, the sink's error
// when it was the first. Of several that wait, one event wakes one.
err_t watch_collect(struct file *list, struct watch_sink *sink, size_t room, nanos_t deadline,
                    size_t *count) must_check;
// The same into an array.
err_t watch_wait(struct file *list, struct watch_event *events, size_t room, nanos_t deadline,
                 size_t *count) must_check;

void watch_init(void);
void watch_file_closing(struct file *f); // by file_put(), before the file's own close

// A 64-bit counter: writing adds to it, reading takes all of it (or 1, as a semaphore).
bool counter_is(const struct file *f);
err_t counter_make(uint64_t start, bool semaphore, unsigned flags, struct file **file) must_check;
