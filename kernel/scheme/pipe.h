// SPDX-License-Identifier: GPL-3.0-or-later
// Pipes, for the rest of this room: named ones are opened through their node. (pipe_make: file.h.)
#pragma once
#include "kernel/scheme/node.h"

// Opens a named pipe, waiting for the other end as POSIX says (-ENXIO: writing, not waiting, nobody
// reads).
err_t fifo_open(struct node *n, struct name *where, unsigned flags, struct file **file) must_check;

// Registers the scheme that the nodes of unnamed pipes belong to.
void pipe_init(void);
