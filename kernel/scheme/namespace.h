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
// for all name spaces, RANK_LEAF. Reference counted: processes hold them, and the process that made
// one until it ends. Thread context. Tests: tests/boot/test_namespaces.py.
#pragma once
#include "lib/base.h"

struct namespace;
struct scheme;

enum {
    NAMESPACE_NULL = 0,
    NAMESPACE_ROOT = 1,
    NAMESPACE_NAMES_MAX = 1024,
    NAMESPACES_MAX = 4096,
    SCHEME_NAME_MAX = 256,
};

struct namespace_name {
    const char *text;
    size_t length;
};

// A new name space with these names of `from` and those that every one has: "", event, itimer,
// memory, pipe, sys, time. -ENODEV: a name is not in `from`. -EAGAIN: there are too many. It stays,
// also without users, until namespace_maker_ended() is told of its maker (a process number).
err_t namespace_make(struct namespace *from, const struct namespace_name *names, size_t count,
                     int32_t maker, uint64_t *number) must_check;
void namespace_maker_ended(int32_t maker);
// By number, with a reference (NULL for the root one). -ENOENT: there is none.
err_t namespace_by_number(uint64_t number, struct namespace **found) must_check;
uint64_t namespace_number(const struct namespace *n);
void namespace_get(struct namespace *n); // NULL is fine, here and below
void namespace_put(struct namespace *n);

err_t namespace_find(struct namespace *n, const char *name, size_t length, struct scheme **scheme)
    must_check;
// Registers a scheme in this name space, which holds its first reference. -EEXIST: the name is
// taken in it. -EACCES: nothing can be added (the null one).
err_t namespace_add(struct namespace *n, struct scheme *s) must_check;
void namespace_remove(struct scheme *s);      // wherever it was added: nobody finds it any more
bool namespace_has_tree(struct namespace *n); // may name the Linux tree as "file"
// Visits the names in order; stops when `visit` returns false. Copies: `visit` may sleep.
void namespace_visit(struct namespace *n,
                     bool (*visit)(const char *name, size_t length, void *data), void *data);
