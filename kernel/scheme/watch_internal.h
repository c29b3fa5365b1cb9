// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of watch lists (watch.h) tell each other and nobody else.
#pragma once
#include "kernel/scheme/watch.h"
#include "lib/hash.h"

enum { ITEM_QUEUES = 4 };

struct item;

struct item_waiter {
    struct waiter waiter;
    struct item *item;
};

struct item {
    struct hash_link by_key; // in list->items
    struct list ready_link;  // in list->ready
    struct list file_link;   // in file->watchers
    struct list nest_link;   // in the parents of the list that it watches; under nest_lock
    struct spinlock lock;    // RANK_WATCH_ITEM
    uint32_t references;
    struct watch_list *list;
    struct file *file; // NULL: closed, or removed
    const struct file *key_file;
    int number;
    unsigned wanted, mode; // atomic
    uint64_t data;
    bool queued, removed; // under the list's waiting.lock
    unsigned queue_count;
    struct item_waiter waiters[ITEM_QUEUES];
};

struct watch_list {
    struct mutex lock;
    struct hash_table items;
    uint64_t count;
    struct wait_queue waiting; // watch_wait(); as `polled`, woken under other queues' locks
    struct list ready;         // under waiting.lock
    uint32_t ready_count;      // the same; read without
    struct wait_queue polled;  // poll and select of the list itself
    struct list parents;       // struct item.nest_link of lists that watch this one
    unsigned parent_count, below, above;
    uint64_t stamp; // these five under nest_lock
};

// Puts the item on its list's queue of what is ready, and wakes. Any context.
void item_queue(struct item *i);
// The same but for the lists above; true: somebody above may want to know.
bool item_queue_here(struct item *i);

// watch_nest.c: lists that watch lists.
// Before `outer` watches `inner`: -ELOOP a circle or too deep, -EINVAL too many watch it. All of
// watch_add() lies between the two.
err_t nest_begin(struct watch_list *outer, struct watch_list *inner) must_check;
void nest_end(void);
void nest_tie(struct item *i, struct watch_list *inner); // i is told when inner becomes ready
void nest_untie(struct item *i);
void nest_wake(struct watch_list *inner);
