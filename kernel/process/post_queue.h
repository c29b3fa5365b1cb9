// SPDX-License-Identifier: GPL-3.0-or-later
// Message queues that are files with names of their own (POSIX; mq_overview(7)).
//
//   struct post_open how = { .flags = OPEN_READ | OPEN_CREATE, .mode = 0600, .most = 10, .size =
//   8192 }; struct file *f;  err_t e = post_open("name", &how, &f); e = post_send(f, &m,
//   WAIT_FOREVER);             the most urgent is received first, of equal e = post_receive(f,
//   WAIT_FOREVER, &m);          ones the oldest e = post_unlink("name");
//
// Names are a table of their own (post_names.c). A queue is a node, so it has an owner, a mode and
// times, and goes when neither its name nor an open file is left. All that it may ever hold is
// charged to its maker when it is made, against his RLIMIT_MSGQUEUE. Each queue has a spin lock
// (RANK_QUEUE) for its messages and for who waits: messages go from sender to receiver by hand.
// Thread context; may sleep. Tests: tests/programs/posts.c.
#pragma once
#include "kernel/process/ipc.h"
#include "kernel/process/signal.h"
#include "kernel/scheme/node.h"
#include "lib/rbtree.h"

enum {
    POST_QUEUES_MAX = 256, // without CAP_SYS_RESOURCE; with it, sixteen times that
    POST_COUNT_MAX = 10,
    POST_SIZE_MAX = 8192,
    POST_COUNT_HARD = 65536, // with CAP_SYS_RESOURCE
    POST_SIZE_HARD = MIB(16),
    POST_URGENCY_MAX = 32768,
};

struct post {
    struct rb_node order;
    uint64_t serial;
    uint32_t urgency;
    size_t size;
    char bytes[];
};

struct post_open {
    unsigned flags, mode; // enum open_flag; before the umask
    uint64_t most, size;  // of one that is made: how many messages, of how many bytes
};

// How to tell that a message came to an empty queue where nobody waited. signal 0: not at all.
struct post_notify {
    int32_t signal;
    uint64_t value;
};

struct post_status {
    uint64_t most, size, count;
};

// -ENOENT, -EEXIST, -EACCES, -EINVAL, -EMFILE: RLIMIT_MSGQUEUE, -ENOSPC: too many queues, -ENOMEM.
err_t post_open(const char *name, const struct post_open *how, struct file **file) must_check;
err_t post_unlink(const char *name) must_check; // -ENOENT, -EPERM

bool post_is(const struct file *f);
struct post *post_make(size_t size) must_check; // NULL: no memory
// Takes the message, unless it fails. -EMSGSIZE, -EAGAIN (OPEN_NONBLOCK), -ETIMEDOUT, -EBADF,
// -EINTR.
err_t post_send(struct file *f, struct post *m, nanos_t deadline) must_check;
// The caller's to free. -EMSGSIZE: less room than the queue's messages may have, and as above.
err_t post_receive(struct file *f, size_t room, nanos_t deadline, struct post **m) must_check;
// The calling process is told once; NULL: no more. -EBUSY: another one is.
err_t post_notify(struct file *f, const struct post_notify *how) must_check;
void post_status(struct file *f, struct post_status *status);
