// SPDX-License-Identifier: GPL-3.0-or-later
// A sparse array: index -> pointer, for page caches and tables of identifiers.
//
//   struct radix r;  radix_init(&r, &nodes);
//   if (!radix_put(&r, 7, page)) ...no memory...
//   p = radix_get(&r, 7);
//   uint64_t i = 0; for (void *p; (p = radix_next(&r, &i)); i++) ...
//
// A tree of nodes with 64 slots, only as high as the largest index needs, only where something is.
// Nodes come from the `radix_nodes` given at the start. The caller locks. Tests: lib/test/radix.c.
#pragma once
#include "lib/base.h"

enum { RADIX_BITS = 6, RADIX_SLOTS = 1 << RADIX_BITS };

struct radix_node {
    uint64_t used; // bit for each slot that is not NULL
    void *slots[RADIX_SLOTS];
};

// Where nodes come from: `make` returns sizeof(struct radix_node) zeroed bytes or NULL.
struct radix_nodes {
    void *(*make)(void);
    void (*drop)(void *node);
};

struct radix {
    const struct radix_nodes *nodes;
    struct radix_node *root;
    unsigned height; // levels of nodes
};

void radix_init(struct radix *r, const struct radix_nodes *nodes);

// The value at `index`; NULL when there is none.
void *radix_get(const struct radix *r, uint64_t index);

// Sets a value (not NULL), replacing what was there. False when there is no memory; nothing changed
// then.
bool radix_put(struct radix *r, uint64_t index, void *value) must_check;

// Takes the value out and returns it; nodes left empty are dropped.
void *radix_remove(struct radix *r, uint64_t index);

// The first value at an index >= *index, which is set to where it was found; NULL: none.
void *radix_next(const struct radix *r, uint64_t *index);

// Drops all nodes; the values are the caller's.
void radix_clear(struct radix *r);
