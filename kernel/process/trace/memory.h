// SPDX-License-Identifier: GPL-3.0-or-later
// Bytes of another process's memory, for whoever may look at it or change it: debuggers,
// process_vm_readv, /proc/PID/mem. The right to do so is the caller's business. Thread context;
// sleeps.
#pragma once
#include "kernel/memory/space.h"
#include "kernel/scheme/io.h"

enum memory_how {
    MEMORY_WRITE = 1,
    MEMORY_FORCE = 2, // private memory also where the program itself has no right (its code)
};

// Moves io->left bytes at `address`; on an error io->done says how many were. -EFAULT.
err_t memory_transfer(struct space *s, uaddr_t address, struct io *io, unsigned how) must_check;
