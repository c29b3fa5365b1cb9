// SPDX-License-Identifier: GPL-3.0-or-later
// Name spaces: which schemes a process can name. Every process has one in force (its effective one)
// and one to come back to (its real one); NULL stands for the root name space, number 1, which has
// every registered scheme that no other name space keeps for itself.
//
//   struct scheme *s;
//   err_t e = namespace_find(v->names, "time", 4, &s);       with a reference; -ENODEV
//
// A name space maps names to schemes. Number 0 is the null name space: memory, thisproc and pipe
// and nothing else. A scheme made by a process is added to that process's effective name space
// only. The Linux tree is the scheme "file": who cannot name that cannot open a path. Locks: one
// name space's list, RANK_LEAF. Reference counted. Thread context.
#pragma once
#include "lib/base.h"

struct namespace;
struct scheme;

enum { NAMESPACE_NULL = 0, NAMESPACE_ROOT = 1, NAMESPACE_NAMES_MAX = 1024, SCHEME_NAME_MAX = 256 };

struct namespace_name {
    const char *text;
    size_t length;
};

// A new name space with these names of `from` and those that every one has: "", event, itimer,
// memory, pipe, sys, time. -ENODEV: a name is not in `from`.
err_t namespace_make(struct namespace *from, const struct namespace_name *names, size_t count,
                     struct namespace **made) must_check;
// By number, with a reference (NULL for the root one). -ENOENT: there is none.
err_t namespace_by_number(uint64_t number, struct namespace **found) must_check;
uint64_t namespace_number(const struct namespace *n);
void namespace_get(struct namespace *n);
void namespace_put(struct namespace *n);

err_t namespace_find(struct namespace *n, const char *name, size_t length, struct scheme **scheme)
    must_check;
// Registers a scheme in this name space. -EEXIST: the name is taken in it.
err_t namespace_add(struct namespace *n, struct scheme *s) must_check;
void namespace_remove(struct scheme *s);      // wherever it was added: nobody finds it any more
bool namespace_has_tree(struct namespace *n); // may name "file"
// Visits the names in order; stops when `visit` returns false. Copies: `visit` may sleep.
void namespace_visit(struct namespace *n,
                     bool (*visit)(const char *name, size_t length, void *data), void *data);
