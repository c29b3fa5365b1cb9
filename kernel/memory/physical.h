// SPDX-License-Identifier: GPL-3.0-or-later
// Physical memory for programs: frames whose addresses are known, for devices to read and write,
// and windows on addresses that are not memory (registers, firmware's tables).
//
//   phys_t at;  err_t e = physical_alloc(space, KIB(64), true, &at);
//   struct memory_object *o;  e = physical_object(at, KIB(64), CACHING_AUTO, &o);
//   ... space_map(space, &(struct map_request){ .object = o, .offset = at, ... }) ...
//   object_put(o); e = physical_free(at, KIB(64));
//
// Offsets into these objects are physical addresses. Memory is shown only where it was allocated
// here (or lies below 1 MiB, where the kernel keeps nothing but a page for starting CPUs): what
// the kernel and other programs have cannot be reached this way, not even by root. What a space
// allocated goes back with the space; a mapping keeps its frames until it goes as well.
// Lock: the list of allocations, RANK_LEAF. Thread context.
#pragma once
#include "kernel/memory/space.h"

enum { PHYSICAL_ALLOC_MAX = 4 << 20 }; // bytes: the largest piece that is surely found whole

// Objects of such frames; mappings of them are always shared.
extern const struct pager contiguous_pager;

// An object whose `size` bytes (whole pages) from `offset` on are zeroed neighbouring frames.
// `low`: below 4 GiB. `at` may be NULL. -ENOMEM.
err_t contiguous_object(uint64_t size, bool low, uint64_t offset, struct memory_object **object,
                        phys_t *at) must_check;

// Zeroed frames at one physical address, on behalf of `s`. `size`: whole pages. -ENOMEM.
err_t physical_alloc(struct space *s, uint64_t size, bool low, phys_t *at) must_check;
// Gives one whole allocation back, whoever made it. -EINVAL: it is not one.
err_t physical_free(phys_t at, uint64_t size) must_check;
void physical_space_gone(const struct space *s); // frees what it allocated

// What shows [start, start + size), whole pages. -EACCES: memory that is somebody's.
err_t physical_object(phys_t start, uint64_t size, enum caching caching,
                      struct memory_object **object) must_check;
