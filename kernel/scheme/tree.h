// SPDX-License-Identifier: GPL-3.0-or-later
// Making an entry whose directory is locked, for tree.c and open.c.
#pragma once
#include "kernel/scheme/node.h"

// Makes what `child`, known to be absent, names in `dir`, whose node is locked.
err_t tree_make_locked(const struct view *v, struct name *dir, struct name *child,
                       enum node_kind kind, unsigned mode, uint64_t device, const char *target)
    must_check;
