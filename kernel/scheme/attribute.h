// SPDX-License-Identifier: GPL-3.0-or-later
// Extended attributes of nodes: names with values, for schemes that keep them in memory
// (node_ops.keeps_attributes). The names' classes and who may use them are the caller's business.
//
//   e = attribute_set(node, "user.origin", value, size, ATTRIBUTE_NEW);
//   e = attribute_get(node, "user.origin", to, room, &size);
//
// Locks: node->lock, taken inside. Thread context. What a tree's nodes keep is charged to it by
// whole pages (node_ops.charge), and one node keeps 64 KiB at most.
#pragma once
#include "kernel/scheme/node.h"

enum attribute_flag {
    ATTRIBUTE_NEW = 1, // -EEXIST: it is there
    ATTRIBUTE_OLD = 2, // -ENODATA: it is not
};
enum { ATTRIBUTES_MAX = 65536, ATTRIBUTE_NAME_MAX = 255 };

// All but _drop: -EOPNOTSUPP when the node keeps none.
err_t attribute_set(struct node *n, const char *name, const void *value, size_t size,
                    unsigned flags) must_check;
// *size: of the whole value. -ENODATA; -ERANGE: more than `room`, and room is not 0.
err_t attribute_get(struct node *n, const char *name, void *to, size_t room, size_t *size)
    must_check;
err_t attribute_remove(struct node *n, const char *name) must_check; // -ENODATA
// Visits the names; `visit` must not sleep.
err_t attribute_visit(struct node *n, void (*visit)(const char *name, void *data), void *data)
    must_check;
void attribute_drop_all(struct node *n); // the node goes
