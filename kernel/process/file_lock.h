// SPDX-License-Identifier: GPL-3.0-or-later
// Advisory locks: of byte ranges, owned by a process's descriptor table (fcntl), and of whole
// files, owned by an open file (flock). They lie in the node's list, in order of start. Guards:
// node.locks_lock. Thread context; may sleep when told to wait.
#pragma once
#include "kernel/scheme/node.h"

enum file_lock_kind { LOCK_NONE, LOCK_SHARED, LOCK_EXCLUSIVE };

struct file_lock_range {
    uint64_t start, end; // [start, end); end UINT64_MAX: to the end of the file
};

struct file_lock_found {
    enum file_lock_kind kind;
    struct file_lock_range range;
    int32_t process;
};

// Sets, changes or (LOCK_NONE) removes the calling process's lock on a range. -EAGAIN when
// another's is in the way and !wait, -EINTR, -EBADF for a file not open for what the lock is for,
// -ENOMEM, -ENOLCK when it has too many on the file.
err_t file_lock_range(struct file *f, enum file_lock_kind kind, const struct file_lock_range *range,
                      bool wait) must_check;
// True when a lock of that kind would be refused; tells whose.
bool file_lock_test(struct file *f, enum file_lock_kind kind, const struct file_lock_range *range,
                    struct file_lock_found *found);
// flock: -EWOULDBLOCK when in the way and !wait.
err_t file_lock_whole(struct file *f, enum file_lock_kind kind, bool wait) must_check;

// What closing does: a table that closes any number of a file loses its range locks there; the last
// reference of an open file loses its whole-file lock.
void file_lock_closed(struct file *f, const struct descriptors *table);
void file_lock_released(struct file *f);
