// SPDX-License-Identifier: GPL-3.0-or-later
// What post_names.c and post_queue.c tell each other.
#pragma once
#include "kernel/process/post_queue.h"

struct post_queue; // a node's `data`

// Charged to the calling process. -EMFILE, -ENOMEM.
err_t post_queue_make(uint64_t most, uint64_t size, struct post_queue **queue) must_check;
void post_queue_drop(struct post_queue *q);
extern const struct file_ops post_files;
