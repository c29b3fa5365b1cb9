// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of notices (notice.h) share: watches, and the queues that they tell.
#pragma once
#include "kernel/scheme/notice.h"
#include "kernel/scheme/user/limits.h"
#include "lib/radix.h"

// Of one node: who watches it. As long as the node, once it was watched.
struct notice_head {
    struct spinlock lock;
    struct list watches; // struct notice_watch.link
    uint32_t pins;       // references on the node that these have
    struct node *node;   // without a reference
    struct list every;   // all heads, for notice_unmounted()
};

struct notice_queue;

// One node watched by one queue. Attached (in both tables) it has a reference.
struct notice_watch {
    uint32_t references;
    bool attached; // under the head's lock
    struct list link;
    struct node *node;          // with a reference
    struct notice_queue *queue; // with a reference
    int number;
    uint32_t wanted; // under the head's lock
};

struct notice_event_kept {
    struct list link;
    int watch;
    uint32_t event, cookie;
    uint16_t length;
    char name[];
};

struct notice_queue {
    uint32_t references;
    struct spinlock lock;
    struct radix watches; // by number
    int next;             // number to try
    struct list events;   // struct notice_event_kept.link
    unsigned count;
    uint64_t bytes; // as they will be read
    struct wait_queue readable;
    struct scheme_account *account;
    const struct notice_layout *layout;
    bool closed;
    struct notice_event_kept overflow; // queued where there is no room for more
};

// notice_queue.c
void notice_queue_tell(struct notice_queue *q, const struct notice *n); // under a head's lock
void notice_queue_put(struct notice_queue *q);
// Gives the watch a number and puts it into the table. -ENOSPC, -ENOMEM, -EBADF: it closes.
err_t notice_queue_enter(struct notice_queue *q, struct notice_watch *w) must_check;
void notice_queue_leave(struct notice_queue *q, struct notice_watch *w); // and tells that it ended
struct notice_watch *notice_queue_find(struct notice_queue *q, int number)
    must_check; // with a reference; NULL: none

// notice.c
void notice_watch_put(struct notice_watch *w);
void notice_watch_end(struct notice_watch *w); // takes it off its node, if it is not yet
