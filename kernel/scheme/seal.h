// SPDX-License-Identifier: GPL-3.0-or-later
// Seals: promises about a memory file (memory_file_make(), files of a tmpfs) that nobody can take
// back. Other files of a tmpfs carry SEAL_SEAL from the start.
//
// node->seals is set under node->lock; who writes, cuts or extends holds that and looks. Who maps
// looks again once the mapping is there (seals_allow_mapping()), as seals_add() looks for mappings
// once the seal is there: one of the two sees the other. Thread context.
#pragma once
#include "kernel/scheme/node.h"

enum seal { // the numbers of F_SEAL_*
    SEAL_SEAL = 1,
    SEAL_SHRINK = 2,
    SEAL_GROW = 4,
    SEAL_WRITE = 8,
    SEAL_FUTURE_WRITE = 0x10, // what is mapped already may still be written
    SEALS_WRITE = SEAL_WRITE | SEAL_FUTURE_WRITE,
    SEALS_ALL = 0x1f,
};

void seals_allow(struct file *f); // a new memory file's: none yet
// -EINVAL: no such file, unknown seals; -EPERM: not open for writing, or sealed against more;
// -EBUSY: SEAL_WRITE, and it is mapped for writing.
err_t seals_add(struct file *f, unsigned seals) must_check;
err_t seals_get(struct file *f, unsigned *seals) must_check; // -EINVAL
// What may be mapped of a file: -EPERM; takes the right to write from *most of a shared mapping.
err_t seals_allow_mapping(const struct file *f, unsigned access, bool shared, unsigned *most)
    must_check;
